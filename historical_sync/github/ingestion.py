"""From GitHub into the tables: connect, ingest a month, refresh a team. Steps are in `month.py` and `refresh.py`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date, datetime

from historical_sync.github.client import GitHubClient
from historical_sync.github.month import MonthIngestion, MonthRun, RepositoryMonth
from historical_sync.github.refresh import refresh_team
from historical_sync.github.tokens import references
from historical_sync.records import Team
from historical_sync.settings import Settings
from historical_sync.warehouse.budgets import SharedBudget
from historical_sync.warehouse.postgres import Warehouse
from historical_sync.window import require_in_window

__all__ = ["MonthIngestion", "RepositoryMonth", "connect", "ingest_month", "refresh_team"]


def connect(settings: Settings, warehouse: Warehouse, team: Team) -> GitHubClient:
    """A client with the team's tokens and the budget that processes share. Raises ConfigurationError without any."""
    streams = settings.github_streams
    reserve_share = settings.github_reserve_percent / 100
    budget = SharedBudget(warehouse, team.team_id, streams=streams, reserve_share=reserve_share)
    return GitHubClient(settings.github_api_url, references(team.github_token_ref), budget, streams=streams)


def ingest_month(
    warehouse: Warehouse,
    client: GitHubClient,
    team: Team,
    month: date,
    *,
    now: datetime,
    repositories: Sequence[str] | None = None,
    first_month: date | None = None,
    on_event: Callable[[str], None] | None = None,
) -> MonthIngestion:
    """Bring a (team, month) up to date, for all of the team's repositories or those named (matched without case).

    `first_month` is the first month partition there is: a repository is complete when its months from there on are.
    Raises OutsideWindow, AllRepositoriesFailed or WarehouseError; what was committed by then stays.
    """
    require_in_window(month, now, team.history_months, team.team_id)
    with client.at_work(on_event):
        return MonthRun(warehouse, client, team, month, now, first_month).run(repositories)
