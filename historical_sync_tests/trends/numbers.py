"""Small steps for tests of published numbers: store pull requests, publish, look at one value."""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any

from historical_sync.records import PullRequest
from historical_sync.trends.publication import TrendSummary, publish_month
from historical_sync.warehouse.postgres import Transaction, Warehouse
from historical_sync.warehouse.pull_requests import upsert_pull_requests
from historical_sync_tests.factories import add_team, at

MARCH = date(2025, 3, 1)
LATER = at("2025-08-15")


def store(
    warehouse: Warehouse, *pull_requests: PullRequest, team_id: str = "acme", repositories: Sequence[str] = ()
) -> None:
    """A team with its pull requests, every month still to be loaded."""
    names = sorted({*repositories, *(one.repository for one in pull_requests)}) or ["acme/api"]
    with warehouse.transaction() as tx:
        if not tx.value("select 1 from teams where team_id = %s", [team_id]):
            add_team(tx, team_id, *names)
        upsert_pull_requests(tx, team_id, pull_requests)


def complete(
    tx: Transaction, repository: str, month: date, *, team_id: str = "acme", as_of: datetime | None = None
) -> None:
    """Mark a month of a repository as loaded."""
    tx.execute(
        "insert into repository_months (team_id, repository, month, expected, stored, status, complete_as_of) "
        "values (%s, %s, %s, 0, 0, 'completed', %s) on conflict (team_id, repository, month) do update "
        "set status = 'completed', expected = 0, stored = 0, complete_as_of = excluded.complete_as_of",
        [team_id, repository, month, as_of],
    )


def publish(warehouse: Warehouse, month: date = MARCH, *, team_id: str = "acme", now: datetime = LATER) -> TrendSummary:
    return publish_month(warehouse, team_id, month, now=now)


def row(
    warehouse: Warehouse,
    metric: str,
    *,
    month: date = MARCH,
    repository: str = "*",
    segment: str = "*",
    team_id: str = "acme",
) -> dict[str, Any]:
    """The stored row of one value; fails when there is none."""
    with warehouse.transaction() as tx:
        found = tx.row(
            "select * from monthly_trends where (team_id, month, repository, metric, segment) = (%s, %s, %s, %s, %s)",
            [team_id, month, repository, metric, segment],
        )
    assert found is not None, (metric, month, repository, segment)
    return found


def value(warehouse: Warehouse, metric: str, **place: Any) -> float | None:
    found: float | None = row(warehouse, metric, **place)["value"]
    return found


def number_of(warehouse: Warehouse, metric: str, **place: Any) -> int:
    count: int = row(warehouse, metric, **place)["n"]
    return count
