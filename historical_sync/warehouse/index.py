"""The index: which pull requests GitHub has, as the walks saw them, and how far each walk has come.

A walk goes down a repository's list, last updated first. Its cursor, its frontier and the page's rows are committed
together. Three kinds of walk share one table: `history` goes down to the oldest month wanted so far, `look` from the
top to where the last look began, `full` once a week from the top to the history's frontier, to find what was deleted.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from historical_sync.records import IndexEntry, PullRequest, as_row, columns_of
from historical_sync.warehouse.postgres import Transaction, as_rows_of
from historical_sync.window import month_bounds, months_touched

COLUMNS = columns_of(IndexEntry)

INDEX_IN_MONTH = """(
    i.created_at >= %(start)s and i.created_at < %(end)s or i.closed_at >= %(start)s and i.closed_at < %(end)s
)"""

RepositoryMonths = set[tuple[str, date]]


@dataclass(frozen=True, slots=True)
class Walk:
    """How far a walk has come. `frontier` is the last update that it has passed (None: nothing yet).

    Times are GitHub's own. `walked_at` is when its last page was answered, `finished_at` when it last came to its end.
    """

    kind: str
    started_at: datetime | None = None
    cursor: str | None = None
    frontier: datetime | None = None
    is_at_end: bool = False
    walked_at: datetime | None = None
    finished_at: datetime | None = None

    def has_passed(self, moment: datetime) -> bool:
        """Whether everything updated at `moment` or later has been seen."""
        return self.is_at_end or (self.frontier is not None and self.frontier < moment)


@dataclass(frozen=True, slots=True)
class Wanted:
    """A pull request that is to be fetched: the index knows it, and newer than the row, or there is no row."""

    repository: str
    number: int
    node_id: str
    updated_at: datetime


def read_walk(tx: Transaction, team_id: str, repository: str, kind: str) -> Walk:
    """The state of a walk; a fresh one where there is none."""
    columns = ", ".join(columns_of(Walk))
    row = tx.row(
        f"select {columns} from repository_walks where team_id = %s and repository = %s and kind = %s",
        [team_id, repository, kind],
    )
    return Walk(**row) if row else Walk(kind)


def save_walk(tx: Transaction, team_id: str, repository: str, walk: Walk) -> None:
    """Store the state of a walk."""
    columns = columns_of(Walk)
    tx.execute(
        f"""
        insert into repository_walks (team_id, repository, {", ".join(columns)})
        values (%s, %s, {", ".join("%s" for _ in columns)})
        on conflict (team_id, repository, kind) do update
        set {", ".join(f"{name} = excluded.{name}" for name in columns)}
        """,
        [team_id, repository, *(getattr(walk, name) for name in columns)],
    )


def upsert_entries(
    tx: Transaction, team_id: str, repository: str, entries: Iterable[IndexEntry], *, seen_at: datetime | None = None
) -> RepositoryMonths:
    """Store what a page of a walk says; never over something newer. `seen_at` marks them as seen by a full walk.

    Returns the (repository, month) pairs whose list changed.
    """
    newest = {entry.number: entry for entry in sorted(entries, key=lambda entry: entry.updated_at)}
    known = _known_entries(tx, team_id, repository, list(newest))
    changed = [newest[number] for number in sorted(newest) if _is_news(newest[number], known.get(number))]
    columns = f"team_id, repository, {', '.join(COLUMNS)}"
    tx.execute_on(
        [{"team_id": team_id, "repository": repository, **as_row(entry)} for entry in changed],
        f"""
        insert into pull_request_index as old ({columns}) select {columns} from {as_rows_of("pull_request_index")}
        on conflict (team_id, repository, number) do update
        set {", ".join(f"{name} = excluded.{name}" for name in COLUMNS)}, is_missing = false
        where old.updated_at <= excluded.updated_at
        """,
    )
    if seen_at is not None:
        tx.execute(
            """
            update pull_request_index set seen_at = %s, is_missing = false
            where team_id = %s and repository = %s and number = any(%s)
            """,
            [seen_at, team_id, repository, list(newest)],
        )
    return {
        (repository, month)
        for entry in changed
        for version in (entry, known.get(entry.number))
        if version is not None
        for month in months_touched(version.created_at, version.closed_at)
    }


def follow_hydration(tx: Transaction, team_id: str, pull_requests: Sequence[PullRequest]) -> RepositoryMonths:
    """Let the index know what hydration saw that is newer than its own entries; returns the months that changed."""
    changed: RepositoryMonths = set()
    for repository in sorted({one.repository for one in pull_requests}):
        entries = [_entry_of(one) for one in pull_requests if one.repository == repository]
        changed |= upsert_entries(tx, team_id, repository, entries)
    return changed


def wanted_in_month(
    tx: Transaction,
    team_id: str,
    month: date,
    repositories: Sequence[str],
    *,
    after: tuple[str, int],
    limit: int,
    with_partial: bool,
) -> list[Wanted]:
    """The month's pull requests that are to be fetched, by repository and number, after the key `after`.

    `with_partial` also gives those that are stored, but only in part, or were read in the second of their update.
    """
    start, end = month_bounds(month)
    again = "or p.is_partial or not p.is_settled" if with_partial else ""
    return _wanted(
        tx,
        f"""
        i.team_id = %(team_id)s and i.repository = any(%(repositories)s) and {INDEX_IN_MONTH} and not i.is_missing
        and (p.number is null or p.updated_at < i.updated_at {again})
        and (i.repository, i.number) > (%(repository)s, %(number)s)
        order by i.repository, i.number limit %(limit)s
        """,
        {
            "team_id": team_id,
            "repositories": list(repositories),
            "start": start,
            "end": end,
            "repository": after[0],
            "number": after[1],
            "limit": limit,
        },
    )


def wanted_before_month(
    tx: Transaction, team_id: str, month: date, first_month: date, repositories: Sequence[str], limit: int
) -> list[Wanted]:
    """Pull requests of the months before, newest first, to fill a request that has room; none before `first_month`."""
    return _wanted(
        tx,
        """
        i.team_id = %(team_id)s and i.repository = any(%(repositories)s) and not i.is_missing and p.number is null
        and i.created_at >= %(first)s and i.created_at < %(start)s
        and (i.closed_at is null or i.closed_at < %(start)s)
        order by i.created_at desc limit %(limit)s
        """,
        {
            "team_id": team_id,
            "repositories": list(repositories),
            "start": month_bounds(month)[0],
            "first": month_bounds(first_month)[0],
            "limit": limit,
        },
    )


def still_wanted(tx: Transaction, team_id: str, keys: Sequence[tuple[str, int]]) -> list[Wanted]:
    """Those of these pull requests (repository, number) that are still to be fetched."""
    return _wanted(
        tx,
        """
        i.team_id = %(team_id)s and not i.is_missing
        and (i.repository, i.number) in (select * from unnest(%(repositories)s::text[], %(numbers)s::int[]))
        and (p.number is null or p.updated_at < i.updated_at or p.is_partial or not p.is_settled)
        """,
        {
            "team_id": team_id,
            "repositories": [repository for repository, _ in keys],
            "numbers": [number for _, number in keys],
        },
    )


def months_behind(tx: Transaction, team_id: str, *, since: date) -> set[date]:
    """The months from `since` on in which the index is newer than the rows, or a row is only partly known."""
    rows = tx.rows(
        """
        select distinct date_trunc('month', moment)::date as month
        from pull_request_index i
        left join pull_requests p using (team_id, repository, number)
        cross join lateral (values (i.created_at), (i.closed_at)) as moments (moment)
        where i.team_id = %(team_id)s and moment >= %(since)s
            and (i.created_at >= %(since)s or i.closed_at >= %(since)s)
            and (p.number is null or p.updated_at < i.updated_at or p.is_partial or not p.is_settled)
        """,
        {"team_id": team_id, "since": since},
    )
    return {row["month"] for row in rows}


def is_walked(tx: Transaction, team_id: str, repository: str) -> bool:
    """Whether a walk over this repository has ever begun."""
    return read_walk(tx, team_id, repository, "history").started_at is not None


def mark_missing(tx: Transaction, team_id: str, wanted: Sequence[Wanted]) -> None:
    """GitHub says that these ids do not exist; a full walk is to confirm it before anything is deleted."""
    for one in sorted(wanted, key=lambda one: (one.repository, one.number)):
        tx.execute(
            "update pull_request_index set is_missing = true where team_id = %s and repository = %s and number = %s",
            [team_id, one.repository, one.number],
        )


def repositories_with_missing(tx: Transaction, team_id: str, repositories: Sequence[str]) -> list[str]:
    """The repositories with pull requests that GitHub no longer finds."""
    rows = tx.rows(
        """
        select distinct repository from pull_request_index
        where team_id = %s and repository = any(%s) and is_missing order by 1
        """,
        [team_id, list(repositories)],
    )
    return [row["repository"] for row in rows]


def unseen(
    tx: Transaction, team_id: str, repository: str, walk_started_at: datetime, *, down_to: datetime, until: datetime
) -> list[Wanted]:
    """Entries last updated in `down_to <= t < until` that a full walk, begun at `walk_started_at`, did not meet."""
    return _wanted(
        tx,
        """
        i.team_id = %(team_id)s and i.repository = %(repository)s
        and i.updated_at >= %(down_to)s and i.updated_at < %(until)s
        and (i.seen_at is null or i.seen_at < %(started_at)s)
        order by i.number
        """,
        {
            "team_id": team_id,
            "repository": repository,
            "down_to": down_to,
            "until": until,
            "started_at": walk_started_at,
        },
    )


def delete_pull_requests(tx: Transaction, team_id: str, repository: str, numbers: Sequence[int]) -> RepositoryMonths:
    """Remove pull requests that no longer exist, rows and index; returns the (repository, month) pairs they were in."""
    known = _known_entries(tx, team_id, repository, numbers)
    for table in ("pull_requests", "pull_request_index"):
        tx.execute(
            f"delete from {table} where team_id = %s and repository = %s and number = any(%s)",
            [team_id, repository, list(numbers)],
        )
    return {
        (repository, month) for entry in known.values() for month in months_touched(entry.created_at, entry.closed_at)
    }


def _wanted(tx: Transaction, condition: str, parameters: dict[str, Any]) -> list[Wanted]:
    rows = tx.rows(
        f"""
        select i.repository, i.number, i.node_id, i.updated_at from pull_request_index i
        left join pull_requests p using (team_id, repository, number)
        where {condition}
        """,
        parameters,
    )
    return [Wanted(**row) for row in rows]


def _known_entries(tx: Transaction, team_id: str, repository: str, numbers: Sequence[int]) -> dict[int, IndexEntry]:
    rows = tx.rows(
        f"""
        select {", ".join(COLUMNS)} from pull_request_index
        where team_id = %s and repository = %s and number = any(%s)
        """,
        [team_id, repository, list(numbers)],
    )
    return {row["number"]: IndexEntry(**row) for row in rows}


def _is_news(entry: IndexEntry, known: IndexEntry | None) -> bool:
    return known is None or (entry != known and entry.updated_at >= known.updated_at)


def _entry_of(pull_request: PullRequest) -> IndexEntry:
    return IndexEntry(**{name: getattr(pull_request, name) for name in COLUMNS})
