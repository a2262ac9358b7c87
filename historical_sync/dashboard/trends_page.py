"""The trends page put together from its parts: months, banner, figures, charts, panels, choices. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from historical_sync.dashboard.charts import (
    STACKED_TOOLS,
    Chart,
    DrawnChart,
    Row,
    Values,
    chosen_chart,
    draw,
    metrics_of,
    standard_charts,
    with_other_tools,
)
from historical_sync.dashboard.comparisons import AiPanel, Benchmark, Standing, ai_panel, benchmarks, standings
from historical_sync.dashboard.figures import Directions, KeyFigure, figure_month, figures_title, key_figures
from historical_sync.dashboard.formatting import counted, month_short, time_left
from historical_sync.dashboard.pull_request_list import Behind
from historical_sync.dashboard.trends_state import SEGMENT_WORDS, SPANS, TrendsState
from historical_sync.progress import TeamProgress
from historical_sync.trends.benchmarks import published_bands
from historical_sync.trends.metrics import ALL, BY_NAME, CLOSED_VOCABULARIES, HEADLINE, LABELS, METRICS, Segment
from historical_sync.window import add_months, months_between

SEGMENT_PATTERNS: dict[Segment, tuple[str, ...]] = {
    "label": LABELS,
    **{kind: (f"{kind}:%",) for kind in ("size", "type", "tool", "made_with", "technology")},
}


LOOK_SECONDS, SLOW_LOOK_SECONDS = 4, 30


@dataclass(frozen=True, slots=True)
class Banner:
    """What is to be known before reading: loading, gaps, paused."""

    tone: str
    title: str
    text: str
    percent: int | None = None


@dataclass(frozen=True, slots=True)
class Choice:
    """An option of a menu."""

    value: str
    text: str
    is_chosen: bool


@dataclass(frozen=True, slots=True)
class TrendsPage:
    """Everything the template shows."""

    state: TrendsState
    months: tuple[date, ...]
    banner: Banner | None
    is_empty: bool
    is_loading: bool
    figures_title: str
    figures: tuple[KeyFigure, ...]
    charts: tuple[DrawnChart, ...]
    chosen: DrawnChart
    ai: AiPanel | None
    benchmarks: tuple[Benchmark, ...]
    standings: tuple[Standing, ...]
    repositories: tuple[Choice, ...]
    spans: tuple[Choice, ...]
    metrics: tuple[Choice, ...]
    segments: tuple[Choice, ...]
    behind: Behind | None
    look_seconds: int | None
    """How often an open page looks again by itself; None when nothing more comes."""
    version: str
    """Changes whenever a month arrives, so that an open page knows when to look again."""


@dataclass(frozen=True, slots=True)
class TrendsData:
    """What was read for the page, in one transaction."""

    progress: TeamProgress
    repositories: Sequence[str]
    months: Sequence[date]
    values: Values
    directions: Directions
    comparisons: Iterable[Mapping[str, Any]]
    standings: Iterable[Mapping[str, Any]]
    computed_at: str


def axis(stored: Sequence[date], wanted: Sequence[date], span: int | None) -> list[date]:
    """The months of the charts, oldest first and without holes: all that are stored or still to come, or the last."""
    known = sorted({*stored, *wanted})
    months = list(months_between(known[0], known[-1])) if known else []
    return months[-span:] if span else months


def months_to_read(months: Sequence[date]) -> list[date]:
    """The months of the axis, and those a year before them for the second line."""
    return sorted({*months, *(add_months(month, -12) for month in months)})


def metrics_to_read(state: TrendsState) -> set[str]:
    """Every metric of which the page shows the whole in this state."""
    place = {state.place.metric} if state.place else set()
    charts = [*standard_charts(()), chosen_chart(BY_NAME[state.metric], None, ())]
    return {*HEADLINE, *metrics_of(charts), *published_bands(), *place}


def segments_to_read(state: TrendsState) -> dict[str, list[str]]:
    """Metric → patterns of the segments that the page shows in this state."""
    wanted: dict[str, list[str]] = {STACKED_TOOLS: ["made_with:%"], "size_share": ["size:%"]}
    if state.by is not None:
        wanted.setdefault(state.metric, []).extend(SEGMENT_PATTERNS[state.by])
    if state.place is not None and state.place.segment != ALL:
        wanted.setdefault(state.place.metric, []).append(state.place.segment)
    return wanted


def trends_page(state: TrendsState, data: TrendsData, behind: Behind | None) -> TrendsPage:
    """The page in this state."""
    tools = _largest(data.values, STACKED_TOOLS, "made_with")
    charts = standard_charts(tools)
    values = with_other_tools(data.values, tools)
    month = figure_month(data.months, data.values)
    of_team = state.repository == ALL
    return TrendsPage(
        state=state,
        months=tuple(data.months),
        banner=banner(data.progress),
        is_empty=not data.values,
        is_loading=data.progress.state in ("loading", "waiting"),
        figures_title=figures_title(data.months, data.values),
        figures=key_figures(data.months, data.values, data.directions),
        charts=tuple(draw(chart, data.months, values) for chart in charts),
        chosen=draw(_chosen(state, data.values), data.months, data.values),
        ai=ai_panel(month, data.comparisons),
        benchmarks=benchmarks(month, data.values),
        standings=standings(month, data.standings, HEADLINE) if of_team else (),
        repositories=_repository_choices(state, data.repositories),
        spans=_span_choices(state, data.months),
        metrics=tuple(Choice(one.name, one.title, one.name == state.metric) for one in METRICS),
        segments=_segment_choices(state),
        behind=behind,
        look_seconds=look_seconds(data),
        version=data.computed_at,
    )


def look_seconds(data: TrendsData) -> int | None:
    """Every few seconds while months arrive, more slowly while only the LLM's answers are awaited, else not at all."""
    if data.progress.state in ("loading", "waiting"):
        return LOOK_SECONDS
    if data.progress.state == "paused":
        return None
    published = {month for _, _, month in data.values}
    whole = {one.month for one in data.progress.months if one.is_complete}
    if whole & set(data.months) - published:  # loaded, and about to be counted
        return LOOK_SECONDS
    return None if data.progress.is_settled else SLOW_LOOK_SECONDS


