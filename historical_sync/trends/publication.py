"""Publishing a month: its values, then the team's directions, then the benchmarks it takes part in.

Called whenever pull requests, tags or classifications of the month changed: by the asset `monthly_trends`, by a
refresh, and where LLM answers are taken in.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from historical_sync.trends.digest import headline_markdown
from historical_sync.trends.metrics import ALL, HEADLINE
from historical_sync.warehouse import benchmarks, classifications, directions, trends
from historical_sync.warehouse.postgres import Transaction, Warehouse


@dataclass(frozen=True, slots=True)
class TrendSummary:
    """What publishing a month did.

    `headline` holds (metric, value, unit, n) of the whole team for this month; `markdown` the same numbers of the last
    thirteen months, as a table.
    """

    team_id: str
    month: date
    values: int
    months: int
    headline: tuple[tuple[str, float | None, str, int], ...]
    is_complete: bool
    is_open: bool
    markdown: str


def publish_month(warehouse: Warehouse, team_id: str, month: date, *, now: datetime) -> TrendSummary:
    """Compute and store the month's values and the team's directions, then the month's benchmarks.

    Values and directions change in one transaction under the team's lock, so nobody sees one without the other; so does
    the note that the month has new answers. Of a team that is gone, or has no repository left, there is nothing to
    publish.
    """
    with warehouse.transaction() as tx:
        values = 0
        if trends.lock_team(tx, team_id):
            classifications.clear_changed(tx, team_id, month)
            values = trends.store_month(tx, team_id, month, now=now)
            trends.fill_gaps(tx, team_id, now=now)
            trends.refresh_same_days(tx, team_id, month)
            directions.store_directions(tx, team_id, now=now)
        summary = _summary(tx, team_id, month, values)
    if values and not summary.is_open:
        with warehouse.transaction() as tx:
            benchmarks.follow_month(tx, month)
    return summary


def _summary(tx: Transaction, team_id: str, month: date, values: int) -> TrendSummary:
    rows = trends.read_values(tx, team_id, metrics=HEADLINE, repository=ALL, segments=[ALL])
    of_month = {row["metric"]: row for row in rows if row["month"] == month}
    first = next(iter(of_month.values()), None)
    return TrendSummary(
        team_id=team_id,
        month=month,
        values=values,
        months=len({row["month"] for row in rows if row["value"] is not None}),
        headline=tuple(
            (name, of_month[name]["value"], of_month[name]["unit"], of_month[name]["n"])
            for name in HEADLINE
            if name in of_month
        ),
        is_complete=bool(first and first["is_complete"]),
        is_open=bool(first and first["is_open"]),
        markdown=headline_markdown(rows),
    )
