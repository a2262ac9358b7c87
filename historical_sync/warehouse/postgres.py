"""Connections and transactions. The one place that opens PostgreSQL; the other modules say what is asked of it."""

from __future__ import annotations

import os
import select
import sys
import threading
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import orjson
import psycopg2
import psycopg2.extensions
import psycopg2.extras
from tenacity import Retrying, retry_if_exception_type, stop_after_delay, wait_random_exponential

from historical_sync.errors import WarehouseError
from historical_sync.warehouse.address import libpq_url, without_password

CONNECTION: dict[str, Any] = {
    "connect_timeout": 10,
    "application_name": f"historical_sync {os.path.basename(sys.argv[0] or 'python')}",
    "keepalives_idle": 30,
    "keepalives_interval": 10,
    "keepalives_count": 3,
    "options": "-c search_path=historical_sync -c timezone=UTC -c idle_in_transaction_session_timeout=30min",
}
"""A transaction that does nothing for half an hour belongs to a process that hangs, and others wait for its locks."""
PATIENCE_SECONDS = 30
"""An embedded server is back within two seconds; a managed one fails over within half a minute."""
TRY_AGAIN = "What was committed is kept; run it again once PostgreSQL is back (`historical-sync doctor`)."
CANNOT_REACH = "See that PostgreSQL runs and HISTORICAL_SYNC_DATABASE_URL is right (`historical-sync doctor`)."

Parameters = Sequence[Any] | dict[str, Any]


class Transaction:
    """One open transaction: everything in it is committed together, or not at all.

    Rows come back as dicts by column name. SQL takes parameters (`%s` or `%(name)s`); values are never spliced in.
    """

    def __init__(self, connection: psycopg2.extensions.connection) -> None:
        self._connection = connection

    def execute(self, sql: str, parameters: Parameters = ()) -> int:
        """Run one statement; returns how many rows it touched."""
        with self._connection.cursor() as cursor:
            cursor.execute(sql, parameters or None)
            return cursor.rowcount

    def rows(self, sql: str, parameters: Parameters = ()) -> list[dict[str, Any]]:
        """Run one query and return all its rows."""
        with self._connection.cursor() as cursor:
            cursor.execute(sql, parameters or None)
            # The driver's own dict cursor sets every column in Python: three times as slow as the query for a page.
            names = [column.name for column in cursor.description or ()]
            return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]

    def tuples(self, sql: str, parameters: Parameters = ()) -> list[tuple[Any, ...]]:
        """Run one query and return all its rows as they come: for many, of which each becomes a record."""
        with self._connection.cursor() as cursor:
            cursor.execute(sql, parameters or None)
            return cursor.fetchall()

    def row(self, sql: str, parameters: Parameters = ()) -> dict[str, Any] | None:
        """The first row, or None."""
        rows = self.rows(sql, parameters)
        return rows[0] if rows else None

    def value(self, sql: str, parameters: Parameters = ()) -> Any:
        """The first column of the first row, or None."""
        with self._connection.cursor() as cursor:
            cursor.execute(sql, parameters or None)
            row = cursor.fetchone()
            return row[0] if row else None

    def stream(self, sql: str, parameters: Parameters = (), *, page_size: int = 500) -> Iterator[dict[str, Any]]:
        """The rows through a server-side cursor, `page_size` in memory at a time. Ends with the transaction."""
        name = f"stream_{id(object())}_{threading.get_ident()}"
        with self._connection.cursor(name, cursor_factory=psycopg2.extras.RealDictCursor) as cursor:
            cursor.itersize = page_size
            cursor.execute(sql, parameters or None)
            for row in cursor:
                yield dict(row)

    def execute_values(
        self, sql: str, rows: Iterable[Sequence[Any]], *, template: str | None = None, page_size: int = 1000
    ) -> list[tuple[Any, ...]]:
        """Run `… values %s …` for many rows, `page_size` to a statement; returns what RETURNING gives."""
        with self._connection.cursor() as cursor:
            returned = psycopg2.extras.execute_values(
                cursor, sql, list(rows), template=template, page_size=page_size, fetch=" returning " in sql.lower()
            )
            return list(returned or ())

    def insert(self, table: str, rows: Sequence[dict[str, Any]]) -> int:
        """Insert rows of the same columns in one statement; returns how many."""
        columns = ", ".join(rows[0]) if rows else ""
        return self.execute_on(rows, f"insert into {table} ({columns}) select {columns} from {as_rows_of(table)}")

    def execute_on(self, rows: Sequence[dict[str, Any]], sql: str) -> int:
        """Run one statement that reads these rows through `as_rows_of`, if there are any; returns how many it touched.

        For many rows the cheapest way there is.
        """
        return self.execute(sql, [as_json(rows)]) if rows else 0

    def lock(self, *names: str) -> None:
        """Hold the advisory lock of these names until the transaction ends; waits for whoever has it."""
        self.execute("select pg_advisory_xact_lock(hashtextextended(%s, 0))", ["/".join(names)])

    def try_lock(self, *names: str) -> bool:
        """Take the advisory lock of these names if nobody has it."""
        return bool(self.value("select pg_try_advisory_xact_lock(hashtextextended(%s, 0))", ["/".join(names)]))


