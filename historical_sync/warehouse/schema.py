"""The schema's version: bringing it up to date under a lock, and saying when it is not."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path

import sqlalchemy
from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from alembic.util import CommandError

from historical_sync.errors import SchemaOutdated, WarehouseError
from historical_sync.warehouse.address import DAGSTER_SCHEMA, sqlalchemy_url, without_password
from historical_sync.warehouse.postgres import Transaction

MIGRATIONS = Path(__file__).parent / "migrations"
CANNOT_CHANGE = "See that PostgreSQL runs and its role may create schemas and tables (`historical-sync doctor`)."
TAKE_TURNS = "select pg_advisory_xact_lock(hashtextextended('historical_sync/migrate', 0))"


def migrate(database_url: str) -> None:
    """Create or upgrade schema `historical_sync`, and the empty schema in which Dagster keeps its own tables.

    Safe to call from several processes at once: they take turns. Raises WarehouseError when the database cannot be
    reached or the role may not change it, SchemaOutdated when a newer program has been at it.
    """
    with _connected(database_url) as connection, connection.begin():
        connection.execute(sqlalchemy.text(TAKE_TURNS))
        for schema in ("historical_sync", DAGSTER_SCHEMA):
            if not _has_schema(connection, schema):
                connection.execute(sqlalchemy.text(f"create schema {schema}"))
        connection.execute(sqlalchemy.text("set local search_path to historical_sync"))
        config = _config()
        config.attributes["connection"] = connection
        try:
            command.upgrade(config, "head")
        except CommandError as error:
            raise SchemaOutdated(
                f"The database's schema was made by a newer version of this program ({error}).",
                remedy="Install that version again, or a newer one.",
            ) from error


def require_current(database_url: str) -> None:
    """Raise SchemaOutdated unless the schema is at this program's version."""
    _require(current_revision(database_url))


def require_current_within(tx: Transaction) -> None:
    """The same inside a transaction, for one query: what a run or a tick asks before it reads or writes anything.

    So a worker of another version, older or newer, does nothing to a schema that is not its own.
    """
    has_schema = tx.value("select to_regclass('historical_sync.alembic_version') is not null")
    _require(tx.value("select version_num from historical_sync.alembic_version") if has_schema else None)


def _require(found: str | None) -> None:
    wanted = newest_revision()
    if found != wanted:
        raise SchemaOutdated(f"The database's schema is at {found or 'nothing'}; this program needs {wanted}.")


def current_revision(database_url: str) -> str | None:
    """The revision that the database is at; None when it has no schema yet."""
    with _connected(database_url) as connection:
        context = MigrationContext.configure(connection, opts={"version_table_schema": "historical_sync"})
        return context.get_current_revision()


@cache
def newest_revision() -> str:
    """The revision that this program needs."""
    revision = ScriptDirectory.from_config(_config()).get_current_head()
    if revision is None:
        raise WarehouseError("This installation has no migrations; reinstall it.")
    return revision


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    return config


def _has_schema(connection: sqlalchemy.Connection, schema: str) -> bool:
    """Looked up first: a role without CREATE on the database may still migrate schemas that an administrator made."""
    question = sqlalchemy.text("select 1 from pg_namespace where nspname = :schema")
    return connection.execute(question, {"schema": schema}).first() is not None


@contextmanager
def _connected(database_url: str) -> Iterator[sqlalchemy.Connection]:
    engine = sqlalchemy.create_engine(sqlalchemy_url(database_url), poolclass=sqlalchemy.pool.NullPool)
    try:
        with engine.connect() as connection:
            yield connection
    except sqlalchemy.exc.DBAPIError as error:
        reason = without_password(str(error.orig), database_url)
        raise WarehouseError(f"The schema cannot be read or changed: {reason}", remedy=CANNOT_CHANGE) from None
