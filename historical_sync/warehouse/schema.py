"""The schema's version: bringing it up to date under a lock, and saying when it is not."""

from __future__ import annotations

from pathlib import Path

import sqlalchemy
from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory

from historical_sync.errors import SchemaOutdated, WarehouseError

MIGRATIONS = Path(__file__).parent / "migrations"
TAKE_TURNS = "select pg_advisory_xact_lock(hashtextextended('historical_sync/migrate', 0))"


def migrate(database_url: str) -> None:
    """Create or upgrade schema `historical_sync`. Safe to call from several processes at once: they take turns.

    Raises WarehouseError when the database cannot be reached or the role may not change it.
    """
    engine = _engine(database_url)
    try:
        with engine.begin() as connection:
            connection.execute(sqlalchemy.text(TAKE_TURNS))
            connection.execute(sqlalchemy.text("create schema if not exists historical_sync"))
            connection.execute(sqlalchemy.text("set local search_path to historical_sync"))
            config = _config()
            config.attributes["connection"] = connection
            command.upgrade(config, "head")
    except sqlalchemy.exc.DBAPIError as error:
        raise WarehouseError(f"The schema could not be brought up to date: {error.orig}".strip()) from error
    finally:
        engine.dispose()


def require_current(database_url: str) -> None:
    """Raise SchemaOutdated unless the schema is at this program's version."""
    found, wanted = current_revision(database_url), newest_revision()
    if found != wanted:
        raise SchemaOutdated(f"The database's schema is at {found or 'nothing'}; this program needs {wanted}.")


def current_revision(database_url: str) -> str | None:
    """The revision that the database is at; None when it has no schema yet."""
    engine = _engine(database_url)
    try:
        with engine.connect() as connection:
            context = MigrationContext.configure(connection, opts={"version_table_schema": "historical_sync"})
            return context.get_current_revision()
    except sqlalchemy.exc.OperationalError as error:
        raise WarehouseError(f"The database cannot be reached: {error.orig}".strip()) from error
    finally:
        engine.dispose()


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


def _engine(database_url: str) -> sqlalchemy.Engine:
    rest = database_url.split("://", 1)[1]
    return sqlalchemy.create_engine(f"postgresql+psycopg2://{rest}", poolclass=sqlalchemy.pool.NullPool)
