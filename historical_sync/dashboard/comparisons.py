"""The panels that compare: AI-assisted work with other work, the team with published bands and other teams. Pure.

Neither says more than its data: without ten pull requests on both sides there is no comparison, without a published
band for the same stage and statistic, or five teams of the same size, there is no benchmark.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from historical_sync.dashboard.charts import Values
from historical_sync.dashboard.formatting import counted, month_name, number, share
from historical_sync.trends.benchmarks import PublishedBands, published_bands
from historical_sync.trends.metrics import ALL, BY_NAME, ENOUGH_TO_COMPARE, NO_CAUSE

COMPARED = (
    "cycle_time_hours_p50",
    "pickup_time_hours_p50",
    "review_time_hours_p50",
    "size_lines_p50",
    "review_rounds_mean",
    "unreviewed_share",
    "revert_share",
)
BAR = 100.0


@dataclass(frozen=True, slots=True)
class Side:
    """One side's value, what it rests on, and the length of its bar (0 to 100)."""

    value: str
    n: int
    length: float


@dataclass(frozen=True, slots=True)
class Comparison:
    """One metric of AI-assisted and of other pull requests, raw and among pull requests of like size."""

    metric: str
    title: str
    ai: Side
    other: Side
    matched: str


@dataclass(frozen=True, slots=True)
class AiPanel:
    """The comparison of a month; `too_few` says why there is none."""

    month: str
    comparisons: tuple[Comparison, ...]
    too_few: str
    caution: str = NO_CAUSE


@dataclass(frozen=True, slots=True)
class Band:
    """One published band on the scale."""

    name: str
    bound: str
    is_ours: bool


@dataclass(frozen=True, slots=True)
class Benchmark:
    """The team's value on a published scale."""

    metric: str
    title: str
    value: str
    band: str
    place: int
    bands: tuple[Band, ...]
    stage: str
    source: PublishedBands


@dataclass(frozen=True, slots=True)
class Standing:
    """The team among the other teams of its size."""

    title: str
    value: str
    text: str
    better_than: float


def ai_panel(month: date | None, rows: Iterable[Mapping[str, Any]]) -> AiPanel | None:
    """The comparisons that have enough on both sides, of `month` or an earlier one; None when nothing was computed."""
    by_metric = {row["metric"]: row for row in rows}
    if month is None or not by_metric:
        return None
    shown: date = next(iter(by_metric.values()))["month"]
    fit = tuple(_comparison(by_metric[name]) for name in COMPARED if name in by_metric and _is_fit(by_metric[name]))
    title = month_name(shown) + ("" if shown == month else ", the last month with enough")
    return AiPanel(title, fit, "" if fit else _too_few(by_metric))


def _is_fit(row: Mapping[str, Any]) -> bool:
    return row["is_comparable"] and row["ai_value"] is not None and row["other_value"] is not None


def _too_few(by_metric: Mapping[str, Mapping[str, Any]]) -> str:
    row = by_metric.get(COMPARED[0]) or next(iter(by_metric.values()))
    return (
        f"{counted(row['ai_n'], 'AI-assisted pull request')} and {row['other_n']} others were merged:"
        f" a comparison needs {ENOUGH_TO_COMPARE} of each."
    )


def _comparison(row: Mapping[str, Any]) -> Comparison:
    metric = BY_NAME[row["metric"]]
    most = max(row["ai_value"], row["other_value"]) or 1.0

    def side(name: str) -> Side:
        value = row[f"{name}_value"]
        return Side(number(value, metric.unit), row[f"{name}_n"], round(BAR * value / most, 1))

    return Comparison(metric.name, metric.title, side("ai"), side("other"), _matched(row, metric.unit))


def _matched(row: Mapping[str, Any], unit: str) -> str:
    if not row["is_size_matched_comparable"]:
        return "too few of like size"
    ours, others = row["ai_value_size_matched"], row["other_value_size_matched"]
    return (
        f"{number(ours, unit)} and {number(others, unit)}"
        f" (n = {row['ai_n_size_matched']} and {row['other_n_size_matched']})"
    )


def benchmarks(month: date | None, values: Values) -> tuple[Benchmark, ...]:
    """The team's full month on every published scale that fits one of its values; without enough data, none."""
    found = []
    for name, bands in published_bands().items():
        row = values.get((name, ALL, month)) if month else None
        if row is not None and row["value"] is not None and row["is_enough"]:
            found.append(_benchmark(name, row["value"], bands))
    return tuple(found)


def _benchmark(name: str, value: float, bands: PublishedBands) -> Benchmark:
    metric = BY_NAME[name]
    ours = bands.band_of(value)
    bounds = [f"< {number(bound, metric.unit)}" for bound in bands.upper_bounds]
    bounds.append(f"≥ {number(bands.upper_bounds[-1], metric.unit)}")
    return Benchmark(
        metric=name,
        title=metric.title,
        value=number(value, metric.unit),
        band=ours,
        place=bands.bands.index(ours),
        bands=tuple(Band(band, bound, band == ours) for band, bound in zip(bands.bands, bounds, strict=True)),
        stage=bands.stage,
        source=bands,
    )


def standings(month: date | None, rows: Iterable[Mapping[str, Any]], metrics: Iterable[str]) -> tuple[Standing, ...]:
    """Where the team stands among others of its size, for the metrics of which one way is better."""
    wanted = list(metrics)
    mine = {row["metric"]: row for row in rows if row["month"] == month and row["better_than_share"] is not None}
    return tuple(_standing(mine[name]) for name in wanted if name in mine)


def _standing(row: Mapping[str, Any]) -> Standing:
    metric = BY_NAME[row["metric"]]
    others = f"{row['teams'] - 1} other teams of {row['team_size_bucket']} authors"
    return Standing(
        title=metric.title,
        value=number(row["value"], metric.unit),
        text=f"better than {share(row['better_than_share'])} of {others}",
        better_than=row["better_than_share"],
    )
