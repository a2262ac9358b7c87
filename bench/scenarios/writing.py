"""Writing pull requests with their lists, beside a bare COPY of the same rows into the same tables.

Ours upserts page by page, never over a newer row, and replaces the lists with their row; a COPY only appends.
"""

from __future__ import annotations

import io
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

import psycopg2

from bench.ground import database, register
from bench.rows import Row, alternate, timed
from historical_sync.records import ChangedFile, Commit, PullRequest, Review, columns_of
from historical_sync.warehouse.postgres import Warehouse
from historical_sync.warehouse.pull_requests import LISTS, SCALARS, upsert_pull_requests
from historical_sync_tests.factories import make_pull_request

TITLE = "Writing"

PAGE = 24
BORN = datetime(2026, 1, 1, tzinfo=UTC)


def run(rounds: int, quick: bool) -> list[Row]:
    """Into empty tables, then over the same rows, each time newer."""
    rows = made(48 if quick else 4_800)
    with database() as url:
        register(url, ["acme/api"], 1)
        warehouse = Warehouse(url)
        ours, floor = alternate(rounds, partial(upserted, warehouse, rows), partial(copied, url, rows))
        warehouse.close()
    entries = sum(len(getattr(one, field)) for one in rows for field in LISTS)
    what = f"{len(rows):,} pull requests with {entries:,} entries of lists, {PAGE} a transaction"
    return [Row(what, "s", ours, floor, "bare COPY")]


def made(count: int) -> list[PullRequest]:
    """Pull requests of a realistic size: three commits, two reviews, eight files each."""
    return [
        make_pull_request(
            number=number,
            body="Makes the change that was asked for. " * 15,
            created_at=BORN + timedelta(minutes=number),
            updated_at=BORN + timedelta(minutes=number),
            commits=tuple(_commit(number, place) for place in range(3)),
            reviews=tuple(
                Review(f"R{number}-{place}", "ben", "User", "APPROVED", BORN, "Looks good") for place in range(2)
            ),
            files=tuple(ChangedFile(f"src/part_{place}.py", 3, 1, "MODIFIED") for place in range(8)),
        )
        for number in range(1, count + 1)
    ]


def _commit(number: int, place: int) -> Commit:
    return Commit(f"{number:08x}{place:032x}", f"Step {place}", BORN, BORN, "ada", "Ada", "ada@example.com")


def empty(warehouse: Warehouse) -> None:
    """Nothing in the tables."""
    with warehouse.transaction() as tx:
        tx.execute("truncate pull_requests cascade")


def upserted(warehouse: Warehouse, rows: Sequence[PullRequest]) -> float:
    """Seconds of writing them page by page into empty tables."""
    empty(warehouse)

    def write() -> None:
        for start in range(0, len(rows), PAGE):
            with warehouse.transaction() as tx:
                upsert_pull_requests(tx, "bench", rows[start : start + PAGE])

    return timed(write)


def copied(url: str, rows: Sequence[PullRequest]) -> float:
    """Seconds of copying the same rows, already made into text, into empty tables; a transaction a page."""
    warehouse = Warehouse(url)
    empty(warehouse)
    warehouse.close()
    pages = [texts_of(rows[start : start + PAGE]) for start in range(0, len(rows), PAGE)]
    connection = psycopg2.connect(url, options="-c search_path=historical_sync")

    def copy() -> None:
        for page in pages:
            with connection, connection.cursor() as cursor:
                for statement, text in page:
                    cursor.copy_expert(statement, io.StringIO(text))

    seconds = timed(copy)
    connection.close()
    return seconds


def texts_of(rows: Sequence[PullRequest]) -> list[tuple[str, str]]:
    """The COPY statement of each table and its text."""
    found = [
        (f"copy pull_requests (team_id, {', '.join(SCALARS)}) from stdin", _text(_values(one, SCALARS) for one in rows))
    ]
    for field, (table, record) in LISTS.items():
        columns = columns_of(record)
        entries = [
            (one.repository, one.number, place, *_values(entry, columns))
            for one in rows
            for place, entry in enumerate(getattr(one, field))
        ]
        names = ", ".join(("repository", "number", "position", *columns))
        found.append((f"copy {table} (team_id, {names}) from stdin", _text(entries)))
    return found


def _values(record: Any, columns: Sequence[str]) -> tuple[Any, ...]:
    return tuple(getattr(record, name) for name in columns)


def _text(rows: Any) -> str:
    return "".join("\t".join(("bench", *map(_field, row))) + "\n" for row in rows)


def _field(value: Any) -> str:
    if value is None:
        return "\\N"
    if isinstance(value, list | tuple):
        return "{" + ",".join(f'"{one}"' for one in value) + "}"
    return str(value).replace("\\", "\\\\").replace("\t", " ").replace("\n", "\\n")
