"""Monthly values and their directions in the database: storing, filling, reading.

A month's values are replaced as a whole, in one transaction under the team's lock. What a value *is* stands in
`historical_sync.trends.metrics`; how it is computed, in aggregation.py.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any

from historical_sync.trends.metrics import ALL, ENOUGH
from historical_sync.warehouse.aggregation import VALUES
from historical_sync.warehouse.postgres import Transaction
from historical_sync.window import add_months, as_instant, month_bounds


def lock_team(tx: Transaction, team_id: str) -> None:
    """Let one transaction at a time compute this team's trends."""
    tx.lock("trends", team_id)


def store_month(tx: Transaction, team_id: str, month: date, *, now: datetime) -> int:
    """Compute and store every value of a (team, month), in place of what was there. Returns how many rows.

    In a month that is not over, each row also gets the value of the same days of the month before
    (`same_days_value`, `same_days_n`): the only fair thing to compare it with.
    """
    start, end = month_bounds(month)
    loaded_at = _loaded_at(tx, team_id, month, now)
    is_open = loaded_at < end
    tx.execute("delete from monthly_trends where team_id = %s and month = %s", [team_id, month])
    stored = tx.execute(
        f"""
        insert into monthly_trends (team_id, month, repository, metric, segment, value, n, unit, is_enough,
            is_complete, computed_at, is_open, repositories, repositories_complete)
        select %(team_id)s, %(month)s, repository, metric, segment, value, n, unit, n >= {ENOUGH},
            complete = repositories and repositories > 0, %(now)s, %(is_open)s, repositories, complete
        from ({VALUES}) computed join ({COMPLETENESS}) completeness using (repository)
        """,
        {"team_id": team_id, "month": month, "start": start, "end": end, "now": now, "is_open": is_open},
    )
    if is_open:
        _store_same_days(tx, team_id, month, elapsed_until=loaded_at)
    return stored


COMPLETENESS = f"""
    select case when grouping(t.repository) = 1 then '{ALL}' else t.repository end as repository,
        count(*)::integer as repositories,
        (count(*) filter (where m.status = 'completed'))::integer as complete
    from tracked_repositories t
    left join repository_months m
        on m.team_id = t.team_id and m.repository = t.repository and m.month = %(month)s
    where t.team_id = %(team_id)s
    group by grouping sets ((), (t.repository))
"""
"""For each repository and `*`: how many repositories the month is of, and how many of them are complete."""


def _loaded_at(tx: Transaction, team_id: str, month: date, now: datetime) -> datetime:
    """Up to when the month's data reaches: its earliest load, and not later than `now`."""
    loaded_at = tx.value(
        "select min(complete_as_of) from repository_months where team_id = %s and month = %s and status = 'completed'",
        [team_id, month],
    )
    return min(now, loaded_at) if loaded_at else now


def _store_same_days(tx: Transaction, team_id: str, month: date, *, elapsed_until: datetime) -> None:
    before = add_months(month, -1)
    start, end = month_bounds(before)
    until = min(end, start + (elapsed_until - as_instant(month)))
    tx.execute(
        f"""
        update monthly_trends t set same_days_value = computed.value, same_days_n = computed.n
        from ({VALUES}) computed
        where t.team_id = %(team_id)s and t.month = %(month)s and t.repository = computed.repository
            and t.metric = computed.metric and t.segment = computed.segment
        """,
        {"team_id": team_id, "month": month, "start": start, "end": until},
    )


def months_stored(tx: Transaction, team_id: str) -> list[date]:
    """The months that have values, oldest first."""
    rows = tx.rows("select distinct month from monthly_trends where team_id = %s order by month", [team_id])
    return [row["month"] for row in rows]


def read_values(
    tx: Transaction,
    team_id: str,
    *,
    metrics: Sequence[str] | None = None,
    repository: str | None = ALL,
    segments: Sequence[str] | None = None,
) -> list[dict[str, Any]]:
    """Rows of `dashboard.monthly_trends` of a team, oldest month first; None means all."""
    return tx.rows(
        """
        select month, repository, metric, segment, value, n, unit, is_enough, is_complete, is_open,
            repositories, repositories_complete, same_days_value, same_days_n, computed_at
        from monthly_trends
        where team_id = %(team_id)s
            and (%(metrics)s::text[] is null or metric = any(%(metrics)s))
            and (%(repository)s::text is null or repository = %(repository)s)
            and (%(segments)s::text[] is null or segment = any(%(segments)s))
        order by month, repository, metric, segment
        """,
        {
            "team_id": team_id,
            "metrics": list(metrics) if metrics is not None else None,
            "repository": repository,
            "segments": list(segments) if segments is not None else None,
        },
    )
