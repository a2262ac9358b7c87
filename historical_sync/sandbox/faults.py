"""The dial of misfortune: rules that say which fault strikes which request, seeded, so that a run can be repeated.

A rule has a kind (see `KINDS`) and says when: the nth matching request, a probability, a repository, a pull request,
an operation, a login; and how many times at most. The services ask the dial and act; this module knows no HTTP.
"""

from __future__ import annotations

import random
import re
import threading
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any

GITHUB_KINDS = {
    "502": "502 with an HTML body",
    "502_json": "502 with 'Something went wrong while executing your query'",
    "503": "503 with an HTML body",
    "504": "504: could not respond in time",
    "500": "500 with an empty body",
    "timeout": "no answer, ever",
    "reset": "connection reset before the answer",
    "cut": "connection closed in the middle of the body",
    "truncated": "200 with JSON that ends too soon",
    "html": "200 with an HTML body",
    "empty": "200 with an empty body",
    "slow": "the right answer, `seconds` later",
    "rate_limited": "200 with an error of type RATE_LIMITED; reset in `retry_after` seconds",
    "rate_limit": "200 with an error of the newer type RATE_LIMIT",
    "rate_limit_early": "the same while x-ratelimit-remaining is not zero; the reset is `retry_after` seconds away",
    "rate_limited_403": "403 beyond the primary limit",
    "secondary": "403 secondary limit with retry-after",
    "secondary_403": "403 secondary limit without retry-after",
    "secondary_429": "429 secondary limit with retry-after",
    "secondary_200": "200 secondary limit in `errors`",
    "unauthorized": "401 bad credentials",
    "forbidden": "403 resource not accessible",
    "saml": "403 SAML enforcement",
    "something_went_wrong": "200 without data: 'Something went wrong while executing your query'",
    "resource_limits": "200 with null objects: RESOURCE_LIMITS_EXCEEDED at each",
    "resource_limits_lists": "200 with null `nodes` in the lists: RESOURCE_LIMITS_EXCEEDED at each",
    "bad_cursor": "a good cursor refused with INVALID_CURSOR_ARGUMENTS (of any list; `field` says which)",
    "null_nodes": "null in place of a row, without any error (of any list; `field` says which)",
}
GROQ_KINDS = {
    "groq_401": "401 invalid_api_key",
    "groq_403": "403 not_available_for_plan (files and batches; single calls go on)",
    "groq_404_model": "404 model_not_found",
    "groq_model_decommissioned": "400 model_decommissioned",
    "groq_429": "429 with retry-after",
    "groq_500": "500",
    "groq_503": "503",
    "groq_timeout": "no answer, ever",
    "groq_reset": "connection reset, nothing done",
    "groq_lost_answer": "done, but the connection breaks before the answer",
    "groq_lost_silence": "done, but no answer, ever",
    "groq_404": "404: no such batch or file (forgotten)",
    "groq_cut": "connection closed in the middle of the body",
    "groq_truncated": "a body that ends too soon, without any sign of it",
    "groq_json_validate_failed": "400 json_validate_failed with failed_generation (chat completions)",
}
BATCH_KINDS = {
    "batch_failed": "the batch ends as failed, with errors.data",
    "batch_failed_line": "the batch ends as failed, with an error that names line 1",
    "batch_expired": "the batch expires with half of its lines answered",
    "batch_cancelled": "the batch is cancelled half way",
    "batch_stuck": "the batch stays in progress",
    "batch_cancelling": "the batch is cancelled half way, and is cancelling for ten minutes",
    "batch_without_metadata": "the batch forgets its metadata",
    "batch_all_failed": "completed, every line in the error file, no output file",
    "output_gone": "completed, but the output file is not found",
}
LINE_KINDS = {
    "line_500": "a line in the error file with status 500",
    "line_429": "a line in the error file with status 429",
    "line_validate_failed": "a line in the error file with 400 json_validate_failed and failed_generation",
    "line_too_long": "a line in the error file with 413 and no JSON",
    "line_missing": "a line in neither file",
    "line_truncated": "an answer cut off at the token limit (finish_reason length)",
    "line_refusal": "an answer that declines in prose",
    "line_not_json": "an answer with JSON inside prose",
    "line_wrong_shape": "an answer that breaks the schema",
    "line_unknown_enum": "an answer with words outside the enums",
    "line_confidence_percent": "an answer with confidence 95",
    "line_confidence_negative": "an answer with confidence -1",
    "line_invented_quote": "a positive answer whose quote is not in the prompt",
    "line_contradiction": "a negative answer that names tools",
    "line_foreign_languages": "an answer with languages that no file supports",
    "line_duplicate": "a line given twice",
    "line_stranger": "beside the line's answer, one for a custom_id that nobody sent",
}
KINDS = {**GITHUB_KINDS, **GROQ_KINDS, **BATCH_KINDS, **LINE_KINDS}
"""Every kind of fault, with what it does."""


