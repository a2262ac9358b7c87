"""deploy/postgres/roles.sql on a server of its own: each role can do its work, and nothing beyond."""

import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import psycopg2
import pytest
import sqlalchemy
from dagster import DagsterInstance
from starlette.testclient import TestClient

from historical_sync.dashboard import access
from historical_sync.dashboard.server import create_app
from historical_sync.settings import Settings
from historical_sync.warehouse import inspection, programs
from historical_sync.warehouse.address import dagster_url
from historical_sync.warehouse.embedded import EmbeddedPostgres
from historical_sync.warehouse.postgres import Warehouse
from historical_sync.warehouse.registry import add_team, read_team
from historical_sync.warehouse.schema import migrate
from historical_sync_tests.conftest import run_sql

ROLES = Path(__file__).parent.parent.parent / "deploy" / "postgres" / "roles.sql"
DATABASE = "shared"


@pytest.fixture(scope="module")
def server() -> Iterator[EmbeddedPostgres]:
    """A fresh server on which an administrator has run roles.sql, and the pipeline its migrations."""
    with tempfile.TemporaryDirectory(prefix="hs_roles_") as folder:
        made = EmbeddedPostgres(Path(folder) / "postgres")
        made.start()
        run_sql(made.url(), f"create database {DATABASE}")
        psql = [str(programs.folder() / "psql"), "-q", "-f", str(ROLES), made.url(DATABASE)]
        subprocess.run(psql, check=True, capture_output=True)
        migrate(url_of(made, "historical_sync_pipeline"))
        with Warehouse(url_of(made, "historical_sync_pipeline")).transaction() as tx:
            add_team(tx, "acme", ["acme/api"])
            add_team(tx, "other", ["other/app"])
        yield made
        made.stop()


def url_of(server: EmbeddedPostgres, role: str) -> str:
    return server.url(DATABASE).replace("postgres@", f"{role}@")


def refuses(url: str, statement: str) -> bool:
    try:
        run_sql(url, statement)
    except psycopg2.errors.InsufficientPrivilege:
        return True
    return False


def test_the_pipeline_has_what_it_needs(server: EmbeddedPostgres) -> None:
    """The migrations ran without an administrator's rights, and doctor finds nothing missing."""
    report = inspection.inspect(url_of(server, "historical_sync_pipeline"))
    assert not report.is_superuser
    assert report.missing_rights == ()


def test_the_pipeline_has_no_more(server: EmbeddedPostgres) -> None:
    """It makes no databases or roles, and leaves Dagster's schema alone."""
    url = url_of(server, "historical_sync_pipeline")
    assert refuses(url, "create role more")
    assert refuses(url, "create database more")
    assert refuses(url, "create table dagster.more ()")


def test_dagster_keeps_to_its_schema(server: EmbeddedPostgres, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Dagster makes its tables in its schema and cannot read ours."""
    url = url_of(server, "historical_sync_dagster")
    monkeypatch.setenv("HISTORICAL_SYNC_DAGSTER_URL", dagster_url(url))
    (tmp_path / "dagster.yaml").write_text((ROLES.parents[2] / "dagster.yaml").read_text())
    with DagsterInstance.from_config(str(tmp_path)) as instance:
        assert instance.get_runs_count() == 0
    with sqlalchemy.create_engine(dagster_url(url)).connect() as connection:
        schemas = connection.execute(
            sqlalchemy.text("select distinct schemaname from pg_tables where tablename = 'runs'")
        )
        assert [row[0] for row in schemas] == ["dagster"]
    assert refuses(url, "select * from historical_sync.teams")


def test_the_page_sees_one_team(server: EmbeddedPostgres, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The page works as its own role, opens a team by its link, and cannot read past it or write."""
    url = url_of(server, "historical_sync_page")
    variables = {
        "HISTORICAL_SYNC_HOME": str(tmp_path),
        "HISTORICAL_SYNC_DATABASE_URL": url,
        "HISTORICAL_SYNC_PUBLIC_URL": "https://trends.example.com",
        "HISTORICAL_SYNC_SECRET_KEY": "k" * 32,
    }
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    settings = Settings.from_environment()
    with Warehouse(url_of(server, "historical_sync_pipeline")).transaction() as tx:
        token = access.bearer_token(settings, read_team(tx, "acme"))
    with TestClient(create_app(settings)) as client:
        headers = {"authorization": f"Bearer {token}"}
        answer = client.get("/api/teams/acme/progress", headers=headers)
        assert answer.status_code == 200, answer.text
        assert "acme/api" in answer.text
        assert client.get("/api/teams/other/progress", headers=headers).status_code in (403, 404)
    with Warehouse(url).transaction() as tx:
        tx.execute("select set_config('app.team_id', 'acme', true)")
        assert tx.value("select count(*) from tracked_repositories") == 0  # it has not become the role that may choose
    assert refuses(url, "delete from historical_sync.teams")
    assert refuses(url, "create table historical_sync.more ()")
