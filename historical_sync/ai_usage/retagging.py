"""Tagging a stored month again: reads its pull requests page by page, replaces their evidence, sets their flags.

Asks nobody: a new ruleset needs no request to GitHub. What is evidence, `tagging` says; what a revert is,
`trends.kinds`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date

from historical_sync.ai_usage.lexicon import GENERIC
from historical_sync.ai_usage.rows import AUTHOR
from historical_sync.ai_usage.signatures import RULESET_VERSION
from historical_sync.ai_usage.tagging import is_automation, tag
from historical_sync.records import Evidence, PullRequest
from historical_sync.trends.kinds import is_hotfix, is_revert
from historical_sync.warehouse.evidence import Key, Tagged, lock_page, replace_evidence
from historical_sync.warehouse.postgres import Warehouse


@dataclass(frozen=True, slots=True)
class TaggingSummary:
    """What tagging a month found. Counts are of pull requests; `by_tool` counts those with author evidence of a tool,
    `by_role` those with any evidence in a role. One pull request may count under several tools and roles."""

    pull_requests: int
    with_author_evidence: int
    automation: int
    evidence_rows: int
    by_tool: dict[str, int]
    by_role: dict[str, int]
    by_strength: dict[str, int]
    ruleset_version: str = RULESET_VERSION


@dataclass(slots=True)
class _Counts:
    pull_requests: int = 0
    with_author_evidence: int = 0
    automation: int = 0
    evidence_rows: int = 0
    by_tool: Counter[str] = field(default_factory=Counter)
    by_role: Counter[str] = field(default_factory=Counter)
    by_strength: Counter[str] = field(default_factory=Counter)

    def add(self, tagged: Sequence[Tagged]) -> None:
        for one in tagged:
            of_author = [hit for hit in one.evidence if hit.role == AUTHOR]
            self.pull_requests += 1
            self.with_author_evidence += bool(of_author)
            self.automation += one.is_automation
            self.evidence_rows += len(one.evidence)
            self.by_tool.update(_tools(of_author))
            self.by_role.update({hit.role for hit in one.evidence})
            self.by_strength.update({hit.strength for hit in of_author})

    def summary(self) -> TaggingSummary:
        return TaggingSummary(
            pull_requests=self.pull_requests,
            with_author_evidence=self.with_author_evidence,
            automation=self.automation,
            evidence_rows=self.evidence_rows,
            by_tool=dict(self.by_tool.most_common()),
            by_role=dict(self.by_role.most_common()),
            by_strength=dict(self.by_strength.most_common()),
        )


def _tools(of_author: Sequence[Evidence]) -> set[str]:
    """The tools of a pull request; `generic` only where none is named."""
    tools = {hit.tool for hit in of_author}
    return tools - {GENERIC} or tools


def tag_month(warehouse: Warehouse, team_id: str, month: date) -> TaggingSummary:
    """Tag every pull request of (team, month) from its newest stored version; idempotent, a page to a transaction."""
    counts = _Counts()
    after: Key = ("", -1)
    while True:
        with warehouse.transaction() as tx:
            page = lock_page(tx, team_id, month, after)
            tagged = [_tagged(one) for one in page]
            if tagged:
                replace_evidence(tx, team_id, tagged, RULESET_VERSION)
        if not page:
            return counts.summary()
        counts.add(tagged)
        after = (page[-1].repository, page[-1].number)


def _tagged(one: PullRequest) -> Tagged:
    evidence = tag(one)
    return Tagged(
        repository=one.repository,
        number=one.number,
        evidence=evidence,
        is_automation=is_automation(one, evidence),
        is_revert=is_revert(one.title, one.body, one.head_ref),
        is_hotfix=is_hotfix(one.title, one.head_ref, one.base_ref, one.labels),
    )
