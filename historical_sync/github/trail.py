"""Where a walk stands after a page, and whether the page led anywhere new: no list is walked for ever. Pure."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime

from historical_sync.errors import CursorRefused
from historical_sync.github.readers import WalkPage
from historical_sync.warehouse.index import Walk

MOST_EMPTY_PAGES = 5
"""Pages without an entry, one after the other, before the cursor is taken for refused."""


@dataclass
class Trail:
    """The cursors that a descent came by, so that a list that leads in a circle, or nowhere, is not walked for ever."""

    cursors: set[str | None] = field(default_factory=set)
    empty: int = 0

    def follow(self, walk: Walk, page: WalkPage) -> Walk:
        """The walk after this page. Raises CursorRefused when the page leads nowhere new."""
        went_on = advance(walk, page)
        self.cursors.add(walk.cursor)
        self.empty = 0 if page.entries or page.nulls else self.empty + 1
        if page.has_next and went_on.cursor in self.cursors:
            raise CursorRefused(f"The list goes round in a circle at {walk.cursor}.")
        if page.has_next and self.empty > MOST_EMPTY_PAGES:
            raise CursorRefused(f"{self.empty} empty pages in a row, and still more to come.")
        return went_on


def advance(walk: Walk, page: WalkPage) -> Walk:
    """The walk after this page. Raises CursorRefused when there is more to come but the cursor does not move."""
    if page.has_next and (page.end_cursor is None or page.end_cursor == walk.cursor):
        raise CursorRefused(f"The cursor does not move from {walk.cursor}.")
    passed = [moment for moment in (walk.frontier, page.oldest) if moment is not None]
    return replace(
        walk,
        started_at=walk.started_at or page.answered_at,
        cursor=page.end_cursor if page.has_next else None,
        frontier=min(passed, default=None),
        is_at_end=walk.is_at_end or not page.has_next,
        walked_at=page.answered_at,
    )


def has_come_down(walk: Walk, since: datetime | None) -> bool:
    """Whether a look has passed everything since the one before; without one before, everything there is."""
    return walk.is_at_end or (since is not None and walk.has_passed(since))
