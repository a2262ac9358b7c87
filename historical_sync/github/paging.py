"""How much to ask at once: the page that a point buys, halved when GitHub finds it too heavy. Pure state, no I/O."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from threading import Lock

CLEAN_ANSWERS_TO_GROW = 4
"""A page that was too heavy is tried a quarter larger after this many answers without trouble."""


def page_for_a_point(connections_each: float, most: int = 100) -> int:
    """The largest n for which `round((1 + n * connections_each) / 100)` is still one point; 21 for seven lists."""
    return max(1, min(most, math.ceil(149 / connections_each - 1e-9) - 1))


@dataclass
class PageSize:
    """The size of one kind of page. Threads share it.

    It starts at the size that GitHub's formula makes cheapest (`connections_each` lists per item), learns from the cost
    that the server really reports, halves on `shrink` and grows back slowly on `grow`.
    """

    connections_each: float
    most: int = 100
    size: int = 0
    _clean: int = 0
    _guard: Lock = field(default_factory=Lock, repr=False)

    def __post_init__(self) -> None:
        self.most = page_for_a_point(self.connections_each, self.most) if self.connections_each else self.most
        self.size = self.size or self.most

    def shrink(self, failed: int) -> None:
        """A page of `failed` items was too heavy: go to half of it. A late failure of a larger page changes nothing."""
        with self._guard:
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
        """The server charged `points` for `items`: where that is more than the formula says, ask for fewer at once."""
        if not points or not items or not self.connections_each:
            return
        charged_at_least = (100 * (points - 0.5) - 1) / items
        with self._guard:
            if charged_at_least > self.connections_each + 1e-9:
                self.connections_each = charged_at_least
                self.most = page_for_a_point(charged_at_least, self.most)
                self.size = min(self.size, self.most)
