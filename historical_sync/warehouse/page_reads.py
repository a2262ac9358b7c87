"""What the page reads inside a team's transaction: the team itself, and the monthly numbers through schema `dashboard`.

Under the page's role every query here sees one team; the team is given all the same, so that the indexes serve it.
The pull requests behind a point are read in point_reads.py.
"""

from __future__ import annotations

from datetime import date
from typing import Any

from historical_sync.records import Team
from historical_sync.trends.metrics import ALL
from historical_sync.warehouse.postgres import Transaction

Rows = list[dict[str, Any]]

TEAM = """
select team_id, generation, display_name, status, history_months, null as github_token_ref, created_at,
    onboarding_started_at, onboarded_at
from teams where team_id = %s
"""
"""Every column but the token's reference, which the page's role may not read."""


def read_visible_team(tx: Transaction, team_id: str) -> Team | None:
    """The team without its token's reference; None when there is none, or it is not ours to see."""
    row = tx.row(TEAM, [team_id])
    return Team(**row) if row else None


def newest_month(tx: Transaction, team_id: str) -> date | None:
    """The newest month that has any value; None before the first."""
    found: date | None = tx.value("select max(month) from dashboard.monthly_trends where team_id = %s", [team_id])
    return found


def read_month(tx: Transaction, team_id: str, month: date, metrics: list[str]) -> Rows:
    """One month's values of the whole team for these metrics, without segments."""
    return tx.rows(
        """
        select metric, value, n, unit, is_enough, is_complete, is_open from dashboard.monthly_trends
        where team_id = %s and month = %s and metric = any(%s) and repository = %s and segment = %s
        """,
        [team_id, month, metrics, ALL, ALL],
    )
