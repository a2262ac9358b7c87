"""How well the signatures do on labelled pull requests: precision, recall and F1, with intervals, and every miss.

Measured overall, for each tool and for each kind of case. Accepted suggestions are a class of their own (role
`suggestion`) and stand outside the headline. Pure: reads no file and prints nothing.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from scipy.stats import binomtest

from historical_sync.ai_usage.labelled import Labelled
from historical_sync.ai_usage.lexicon import GENERIC
from historical_sync.ai_usage.rows import AUTHOR, EXACT, SUGGESTION
from historical_sync.ai_usage.signatures import RULESET_VERSION
from historical_sync.ai_usage.tagging import tag
from historical_sync.records import Evidence

SUGGESTIONS = "pos_accepted_suggestion"
"""The kind whose only AI is a reviewer's suggestion that was accepted."""

TEXT_OF_MISS = 600


@dataclass(frozen=True, slots=True)
class Share:
    """`hits` of `n`, as a share with its 95 % interval (Wilson); None and (0, 1) where n is 0."""

    hits: int
    n: int

    @property
    def value(self) -> float | None:
        return self.hits / self.n if self.n else None

    @property
    def interval(self) -> tuple[float, float]:
        if not self.n:
            return 0.0, 1.0
        found = binomtest(self.hits, self.n).proportion_ci(0.95, method="wilson")
        return float(found.low), float(found.high)

    def as_json(self) -> dict[str, Any]:
        low, high = self.interval
        return {"value": self.value, "low": low, "high": high, "hits": self.hits, "n": self.n}


@dataclass(slots=True)
class Tally:
    """Right and wrong predictions of one yes-or-no question."""

    true_positives: int = 0
    false_positives: int = 0
    false_negatives: int = 0
    true_negatives: int = 0

    def add(self, label: bool, prediction: bool) -> None:
        if prediction:
            self.true_positives += label
            self.false_positives += not label
        else:
            self.false_negatives += label
            self.true_negatives += not label

    @property
    def precision(self) -> Share:
        return Share(self.true_positives, self.true_positives + self.false_positives)

    @property
    def recall(self) -> Share:
        return Share(self.true_positives, self.true_positives + self.false_negatives)

    @property
    def correct(self) -> Share:
        right = self.true_positives + self.true_negatives
        return Share(right, right + self.false_positives + self.false_negatives)

    @property
    def f1(self) -> float | None:
        weighed = 2 * self.true_positives + self.false_positives + self.false_negatives
        return 2 * self.true_positives / weighed if weighed else None

    def as_json(self) -> dict[str, Any]:
        return {
            "precision": self.precision.as_json(),
            "recall": self.recall.as_json(),
            "f1": self.f1,
            "correct": self.correct.as_json(),
            **asdict(self),
        }


@dataclass(frozen=True, slots=True)
class Prediction:
    """What the signatures say of one labelled pull request."""

    labelled: Labelled
    is_ai_authored: bool
    is_exact: bool
    tools: frozenset[str]
    suggested_by: frozenset[str]
    evidence: tuple[Evidence, ...]

    @property
    def is_headline(self) -> bool:
        return self.labelled.is_ai_authored is not None and self.labelled.kind != SUGGESTIONS

    @property
    def is_miss(self) -> bool:
        return self.is_headline and self.is_ai_authored != self.labelled.is_ai_authored

    def as_json(self) -> dict[str, Any]:
        one = self.labelled.pull_request
        return {
            "repo": one.repository,
            "number": one.number,
            "is_ai_authored": self.is_ai_authored,
            "tools": sorted(self.tools),
        }


def predict(labelled: Labelled) -> Prediction:
    """Tag one pull request. Its tools are those of the author role; `generic` only where no tool is named."""
    evidence = tuple(tag(labelled.pull_request))
    of_author = [hit for hit in evidence if hit.role == AUTHOR]
    named = frozenset(hit.tool for hit in of_author if hit.tool != GENERIC)
    return Prediction(
        labelled=labelled,
        is_ai_authored=bool(of_author),
        is_exact=any(hit.strength == EXACT for hit in of_author),
        tools=named or frozenset(hit.tool for hit in of_author),
        suggested_by=frozenset(hit.tool for hit in evidence if hit.role == SUGGESTION),
        evidence=evidence,
    )