def as_rows_of(table: str) -> str:
    """What to select from to have `as_json`'s parameter as rows of the table."""
    return f"json_populate_recordset(null::{table}, %s)"


def as_json(rows: Sequence[dict[str, Any]]) -> str:
    """Rows as one parameter: for thousands a third less work than a list of values, here and in the server."""
    return orjson.dumps(rows).decode()


class Warehouse:
    """The database at `url`. Threads may share one; processes may not.

    A server that restarts costs at most the transactions that were open: dead connections are thrown away, and once a
    connection has been made, a server that is away is waited for (`patience_seconds`) before it counts as lost.
    """

    def __init__(self, url: str, *, most_connections: int = 8, patience_seconds: float = PATIENCE_SECONDS) -> None:
        self._url = libpq_url(url)
        self._most_connections = most_connections
        self._patience_seconds = patience_seconds
        self._slots = threading.BoundedSemaphore(most_connections)
        self._idle: list[psycopg2.extensions.connection] = []
        self._guard = threading.Lock()
        self._has_connected = False

    @contextmanager
    def transaction(self) -> Iterator[Transaction]:
        """A transaction: committed at the end of the block, rolled back if it raises. UTC, schema `historical_sync`.

        Raises WarehouseError when the database cannot be reached or breaks off.
        """
        with self._slots:
            connection = self._borrow()
            try:
                yield Transaction(connection)
                connection.commit()
            except BaseException as error:
                self._roll_back(connection)
                if isinstance(error, psycopg2.OperationalError | psycopg2.InterfaceError):
                    message = without_password(f"The database broke off: {error}", self._url)
                    raise WarehouseError(message, remedy=TRY_AGAIN) from None
                raise
            finally:
                self._give_back(connection)

    def close(self) -> None:
        """Close every idle connection. The next transaction opens new ones."""
        with self._guard:
            for connection in self._idle:
                connection.close()
            self._idle.clear()

    def _borrow(self) -> psycopg2.extensions.connection:
        while True:
            with self._guard:
                connection = self._idle.pop() if self._idle else None
            if connection is None:
                return self._connect()
            if not _is_dead(connection):
                return connection
            connection.close()

    def _connect(self) -> psycopg2.extensions.connection:
        """A new connection. The driver's own error may repeat the URL, so it is neither shown nor chained."""
        patiently = Retrying(
            retry=retry_if_exception_type(psycopg2.OperationalError),
            stop=stop_after_delay(self._patience_seconds if self._has_connected else 0),
            wait=wait_random_exponential(multiplier=0.2, max=2.0),
            reraise=True,
        )
        try:
            connection: psycopg2.extensions.connection = patiently(psycopg2.connect, self._url, **CONNECTION)
        except psycopg2.Error as error:
            message = without_password(f"The database cannot be reached: {error}", self._url)
            raise WarehouseError(message, remedy=CANNOT_REACH) from None
        self._has_connected = True
        return connection

    @staticmethod
    def _roll_back(connection: psycopg2.extensions.connection) -> None:
        if not connection.closed:
            try:
                connection.rollback()
            except psycopg2.Error:
                connection.close()

    def _give_back(self, connection: psycopg2.extensions.connection) -> None:
        with self._guard:
            if not connection.closed:
                self._idle.append(connection)


def _is_dead(connection: psycopg2.extensions.connection) -> bool:
    """Whether an idle connection has something to say: its server says nothing unasked but that it goes away."""
    if connection.closed:
        return True
    poll = select.poll()
    poll.register(connection.fileno(), select.POLLIN)
    return bool(poll.poll(0))
