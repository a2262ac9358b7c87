"""Monthly values in the database: computing and storing a month, filling gaps, reading series.

A month's values are replaced as a whole, under the team's lock. What a value *is* stands in
`historical_sync.trends.metrics`; the query that computes it, in aggregation.py; directions, in directions.py.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any

from historical_sync.trends.metrics import ALL, ENOUGH, METRICS
from historical_sync.warehouse.aggregation import VALUES
from historical_sync.warehouse.postgres import Transaction
from historical_sync.window import add_months, as_instant, month_bounds

ANCHOR = "pull_requests_merged"
"""The metric whose row for a whole place tells what else is known of that place's month."""

OPEN_SHARES = ("ai_tool_share", "ai_made_with_share", "technology_share")
"""The metrics whose segments are whatever tools and technologies a team turns out to use."""


def lock_team(tx: Transaction, team_id: str) -> bool:
    """Let one transaction at a time compute this team's trends; False when the team is gone.

    The team's row is held too, so that nobody removes the team under the computation: its removal waits.
    """
    tx.lock("trends", team_id)
    return tx.value("select true from teams where team_id = %s for key share", [team_id]) is not None


def store_month(tx: Transaction, team_id: str, month: date, *, now: datetime) -> int:
    """Compute and store every value of a (team, month), in place of what was there. Returns how many rows.

    Each row says how many of the team's repositories are complete for this month, and whether the month is over.
    """
    start, end = month_bounds(month)
    is_open = _loaded_at(tx, team_id, month, now) < end
    tx.execute("delete from monthly_trends where team_id = %s and month = %s", [team_id, month])
    return tx.execute(
        f"""
        insert into monthly_trends (team_id, month, repository, metric, segment, value, n, unit, is_enough,
            is_complete, computed_at, is_open, repositories, repositories_complete)
        select %(team_id)s, %(month)s, repository, metric, segment, value, n, unit, n >= {ENOUGH},
            complete = repositories, %(now)s, %(is_open)s, repositories, complete
        from ({VALUES}) computed join ({COMPLETENESS}) completeness using (repository)
        """,
        {"team_id": team_id, "month": month, "start": start, "end": end, "now": now, "is_open": is_open},
    )


COMPLETENESS = f"""
    select case when grouping(t.repository) = 1 then '{ALL}' else t.repository end as repository,
        count(*)::integer as repositories,
        (count(*) filter (where m.status = 'completed'))::integer as complete
    from tracked_repositories t
    left join repository_months m
        on m.team_id = t.team_id and m.repository = t.repository and m.month = %(month)s
    where t.team_id = %(team_id)s
    group by grouping sets ((), (t.repository)) having count(*) > 0
"""
"""For each repository and `*`: how many repositories the month is of, and how many of them are complete."""


def _loaded_at(tx: Transaction, team_id: str, month: date, now: datetime) -> datetime:
    """Up to when the month's data reaches: its earliest load, and not later than `now`."""
    loaded_at = tx.value(
        "select min(complete_as_of) from repository_months where team_id = %s and month = %s and status = 'completed'",
        [team_id, month],
    )
    return min(now, loaded_at) if loaded_at else now


def fill_gaps(tx: Transaction, team_id: str, *, now: datetime) -> None:
    """Make every series whole: forget repositories that left, add the months and segments that are missing."""
    tx.execute(
        """
        delete from monthly_trends where team_id = %(team_id)s and repository <> %(all)s
            and repository not in (select repository from tracked_repositories where team_id = %(team_id)s)
        """,
        {"team_id": team_id, "all": ALL},
    )
    tx.execute(MISSING_MONTHS, {"team_id": team_id, "now": now, "all": ALL, "anchor": ANCHOR})
    late = tx.rows(LATE_SEGMENTS, {"team_id": team_id, "metrics": list(OPEN_SHARES), "all": ALL, "anchor": ANCHOR})
    if late:
        tx.execute(
            MISSING_SEGMENTS,
            {
                "team_id": team_id,
                "segments": [row["segment"] for row in late],
                "parts": [metric.name for metric in METRICS if metric.statistic == "part"],
                "counts": [metric.name for metric in METRICS if metric.is_count],
                "all": ALL,
                "anchor": ANCHOR,
            },
        )


