"""The one table of metrics: what each number is, of what, which way is better, and how it is computed.

The warehouse turns an entry into SQL, and the assets, docs/metrics.md, the page's captions, the API and the command
read the same entry: adding a metric is adding one here. Nothing is computed in this module.

A metric's `value` is an expression over the columns of the view `dashboard.pull_requests`, evaluated for the pull
requests of its `population` in a month; where it is null, the pull request does not count (n says how many did).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

Unit = Literal["pull requests", "authors", "hours", "lines", "rounds", "share"]
Better = Literal["higher", "lower", "neither"]
Statistic = Literal["count", "distinct", "p25", "p50", "p75", "p90", "mean", "share", "part"]
Population = Literal["created", "merged", "closed_unmerged", "active", "automation"]
Segment = Literal["label", "size", "type", "tool", "technology"]

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
class _Quantiles:
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


def _count(
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


def _share(
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


def _part(name: str, title: str, segment: Segment, definition: str, source: str, *, caution: str = "") -> Metric:
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


OWN = "Own definition."
DEVLAKE = "Apache DevLake, engineering metrics (https://devlake.apache.org/docs/Metrics)."
MIDDLEWARE = "Middleware (https://github.com/middlewarehq/middleware): counted from ready-for-review, where it was one."
ISSUE_METRICS = (
    "GitHub's issue-metrics (https://github.com/github/issue-metrics): time to first response without the author, "
    "bots and draft time."
)

_TABLE: tuple[Metric | _Quantiles, ...] = (
    _count(
        "pull_requests_created",
        "Pull requests created",
        "created",
        "Pull requests opened in the month, drafts included.",
        DEVLAKE,
    ),
    _count(
        "pull_requests_merged",
        "Pull requests merged",
        "merged",
        "Pull requests merged in the month.",
        DEVLAKE,
        segments=("label", "size", "type", "tool", "technology"),
    ),
    _count(
        "pull_requests_closed_unmerged",
        "Pull requests closed without a merge",
        "closed_unmerged",
        "Pull requests closed in the month that were not merged and have not been reopened.",
        DEVLAKE,
        better="lower",
    ),
    Metric(
        name="active_authors",
        family="active_authors",
        title="Active authors",
        unit="authors",
        better="neither",
        population="active",
        statistic="distinct",
        value="lower(author_login)",
        definition="Different accounts, AI agents' included, that opened a pull request created or merged in the "
        "month. Deleted accounts cannot be told apart and are left out.",
        source=OWN,
        smallest_change=2.0,
    ),
    _count(
        "waiting_for_review",
        "Waiting for review",
        "created",
        "Pull requests created in the month that are open, ready (not a draft) and without a review by another "
        "human, when the month was last loaded.",
        OWN,
        value="state = 'OPEN' and not is_draft and not is_reviewed",
        better="lower",
        is_trended=False,
    ),
    _count(
        "automation_merged",
        "Automation's pull requests merged",
        "automation",
        "Merged pull requests of dependency, release and formatting bots: what every other metric leaves out. "
        "AI agents' accounts are authors, not automation.",
        OWN,
        better="neither",
    ),
    _Quantiles(
        "cycle_time_hours",
        "Cycle time",
        "hours",
        "lower",
        "cycle_time_hours",
        "From the pull request's creation to its merge. Without deployments this is no DORA lead time.",
        DEVLAKE,
        1.0,
        segments=("label", "size", "type", "tool", "technology"),
        has_p25=True,
    ),
    _Quantiles(
        "lead_time_hours",
        "Lead time",
        "hours",
        "lower",
        "lead_time_hours",
        "From the authored time of the first commit to the merge; null without a known commit time, and when negative "
        "(a clock that was wrong).",
        "LinearB's cycle time without deployment (https://linearb.io/resources/software-engineering-benchmarks-report).",
        2.0,
    ),
    _Quantiles(
        "coding_time_hours",
        "Coding time",
        "hours",
        "lower",
        "coding_time_hours",
        "From the authored time of the first commit to the pull request's creation; null when negative (the pull "
        "request was opened before its first remaining commit was authored).",
        DEVLAKE,
        0.5,
    ),
    _Quantiles(
        "pickup_time_hours",
        "Pickup time",
        "hours",
        "lower",
        "pickup_time_hours",
        "From the moment it was ready (left draft for the last time, or was created) to the first review by another "
        "human at or after that moment and not after the merge; null without one.",
        f"{ISSUE_METRICS} {MIDDLEWARE}",
        0.5,
        has_p25=True,
    ),
    _Quantiles(
        "review_time_hours",
        "Review time",
        "hours",
        "lower",
        "review_time_hours",
        "From the review that ends the pickup time to the merge; null without one.",
        DEVLAKE,
        0.5,
        has_p25=True,
    ),
    _Quantiles(
        "review_rounds",
        "Review rounds",
        "rounds",
        "lower",
        "review_rounds",
        "Reviews by another human before the merge that requested changes; of pull requests that were reviewed.",
        "Middleware's rework cycles (https://github.com/middlewarehq/middleware).",
        0.5,
    ),
    Metric(
        name="review_rounds_mean",
        family="review_rounds",
        title="Review rounds, mean",
        unit="rounds",
        better="lower",
        population="merged",
        statistic="mean",
        value="review_rounds",
        definition="Mean of the review rounds of reviewed pull requests, beside the quantiles, since the median is "
        "mostly 0.",
        source="Middleware's rework cycles (https://github.com/middlewarehq/middleware).",
        smallest_change=0.2,
        segments=("label",),
        caution=NO_CAUSE,
    ),
    _share(
        "unreviewed_share",
        "Merged without review",
        "not is_reviewed",
        "Share of merged pull requests without a review by another human before the merge.",
        OWN,
        better="lower",
        segments=("label",),
        caution=NO_CAUSE,
    ),
    _Quantiles(
        "size_lines",
        "Size",
        "lines",
        "lower",
        "size_lines",
        "Lines added plus lines deleted, as GitHub counts them.",
        DEVLAKE,
        10.0,
    ),
    _part(
        "size_share",
        "Sizes",
        "size",
        "Share of merged pull requests by size: XS to 10 lines, S to 50, M to 200, L to 500, XL above.",
        OWN,
    ),
    _count(
        "reverts_merged",
        "Reverts",
        "merged",
        "Merged pull requests that undo an earlier one, by GitHub's own title, branch or first line, or by a title "
        "whose first word is to revert.",
        "https://docs.github.com/en/pull-requests/collaborating-with-pull-requests/incorporating-changes-from-a-pull-request/reverting-a-pull-request",
        value="is_revert",
        better="lower",
    ),
    _share(
        "revert_share",
        "Reverts",
        "is_revert",
        "Share of merged pull requests that undo an earlier one.",
        "As reverts_merged.",
        better="lower",
        segments=("label",),
        caution=NO_CAUSE,
    ),
    _count(
        "hotfixes_merged",
        "Hotfixes",
        "merged",
        "Merged pull requests that call themselves a hotfix: in the title's tags or first word, at the start of a "
        "part of the head or base branch, or as a label.",
        OWN,
        value="is_hotfix",
        better="lower",
    ),
    _share(
        "hotfix_share",
        "Hotfixes",
        "is_hotfix",
        "Share of merged pull requests that call themselves a hotfix.",
        "As hotfixes_merged.",
        better="lower",
        segments=("label",),
        caution=NO_CAUSE,
    ),
    _share(
        "ai_assisted_share",
        "AI-assisted",
        "is_ai_assisted is true",
        "Share of merged pull requests that a tool wrote or helped to write, by the effective label.",
        OWN,
        better="higher",
        rests_on_llm=True,
        caution=f"{FLOOR} Rising is called improving because adoption is what is measured; it is no verdict on the "
        "work.",
    ),
    _share(
        "ai_pending_share",
        "AI label pending",
        "is_ai_assisted is null",
        "Share of merged pull requests without evidence whose classification is still to come.",
        OWN,
        better="lower",
        is_trended=False,
    ),
    _part(
        "ai_tool_share",
        "AI tools",
        "tool",
        "Share of merged pull requests that this tool wrote or helped to write. One pull request may name several.",
        OWN,
        caution=FLOOR,
    ),
    _share(
        "ai_reviewed_share",
        "Reviewed by AI",
        "ai_reviewed",
        "Share of merged pull requests that an AI tool reviewed. Being reviewed makes none of them AI-assisted.",
        OWN,
        better="neither",
        rests_on_llm=True,
        caution=FLOOR,
    ),
    _share(
        "agent_authored_share",
        "Opened by an AI agent",
        "is_agent_authored",
        "Share of merged pull requests that an AI agent's own account opened.",
        OWN,
        better="neither",
        caution=FLOOR,
    ),
    _share(
        "ai_suggestion_share",
        "AI suggestion accepted",
        "has_ai_suggestion",
        "Share of merged pull requests with a commit from an accepted suggestion of a reviewing bot: a class of its "
        "own, not AI-assisted by itself.",
        OWN,
        better="neither",
        caution=FLOOR,
    ),
    _share(
        "classified_share",
        "Classified by the LLM",
        "llm_status = 'classified'",
        "Share of merged pull requests that the LLM has classified.",
        OWN,
        better="higher",
        is_trended=False,
    ),
    _part(
        "type_share",
        "Types of work",
        "type",
        "Share of merged pull requests by the type that the LLM gave; `type:unknown` is pending or unclassified.",
        OWN,
    ),
    _part(
        "technology_share",
        "Technologies",
        "technology",
        "Share of merged pull requests that touch this language or framework, by the LLM. One may name several.",
        OWN,
        caution="A floor: pull requests that are not classified yet name none.",
    ),
)

METRICS: tuple[Metric, ...] = tuple(
    metric for entry in _TABLE for metric in (entry.metrics() if isinstance(entry, _Quantiles) else (entry,))
)
"""Every metric, in the order in which pages and tables show them."""

BY_NAME: dict[str, Metric] = {metric.name: metric for metric in METRICS}

HEADLINE = (
    "pull_requests_merged",
    "cycle_time_hours_p50",
    "pickup_time_hours_p50",
    "review_time_hours_p50",
    "size_lines_p50",
    "ai_assisted_share",
    "unreviewed_share",
    "classified_share",
)
"""The numbers that a partition shows first."""