@dataclass(slots=True)
class Report:
    """The measurement. `tools_right` is of hits whose label names a tool: the very same set of tools was found;
    `tools_right_exact` the same where a published signature was hit. Suggestions: the reviewer was found, as such."""

    overall: Tally = field(default_factory=Tally)
    by_tool: dict[str, Tally] = field(default_factory=lambda: defaultdict(Tally))
    by_kind: dict[str, Tally] = field(default_factory=lambda: defaultdict(Tally))
    tools_right: Counter[bool] = field(default_factory=Counter)
    tools_right_exact: Counter[bool] = field(default_factory=Counter)
    suggestions: Counter[bool] = field(default_factory=Counter)
    misses: list[Prediction] = field(default_factory=list)
    wrong_tools: list[Prediction] = field(default_factory=list)
    unlabelled: int = 0

    def as_json(self) -> dict[str, Any]:
        return {
            "ruleset_version": RULESET_VERSION,
            "overall": self.overall.as_json(),
            "tools_right": share_of(self.tools_right).as_json(),
            "tools_right_exact": share_of(self.tools_right_exact).as_json(),
            "accepted_suggestions": share_of(self.suggestions).as_json(),
            "by_tool": {tool: tally.as_json() for tool, tally in sorted(self.by_tool.items())},
            "by_kind": {kind: tally.as_json() for kind, tally in sorted(self.by_kind.items())},
            "misses": [miss_as_json(one) for one in self.misses],
            "wrong_tools": [miss_as_json(one) for one in self.wrong_tools],
            "unlabelled": self.unlabelled,
        }


def share_of(counter: Counter[bool]) -> Share:
    """The share of True in a count of True and False."""
    return Share(counter[True], counter.total())


def evaluate(predictions: Iterable[Prediction]) -> Report:
    """Compare predictions with their labels. Pull requests without a label are counted and left out."""
    report = Report()
    for one in predictions:
        if one.labelled.is_ai_authored is None:
            report.unlabelled += 1
        elif one.labelled.kind == SUGGESTIONS:
            report.suggestions[bool(one.suggested_by) and not one.is_ai_authored] += 1
        else:
            _add(report, one, one.labelled.is_ai_authored)
    return report


def _add(report: Report, one: Prediction, label: bool) -> None:
    report.overall.add(label, one.is_ai_authored)
    report.by_kind[one.labelled.kind or "-"].add(label, one.is_ai_authored)
    wanted = one.labelled.tools - {GENERIC}
    found = one.tools - {GENERIC}
    for tool in wanted | found:
        report.by_tool[tool].add(tool in wanted, tool in found)
    if one.is_miss:
        report.misses.append(one)
    elif label and wanted:
        _add_tools(report, one, found == wanted)


def _add_tools(report: Report, one: Prediction, is_right: bool) -> None:
    report.tools_right[is_right] += 1
    if one.is_exact:
        report.tools_right_exact[is_right] += 1
    if not is_right:
        report.wrong_tools.append(one)


def miss_as_json(one: Prediction) -> dict[str, Any]:
    """A prediction beside its label, with the text that a person needs to judge who is right."""
    return {
        **one.as_json(),
        "label": {"is_ai_authored": one.labelled.is_ai_authored, "tools": sorted(one.labelled.tools)},
        "kind": one.labelled.kind,
        "evidence": [asdict(hit) for hit in one.evidence],
        "text": text_of(one.labelled),
    }


def text_of(labelled: Labelled) -> str:
    """Title, description and commit messages, cut to what fits on a screen: of long ones the beginning and the end."""
    one = labelled.pull_request
    parts: Sequence[str] = (one.title, one.body, *(commit.message for commit in one.commits))
    text = "\n".join(dict.fromkeys(part.strip() for part in parts if part.strip()))
    half = TEXT_OF_MISS // 2
    return text if len(text) <= TEXT_OF_MISS else f"{text[:half]} […] {text[-half:]}"
