"""What the page reads inside a team's transaction: the team itself, and the monthly numbers through schema `dashboard`.

Under the page's role every query here sees one team; the team is given all the same, so that the indexes serve it.
The pull requests behind a point are read by behind.py.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
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


def read_series(
    tx: Transaction,
    team_id: str,
    repository: str,
    months: Sequence[date],
    *,
    whole: Iterable[str],
    cut: Mapping[str, Sequence[str]],
) -> Rows:
    """The values of one repository (or `*`) in these months: of the metrics `whole`, and segments of those in `cut`.

    `cut` maps a metric to the patterns of its segments (`tool:%`, or a name); a row that two of them fit comes twice.
    """
    columns = "month, metric, segment, value, n, is_enough, is_complete, is_open, repositories, repositories_complete"
    return tx.rows(
        f"""
        select {columns} from dashboard.monthly_trends
        where team_id = %(team_id)s and month = any(%(months)s) and repository = %(repository)s
            and metric = any(%(whole)s) and segment = '{ALL}'
        union all
        select {columns} from unnest(%(cut)s::text[], %(patterns)s::text[]) as wanted (metric, pattern)
        join dashboard.monthly_trends t using (metric)
        where t.team_id = %(team_id)s and t.month = any(%(months)s) and t.repository = %(repository)s
            and t.segment like wanted.pattern
        """,
        {
            "team_id": team_id,
            "months": list(months),
            "repository": repository,
            "whole": sorted(whole),
            "cut": [metric for metric, patterns in cut.items() for _ in patterns],
            "patterns": [pattern for patterns in cut.values() for pattern in patterns],
        },
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


def newest_comparable_month(
    tx: Transaction, team_id: str, repository: str, until: date, metrics: Iterable[str]
) -> date | None:
    """The newest month up to `until` in which both sides have enough for one of these metrics; None without one."""
    found: date | None = tx.value(
        """
        select max(month) from dashboard.ai_comparisons
        where team_id = %s and repository = %s and month <= %s and metric = any(%s) and is_comparable
        """,
        [team_id, repository, until, sorted(metrics)],
    )
    return found


def read_verdicts(tx: Transaction, team_id: str, repository: str, metrics: Iterable[str]) -> Rows:
    """The directions of these metrics as wholes: rows of `dashboard.metric_trends`."""
    return tx.rows(
        f"""
        select metric, as_of_month, change_previous, change_year, compared_with, movement, direction, months_used
        from dashboard.metric_trends
        where team_id = %s and repository = %s and metric = any(%s) and segment = '{ALL}'
        """,
        [team_id, repository, sorted(metrics)],
    )


def read_standings_of(tx: Transaction, team_id: str, month: date) -> Rows:
    """Where the team stands among others of its size in a month: rows of `dashboard.team_standings`."""
    return tx.rows(
        """
        select month, metric, team_size_bucket, teams, value, better_than_share
        from dashboard.team_standings where team_id = %s and month = %s
        """,
        [team_id, month],
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
