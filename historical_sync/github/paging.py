"""How much to ask at once: the page that a point buys, halved when GitHub finds it too heavy. Pure state, no I/O."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from threading import Lock

CLEAN_ANSWERS_TO_GROW = 4
"""A page that was too heavy is tried a quarter larger after this many answers without trouble."""
CLEAN_ANSWERS_TO_PROBE = 8
"""After this many answers at the largest page one larger is tried, in case the server charges less than we think."""


def page_for_points(connections_each: float, points: int = 1, most: int = 100) -> int:
    """The largest n for which `round((1 + n * connections_each) / 100)` is still this; 21 for seven lists, one point.

    GitHub rounds half up, so that is the largest n below 150 connections, for two points below 250.
    """
    return max(1, min(most, math.ceil((100 * points + 49) / connections_each - 1e-9) - 1))


@dataclass
class PageSize:
    """The size of one kind of page. Threads share it.

    It starts at the size that GitHub's formula makes cheapest (`connections_each` lists per item), follows the cost
    that the server really reports, halves on `shrink` and grows back slowly on `grow`. A page for one point costs one
    however cheap its items are; so a page that should cost two is tried now and then (`next_size`), until it does cost
    two or is too heavy. Without lists (`connections_each` 0) the size is `most`.
    """

    connections_each: float
    most: int = 100
    size: int = 0
    _highest: int = 0
    _clean: int = 0
    _probe: int = 0
    _may_probe: bool = True
    _guard: Lock = field(default_factory=Lock, repr=False)

    def __post_init__(self) -> None:
        self._highest = self.most
        if self.connections_each:
            self.most = page_for_points(self.connections_each, most=self._highest)
        self.size = self.size or self.most

    def next_size(self, waiting: int) -> int:
        """How many of those that wait to ask for now: `size`, or once a larger page when it is time to try one."""
        with self._guard:
            if self._may_probe and self._clean >= CLEAN_ANSWERS_TO_PROBE and self.size == self.most:
                larger = page_for_points(self.connections_each, 2, self._highest)
                self._may_probe = larger > self.size
                if self._may_probe and waiting >= larger:
                    self._clean = 0
                    self._probe = larger
                    return larger
            return self.size

    @property
    def limit(self) -> int:
        """How many a request may hold at present."""
        return max(self.size, self._probe)

    def shrink(self, failed: int) -> None:
        """A page of `failed` items was too heavy: go to half of it. A late failure of a larger page changes nothing."""
        with self._guard:
            self._end_probe(failed, is_over=True)
            self.size = max(1, min(self.size, failed // 2))
            self._clean = 0

    def grow(self) -> None:
        """An answer came without trouble: after a few of them, ask for a quarter more."""
        with self._guard:
            self._clean += 1
            if self._clean >= CLEAN_ANSWERS_TO_GROW and self.size < self.most:
                self.size = min(self.most, self.size + max(1, self.size // 4))
                self._clean = 0

    def learn_cost(self, items: int, points: int | None) -> None:
        """The server charged `points` for `items` (None: it does not tell): a page is what a point buys there."""
        if not items or not self.connections_each:
            return
        with self._guard:
            if not points:
                self._end_probe(items, is_over=True)
                return
            least = (100 * points - 51) / items if points > 1 else 0.0
            most = (100 * points + 49) / items
            is_news = not least <= self.connections_each < most
            if is_news:
                self.connections_each = least if self.connections_each < least else most - 1e-6
                is_at_most = self.size >= self.most
                self.most = page_for_points(self.connections_each, most=self._highest)
                self.size = self.most if is_at_most else min(self.size, self.most)
            self._end_probe(items, is_over=not is_news)

    def _end_probe(self, items: int, *, is_over: bool) -> None:
        """The answer to a larger page has come: it told nothing new, or was too heavy (`is_over`), or try on later."""
        if self._probe and items >= self._probe:
            self._may_probe = not is_over
            self._probe = 0