MISSING_MONTHS = """
insert into monthly_trends (team_id, month, repository, metric, segment, value, n, unit, is_enough,
    is_complete, computed_at, is_open, repositories, repositories_complete)
select t.team_id, missing.month, t.repository, t.metric, t.segment, null, 0, t.unit, false,
    false, %(now)s, false, t.repositories, 0
from (
    select month::date from (
        select min(month) as oldest, max(month) as newest from monthly_trends
        where team_id = %(team_id)s and metric = %(anchor)s and segment = '*' and repository = %(all)s
    ) known, generate_series(oldest, newest, interval '1 month') month
    except
    select month from monthly_trends
    where team_id = %(team_id)s and metric = %(anchor)s and segment = '*' and repository = %(all)s
) missing
join monthly_trends t on t.team_id = %(team_id)s and t.month = (
    select max(month) from monthly_trends where team_id = %(team_id)s and metric = %(anchor)s
)
"""
"""A month between others that was never computed becomes a gap: every series of the newest month, without a value."""

LATE_SEGMENTS = """
select segment from monthly_trends where team_id = %(team_id)s and metric = any(%(metrics)s) and repository = %(all)s
group by segment having count(*) < (
    select count(*) from monthly_trends
    where team_id = %(team_id)s and metric = %(anchor)s and segment = '*' and repository = %(all)s
)
"""
"""Tools and technologies that some months were computed without, since no month had shown them yet."""

MISSING_SEGMENTS = """
insert into monthly_trends (team_id, month, repository, metric, segment, value, n, unit, is_enough,
    is_complete, computed_at, is_open, repositories, repositories_complete)
select a.team_id, a.month, a.repository, s.metric, s.segment,
    case
        when s.metric = any(%(parts)s) and a.value > 0 or s.metric = any(%(counts)s) and a.value is not null then 0
    end,
    case when s.metric = any(%(parts)s) then a.n else 0 end, s.unit, s.metric = any(%(parts)s) and a.is_enough,
    a.is_complete, a.computed_at, a.is_open, a.repositories, a.repositories_complete
from monthly_trends a
cross join (
    select distinct metric, segment, unit from monthly_trends
    where team_id = %(team_id)s and repository = %(all)s and segment = any(%(segments)s)
) s
where a.team_id = %(team_id)s and a.metric = %(anchor)s and a.segment = '*'
on conflict do nothing
"""
"""A tool that a month did not use: none of its pull requests, which is a zero where there were any."""


def refresh_same_days(tx: Transaction, team_id: str, changed: date) -> None:
    """Where the newest month is not over and `changed` bears on it, give each of its rows what to compare it with.

    That is the value of the same days of the month before and of the year before (`same_days_…`), where those months
    are stored: a month that is half over can be compared with nothing else.
    """
    newest = tx.row(
        "select month, is_open, computed_at from monthly_trends where team_id = %s and metric = %s "
        "and repository = %s and segment = %s order by month desc limit 1",
        [team_id, ANCHOR, ALL, ALL],
    )
    if newest is None or not newest["is_open"]:
        return
    month: date = newest["month"]
    elapsed_until = _loaded_at(tx, team_id, month, newest["computed_at"])
    for back, prefix in ((1, "same_days"), (12, "same_days_year")):
        base = add_months(month, -back)
        if changed in (month, base) and _is_stored(tx, team_id, base):
            _store_same_days(tx, team_id, month, base, prefix, elapsed_until)


def _is_stored(tx: Transaction, team_id: str, month: date) -> bool:
    found = tx.value(
        "select value is not null from monthly_trends where team_id = %s and month = %s and repository = %s "
        "and metric = %s and segment = %s",
        [team_id, month, ALL, ANCHOR, ALL],
    )
    return bool(found)


def _store_same_days(
    tx: Transaction, team_id: str, month: date, base: date, prefix: str, elapsed_until: datetime
) -> None:
    start, end = month_bounds(base)
    tx.execute(
        f"""
        update monthly_trends t set {prefix}_value = computed.value, {prefix}_n = computed.n
        from ({VALUES}) computed
        where t.team_id = %(team_id)s and t.month = %(month)s and t.repository = computed.repository
            and t.metric = computed.metric and t.segment = computed.segment
        """,
        {
            "team_id": team_id,
            "month": month,
            "start": start,
            "end": min(end, start + (elapsed_until - as_instant(month))),
        },
    )


VALUE_COLUMNS = (
    "month",
    "repository",
    "metric",
    "segment",
    "value",
    "n",
    "unit",
    "is_enough",
    "is_complete",
    "is_open",
    "repositories",
    "repositories_complete",
    "same_days_value",
    "same_days_n",
    "same_days_year_value",
    "same_days_year_n",
    "computed_at",
)
"""What is given out of `dashboard.monthly_trends`, by command and page alike: its columns but the team."""


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
        select * from dashboard.monthly_trends
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
