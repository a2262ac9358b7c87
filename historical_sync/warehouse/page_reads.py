"""What the page reads inside a team's transaction: the team itself, and the monthly numbers through schema `dashboard`.

Under the page's role every query here sees one team; the team is given all the same, so that the indexes serve it.
The pull requests behind a point are read by behind.py.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
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


def months_with_values(tx: Transaction, team_id: str) -> list[date]:
    """The months that have values, oldest first."""
    rows = tx.rows(
        """
        select distinct month from dashboard.monthly_trends
        where team_id = %s and repository = %s and metric = 'pull_requests_merged' and segment = %s order by month
        """,
        [team_id, ALL, ALL],
    )
    return [row["month"] for row in rows]


def read_series(tx: Transaction, team_id: str, repository: str, months: Sequence[date], metrics: Iterable[str]) -> Rows:
    """The values of these metrics in these months for one repository (or `*`), every segment of them."""
    return tx.rows(
        """
        select month, metric, segment, value, n, is_enough, is_complete, is_open, repositories, repositories_complete
        from dashboard.monthly_trends
        where team_id = %s and month = any(%s) and repository = %s and metric = any(%s)
        """,
        [team_id, list(months), repository, sorted(metrics)],
    )


def read_comparisons(tx: Transaction, team_id: str, repository: str, month: date, metrics: Iterable[str]) -> Rows:
    """AI-assisted against other work in a month: rows of `dashboard.ai_comparisons`."""
    return tx.rows(
        """
        select * from dashboard.ai_comparisons
        where team_id = %s and repository = %s and month = %s and metric = any(%s)
        """,
        [team_id, repository, month, sorted(metrics)],
    )


def read_repository_names(tx: Transaction, team_id: str) -> list[str]:
    """The team's repositories by name."""
    rows = tx.rows(
        "select repository from tracked_repositories where team_id = %s order by lower(repository)", [team_id]
    )
    return [row["repository"] for row in rows]


def read_evidence(tx: Transaction, team_id: str, keys: Sequence[tuple[str, int]]) -> Rows:
    """The evidence of these pull requests: rows of `dashboard.pull_request_evidence`, in the order of the key."""
    return tx.rows(
        """
        select e.repository, e.number, e.tool, e.role, e.source, e.strength, e.quote
        from unnest(%(repositories)s::text[], %(numbers)s::int[]) as wanted (repository, number)
        join dashboard.pull_request_evidence e
            on e.team_id = %(team_id)s and e.repository = wanted.repository and e.number = wanted.number
        order by e.repository, e.number, e.strength, e.signature_id, e.source, e.position
        """,
        {"team_id": team_id, "repositories": [key[0] for key in keys], "numbers": [key[1] for key in keys]},
    )
