"""docs/metrics.md from the table of metrics: `python -m historical_sync.trends.documentation` writes it anew."""

from __future__ import annotations

import json
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

from jinja2 import Environment, StrictUndefined

from historical_sync.trends.benchmarks import LEAST_TEAMS, SIZE_BUCKETS, PublishedBands, published_bands
from historical_sync.trends.direction import (
    COVERAGE_TOLERANCE,
    LEAST_MONTHS,
    SIGNIFICANCE,
    SMALLEST_RELATIVE_CHANGE,
)
from historical_sync.trends.metrics import (
    ENOUGH,
    ENOUGH_TO_COMPARE,
    ENOUGH_TO_MATCH,
    METRICS,
    POPULATIONS,
    SIZES,
    TYPES,
    Metric,
    Statistic,
)

HERE = Path(__file__).parent
PAGE = HERE.parent.parent / "docs" / "metrics.md"

COMPUTED: dict[Statistic, str] = {
    "count": "the number of {what}",
    "distinct": "the number of different {what}",
    "p25": "percentiles of {what}",
    "p50": "percentiles of {what}",
    "p75": "percentiles of {what}",
    "p90": "percentiles of {what}",
    "mean": "the mean of {what}",
    "share": "the share for which {what} is true",
    "part": "the share that lies in each segment",
}


def page() -> str:
    """The text of docs/metrics.md."""
    environment = Environment(undefined=StrictUndefined, autoescape=False, keep_trailing_newline=True)  # noqa: S701
    template = environment.from_string((HERE / "metrics.md.jinja").read_text("utf-8"))
    families: dict[str, list[Metric]] = {}
    for metric in METRICS:
        families.setdefault(metric.family, []).append(metric)
    return template.render(
        metrics=METRICS,
        families=families,
        populations=POPULATIONS,
        sizes=SIZES,
        types=TYPES,
        enough=ENOUGH,
        enough_to_compare=ENOUGH_TO_COMPARE,
        enough_to_match=ENOUGH_TO_MATCH,
        least_months=LEAST_MONTHS,
        significance=SIGNIFICANCE,
        relative_change=f"{SMALLEST_RELATIVE_CHANGE:.0%}",
        coverage=f"{COVERAGE_TOLERANCE:.0%}",
        untrended=", ".join(f"`{metric.name}`" for metric in METRICS if not metric.is_trended),
        least_teams=LEAST_TEAMS,
        size_buckets=", ".join(bucket.name for bucket in SIZE_BUCKETS),
        bands=list(published_bands().values()),
        left_out=json.loads((HERE / "published_bands.json").read_text("utf-8"))["left_out"],
        change_text=change_text,
        computed_text=computed_text,
        definition_text=definition_text,
        bands_text=bands_text,
    )


def change_text(metric: Metric) -> str:
    """The smallest change that matters, in words."""
    if metric.is_share:
        return f"{100 * metric.smallest_change:g} percentage points"
    return f"{metric.smallest_change:g} {metric.unit}"


def definition_text(members: Sequence[Metric]) -> str:
    """The family's definition, and that of a member which has one of its own."""
    own = [f"`{one.name}`: {one.definition}" for one in members if one.definition != members[0].definition]
    return "\n\n".join([members[0].definition, *own])


def computed_text(metric: Metric) -> str:
    """How the value comes about, in words and the expression itself."""
    what = f"`{metric.value}`" if metric.value else "these pull requests"
    if metric.statistic == "count" and metric.value:
        what = f"those for which {what} is true"
    return COMPUTED[metric.statistic].format(what=what)


def bands_text(row: PublishedBands) -> str:
    """Bands with their bounds: `Elite < 1, Strong 1–3, …`."""
    bounds = [f"{bound:g}" for bound in row.upper_bounds]
    ranges = [
        f"< {bounds[0]}",
        *(f"{low}–{high}" for low, high in pairwise(bounds)),
        f"≥ {bounds[-1]}",
    ]
    return ", ".join(f"{name} {span}" for name, span in zip(row.bands, ranges, strict=True))


if __name__ == "__main__":
    PAGE.write_text(page(), "utf-8")
