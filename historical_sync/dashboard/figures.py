"""The key figures: value, direction and sparkline of a team's main numbers. Pure.

A figure is of the last full month where there is one: an open month has only some of its days. Its direction is the
verdict that the trends computed, never one made up here.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from historical_sync.dashboard.charts import Values
from historical_sync.dashboard.formatting import change, counted, month_name, month_short, number
from historical_sync.trends.metrics import ALL, BY_NAME, HEADLINE, Metric

SPARK_WIDTH, SPARK_HEIGHT, SPARK_MARGIN = 120, 36, 4

SHORT_TITLES = {
    "pull_requests_merged": "PRs merged",
    "unreviewed_share": "Merged unreviewed",
    "classified_share": "LLM-classified",
}
"""Where a metric's title is too long for a card."""

ARROWS = {"rising": "↑", "falling": "↓", "steady": "→"}
TONES = {"improving": "good", "worsening": "bad"}
DIRECTION_WORDS = {"improving": "Improving", "worsening": "Worsening", "flat": "Steady"}
MOVEMENT_WORDS = {"rising": "Rising", "falling": "Falling", "steady": "Steady"}
TOO_LITTLE = "Too little data"

Directions = Mapping[tuple[str, date], dict[str, Any]]
"""(metric, as of month) → its row of `metric_trends` for the shown repository."""


@dataclass(frozen=True, slots=True)
class Spark:
    """A sparkline as SVG paths in a box of SPARK_WIDTH × SPARK_HEIGHT; `dots` are months without neighbours."""

    path: str
    dots: tuple[tuple[float, float], ...]
    end: tuple[float, float] | None


@dataclass(frozen=True, slots=True)
class KeyFigure:
    """One card. `change` is against the month before (or the same days of it); `so_far` is the open month's value."""

    metric: str
    title: str
    definition: str
    value: str
    note: str
    is_enough: bool
    arrow: str
    word: str
    tone: str
    over: str
    """What the direction looks at, such as `over 12 months`; empty without one."""
    change: str
    change_note: str
    year_change: str
    so_far: str
    spark: Spark


def figure_month(months: Sequence[date], values: Values) -> date | None:
    """The last full month with values, else the newest one; None when there is none."""
    for month in reversed(months):
        row = values.get((HEADLINE[0], ALL, month))
        if row is not None and not row["is_open"]:
            return month
    return months[-1] if months else None


def key_figures(months: Sequence[date], values: Values, directions: Directions) -> tuple[KeyFigure, ...]:
    """The cards of HEADLINE for the figure month, in that order."""
    month = figure_month(months, values)
    if month is None:
        return ()
    return tuple(_figure(BY_NAME[name], month, months, values, directions) for name in HEADLINE)


def _figure(metric: Metric, month: date, months: Sequence[date], values: Values, directions: Directions) -> KeyFigure:
    row = values.get((metric.name, ALL, month))
    verdict = directions.get((metric.name, month), {})
    arrow, word, tone = _direction(verdict) if metric.is_trended else ("", "", "none")
    is_enough = bool(row and (row["is_enough"] or metric.is_count))
    return KeyFigure(
        metric=metric.name,
        title=SHORT_TITLES.get(metric.name, metric.title.removesuffix(", median")),
        definition=metric.definition,
        value=number(row["value"] if row else None, metric.unit),
        note=_note(metric, row),
        is_enough=is_enough,
        arrow=arrow,
        word=word,
        tone=tone,
        over=f"over {counted(verdict['months_used'], 'month')}" if arrow else "",
        change=_change(verdict, "change_previous", metric),
        change_note=_change_note(verdict, month),
        year_change=_change(verdict, "change_year", metric),
        so_far=_so_far(metric, month, months, values),
        spark=spark([values.get((metric.name, ALL, one), {}).get("value") for one in months]),
    )


def _note(metric: Metric, row: dict[str, Any] | None) -> str:
    if row is None:
        return "not loaded yet"
    if metric.is_count:
        return "in the month" if not row["is_open"] else "in the month so far"
    median = "median of " if metric.statistic == "p50" else "of "
    return f"{median}{counted(row['n'], 'pull request')}" + ("" if row["is_enough"] else ", too few to judge")


def _direction(verdict: dict[str, Any]) -> tuple[str, str, str]:
    movement, direction = verdict.get("movement"), verdict.get("direction")
    if not verdict or movement == "too little data":
        return "", TOO_LITTLE, "none"
    word = DIRECTION_WORDS[direction] if direction else MOVEMENT_WORDS[str(movement)]
    return ARROWS[str(movement)], word, TONES.get(str(direction), "none")


def _change(verdict: dict[str, Any], key: str, metric: Metric) -> str:
    """A change in percent or percentage points; empty where there is none."""
    value = verdict.get(key)
    return change(value / 100, metric.unit) if value is not None else ""


def _change_note(verdict: dict[str, Any], month: date) -> str:
    if verdict.get("change_previous") is None:
        return ""
    before = month.replace(year=month.year - (month.month == 1), month=(month.month - 2) % 12 + 1)
    days = "the same days of " if verdict["compared_with"] == "same days" else ""
    return f"on {days}{before:%B}"


def _so_far(metric: Metric, month: date, months: Sequence[date], values: Values) -> str:
    newest = months[-1]
    row = values.get((metric.name, ALL, newest))
    if newest == month or row is None or row["value"] is None:
        return ""
    return f"{month_short(newest)} so far: {number(row['value'], metric.unit)}"


def spark(numbers: Sequence[float | None]) -> Spark:
    """A sparkline from 0 (or the least value) up; a month without a value is a gap in the line."""
    known = [value for value in numbers if value is not None]
    if not known:
        return Spark("", (), None)
    low, high = min(0.0, *known), max(known)
    points = [_spot(index, value, len(numbers), low, high) for index, value in enumerate(numbers)]
    runs = list(_runs(points))
    path = "".join("M" + "L".join(f"{x:g} {y:g}" for x, y in run) for run in runs if len(run) > 1)
    return Spark(path, tuple(run[0] for run in runs if len(run) == 1), next(p for p in reversed(points) if p))


def _spot(index: int, value: float | None, count: int, low: float, high: float) -> tuple[float, float] | None:
    if value is None:
        return None
    x = SPARK_MARGIN + index * (SPARK_WIDTH - 2 * SPARK_MARGIN) / max(count - 1, 1)
    height = (value - low) / (high - low) if high > low else 0.5
    return round(x, 1), round(SPARK_HEIGHT - SPARK_MARGIN - height * (SPARK_HEIGHT - 2 * SPARK_MARGIN), 1)


def _runs(points: Iterable[tuple[float, float] | None]) -> Iterable[list[tuple[float, float]]]:
    run: list[tuple[float, float]] = []
    for point in points:
        if point is not None:
            run.append(point)
        elif run:
            yield run
            run = []
    if run:
        yield run


def figures_title(months: Sequence[date], values: Values) -> str:
    """What the cards are of: the month, and that it is not over or lacks a repository where that is so."""
    month = figure_month(months, values)
    if month is None:
        return ""
    row = values.get((HEADLINE[0], ALL, month), {})
    parts = [month_name(month)]
    if row.get("is_open"):
        parts.append("so far")
    if not row.get("is_complete", True):
        parts.append(f"{row['repositories_complete']} of {counted(row['repositories'], 'repository', 'repositories')}")
    return ", ".join(parts)
