"""Connections, transactions and the schema's version."""

import shutil
import tempfile
import threading
import traceback
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psutil
import pytest
import sqlalchemy

from historical_sync.errors import ConfigurationError, HistoricalSyncError, SchemaOutdated, WarehouseError
from historical_sync.warehouse.address import dagster_url, libpq_url, without_password
from historical_sync.warehouse.embedded import EmbeddedPostgres
from historical_sync.warehouse.postgres import Warehouse
from historical_sync.warehouse.schema import current_revision, migrate, newest_revision, require_current
from historical_sync_tests.conftest import run_sql


def test_a_transaction_is_all_or_nothing(warehouse: Warehouse) -> None:
    """A block that raises leaves no row behind, and the connection stays usable."""
    with pytest.raises(ZeroDivisionError), warehouse.transaction() as tx:
        tx.execute("insert into teams (team_id) values (%s)", ["lost"])
        raise ZeroDivisionError
    with warehouse.transaction() as tx:
        tx.execute("insert into teams (team_id) values (%s)", ["kept"])
    with warehouse.transaction() as tx:
        assert tx.rows("select team_id from teams") == [{"team_id": "kept"}]


def test_migrating_twice_changes_nothing(database_url: str) -> None:
    """A second migration finds the newest revision and leaves it."""
    migrate(database_url)
    assert current_revision(database_url) == newest_revision()
    require_current(database_url)


def test_an_empty_database_is_outdated(postgres: EmbeddedPostgres) -> None:
    """A database without our schema says which command makes it."""
    with pytest.raises(SchemaOutdated) as caught:
        require_current(postgres.url())
    assert "historical-sync migrate" in caught.value.remedy


def test_an_unreachable_database_says_so(tmp_path: Path) -> None:
    """A database that is not there is an error with a remedy, not a traceback of the driver's."""
    lost = Warehouse(f"postgresql://nobody@/nothing?host={tmp_path}")
    with pytest.raises(WarehouseError) as caught, lost.transaction():
        pass
    assert "HISTORICAL_SYNC_DATABASE_URL" in caught.value.remedy


def test_a_server_that_restarts() -> None:
    """After kill -9 and a restart the warehouse goes on: idle connections that died are not handed out."""
    server = EmbeddedPostgres(Path(tempfile.mkdtemp(prefix="hs_restart_")) / "postgres")
    server.start()
    try:
        warehouse = Warehouse(server.url())
        with warehouse.transaction() as outer, warehouse.transaction() as inner:
            assert outer.value("select 1") + inner.value("select 1") == 2
        killed = psutil.Process(int((server.data / "postmaster.pid").read_text().split()[0]))
        sessions = killed.children()
        killed.kill()
        psutil.wait_procs(sessions)
        restart = ThreadPoolExecutor().submit(server.start)
        with warehouse.transaction() as tx:
            assert tx.value("select 1") == 1
        restart.result()
        warehouse.close()
    finally:
        server.stop()
        shutil.rmtree(server.data.parent)


def test_a_transaction_cut_off_says_so(warehouse: Warehouse) -> None:
    """A session ended from outside is a WarehouseError, what it had not committed is gone, and the next one works."""
    with pytest.raises(WarehouseError, match="broke off"), warehouse.transaction() as tx:
        tx.execute("insert into teams (team_id) values ('lost')")
        own = tx.value("select pg_backend_pid()")
        with warehouse.transaction() as other:
            other.execute("select pg_terminate_backend(%s)", [own])
        tx.value("select 1")
    with warehouse.transaction() as tx:
        assert tx.value("select count(*) from teams") == 0


PASSWORD = "hunter/2:@secret"
SPELLED = "hunter%2F2%3A%40secret"


@pytest.mark.parametrize(
    "url",
    [
        f"postgresql://u:{SPELLED}@127.0.0.1:1/db",
        f"postgresql://u:{SPELLED}@127.0.0.1:1/db?unheard_of=1",
        f"postgresql://u:{SPELLED}%ZZ@127.0.0.1:1/db",
        f"postgresql://u:{PASSWORD}@127.0.0.1:1/db",
        f"postgresql://u@127.0.0.1:1/db?password={SPELLED}&sslmode=nonsense",
        f"postgresql://u:{SPELLED}@127.0.0.1:not-a-port/db",
        f"host=127.0.0.1 password={PASSWORD}",
        f"mysql://u:{SPELLED}@127.0.0.1/db",
    ],
)
@pytest.mark.parametrize("opening", [lambda url: Warehouse(url).transaction().__enter__(), migrate, current_revision])
def test_no_error_repeats_the_password(url: str, opening: object) -> None:
    """Whatever is wrong with a URL, neither the message nor its traceback holds the password."""
    with pytest.raises(HistoricalSyncError) as caught:
        opening(url)  # type: ignore[operator]
    told = "".join(traceback.format_exception(caught.value)) + caught.value.remedy
    assert "hunter" not in told.replace(f'"{url}"', "").split("test_no_error_repeats")[0]


def test_ways_to_write_a_url() -> None:
    """The spellings people use mean one database; others are refused with the shape to use."""
    for url in ("postgres://u@h/db", "postgresql://u@h/db", "postgresql+psycopg2://u@h/db"):
        assert libpq_url(url) == "postgresql://u@h/db"
    with pytest.raises(ConfigurationError) as caught:
        libpq_url("sqlite:///file.db")
    assert "postgresql://USER" in caught.value.remedy
    assert without_password("at u:%40x@h and @x", "postgresql://u:%40x@h/db") == "at u:***@h and ***"


def test_dagster_has_a_schema_of_its_own(database_url: str) -> None:
    """Dagster's URL leads to the same database, where unqualified tables land in schema `dagster`."""
    with sqlalchemy.create_engine(dagster_url(database_url)).connect() as connection:
        assert connection.execute(sqlalchemy.text("select current_schema()")).scalar() == "dagster"
    assert "-c%20timezone%3DUTC%20-csearch_path%3Ddagster" in dagster_url(
        "postgresql://h/db?options=-c%20timezone%3DUTC"
    )


def test_a_schema_from_the_future_is_left_alone(database_url: str) -> None:
    """A database that a newer program migrated is refused, not changed."""
    run_sql(database_url, "update historical_sync.alembic_version set version_num = '9999'")
    with pytest.raises(SchemaOutdated, match="newer version"):
        migrate(database_url)
    assert current_revision(database_url) == "9999"


def test_migrating_at_the_same_time(postgres: EmbeddedPostgres) -> None:
    """Several processes that migrate an empty database at once take turns; all succeed."""
    run_sql(postgres.url(), "create database migrated_by_many")
    url = postgres.url("migrated_by_many")
    failures: list[HistoricalSyncError] = []

    def go() -> None:
        try:
            migrate(url)
        except HistoricalSyncError as error:
            failures.append(error)

    threads = [threading.Thread(target=go) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failures
    require_current(url)
    run_sql(postgres.url(), "drop database migrated_by_many")


def test_a_role_without_rights_is_told(postgres: EmbeddedPostgres) -> None:
    """A role that may not create a schema gets the reason and what to look at."""
    run_sql(postgres.url(), "create role weak login")
    run_sql(postgres.url(), "create database owned_by_others")
    try:
        with pytest.raises(WarehouseError, match="permission denied") as caught:
            migrate(postgres.url("owned_by_others").replace("postgres@", "weak@"))
        assert "may create" in caught.value.remedy
    finally:
        run_sql(postgres.url(), "drop database owned_by_others")
        run_sql(postgres.url(), "drop role weak")
