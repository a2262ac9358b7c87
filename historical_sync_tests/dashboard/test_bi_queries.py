"""docs/dashboards.md: every ready query runs as a BI tool's login, gives rows, and gives them of its team only."""

import re
import secrets
from collections.abc import Iterator
from pathlib import Path

import psycopg2
import psycopg2.extras
import pytest

from historical_sync.warehouse.postgres import Warehouse
from historical_sync_tests.dashboard.story import Story

TEXT = (Path(__file__).parents[2] / "docs" / "dashboards.md").read_text("utf-8")
QUERIES = dict(re.findall(r"^### (.+?)\n\n```sql\n(.+?)```", TEXT, re.MULTILINE | re.DOTALL))


@pytest.fixture
def login(warehouse: Warehouse, database_url: str) -> Iterator[psycopg2.extensions.connection]:
    """A connection as the BI login of acme, in a database that another team shares."""
    for team_id, seed in (("acme", 1), ("rival", 2)):
        story = Story(
            warehouse, team_id, history_months=7, seed=seed, repositories=[f"{team_id}/api", f"{team_id}/web"]
        )
        story.register()
        story.load_all()
    role = f"bi_{secrets.token_hex(4)}"
    with warehouse.transaction() as tx:
        tx.execute("select historical_sync.create_team_role(%s, 'acme')", [role])
    connection = psycopg2.connect(database_url, user=role, cursor_factory=psycopg2.extras.RealDictCursor)
    yield connection
    connection.close()
    with warehouse.transaction() as tx:
        tx.execute("select historical_sync.drop_team_role(%s)", [role])


def test_there_are_queries() -> None:
    """The page's headings and queries are found, so that the tests below are of something."""
    assert len(QUERIES) >= 9


@pytest.mark.parametrize("title", QUERIES)
def test_a_ready_query_reads_its_team(login: psycopg2.extensions.connection, title: str) -> None:
    """It runs with the rights of a BI login and returns rows; nothing in them is of the rival."""
    with login.cursor() as cursor:
        cursor.execute("set default_transaction_read_only = on")
        cursor.execute(QUERIES[title])
        rows = cursor.fetchall()
    assert rows
    assert "rival" not in str(rows)


def test_the_quartiles_are_those_of_the_page(login: psycopg2.extensions.connection, warehouse: Warehouse) -> None:
    """The documented query gives the stored values, in order of size."""
    with login.cursor() as cursor:
        cursor.execute(QUERIES["Cycle time with its quartiles"])
        rows = cursor.fetchall()
    with warehouse.transaction() as tx:
        stored = tx.rows(
            """select value from monthly_trends where team_id = 'acme' and metric = 'cycle_time_hours_p50'
            and repository = '*' and segment = '*' order by month"""
        )
    assert [row["median_hours"] for row in rows] == [row["value"] for row in stored]
    assert all(row["p25_hours"] <= row["median_hours"] <= row["p75_hours"] for row in rows if row["n"])
