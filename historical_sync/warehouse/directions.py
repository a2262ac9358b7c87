"""Directions in the database: the series that `calculate_trend` judges, and its verdicts.

All of a team's directions are written at once, in the transaction that changed one of its months. They are as of the
newest month and, while that one is open, of the last full month too.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date, datetime
from typing import Any

from historical_sync.records import as_row, columns_of
from historical_sync.trends.direction import Point, Trend, calculate_trend
from historical_sync.trends.metrics import ALL, BY_NAME, METRICS, SEGMENTS_WITHOUT_LLM
from historical_sync.warehouse.postgres import Transaction
from historical_sync.window import add_months

POINT = columns_of(Point)[:-1]
"""What a point holds of its own series, in the order of its fields; `classified_share` is the last."""
VERDICT = columns_of(Trend)

SERIES = f"""
select repository, metric, segment, array_agg(classified.share order by month) as classified_share,
    {", ".join(f"array_agg({name} order by month) as {name}" for name in POINT)}
from monthly_trends
left join (
    select repository, month, value as share from monthly_trends
    where team_id = %(team_id)s and metric = 'classified_share' and segment = '{ALL}'
) classified using (repository, month)
where team_id = %(team_id)s and (segment = '{ALL}' or repository = '{ALL}') and metric = any(%(metrics)s)
group by repository, metric, segment
"""
"""What has a direction: every whole metric of every repository, and every segment of the team."""

TRENDED = [metric.name for metric in METRICS if metric.is_trended]


def store_directions(tx: Transaction, team_id: str, *, now: datetime) -> int:
    """Judge every series of a team anew and store the verdicts in place of the old. Returns how many."""
    tx.execute("delete from metric_trends where team_id = %s", [team_id])
    rows = [
        {
            "team_id": team_id,
            "repository": series["repository"],
            "metric": series["metric"],
            "segment": series["segment"],
            "computed_at": now,
            **as_row(trend),
        }
        for series in tx.rows(SERIES, {"team_id": team_id, "metrics": TRENDED})
        for trend in _verdicts(series)
    ]
    return tx.insert("metric_trends", rows)


def _verdicts(series: dict[str, Any]) -> Iterator[Trend]:
    metric = BY_NAME[series["metric"]]
    columns = [series[name] for name in POINT]
    if metric.rests_on_llm or series["segment"] not in SEGMENTS_WITHOUT_LLM:
        columns.append(series["classified_share"])
    points = list(map(Point, *columns))
    for as_of in _months_to_judge(points):
        yield calculate_trend(metric, points, as_of)


def _months_to_judge(points: Sequence[Point]) -> list[date]:
    newest = points[-1]
    last_full = add_months(newest.month, -1)
    has_last_full = newest.is_open and any(point.month == last_full for point in points)
    return [newest.month, last_full] if has_last_full else [newest.month]


def read_directions(
    tx: Transaction, team_id: str, *, repository: str | None = ALL, segments: Sequence[str] | None = (ALL,)
) -> list[dict[str, Any]]:
    """Rows of `dashboard.metric_trends` of a team, newest month first; None means all."""
    return tx.rows(
        """
        select * from dashboard.metric_trends
        where team_id = %(team_id)s
            and (%(repository)s::text is null or repository = %(repository)s)
            and (%(segments)s::text[] is null or segment = any(%(segments)s))
        order by as_of_month desc, repository, metric, segment
        """,
        {
            "team_id": team_id,
            "repository": repository,
            "segments": list(segments) if segments is not None else None,
        },
    )
