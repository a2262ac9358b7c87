"""Pull requests that no longer exist: found by a full walk that did not see them, confirmed by id, then removed."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from historical_sync.github import queries
from historical_sync.github.entry_pages import names_to_ask
from historical_sync.github.readers import read_existence
from historical_sync.github.walk import MARGIN, Walker
from historical_sync.records import TrackedRepository
from historical_sync.warehouse.index import (
    RepositoryMonths,
    delete_pull_requests,
    read_walk,
    save_walk,
    unseen,
)
from historical_sync.warehouse.index import Walk as WalkState
from historical_sync.warehouse.repository_months import reopen_changed

FULL_WALK_EVERY = timedelta(days=7)
IDS_AT_ONCE = 100
BEGINNING = datetime(1970, 1, 1, tzinfo=UTC)


def is_full_walk_due(walker: Walker, repository: TrackedRepository, now: datetime) -> bool:
    """Whether the last full walk (or, before the first, the history's) began over a week ago, or one is under way."""
    with walker.warehouse.transaction() as tx:
        full = read_walk(tx, walker.team_id, repository.repository, "full")
        history = read_walk(tx, walker.team_id, repository.repository, "history")
    began = full.finished_at or history.started_at
    return full.cursor is not None or (began is not None and began + FULL_WALK_EVERY <= now)


def remove_deleted(walker: Walker, repository: TrackedRepository) -> RepositoryMonths:
    """Walk the known history again and remove what is gone; returns the (repository, month) pairs it was in.

    A pull request goes only when the walk came to its end without seeing it, its id is NOT_FOUND, and its repository
    can be read in the same answer. Raises GitHubError from a walk that fails, and then removes nothing.
    """
    walk = walker.walk_full(repository)
    if walk.started_at is None:
        return set()
    down_to = BEGINNING if walk.is_at_end or walk.frontier is None else walk.frontier
    with walker.warehouse.transaction() as tx:
        missed = unseen(
            tx,
            walker.team_id,
            repository.repository,
            walk.started_at,
            down_to=down_to,
            until=walk.started_at - MARGIN,
        )
    gone: list[int] = []
    for start in range(0, len(missed), IDS_AT_ONCE):
        batch = missed[start : start + IDS_AT_ONCE]
        ids = _ids_gone(walker, repository, [one.node_id for one in batch])
        gone += [one.number for one in batch if one.node_id in ids]
    with walker.warehouse.transaction() as tx:
        changed = delete_pull_requests(tx, walker.team_id, repository.repository, sorted(gone))
        save_walk(tx, walker.team_id, repository.repository, WalkState("full", finished_at=walk.started_at))
        reopen_changed(tx, walker.team_id, changed)
    if gone:
        walker.client.tell(f"{repository.repository}: removed what GitHub no longer has: {sorted(gone)}")
    return changed


def _ids_gone(walker: Walker, repository: TrackedRepository, ids: list[str]) -> set[str]:
    owner, _, name = names_to_ask(repository)[0].partition("/")
    return walker.client.ask(
        queries.EXISTENCE, {"ids": ids, "owner": owner, "name": name}, lambda answer: read_existence(answer, ids)
    )
