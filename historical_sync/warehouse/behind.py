"""The pull requests behind a point of a chart: the same population, value and segment as the number itself.

Predicates are put together from the table of metrics as in aggregation.py, so a list is as long as its point's n.
"""

from __future__ import annotations

from datetime import date
from typing import Any

from historical_sync.errors import ConfigurationError
from historical_sync.trends.metrics import ALL, BY_NAME, CLOSED_VOCABULARIES, POPULATIONS, SIZE_MATCHED, Metric
from historical_sync.warehouse.aggregation import LIST_OF, SEEN, SEGMENT_OF
from historical_sync.warehouse.postgres import Transaction
from historical_sync.window import month_bounds


def pull_requests_behind(
    tx: Transaction,
    team_id: str,
    metric: str,
    month: date,
    *,
    repository: str = ALL,
    segment: str = ALL,
    limit: int = 50,
    offset: int = 0,
) -> list[dict[str, Any]]:
    """The pull requests that a value of `monthly_trends` rests on: rows of `dashboard.pull_requests`.

    `contribution` is what each brings: hours, lines, rounds, or whether it counts towards a share. Largest first.
    Of a share of a segment (tools, types …), the pull requests in that segment. Raises ConfigurationError for a metric
    or a segment that does not exist.
    """
    found = BY_NAME.get(metric)
    if found is None:
        raise ConfigurationError(f"There is no metric {metric!r}.", remedy="See docs/metrics.md for their names.")
    start, end = month_bounds(month)
    return tx.rows(
        f"""
        select seen.*, {found.value or "null"} as contribution from ({SEEN}) seen
        where {POPULATIONS[found.population][1]} and {_counts(found)} and {_in_segment(segment)}
            and (%(repository)s = '{ALL}' or repository = %(repository)s)
        order by {found.value or "coalesce(merged_at, closed_at, created_at)"} desc, repository, number
        limit %(limit)s offset %(offset)s
        """,
        {
            "team_id": team_id,
            "start": start,
            "end": end,
            "repository": repository,
            "segment": segment.removesuffix(SIZE_MATCHED[0]),
            "listed": segment.partition(":")[2],
            "limit": limit,
            "offset": offset,
        },
    )


def _counts(metric: Metric) -> str:
    """The condition that a pull request of the population counts towards n."""
    if metric.value is None:
        return "true"
    return f"({metric.value})" if metric.statistic == "count" else f"({metric.value}) is not null"


def _in_segment(segment: str) -> str:
    if segment == ALL:
        return "true"
    for kind, names in CLOSED_VOCABULARIES.items():
        if segment.removesuffix(SIZE_MATCHED[0]) in names:
            return f"({SEGMENT_OF[kind]}) = %(segment)s"
    for kind, column in LIST_OF.items():
        if segment.startswith(f"{kind}:"):
            return f"%(listed)s = any({column})"
    raise ConfigurationError(f"There is no segment {segment!r}.", remedy="See docs/metrics.md for their names.")
