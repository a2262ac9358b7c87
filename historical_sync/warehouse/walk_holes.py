"""Holes in a repository's list: pages in which an entry came as null, so that nobody knows what it was, but where.

A hole concerns the months that a pull request of that place may belong to: it was created and closed before it was last
updated. Those months are not complete until the place is read again without a null.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from historical_sync.records import columns_of
from historical_sync.warehouse.postgres import Transaction
from historical_sync.window import as_instant


@dataclass(frozen=True, slots=True)
class Hole:
    """A page that begins after `cursor` (empty: at the top) and went down to `down_to`, with `nulls` unknown entries.

    Nothing in it was updated after `updated_before`; None where that is not known.
    """

    cursor: str
    nulls: int
    updated_before: datetime | None
    down_to: datetime


def holes(tx: Transaction, team_id: str, repository: str) -> list[Hole]:
    """The holes of a repository's list."""
    columns = ", ".join(columns_of(Hole))
    rows = tx.rows(
        f"select {columns} from walk_holes where team_id = %s and repository = %s order by cursor",
        [team_id, repository],
    )
    return [Hole(**row) for row in rows]


def close_hole(tx: Transaction, team_id: str, repository: str, hole: Hole) -> None:
    """The place was read again without a null."""
    tx.execute(
        "delete from walk_holes where team_id = %s and repository = %s and cursor = %s",
        [team_id, repository, hole.cursor],
    )


def save_hole(tx: Transaction, team_id: str, repository: str, hole: Hole) -> None:
    """Note a hole. Months that it concerns are pending again."""
    columns = columns_of(Hole)
    tx.execute(
        f"""
        insert into walk_holes as old (team_id, repository, {", ".join(columns)}) values (%s, %s, %s, %s, %s, %s)
        on conflict (team_id, repository, cursor) do update set nulls = greatest(old.nulls, excluded.nulls),
            updated_before = case when old.updated_before is not null
                then greatest(old.updated_before, excluded.updated_before) end,
            down_to = least(old.down_to, excluded.down_to)
        """,
        [team_id, repository, *(getattr(hole, name) for name in columns)],
    )
    tx.execute(
        """
        update repository_months set status = 'pending', completed_at = null
        where team_id = %s and repository = %s and status = 'completed'
            and month <= coalesce(%s::timestamptz, 'infinity')
        """,
        [team_id, repository, hole.updated_before],
    )


def forget_holes(tx: Transaction, team_id: str, repository: str) -> None:
    """The whole list is to be walked again."""
    tx.execute("delete from walk_holes where team_id = %s and repository = %s", [team_id, repository])


def nulls_concerning(tx: Transaction, team_id: str, month: date, repositories: Sequence[str]) -> dict[str, int]:
    """How many unknown entries each of these repositories has that may belong to the month."""
    rows = tx.rows(
        """
        select repository, sum(nulls)::int as nulls from walk_holes
        where team_id = %s and repository = any(%s) and coalesce(updated_before, 'infinity') >= %s group by repository
        """,
        [team_id, list(repositories), as_instant(month)],
    )
    return {row["repository"]: row["nulls"] for row in rows}
