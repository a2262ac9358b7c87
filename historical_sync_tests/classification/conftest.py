"""A warehouse with a team and its pull requests, and settings for a ledger that sends to nobody."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date

import pytest

from historical_sync.records import PullRequest
from historical_sync.settings import Settings
from historical_sync.warehouse.postgres import Warehouse
from historical_sync.warehouse.pull_requests import upsert_pull_requests
from historical_sync_tests.factories import add_team, at, make_commit, make_file, make_pull_request

MARCH = date(2025, 3, 1)
NOW = at("2025-04-02T09:00")


@pytest.fixture
def settings() -> Settings:
    """Settings of an empty environment."""
    return Settings.from_environment({})


def with_settings(settings: Settings, **changes: object) -> Settings:
    return replace(settings, **changes)  # type: ignore[arg-type]


def one_pull_request(number: int, **changes: object) -> PullRequest:
    """A pull request of March whose text is its own."""
    values = {
        "number": number,
        "title": f"Change number {number}",
        "body": f"This is why number {number} was needed.",
        "commits": (make_commit(oid=f"c{number}", message=f"Change number {number}"),),
        "files": (make_file(path=f"src/part_{number}.py"),),
    }
    return make_pull_request(**{**values, **changes})


def store(warehouse: Warehouse, pull_requests: Sequence[PullRequest], team_id: str = "acme") -> None:
    """Write a team, its repositories and these pull requests."""
    with warehouse.transaction() as tx:
        if tx.row("select 1 from teams where team_id = %s", [team_id]) is None:
            add_team(tx, team_id, *sorted({one.repository for one in pull_requests} | {"acme/api"}))
        upsert_pull_requests(tx, team_id, pull_requests)
