"""Whether a metric changes, and whether that is more than noise. Pure: points in, a verdict out.

Robust by choice: the slope is Theil–Sen's (the median of the slopes between all pairs of months; Sen 1968), and the
test is Mann–Kendall's, corrected for ties and for continuity (Gilbert 1987, Statistical Methods for Environmental
Pollution Monitoring, section 16.4). Neither asks for a normal distribution, and one wild month does not carry them.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from datetime import date
from itertools import combinations
from statistics import median
from typing import Literal

from historical_sync.records import made_in_bulk
from historical_sync.trends.metrics import ENOUGH, Metric
from historical_sync.window import add_months

Movement = Literal["rising", "falling", "steady", "too little data"]
Direction = Literal["improving", "worsening", "flat", "too little data"]

TREND_MONTHS = 13
"""A direction looks at the month it is as of and the twelve before."""

LEAST_MONTHS = 6
"""With five months even a perfect order reaches only p = 0.027 and one swap p = 0.09: too little to tell."""

SIGNIFICANCE = 0.05

SMALLEST_RELATIVE_CHANGE = 0.10
"""Beside a metric's own smallest change: less than a tenth of its level is nothing to act on. Not for shares."""

COVERAGE_TOLERANCE = 0.1
"""Months whose share of classified pull requests differs by more cannot be compared in what rests on the LLM."""


@made_in_bulk
class Point:
    """A month of a series. `same_days_…` are of the same days of the month before and of the year before.

    `classified_share` is how much of the month the LLM has seen; None for a series that does not rest on it.
    """

    month: date
    value: float | None
    n: int
    is_open: bool = False
    is_complete: bool = True
    repositories_complete: int = 1
    same_days_value: float | None = None
    same_days_n: int | None = None
    same_days_year_value: float | None = None
    same_days_year_n: int | None = None
    classified_share: float | None = None


@made_in_bulk
class Trend:
    """The verdict on a series as of a month. Changes are in percent, or in percentage points for shares.

    `direction` is None where the metric moves and neither way is better. An open month is compared with the same days
    of the month before (`compared_with`), and takes no part in the slope.
    """

    as_of_month: date
    value: float | None
    n: int
    previous_value: float | None
    previous_n: int | None
    change_previous: float | None
    year_value: float | None
    year_n: int | None
    change_year: float | None
    change_unit: str
    compared_with: str
    slope_per_month: float | None
    p_value: float | None
    months_used: int
    movement: Movement
    direction: Direction | None
    is_open: bool
    is_complete: bool


def calculate_trend(metric: Metric, points: Sequence[Point], as_of: date) -> Trend:
    """The trend of `points` (any order; a month at most once) as of a month that is among them."""
    by_month = {point.month: point for point in points if point.month <= as_of}
    now = by_month[as_of]
    used = _usable(metric, [by_month.get(add_months(as_of, -back)) for back in range(TREND_MONTHS)])
    slope, p_value, movement = _movement(metric, used)
    previous = _base(now, by_month.get(add_months(as_of, -1)), now.same_days_value, now.same_days_n)
    year = _base(now, by_month.get(add_months(as_of, -12)), now.same_days_year_value, now.same_days_year_n)
    return Trend(
        as_of_month=as_of,
        value=now.value,
        n=now.n,
        previous_value=previous[0],
        previous_n=previous[1],
        change_previous=_change(metric, now, *previous),
        year_value=year[0],
        year_n=year[1],
        change_year=_change(metric, now, *year),
        change_unit="percentage points" if metric.is_share else "percent",
        compared_with="same days" if now.is_open else "month",
        slope_per_month=slope,
        p_value=p_value,
        months_used=len(used),
        movement=movement,
        direction=_direction(metric, movement),
        is_open=now.is_open,
        is_complete=now.is_complete and all(point.is_complete for point in used),
    )


def theil_sen(series: Sequence[tuple[int, float]]) -> float:
    """The median slope between all pairs of (month's number, value); months may be missing. Needs two points."""
    return median((later - earlier) / (end - start) for (start, earlier), (end, later) in combinations(series, 2))


