"""The one table of metrics: what each number is, of what, which way is better, and how it is computed.

The warehouse turns an entry into SQL, and the assets, docs/metrics.md, the page's captions, the API and the command
read the same entry: adding a metric is adding one here. Nothing is computed in this module.

A metric's `value` is an expression over the columns of the view `dashboard.pull_requests`, evaluated for the pull
requests of its `population` in a month; where it is null, the pull request does not count (n says how many did).
"""

from __future__ import annotations

from historical_sync.trends.vocabulary import (
    ALL,
    CLOSED_VOCABULARIES,
    ENOUGH,
    ENOUGH_TO_COMPARE,
    ENOUGH_TO_MATCH,
    FLOOR,
    LABELS,
    NO_CAUSE,
    POPULATIONS,
    SEGMENTS_WITHOUT_LLM,
    SIZE_MATCHED,
    SIZES,
    TYPES,
    Better,
    Metric,
    Population,
    Quantiles,
    Segment,
    Statistic,
    Unit,
    count_of,
    part_of,
    share_of,
)

__all__ = [
    "ALL",
    "BY_NAME",
    "CLOSED_VOCABULARIES",
    "ENOUGH",
    "ENOUGH_TO_COMPARE",
    "ENOUGH_TO_MATCH",
    "FLOOR",
    "HEADLINE",
    "LABELS",
    "METRICS",
    "NO_CAUSE",
    "POPULATIONS",
    "SEGMENTS_WITHOUT_LLM",
    "SIZES",
    "SIZE_MATCHED",
    "TYPES",
    "Better",
    "Metric",
    "Population",
    "Segment",
    "Statistic",
    "Unit",
]

OWN = "Own definition."
DEVLAKE = "Apache DevLake, engineering metrics (https://devlake.apache.org/docs/Metrics)."
MIDDLEWARE = "Middleware (https://github.com/middlewarehq/middleware): counted from ready-for-review, where it was one."
ISSUE_METRICS = (
    "GitHub's issue-metrics (https://github.com/github/issue-metrics): time to first response without the author, "
    "bots and draft time."
)

_TABLE: tuple[Metric | Quantiles, ...] = (
    count_of(
        "pull_requests_created",
        "Pull requests created",
        "created",
        "Pull requests opened in the month, drafts included.",
        DEVLAKE,
    ),
    count_of(
        "pull_requests_merged",
        "Pull requests merged",
        "merged",
        "Pull requests merged in the month.",
        DEVLAKE,
        segments=("label", "size", "type", "tool", "technology"),
    ),
    count_of(
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
    count_of(
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
    count_of(
        "automation_merged",
        "Automation's pull requests merged",
        "automation",
        "Merged pull requests of dependency, release and formatting bots: what every other metric leaves out. "
        "AI agents' accounts are authors, not automation.",
        OWN,
        better="neither",
    ),
    Quantiles(
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
    Quantiles(
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
    Quantiles(
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
    Quantiles(
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
    Quantiles(
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
    Quantiles(
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
    share_of(
        "unreviewed_share",
        "Merged without review",
        "not is_reviewed",
        "Share of merged pull requests without a review by another human before the merge.",
        OWN,
        better="lower",
        segments=("label",),
        caution=NO_CAUSE,
    ),
    Quantiles(
        "size_lines",
        "Size",
        "lines",
        "lower",
        "size_lines",
        "Lines added plus lines deleted, as GitHub counts them.",
        DEVLAKE,
        10.0,
    ),
    part_of(
        "size_share",
        "Sizes",
        "size",
        "Share of merged pull requests by size: XS to 10 lines, S to 50, M to 200, L to 500, XL above.",
        OWN,
    ),
    count_of(
        "reverts_merged",
        "Reverts",
        "merged",
        "Merged pull requests that undo an earlier one, by GitHub's own title, branch or first line, or by a title "
        "whose first word is to revert.",
        "https://docs.github.com/en/pull-requests/collaborating-with-pull-requests/incorporating-changes-from-a-pull-request/reverting-a-pull-request",
        value="is_revert",
        better="lower",
    ),
    share_of(
        "revert_share",
        "Reverts",
        "is_revert",
        "Share of merged pull requests that undo an earlier one.",
        "As reverts_merged.",
        better="lower",
        segments=("label",),
        caution=NO_CAUSE,
    ),
    count_of(
        "hotfixes_merged",
        "Hotfixes",
        "merged",
        "Merged pull requests that call themselves a hotfix: in the title's tags or first word, at the start of a "
        "part of the head or base branch, or as a label.",
        OWN,
        value="is_hotfix",
        better="lower",
    ),
    share_of(
        "hotfix_share",
        "Hotfixes",
        "is_hotfix",
        "Share of merged pull requests that call themselves a hotfix.",
        "As hotfixes_merged.",
        better="lower",
        segments=("label",),
        caution=NO_CAUSE,
    ),
    share_of(
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
    share_of(
        "ai_pending_share",
        "AI label pending",
        "is_ai_assisted is null",
        "Share of merged pull requests without evidence whose classification is still to come.",
        OWN,
        better="lower",
        is_trended=False,
    ),
    part_of(
        "ai_tool_share",
        "AI tools",
        "tool",
        "Share of merged pull requests that this tool wrote or helped to write. One pull request may name several.",
        OWN,
        caution=FLOOR,
    ),
    part_of(
        "ai_made_with_share",
        "AI-assisted, by tool",
        "made_with",
        "Share of merged pull requests that are AI-assisted, each counted once: by its only tool, as `several tools`, "
        "or as `unnamed tool` where none is named. The parts add up to the AI-assisted share, so they can be stacked.",
        OWN,
        caution=FLOOR,
    ),
    share_of(
        "ai_reviewed_share",
        "Reviewed by AI",
        "ai_reviewed",
        "Share of merged pull requests that an AI tool reviewed. Being reviewed makes none of them AI-assisted.",
        OWN,
        better="neither",
        rests_on_llm=True,
        caution=FLOOR,
    ),
    share_of(
        "agent_authored_share",
        "Opened by an AI agent",
        "is_agent_authored",
        "Share of merged pull requests that an AI agent's own account opened.",
        OWN,
        better="neither",
        caution=FLOOR,
    ),
    share_of(
        "ai_suggestion_share",
        "AI suggestion accepted",
        "has_ai_suggestion",
        "Share of merged pull requests with a commit from an accepted suggestion of a reviewing bot: a class of its "
        "own, not AI-assisted by itself.",
        OWN,
        better="neither",
        caution=FLOOR,
    ),
    share_of(
        "classified_share",
        "Classified by the LLM",
        "llm_status = 'classified'",
        "Share of merged pull requests that the LLM has classified.",
        OWN,
        better="higher",
        is_trended=False,
    ),
    part_of(
        "type_share",
        "Types of work",
        "type",
        "Share of merged pull requests by the type that the LLM gave; `type:unknown` is pending or unclassified.",
        OWN,
    ),
    part_of(
        "technology_share",
        "Technologies",
        "technology",
        "Share of merged pull requests that touch this language or framework, by the LLM. One may name several.",
        OWN,
        caution="A floor: pull requests that are not classified yet name none.",
    ),
)

METRICS: tuple[Metric, ...] = tuple(
    metric for entry in _TABLE for metric in (entry.metrics() if isinstance(entry, Quantiles) else (entry,))
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
