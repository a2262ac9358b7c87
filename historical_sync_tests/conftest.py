"""What every room's tests stand on: a real PostgreSQL, and a fresh migrated database for each test that asks."""

import os
import signal
import tempfile
import uuid
from collections.abc import Iterator
from pathlib import Path

import hypothesis
import psycopg2
import pytest

from historical_sync.warehouse.embedded import EmbeddedPostgres
from historical_sync.warehouse.postgres import Warehouse
from historical_sync.warehouse.schema import migrate

hypothesis.settings.register_profile("ours", deadline=None)  # how fast an example runs says nothing on a busy machine
hypothesis.settings.load_profile("ours")
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:  # a script's shell ignores it in the background, and Dagster then
    signal.signal(signal.SIGINT, signal.default_int_handler)  # SIGTERM too: its helper processes would not end


def run_sql(url: str, statement: str) -> None:
    connection = psycopg2.connect(url)
    connection.autocommit = True
    with connection.cursor() as cursor:
        cursor.execute(statement)
    connection.close()


@pytest.fixture(scope="session")
def postgres() -> Iterator[EmbeddedPostgres]:
    """A PostgreSQL server for this test process, without fsync: what it holds need not outlive it."""
    with tempfile.TemporaryDirectory(prefix="hs_tests_") as folder:
        server = EmbeddedPostgres(
            Path(folder) / "postgres",
            settings={
                "fsync": "off",
                "synchronous_commit": "off",
                "full_page_writes": "off",
                "wal_level": "minimal",
                "max_wal_senders": "0",
                "max_connections": "200",
            },
        )
        server.start()
        yield server
        server.stop()


@pytest.fixture(scope="session")
def template_database(postgres: EmbeddedPostgres) -> str:
    """The name of a migrated, empty database that tests copy."""
    run_sql(postgres.url(), "create database template_migrated")
    migrate(postgres.url("template_migrated"))
    return "template_migrated"


@pytest.fixture
def database_url(postgres: EmbeddedPostgres, template_database: str) -> Iterator[str]:
    """The URL of a fresh, migrated database."""
    name = f"test_{uuid.uuid4().hex[:12]}"
    run_sql(postgres.url(), f"create database {name} template {template_database} strategy file_copy")
    yield postgres.url(name)
    run_sql(postgres.url(), f"drop database {name} with (force)")


@pytest.fixture
def warehouse(database_url: str) -> Iterator[Warehouse]:
    """A warehouse on a fresh, migrated database."""
    opened = Warehouse(database_url)
    yield opened
    opened.close()


@pytest.fixture(scope="session")
def corpus() -> Path:
    """The folder named by HISTORICAL_SYNC_CORPUS, with `prs/` and `labels.jsonl`; skips where there is none."""
    folder = os.environ.get("HISTORICAL_SYNC_CORPUS")
    if not folder or not Path(folder).is_dir():
        pytest.skip("HISTORICAL_SYNC_CORPUS names no folder")
    return Path(folder)
