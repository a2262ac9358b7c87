"""The words of the table of metrics: units, populations, segments, limits, and what an entry holds.

The entries themselves are in metrics.py, which hands these words on.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

Unit = Literal["pull requests", "authors", "hours", "lines", "rounds", "share"]
Better = Literal["higher", "lower", "neither"]
Statistic = Literal["count", "distinct", "p25", "p50", "p75", "p90", "mean", "share", "part"]
Population = Literal["created", "merged", "closed_unmerged", "active", "automation"]
Segment = Literal["label", "size", "type", "tool", "made_with", "technology"]

ALL = "*"
"""The name of the whole: all repositories of a team, or a metric that is not cut into segments."""

ENOUGH = 5
"""Below this n a value is stored but marked as too few (`is_enough`)."""

ENOUGH_TO_COMPARE = 10
"""AI-assisted work is set against other work only when both sides rest on this many pull requests."""

ENOUGH_TO_MATCH = 3
"""A size bucket takes part in a size-matched figure when both sides have this many pull requests in it."""

POPULATIONS: dict[Population, tuple[str, str]] = {
    "created": ("pull requests created in the month", "not is_automation and created_in_month"),
    "merged": ("pull requests merged in the month", "not is_automation and merged_in_month"),
    "closed_unmerged": (
        "pull requests closed in the month without a merge",
        "not is_automation and closed_in_month and merged_at is null",
    ),
    "active": (
        "pull requests created or merged in the month",
        "not is_automation and (created_in_month or merged_in_month)",
    ),
    "automation": ("automation's pull requests merged in the month", "is_automation and merged_in_month"),
}
"""Population → its words, and its condition over the view's columns and "this time lies in the month"."""

LABELS = ("ai", "other", "pending")
SIZES = ("size:xs", "size:s", "size:m", "size:l", "size:xl")
TYPES = tuple(f"type:{name}" for name in ("feature", "bugfix", "refactor", "docs", "test", "chore", "ci", "unknown"))
CLOSED_VOCABULARIES: dict[Segment, tuple[str, ...]] = {"label": LABELS, "size": SIZES, "type": TYPES}
"""The segments that divide: each pull request lies in exactly one of them, so counts add up to the whole."""

SEGMENTS_WITHOUT_LLM = (ALL, *SIZES)
"""The segments that are the same before and after the LLM has seen a pull request."""

SIZE_MATCHED = (":size_matched", ("ai", "other"))
"""Suffix and sides of the size-matched figures beside the raw ones of `ai` and `other`."""

FLOOR = "A floor: it counts use that is disclosed. Pull requests whose label is pending count as not assisted."
NO_CAUSE = (
    "AI-assisted and other pull requests differ in size, author and repository; a difference between them does not "
    "show that AI caused it. Compare the size-matched figures, with n of both."
)


@dataclass(frozen=True, slots=True)
class Metric:
    """One entry of the table. `smallest_change` is in the metric's unit (shares: 0.02 is two percentage points)."""

    name: str
    family: str
    title: str
    unit: Unit
    better: Better
    population: Population
    statistic: Statistic
    value: str | None
    """Expression over `dashboard.pull_requests`; None counts the population itself."""
    definition: str
    source: str
    smallest_change: float
    segments: tuple[Segment, ...] = ()
    is_whole: bool = True
    """Whether it has a value for segment `*`; False where only its segments mean anything."""
    caution: str = ""
    rests_on_llm: bool = False
    """Whether a month that the LLM has not seen yet has another value than it will have."""
    is_trended: bool = True
    """False where months cannot be compared with one another: what is still open or pending shrinks with age."""

    @property
    def is_share(self) -> bool:
        """Whether changes are told in percentage points."""
        return self.unit == "share"

    @property
    def is_count(self) -> bool:
        """Whether a month without data is a true zero, not a gap."""
        return self.statistic in ("count", "distinct")


@dataclass(frozen=True, slots=True)
class Quantiles:
    """An entry that stands for several metrics: the median, p75 and p90 of one measure, and p25 where asked for."""

    family: str
    title: str
    unit: Unit
    better: Better
    value: str
    definition: str
    source: str
    smallest_change: float
    segments: tuple[Segment, ...] = ("label",)
    population: Population = "merged"
    has_p25: bool = False

    def metrics(self) -> Sequence[Metric]:
        """One entry a statistic."""
        words: dict[Statistic, str] = {
            "p25": "25th percentile",
            "p50": "median",
            "p75": "75th percentile",
            "p90": "90th percentile",
        }
        return [self._metric(one, word) for one, word in words.items() if one != "p25" or self.has_p25]

    def _metric(self, statistic: Statistic, word: str) -> Metric:
        return Metric(
            name=f"{self.family}_{statistic}",
            family=self.family,
            title=f"{self.title}, {word}",
            unit=self.unit,
            better=self.better,
            population=self.population,
            statistic=statistic,
            value=self.value,
            definition=self.definition,
            source=self.source,
            smallest_change=self.smallest_change,
            segments=self.segments,
            caution=NO_CAUSE if "label" in self.segments else "",
        )


def count_of(
    name: str,
    title: str,
    population: Population,
    definition: str,
    source: str,
    *,
    value: str | None = None,
    better: Better = "higher",
    segments: tuple[Segment, ...] = (),
    is_trended: bool = True,
) -> Metric:
    """An entry for a number of pull requests: the population's, or those of it for which `value` is true."""
    return Metric(
        name=name,
        family=name,
        title=title,
        unit="pull requests",
        better=better,
        population=population,
        statistic="count",
        value=value,
        definition=definition,
        source=source,
        smallest_change=3.0,
        segments=segments,
        is_trended=is_trended,
    )


def share_of(
    name: str,
    title: str,
    value: str,
    definition: str,
    source: str,
    *,
    better: Better,
    segments: tuple[Segment, ...] = (),
    caution: str = "",
    rests_on_llm: bool = False,
    is_trended: bool = True,
) -> Metric:
    """An entry for the share of merged pull requests for which `value` is true."""
    return Metric(
        name=name,
        family=name,
        title=title,
        unit="share",
        better=better,
        population="merged",
        statistic="share",
        value=value,
        definition=definition,
        source=source,
        smallest_change=0.02,
        segments=segments,
        caution=caution,
        rests_on_llm=rests_on_llm,
        is_trended=is_trended,
    )


def part_of(name: str, title: str, segment: Segment, definition: str, source: str, *, caution: str = "") -> Metric:
    """An entry for the share of merged pull requests that lies in each segment of one kind."""
    return Metric(
        name=name,
        family=name,
        title=title,
        unit="share",
        better="neither",
        population="merged",
        statistic="part",
        value=None,
        definition=definition,
        source=source,
        smallest_change=0.02,
        segments=(segment,),
        is_whole=False,
        caution=caution,
    )
