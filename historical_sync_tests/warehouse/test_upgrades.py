"""Upgrades: from every revision that ever was, with rows in every table, to this program's."""

import hashlib
import os
import signal
import subprocess
import sys
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime
from typing import Any

import psycopg2
import pytest
import sqlalchemy
from alembic import command

from historical_sync.errors import SchemaOutdated
from historical_sync.trends.publication import publish_month
from historical_sync.warehouse import operations, registry, schema
from historical_sync.warehouse.embedded import EmbeddedPostgres
from historical_sync.warehouse.postgres import Transaction, Warehouse
from historical_sync.warehouse.progress import read_progress
from historical_sync_tests.conftest import run_sql
from historical_sync_tests.warehouse.old_rows import ROWS

REVISIONS = sorted(path.name[:4] for path in (schema.MIGRATIONS / "versions").glob("[0-9]*.py"))
Contents = dict[str, list[dict[str, Any]]]
"""Table → its rows, as JSON."""

NOW = datetime(2025, 12, 25, 10, tzinfo=UTC)
MONTH = date(2025, 11, 1)

RELEASED = {
    "0001_registry.py": "b28c1f8bbbe4fec4",
    "0002_pull_requests.py": "febdfb415206e193",
    "0003_evidence.py": "7425d7aac67951c8",
    "0004_classification.py": "6f6bedebda92d63c",
    "0005_trends.py": "c0c04e1e16642d52",
    "0006_views.py": "6ebed1ce6909bcd6",
    "0007_operations.py": "ebcfe645a3853d27",
    "0008_progress.py": "d6c363adc93c9a1a",
    "0009_remedies.py": "1786b90bee3b8130",
    "0010_long_paths.py": "b184587f9ce221bd",
    "0011_benchmark_months.py": "b773b5158f4c68e3",
    "0012_unwritten_answers.py": "ae86cdd75d0b5872",
    "0013_walked_at.py": "a3a6f3a8c04986a1",
    "0014_hashed_content.py": "865b1d9a568b6c18",
}
"""A migration that some database has run → its digest. One that changes after that is never run there again."""


@pytest.fixture
def empty_database(postgres: EmbeddedPostgres) -> Iterator[str]:
    """The URL of a database without our schema."""
    name = f"upgrade_{uuid.uuid4().hex[:12]}"
    run_sql(postgres.url(), f"create database {name}")
    yield postgres.url(name)
    run_sql(postgres.url(), f"drop database {name} with (force)")


def migrate_to(url: str, revision: str) -> None:
    """What `migrate` of the version with this revision did."""
    with schema._connected(url) as connection, connection.begin():
        for name in ("historical_sync", "dagster"):
            connection.execute(sqlalchemy.text(f"create schema if not exists {name}"))
        connection.execute(sqlalchemy.text("set local search_path to historical_sync"))
        config = schema._config()
        config.attributes["connection"] = connection
        command.upgrade(config, revision)


def columns(tx: Transaction, table: str) -> set[str]:
    rows = tx.rows(
        "select column_name from information_schema.columns where table_schema = 'historical_sync' and table_name = %s",
        [table],
    )
    return {row["column_name"] for row in rows}


def fill(tx: Transaction) -> Contents:
    """Give every table its rows, with the columns that it has at this revision. Returns all that is there now."""
    for table, rows in ROWS.items():
        present = columns(tx, table)
        for row in rows if present else ():
            kept = {name: value for name, value in row.items() if name in present}
            places = ", ".join(f"%({name})s" for name in kept)
            tx.execute(f"insert into {table} ({', '.join(kept)}) values ({places})", kept)
    return {table: contents(tx, table) for table in ROWS if columns(tx, table)}


def contents(tx: Transaction, table: str) -> list[dict[str, Any]]:
    return [row["row"] for row in tx.rows(f"select to_jsonb({table}) as row from {table}")]


def assert_still_there(tx: Transaction, before: Contents) -> None:
    """Every row with every value that it had; columns may have come."""
    for table, rows in before.items():
        after = contents(tx, table)
        assert len(after) == len(rows), table
        for row in rows:
            assert row in [{name: one[name] for name in row} for one in after], table