def mann_kendall(values: Sequence[float]) -> float:
    """The two-sided p-value of the test that `values`, in order of time, go neither up nor down."""
    score = sum((later > earlier) - (later < earlier) for earlier, later in combinations(values, 2))
    count = len(values)
    ties = sum(size * (size - 1) * (2 * size + 5) for size in Counter(values).values())
    variance = (count * (count - 1) * (2 * count + 5) - ties) / 18
    if score == 0 or variance == 0:
        return 1.0
    return math.erfc((abs(score) - 1) / math.sqrt(variance) / math.sqrt(2))


def _usable(metric: Metric, points: Sequence[Point | None]) -> list[Point]:
    """The closed months with enough data, oldest first, without those that hold less than others do.

    A month that lacks a repository, or that the LLM has not seen yet, would look like a change of the team. A count of
    few is exact, not uncertain, so small months of a count take part; but a count whose mean is below `ENOUGH` is too
    small for any trend.
    """
    closed = [point for point in reversed(points) if point and not point.is_open and point.value is not None]
    repositories = max((point.repositories_complete for point in closed), default=0)
    classified = max((point.classified_share for point in closed if point.classified_share is not None), default=None)
    whole = [point for point in closed if _holds(point, repositories, classified)]
    if not metric.is_count:
        return [point for point in whole if point.n >= ENOUGH]
    return whole if whole and sum(point.n for point in whole) >= ENOUGH * len(whole) else []


def _holds(point: Point, repositories_complete: int, classified_share: float | None) -> bool:
    """Whether the month has at least so many complete repositories, and about so much of it classified."""
    is_classified = (
        classified_share is None
        or point.classified_share is None
        or point.classified_share >= classified_share - COVERAGE_TOLERANCE
    )
    return is_classified and point.repositories_complete >= repositories_complete


def _are_alike(one: Point, other: Point) -> bool:
    return _holds(one, other.repositories_complete, other.classified_share) and _holds(
        other, one.repositories_complete, one.classified_share
    )


def _movement(metric: Metric, used: Sequence[Point]) -> tuple[float | None, float | None, Movement]:
    if len(used) < LEAST_MONTHS:
        return None, None, "too little data"
    series = [(point.month.year * 12 + point.month.month, point.value or 0.0) for point in used]
    values = [value for _, value in series]
    slope, p_value = theil_sen(series), mann_kendall(values)
    moved = abs(slope) * (series[-1][0] - series[0][0])
    if p_value >= SIGNIFICANCE or moved < _smallest_change(metric, values):
        return slope, p_value, "steady"
    return slope, p_value, "rising" if slope > 0 else "falling"


def _smallest_change(metric: Metric, values: Sequence[float]) -> float:
    if metric.is_share:
        return metric.smallest_change
    return max(metric.smallest_change, SMALLEST_RELATIVE_CHANGE * abs(median(values)))


def _direction(metric: Metric, movement: Movement) -> Direction | None:
    if movement == "too little data":
        return "too little data"
    if movement == "steady":
        return "flat"
    if metric.better == "neither":
        return None
    return "improving" if (movement == "rising") == (metric.better == "higher") else "worsening"


def _base(
    now: Point, before: Point | None, same_days_value: float | None, same_days_n: int | None
) -> tuple[float | None, int | None]:
    """What `now` is compared with: nothing when one of the months holds less than the other."""
    if before is None or not _are_alike(before, now):
        return None, None
    return (same_days_value, same_days_n) if now.is_open else (before.value, before.n)


def _change(metric: Metric, now: Point, base: float | None, base_n: int | None) -> float | None:
    """Percent, or percentage points for shares; None on a base that is no base.

    Both sides need `ENOUGH` (a count: only its base), and a percentage needs a base of at least the smallest change
    that matters: "+12,096 %" on a base of one is arithmetic, not news.
    """
    if now.value is None or base is None or (base_n or 0) < ENOUGH or (now.n < ENOUGH and not metric.is_count):
        return None
    if metric.is_share:
        return 100 * (now.value - base)
    return 100 * (now.value - base) / base if base >= metric.smallest_change else None