def banner(progress: TeamProgress) -> Banner | None:
    """What the reader must know of the history; None when it is complete."""
    here = sum(month.complete > 0 for month in progress.months)
    missing = [one.repository for one in progress.repositories if one.months_missing or one.sync_status == "failed"]
    if progress.state in ("loading", "waiting"):
        text = ", ".join(part for part in ("newest first", time_left(progress.eta_seconds)) if part)
        title = f"{here} of {counted(progress.months_total, 'month')} {'is' if here == 1 else 'are'} here"
        return Banner("info", title, f"The rest is loading, {text}.", progress.percent)
    if progress.state == "incomplete":
        names = ", ".join(missing[:3]) + (f" and {counted(len(missing) - 3, 'other')}" if len(missing) > 3 else "")
        are = "is" if len(missing) == 1 else "are"
        return Banner("warn", f"{names} {are} missing in part", "Marked months lack it; the rest is counted as it is.")
    if progress.state == "paused":
        return Banner("warn", "Loading is paused", "The numbers are as of the last load.")
    return None


def _chosen(state: TrendsState, values: Values) -> Chart:
    metric = BY_NAME[state.metric]
    if state.by is None:
        return chosen_chart(metric, None, ())
    closed = CLOSED_VOCABULARIES.get(state.by)
    return chosen_chart(metric, state.by, closed or _largest(values, metric.name, state.by))


def _largest(values: Values, metric: str, kind: Segment) -> list[str]:
    """The segments of an open kind that the metric has values for, those with most pull requests first."""
    weight: dict[str, float] = {}
    for (name, segment, _), row in values.items():
        if name == metric and segment.startswith(f"{kind}:"):
            amount = row["value"] if BY_NAME[metric].statistic == "part" else row["n"]
            weight[segment] = weight.get(segment, 0.0) + (amount or 0.0)
    return [segment for segment in sorted(weight, key=lambda one: (-weight[one], one)) if weight[segment] > 0]


def _repository_choices(state: TrendsState, names: Sequence[str]) -> tuple[Choice, ...]:
    every = Choice(ALL, f"All repositories ({len(names)})", state.repository == ALL)
    return (every, *(Choice(name, name, name == state.repository) for name in names))


def _span_choices(state: TrendsState, months: Sequence[date]) -> tuple[Choice, ...]:
    spans = sorted({*SPANS, *([state.span] if state.span else [])})
    first = f" since {month_short(months[0])}" if months and state.span is None else ""
    return (
        Choice("all", f"All months{first}", state.span is None),
        *(Choice(str(span), f"Last {counted(span, 'month')}", span == state.span) for span in spans),
    )


def _segment_choices(state: TrendsState) -> tuple[Choice, ...]:
    metric = BY_NAME[state.metric]
    whole = [Choice("", "not split", state.by is None)] if metric.is_whole else []
    return (*whole, *(Choice(kind, f"by {SEGMENT_WORDS[kind]}", kind == state.by) for kind in metric.segments))


def keyed(rows: Iterable[Row]) -> dict[tuple[str, str, date], Row]:
    """Rows of `monthly_trends` by metric, segment and month."""
    return {(row["metric"], row["segment"], row["month"]): row for row in rows}