@pytest.mark.parametrize("revision", REVISIONS)
def test_every_revision_comes_forward_with_its_rows(empty_database: str, revision: str) -> None:
    """Rows in every table of a revision are there after the upgrade, unchanged, and the program works with them."""
    migrate_to(empty_database, revision)
    warehouse = Warehouse(empty_database)
    with warehouse.transaction() as tx:
        written = fill(tx)
    schema.migrate(empty_database)
    schema.require_current(empty_database)
    with warehouse.transaction() as tx:
        assert_still_there(tx, written)
    schema.migrate(empty_database)
    with warehouse.transaction() as tx:
        assert_still_there(tx, written)
    assert_usable(warehouse, has_history=revision >= "0002")
    warehouse.close()


def assert_usable(warehouse: Warehouse, *, has_history: bool) -> None:
    """The registry, what is due, progress, a month's trends, the views and a removal work on what came over."""
    with warehouse.transaction() as tx:
        assert [one.team_id for one in registry.list_teams(tx)] == ["acme"]
        due = operations.months_due(tx, now=NOW, first_month=date(2024, 1, 1))
        assert due[0].month == date(2025, 12, 1)
        (progress,) = read_progress(tx, now=NOW, team_id="acme")
        assert {one.repository for one in progress.repositories} == {"acme/api", "acme/web"}
    publish_month(warehouse, "acme", MONTH, now=NOW)
    with warehouse.transaction() as tx:
        merged = tx.value(
            "select value from dashboard.monthly_trends where metric = 'pull_requests_merged' and month = %s "
            "and repository = '*' and segment = '*'",
            [MONTH],
        )
        assert merged == (1 if has_history else 0)
        assert tx.value("select count(*) from dashboard.pull_requests") == (1 if has_history else 0)
        registry.remove_team(tx, "acme")
        assert not any(registry.rows_of_team(tx, "acme").values())


def test_every_table_has_rows_to_bring_along(warehouse: Warehouse) -> None:
    """A table that a migration adds is added to the rows of this test too; so is a column that must be filled."""
    with warehouse.transaction() as tx:
        rows = tx.rows("select table_name from information_schema.tables where table_schema = 'historical_sync'")
        tables = {row["table_name"] for row in rows} - {"alembic_version"}
        assert tables - set(ROWS) == set()
        for table in tables & set(ROWS):
            assert {name for row in ROWS[table] for name in row} - columns(tx, table) == set(), table


def test_a_released_migration_is_never_edited() -> None:
    """A database that has run a migration does not run it again, so a later change belongs into a new one."""
    for name, digest in RELEASED.items():
        text = (schema.MIGRATIONS / "versions" / name).read_bytes()
        assert hashlib.sha256(text).hexdigest()[:16] == digest, f"{name} was released: write a new migration instead"


def test_several_upgrades_at_once_take_turns(empty_database: str) -> None:
    """Four programs that start on an old schema with rows: one upgrades it, the others find it done."""
    migrate_to(empty_database, REVISIONS[0])
    warehouse = Warehouse(empty_database)
    with warehouse.transaction() as tx:
        written = fill(tx)
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(schema.migrate, [empty_database] * 4))
    schema.require_current(empty_database)
    with warehouse.transaction() as tx:
        assert_still_there(tx, written)
    warehouse.close()


def test_a_killed_upgrade_changes_nothing_and_can_be_run_again(empty_database: str) -> None:
    """kill -9 with some revisions done and the next at work: the schema is as before, and another attempt passes."""
    migrate_to(empty_database, "0001")
    warehouse = Warehouse(empty_database)
    with warehouse.transaction() as tx:
        written = fill(tx)
    blocker = psycopg2.connect(empty_database)
    with blocker.cursor() as cursor:
        cursor.execute("lock table historical_sync.teams in row share mode")  # a later revision alters it, and waits
    code = f"from historical_sync.warehouse.schema import migrate; migrate({empty_database!r})"
    upgrade = subprocess.Popen([sys.executable, "-c", code])
    with warehouse.transaction() as tx:
        while not tx.value("select count(*) from pg_locks where not granted and relation is not null"):
            assert upgrade.poll() is None
            tx.execute("select pg_sleep(0.05)")
    os.kill(upgrade.pid, signal.SIGKILL)
    upgrade.wait()
    blocker.close()
    assert schema.current_revision(empty_database) == "0001"
    with pytest.raises(SchemaOutdated, match="is at 0001"):
        schema.require_current(empty_database)
    schema.migrate(empty_database)
    schema.require_current(empty_database)
    with warehouse.transaction() as tx:
        assert_still_there(tx, written)
    warehouse.close()
