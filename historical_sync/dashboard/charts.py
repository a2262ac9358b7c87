"""The charts as data: which metrics and segments each shows, and their series over the months. Pure.

The browser's script only draws what stands here, so a test can compare a chart with the tables without a browser.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any, Literal
from urllib.parse import quote

from historical_sync.dashboard.formatting import month_key, month_short, number
from historical_sync.trends.metrics import ALL, BY_NAME, CLOSED_VOCABULARIES, Metric, Segment
from historical_sync.window import add_months

Role = Literal["line", "bar", "low", "high", "year", "stack"]
Row = dict[str, Any]
Values = Mapping[tuple[str, str, date], Row]
"""(metric, segment, month) → its row of `monthly_trends`."""

MOST_SEGMENTS = 6
"""More lines or layers than that cannot be told apart; the smaller ones are summed up or left to the table."""

STACKED_TOOLS = "ai_made_with_share"
"""Its segments count each pull request once, so that the layers add up to the AI-assisted share."""

OTHER_TOOLS = "made_with:*"
"""The layer of the tools that have none of their own."""

TOO_FEW = "too few to judge"

SEGMENT_NAMES = {
    "ai": "AI-assisted",
    "other": "Other",
    "pending": "Pending",
    "size:xs": "XS · up to 10 lines",
    "size:s": "S · up to 50",
    "size:m": "M · up to 200",
    "size:l": "L · up to 500",
    "size:xl": "XL · above",
    "type:ci": "CI",
    "type:docs": "Docs",
    "type:unknown": "Not classified",
    "tool:generic": "Unnamed tool",
}


@dataclass(frozen=True, slots=True)
class Series:
    """One line, layer or set of bars. `color` is the number of a colour in the style sheet."""

    metric: str
    segment: str
    name: str
    role: Role
    color: int
    is_sum: bool = False
    """Whether it sums up several segments, so that no list of pull requests lies behind its points."""


@dataclass(frozen=True, slots=True)
class Chart:
    """What a chart shows, before any numbers."""

    key: str
    title: str
    series: tuple[Series, ...]
    definition: str
    caution: str = ""
    is_wide: bool = False

    @property
    def unit(self) -> str:
        return BY_NAME[self.series[0].metric].unit


@dataclass(frozen=True, slots=True)
class Point:
    """A month of a series as the page shows it. `is_sure` is False where the marker must be hollow."""

    month: date
    key: str
    value: float | None
    n: int
    text: str
    is_sure: bool
    why: str


@dataclass(frozen=True, slots=True)
class DrawnSeries:
    """A series with its points, oldest first."""

    series: Series
    points: tuple[Point, ...]

    @property
    def suffix(self) -> str:
        """The end of the address of the list behind one of its points."""
        return "" if self.series.segment == ALL else f"~{quote(self.series.segment, safe=':')}"


@dataclass(frozen=True, slots=True)
class DrawnChart:
    """A chart with its numbers. `unsure` maps months that are open or incomplete to the reason."""

    chart: Chart
    months: tuple[date, ...]
    drawn: tuple[DrawnSeries, ...]
    unsure: Mapping[date, str] = field(default_factory=dict)

    @property
    def is_empty(self) -> bool:
        """Whether there is not one value to draw."""
        return not any(point.value is not None for one in self.drawn for point in one.points)

    @property
    def is_thin(self) -> bool:
        """Whether every value rests on too few pull requests."""
        known = [point for one in self.drawn for point in one.points if point.value is not None]
        return bool(known) and all(TOO_FEW in point.why for point in known)

    def as_json(self) -> dict[str, Any]:
        """What the script draws."""
        return {
            "key": self.chart.key,
            "title": self.chart.title,
            "unit": self.chart.unit,
            "months": [month_key(month) for month in self.months],
            "labels": [month_short(month) for month in self.months],
            "unsure": [self.unsure.get(month, "") for month in self.months],
            "series": [_series_json(one) for one in self.drawn],
        }


def _series_json(one: DrawnSeries) -> dict[str, Any]:
    return {
        "metric": one.series.metric,
        "segment": one.series.segment,
        "is_sum": one.series.is_sum,
        "name": one.series.name,
        "role": one.series.role,
        "color": one.series.color,
        "values": [point.value for point in one.points],
        "texts": [point.text for point in one.points],
        "n": [point.n for point in one.points],
        "sure": [point.is_sure for point in one.points],
        "why": [point.why for point in one.points],
    }


def _quartiles(key: str, title: str, family: str, color: int, *, is_wide: bool = False) -> Chart:
    metric = BY_NAME[f"{family}_p50"]
    series = (
        Series(f"{family}_p25", ALL, "25th percentile", "low", color),
        Series(f"{family}_p75", ALL, "75th percentile", "high", color),
        Series(metric.name, ALL, "Median", "line", color),
    )
    return Chart(key, title, series, metric.definition, is_wide=is_wide)


def standard_charts(tools: Sequence[str]) -> tuple[Chart, ...]:
    """The charts that every team sees. `tools` are the segments of the AI tools to stack, largest first."""
    share = BY_NAME["ai_assisted_share"]
    layers = [
        Series(STACKED_TOOLS, tool, segment_name(tool), "stack", 1 + index)
        for index, tool in enumerate(tools[:MOST_SEGMENTS])
    ]
    if len(tools) > MOST_SEGMENTS:
        layers.append(Series(STACKED_TOOLS, OTHER_TOOLS, "Other tools", "stack", 1 + MOST_SEGMENTS, is_sum=True))
    return (
        Chart(
            "throughput",
            "Throughput",
            (
                Series("pull_requests_merged", ALL, "Merged", "bar", 1),
                Series("pull_requests_closed_unmerged", ALL, "Closed unmerged", "bar", 7),
                Series("pull_requests_created", ALL, "Created", "line", 2),
            ),
            "Pull requests created, merged, and closed without a merge in the month.",
        ),
        _quartiles("cycle", "Cycle time", "cycle_time_hours", 1),
        Chart(
            "ai",
            "AI-assisted share",
            (*layers, Series(share.name, ALL, "All tools", "line", 0)),
            share.definition,
            share.caution,
        ),
        _quartiles("pickup", "Pickup time", "pickup_time_hours", 3),
        _quartiles("review", "Review time", "review_time_hours", 4),
        Chart(
            "size",
            "Size",
            tuple(
                Series("size_share", segment, segment_name(segment), "stack", color)
                for segment, color in zip(CLOSED_VOCABULARIES["size"], (3, 5, 1, 4, 2), strict=True)
            ),
            BY_NAME["size_share"].definition,
        ),
    )


def chosen_chart(metric: Metric, by: Segment | None, segments: Sequence[str]) -> Chart:
    """The chart of the metric that the reader chose, whole or cut into `segments`, with the year before beside it."""
    if by is None:
        series: tuple[Series, ...] = (Series(metric.name, ALL, metric.title, "bar" if metric.is_count else "line", 1),)
    else:
        role: Role = "stack" if metric.statistic in ("part", "count") and by in CLOSED_VOCABULARIES else "line"
        series = tuple(
            Series(metric.name, segment, segment_name(segment), role, 1 + index % 7)
            for index, segment in enumerate(segments[: MOST_SEGMENTS + 2])
        )
    return Chart("chosen", metric.title, series, metric.definition, metric.caution, is_wide=True)


def segment_name(segment: str) -> str:
    """A segment as people call it."""
    if segment in SEGMENT_NAMES:
        return SEGMENT_NAMES[segment]
    kind, _, name = segment.partition(":")
    return f"{name[:1].upper()}{name[1:]}" if kind in ("type", "made_with") else name or kind


def metrics_of(charts: Iterable[Chart]) -> set[str]:
    """The metrics that these charts read."""
    return {series.metric for chart in charts for series in chart.series}


def with_other_tools(values: Values, tools: Sequence[str]) -> Values:
    """The values with a row a month more: the sum of the tools that have no layer of their own."""
    summed: dict[tuple[str, str, date], Row] = {}
    for tool in tools[MOST_SEGMENTS:]:
        for (metric, segment, month), row in values.items():
            if (metric, segment) == (STACKED_TOOLS, tool) and row["value"] is not None:
                key = (metric, OTHER_TOOLS, month)
                summed[key] = {**row, "value": row["value"] + summed.get(key, {"value": 0.0})["value"]}
    return {**values, **summed}


def draw(chart: Chart, months: Sequence[date], values: Values) -> DrawnChart:
    """The chart over `months` (oldest first); with the year before as a second line where there is one."""
    series = list(chart.series)
    main = next((one for one in series if one.role in ("line", "bar")), None)
    drawn = [_drawn(one, months, values, years_back=0) for one in series]
    if main is not None:
        before = _drawn(_year_before(main), months, values, years_back=1)
        if any(point.value is not None for point in before.points):
            drawn.append(before)
    return DrawnChart(chart, tuple(months), tuple(drawn), _unsure(series, months, values))


def _year_before(main: Series) -> Series:
    return Series(main.metric, main.segment, f"{main.name}, year before", "year", 7)


def _drawn(series: Series, months: Sequence[date], values: Values, *, years_back: int) -> DrawnSeries:
    points = []
    for month in months:
        then = add_months(month, -12 * years_back)
        points.append(_point(then, values.get((series.metric, series.segment, then)), BY_NAME[series.metric]))
    return DrawnSeries(series, tuple(points))


def _point(month: date, row: Row | None, metric: Metric) -> Point:
    if row is None:
        return Point(month, month_key(month), None, 0, number(None, metric.unit), False, "not loaded yet")
    why = [*_reasons(row)]
    if not row["is_enough"] and not metric.is_count:
        why.append(TOO_FEW if row["n"] else "no pull request that counts")
    return Point(
        month, month_key(month), row["value"], row["n"], number(row["value"], metric.unit), not why, ", ".join(why)
    )


def _reasons(row: Row) -> Iterable[str]:
    if row["is_open"]:
        yield "month not over"
    if not row["is_complete"]:
        yield f"{row['repositories_complete']} of {row['repositories']} repositories complete"


def _unsure(series: Sequence[Series], months: Sequence[date], values: Values) -> dict[date, str]:
    found: dict[date, str] = {}
    for month in months:
        rows = [row for one in series if (row := values.get((one.metric, one.segment, month)))]
        reasons = ", ".join(_reasons(rows[0])) if rows else "not loaded yet"
        if reasons:
            found[month] = reasons
    return found