@dataclass
class Fault:
    """A rule. A field that is None matches everything; `nth` counts the requests that match the others, from one.

    `more_than` and `more_lists_than` strike only queries that ask for more pull requests with lists, or for more lists
    of each (`more_than=0`: only queries that hydrate at all); `field` narrows the kinds that strike inside an answer to
    one list, such as `files` or `pullRequests`.
    """

    kind: str
    probability: float = 1.0
    nth: int | None = None
    times: int | None = None
    repository: str | None = None
    number: int | None = None
    operation: str | None = None
    login: str | None = None
    more_than: int | None = None
    more_lists_than: int | None = None
    field: str | None = None
    retry_after: int | None = 1
    seconds: float = 1.0
    met: int = 0
    struck: int = 0

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise ValueError(f"no fault is called {self.kind!r}; there are {', '.join(sorted(KINDS))}")
        if self.nth is not None and self.times is None:
            self.times = 1


@dataclass(frozen=True)
class Subject:
    """What a rule is held against: one request, batch or line. `is_named` ones are struck only by rules that name their
    operation."""

    operation: str
    login: str | None = None
    repositories: frozenset[str] = frozenset()
    numbers: frozenset[tuple[str, int]] = frozenset()
    pull_requests: int = 0
    lists: int = 0
    field: str | None = None
    is_named: bool = False


class Faults:
    """The rules of one sandbox."""

    def __init__(self, rules: Iterable[Fault] | str = (), seed: int = 0) -> None:
        self.random = random.Random(seed)
        self.lock = threading.Lock()
        self.rules: list[Fault] = parse_faults(rules) if isinstance(rules, str) else list(rules)

    def add(self, kind: str, **when: Any) -> Fault:
        """Add a rule; ValueError for an unknown kind. Returns it, so that a test can read how often it struck."""
        fault = Fault(kind, **when)
        with self.lock:
            self.rules.append(fault)
        return fault

    def clear(self) -> None:
        """Remove every rule."""
        with self.lock:
            self.rules.clear()

    def strike(self, kinds: Iterable[str], subject: Subject) -> Fault | None:
        """The first rule of these kinds that strikes this subject, counted as struck."""
        with self.lock:
            for fault in self.rules:
                if fault.kind in kinds and _concerns(fault, subject) and self._falls(fault):
                    return fault
        return None

    def _falls(self, fault: Fault) -> bool:
        fault.met += 1
        if fault.times is not None and fault.struck >= fault.times:
            return False
        if fault.nth is not None and fault.met < fault.nth:
            return False
        if fault.probability < 1 and self.random.random() >= fault.probability:
            return False
        fault.struck += 1
        return True

    def as_json(self) -> list[dict[str, Any]]:
        """The rules, with how often each was met and struck."""
        with self.lock:
            return [asdict(fault) for fault in self.rules]


def _concerns(fault: Fault, subject: Subject) -> bool:
    if fault.operation != subject.operation and (fault.operation is not None or subject.is_named):
        return False
    if fault.login is not None and fault.login != subject.login:
        return False
    if fault.field is not None and fault.field != subject.field:
        return False
    if subject.pull_requests <= (fault.more_than or 0) and fault.more_than is not None:
        return False
    if subject.lists <= (fault.more_lists_than or 0) and fault.more_lists_than is not None:
        return False
    repository = fault.repository.lower() if fault.repository else None
    if fault.number is not None:
        return any(number == fault.number and repository in {None, name.lower()} for name, number in subject.numbers)
    return repository is None or repository in {name.lower() for name in subject.repositories}


_RULE = re.compile(
    r"(?P<kind>\w+)(?:/(?P<operation>[\w.]+))?(?::(?P<probability>[\d.]+))?(?:@(?P<nth>\d+))?(?:x(?P<times>\d+))?"
)


def parse_faults(text: str) -> list[Fault]:
    """Rules from text such as `502:0.05,secondary@7,groq_500/chat:0.1x3`.

    A rule is a kind, then if wanted /operation, :probability, @nth matching request, xTIMES at most.
    """
    rules = []
    for part in filter(None, (part.strip() for part in text.split(","))):
        found = _RULE.fullmatch(part)
        if found is None:
            raise ValueError(f"cannot read the fault {part!r}: write kind[/operation][:probability][@nth][xTIMES]")
        times, nth = found["times"], found["nth"]
        rules.append(
            Fault(
                found["kind"],
                float(found["probability"] or 1),
                int(nth) if nth else None,
                int(times) if times else None,
                operation=found["operation"],
            )
        )
    return rules
