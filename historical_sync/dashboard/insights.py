"""The first numbers that a new team sees, while the rest of its history still loads. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from typing import Any

from historical_sync.dashboard.formatting import counted, month_name, number
from historical_sync.trends.metrics import BY_NAME

INSIGHT_METRICS = ("pull_requests_merged", "cycle_time_hours_p50", "pickup_time_hours_p50", "ai_assisted_share")


@dataclass(frozen=True, slots=True)
class Figure:
    """One number with its name and what it rests on."""

    metric: str
    title: str
    value: str
    note: str


@dataclass(frozen=True, slots=True)
class Insights:
    """A month's figures; `is_complete` is False while a repository is missing or the month is not over."""

    month: str
    is_complete: bool
    figures: tuple[Figure, ...]


def insights(month: date, rows: Iterable[dict[str, Any]]) -> Insights | None:
    """The figures of a month, in the order of INSIGHT_METRICS; None when nothing was computed."""
    by_metric = {row["metric"]: row for row in rows}
    figures = tuple(_figure(by_metric[name]) for name in INSIGHT_METRICS if name in by_metric)
    is_complete = all(row["is_complete"] and not row["is_open"] for row in by_metric.values())
    return Insights(month_name(month), is_complete, figures) if figures else None


def _figure(row: dict[str, Any]) -> Figure:
    metric = BY_NAME[row["metric"]]
    note = f"of {counted(row['n'], 'pull request')}" if not metric.is_count else "in the month so far"
    if metric.is_count and not row["is_open"]:
        note = "in the month"
    if not row["is_enough"] and not metric.is_count:
        note += ", too few to judge"
    return Figure(metric.name, metric.title, number(row["value"], metric.unit), note)
