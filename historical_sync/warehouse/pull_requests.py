"""Pull requests with their lists: written row by row, never over a newer one, and read back as records."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from datetime import date
from itertools import islice
from typing import Any

from historical_sync.records import ChangedFile, Commit, PullRequest, Review, as_row, columns_of
from historical_sync.warehouse.postgres import Transaction, as_json, as_rows_of
from historical_sync.window import month_bounds

LISTS: dict[str, tuple[str, type]] = {
    "commits": ("pull_request_commits", Commit),
    "reviews": ("pull_request_reviews", Review),
    "files": ("pull_request_files", ChangedFile),
}
"""A pull request's field → the table and the record of its entries."""

SCALARS = columns_of(PullRequest)[: -len(LISTS)]
"""The columns of `pull_requests`, which come before the lists; the first two are the key within a team."""

IN_MONTH = """(
    created_at >= %(start)s and created_at < %(end)s or closed_at >= %(start)s and closed_at < %(end)s
)"""
"""The activity rule: a month holds what was created or closed in it."""

PAGE_SIZE = 200
ENTRIES_AT_ONCE = 500
"""Entries of a list in one statement: a page of large pull requests has thousands of files."""


def upsert_pull_requests(tx: Transaction, team_id: str, pull_requests: Sequence[PullRequest]) -> int:
    """Store pull requests with their lists; a row that the table has in a newer version stays as it is.

    Nor does a partial answer replace a whole one of the same version. Returns how many were written. The lists are
    replaced with their row, under its lock; rows are locked in one order, so that two writers cannot block each other.
    """
    pull_requests = sorted(pull_requests, key=lambda one: (one.repository, one.number))
    columns = ("team_id", *SCALARS)
    written = tx.rows(
        f"""
        insert into pull_requests as old ({", ".join(columns)})
        select {", ".join(columns)} from {as_rows_of("pull_requests")}
        on conflict (team_id, repository, number) do update
        set {", ".join(f"{name} = excluded.{name}" for name in SCALARS)}, fetched_at = now()
        where old.updated_at < excluded.updated_at
            or old.updated_at = excluded.updated_at and (old.is_partial or not excluded.is_partial)
        returning repository, number
        """,
        [as_json([{"team_id": team_id, **{name: getattr(one, name) for name in SCALARS}} for one in pull_requests])],
    )
    keys = {(row["repository"], row["number"]) for row in written}
    fresh = [one for one in pull_requests if (one.repository, one.number) in keys]
    for field, (table, _) in LISTS.items():
        _replace_entries(tx, team_id, fresh, field, table)
    return len(keys)


def mark_unread(tx: Transaction, team_id: str, repository: str, number: int, reason: str) -> None:
    """GitHub gives nothing of this pull request: its row, or a bare one of what the index knows, is partial."""
    tx.execute(
        """
        insert into pull_requests (team_id, repository, number, node_id, title, body, state, is_draft, created_at,
            updated_at, merged_at, closed_at, additions, deletions, changed_files, head_ref, base_ref, commit_count,
            review_count, file_count, is_partial, partial_reason)
        select team_id, repository, number, node_id, '', '', state, false, created_at,
            updated_at, merged_at, closed_at, 0, 0, 0, '', '', 0, 0, 0, true, %(reason)s
        from pull_request_index
        where team_id = %(team_id)s and repository = %(repository)s and number = %(number)s
        on conflict (team_id, repository, number) do update
        set is_partial = true, partial_reason = excluded.partial_reason
        """,
        {"team_id": team_id, "repository": repository, "number": number, "reason": reason},
    )


def _replace_entries(
    tx: Transaction, team_id: str, pull_requests: Sequence[PullRequest], field: str, table: str
) -> None:
    tx.execute(
        f"""
        delete from {table} t using unnest(%s::text[], %s::int[]) as gone (repository, number)
        where t.team_id = %s and t.repository = gone.repository and t.number = gone.number
        """,
        [[one.repository for one in pull_requests], [one.number for one in pull_requests], team_id],
    )
    entries = (
        {
            "team_id": team_id,
            "repository": one.repository,
            "number": one.number,
            "position": position,
            **as_row(entry),
        }
        for one in pull_requests
        for position, entry in enumerate(getattr(one, field))
    )
    while some := list(islice(entries, ENTRIES_AT_ONCE)):
        tx.insert(table, some)


def read_month(tx: Transaction, team_id: str, month: date) -> Iterator[PullRequest]:
    """The pull requests of a (team, month) with their lists, by repository and number; a page in memory at a time."""
    start, end = month_bounds(month)
    after: tuple[str, int] = ("", -1)
    while True:
        rows = tx.tuples(
            f"""
            select {", ".join(SCALARS)} from pull_requests
            where team_id = %(team_id)s and {IN_MONTH} and (repository, number) > (%(repository)s, %(number)s)
            order by repository, number limit {PAGE_SIZE}
            """,
            {"team_id": team_id, "start": start, "end": end, "repository": after[0], "number": after[1]},
        )
        if not rows:
            return
        yield from with_entries(tx, team_id, rows)
        after = rows[-1][:2]


def with_entries(tx: Transaction, team_id: str, rows: Sequence[tuple[Any, ...]]) -> list[PullRequest]:
    """Records of these rows of `pull_requests` (columns `SCALARS`), with their lists."""
    repositories = [row[0] for row in rows]
    numbers = [row[1] for row in rows]
    lists = [_read_entries(tx, team_id, repositories, numbers, table, record) for table, record in LISTS.values()]
    return [PullRequest(*row, *(tuple(entries.get(row[:2], ())) for entries in lists)) for row in rows]


def _read_entries(
    tx: Transaction, team_id: str, repositories: list[str], numbers: list[int], table: str, record: type
) -> dict[tuple[str, int], list[Any]]:
    columns = columns_of(record)
    found: dict[tuple[str, int], list[Any]] = defaultdict(list)
    rows = tx.tuples(
        f"""
        select t.repository, t.number, {", ".join(f"t.{name}" for name in columns)}
        from unnest(%(repositories)s::text[], %(numbers)s::int[]) as wanted (repository, number)
        join {table} t on t.team_id = %(team_id)s and t.repository = wanted.repository and t.number = wanted.number
        order by t.repository, t.number, t.position
        """,
        {"team_id": team_id, "repositories": repositories, "numbers": numbers},
    )
    for repository, number, *values in rows:
        found[repository, number].append(record(*values))
    return found
