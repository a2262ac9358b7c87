"""Connections and transactions. The one place that opens PostgreSQL; the other modules say what is asked of it."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import psycopg2
import psycopg2.extensions
import psycopg2.extras
import psycopg2.pool

from historical_sync.errors import WarehouseError

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
        with self._connection.cursor(cursor_factory=psycopg2.extras.RealDictCursor) as cursor:
            cursor.execute(sql, parameters or None)
            return [dict(row) for row in cursor.fetchall()]

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

    def lock(self, *names: str) -> None:
        """Hold the advisory lock of these names until the transaction ends; waits for whoever has it."""
        self.execute("select pg_advisory_xact_lock(hashtextextended(%s, 0))", ["/".join(names)])

    def try_lock(self, *names: str) -> bool:
        """Take the advisory lock of these names if nobody has it."""
        return bool(self.value("select pg_try_advisory_xact_lock(hashtextextended(%s, 0))", ["/".join(names)]))


class Warehouse:
    """The database at `url` (a libpq URL without a SQLAlchemy driver). Threads may share one; processes may not."""

    def __init__(self, url: str, *, most_connections: int = 8) -> None:
        self._url = url
        self._most_connections = most_connections
        self._slots = threading.BoundedSemaphore(most_connections)
        self._pool: psycopg2.pool.ThreadedConnectionPool | None = None
        self._pool_guard = threading.Lock()

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
                    raise WarehouseError(f"The database broke off: {error}".strip()) from error
                raise
            finally:
                self._give_back(connection)

    def close(self) -> None:
        """Close every idle connection. The next transaction opens new ones."""
        with self._pool_guard:
            if self._pool is not None:
                self._pool.closeall()
                self._pool = None

    def _borrow(self) -> psycopg2.extensions.connection:
        try:
            with self._pool_guard:
                if self._pool is None:
                    self._pool = psycopg2.pool.ThreadedConnectionPool(
                        0,
                        self._most_connections,
                        self._url,
                        options="-c search_path=historical_sync -c timezone=UTC",
                        application_name="historical_sync",
                    )
                pool = self._pool
            return pool.getconn()
        except psycopg2.OperationalError as error:
            raise WarehouseError(
                f"The database cannot be reached: {error}".strip(),
                remedy="See that PostgreSQL runs and HISTORICAL_SYNC_DATABASE_URL is right (`historical-sync doctor`).",
            ) from error

    @staticmethod
    def _roll_back(connection: psycopg2.extensions.connection) -> None:
        if not connection.closed:
            try:
                connection.rollback()
            except psycopg2.Error:
                connection.close()

    def _give_back(self, connection: psycopg2.extensions.connection) -> None:
        with self._pool_guard:
            if self._pool is None:
                connection.close()
            else:
                self._pool.putconn(connection, close=bool(connection.closed))
