"""From GitHub's answers to the numbers: what the pipeline loads, tags and publishes agrees with the recomputation."""

from datetime import date

import pytest

from historical_sync.ai_usage.retagging import tag_month
from historical_sync.github.ingestion import connect, ingest_month
from historical_sync.sandbox import scenario
from historical_sync.sandbox.server import Sandbox
from historical_sync.settings import Settings
from historical_sync.trends.publication import publish_month
from historical_sync.warehouse.access import team_transaction
from historical_sync.warehouse.postgres import Warehouse
from historical_sync.warehouse.registry import add_team
from historical_sync.warehouse.trend_checks import CHECKS, findings
from historical_sync.window import months_wanted
from historical_sync_tests.sandbox.fixtures import NOW
from historical_sync_tests.trends.test_recomputation import assert_agrees, classify_by_dice


def load(warehouse: Warehouse, settings: Settings, history_months: int) -> list[date]:
    """Ingest, tag, classify and publish the demo team's months; returns them, oldest first."""
    with warehouse.transaction() as tx:
        names = list(scenario.demo(now=NOW).repositories)
        team = add_team(tx, "acme", names, history_months=history_months)
    client = connect(settings, warehouse, team)
    months = months_wanted(NOW, history_months)
    for month in months:
        ingest_month(warehouse, client, team, month, now=NOW)
        tag_month(warehouse, "acme", month)
    with warehouse.transaction() as tx:
        keys = [(row["repository"], row["number"]) for row in tx.rows("select repository, number from pull_requests")]
    classify_by_dice(warehouse, "acme", keys, 6)
    for month in months:
        publish_month(warehouse, "acme", month, now=NOW)
    return sorted(months)


def test_the_sandboxes_story(warehouse: Warehouse, monkeypatch: pytest.MonkeyPatch) -> None:
    """Four months of the demo team, over the wire: every value agrees, every check holds, the page's role sees it."""
    with Sandbox(scenario.demo(now=NOW)) as sandbox:
        monkeypatch.setenv("GITHUB_API_URL", sandbox.github_url)
        monkeypatch.setenv("GITHUB_TOKEN", "token-one")
        months = load(warehouse, Settings.from_environment(), history_months=3)
    assert assert_agrees(warehouse, "acme", months) > 1000
    with warehouse.transaction() as tx:
        wrong = {check.name: findings(tx, check) for check in CHECKS if check.name != "mostly_classified"}
        assert {name: found for name, found in wrong.items() if found} == {}
        assert tx.value("select bool_and(is_complete) from monthly_trends")
    with team_transaction(warehouse, "acme") as tx:
        newest = tx.row(
            "select * from dashboard.metric_trends where metric = 'pull_requests_merged' and segment = '*' "
            "and repository = '*' order by as_of_month desc limit 1"
        )
    assert newest is not None
    assert (newest["as_of_month"], newest["is_open"], newest["compared_with"]) == (months[-1], True, "same days")
    assert newest["change_previous"] is not None
