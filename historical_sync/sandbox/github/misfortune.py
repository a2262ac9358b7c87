"""What GitHub answers when a fault strikes: whole answers that break, and fields that are refused inside a good one."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from historical_sync.sandbox.faults import Fault, Faults, Subject
from historical_sync.sandbox.github import errors
from historical_sync.sandbox.github.budgets import Budget
from historical_sync.sandbox.github.connections import Page
from historical_sync.sandbox.github.cost import Price
from historical_sync.sandbox.github.pace import Pace
from historical_sync.sandbox.github.query import Denial
from historical_sync.sandbox.wire import Answer, html_answer, json_answer
from historical_sync.sandbox.world import PullRequest, Repository, stamp


def _secondary(fault: Fault, status: int, has_retry_after: bool) -> Answer:
    message = errors.SECONDARY.format(request_id="0000:0000")
    body = {"documentation_url": errors.SECONDARY_URL, "message": message}
    headers = {"retry-after": str(fault.retry_after or 1)} if has_retry_after else {}
    return json_answer(body, status, headers)


def _primary(
    fault: Fault, budget: Budget, now: datetime, kind: str, status: int = 200, is_empty: bool = True
) -> Answer:
    """Beyond the primary limit: the window ends in `retry_after` seconds."""
    budget.used = budget.limit if is_empty else budget.used
    budget.resets_at = stamp(now + timedelta(seconds=fault.retry_after or 1))
    if status == 200:
        return json_answer(errors.rate_limited(budget.user_id, kind))
    return json_answer({"message": f"API rate limit exceeded for user ID {budget.user_id}."}, status)


def _unanswered(status: int) -> Answer:
    message = errors.UNANSWERED.format(request_id="0000:0000")
    return json_answer({"data": None, "errors": [{"message": message}]}, status)


def _refused(status: int, message: str) -> Answer:
    return json_answer({"message": message, "documentation_url": "https://docs.github.com/graphql"}, status)


def broken_answer(fault: Fault, answer: Answer, budget: Budget, now: datetime) -> Answer:
    """What is sent in place of `answer` when `fault` strikes."""
    makers: dict[str, Callable[[], Answer]] = {
        "502": lambda: html_answer(errors.BAD_GATEWAY_HTML, 502),
        "503": lambda: html_answer("<html><body><h1>503 Service Unavailable</h1></body></html>", 503),
        "502_json": lambda: _unanswered(502),
        "504": lambda: json_answer({"message": errors.TOO_SLOW}, 504),
        "500": lambda: Answer(500),
        "timeout": lambda: Answer(breakage="silence"),
        "reset": lambda: Answer(breakage="reset"),
        "cut": lambda: Answer(answer.status, answer.body, answer.headers, breakage="cut"),
        "truncated": lambda: Answer(200, answer.body[: len(answer.body) * 2 // 3], answer.headers),
        "html": lambda: html_answer("<html><body>GitHub is having a moment</body></html>", 200),
        "empty": lambda: Answer(200, b"", answer.headers),
        "slow": lambda: Answer(answer.status, answer.body, answer.headers, fault.seconds),
        "rate_limited": lambda: _primary(fault, budget, now, "RATE_LIMITED"),
        "rate_limit": lambda: _primary(fault, budget, now, "RATE_LIMIT"),
        "rate_limit_early": lambda: _primary(fault, budget, now, "RATE_LIMIT", is_empty=False),
        "rate_limited_403": lambda: _primary(fault, budget, now, "", 403),
        "secondary": lambda: _secondary(fault, 403, has_retry_after=True),
        "secondary_403": lambda: _secondary(fault, 403, has_retry_after=False),
        "secondary_429": lambda: _secondary(fault, 429, has_retry_after=True),
        "secondary_200": lambda: json_answer(
            {"errors": [{"type": "RATE_LIMITED", "message": errors.SECONDARY.format(request_id="0000:0000")}]}
        ),
        "unauthorized": lambda: json_answer(errors.bad_credentials(), 401),
        "forbidden": lambda: _refused(403, "Resource not accessible by personal access token"),
        "saml": lambda: _refused(403, errors.SAML),
        "something_went_wrong": lambda: _unanswered(200),
    }
    broken = makers[fault.kind]()
    broken.headers.pop("content-length", None)
    if fault.kind.startswith("rate_limit"):
        broken.headers.update(budget.headers())
    return broken


def denial_for(faults: Faults, pace: Pace, price: Price, login: str) -> Denial | None:
    """What refuses fields of this query: a page too heavy for the pace, or a fault on a pull request or on the page."""
    if pace.is_too_heavy(price) and pace.refusal in FIELD_KINDS:
        return _deny_objects if pace.refusal == "resource_limits" else _deny_lists
    if not any(rule.kind in FIELD_KINDS for rule in faults.rules):
        return None
    return _Denial(faults, login, price)


FIELD_KINDS = frozenset({"resource_limits", "resource_limits_lists", "bad_cursor", "null_nodes"})
"""Faults that strike inside an answer that is otherwise good."""
LISTS = frozenset({"commits", "files", "reviews", "labels", "assignees", "closingIssuesReferences"})


def holes_for(faults: Faults, login: str) -> Callable[[Any, list[Any]], list[Any]] | None:
    """What puts null in place of rows; None while no rule does."""
    if not any(rule.kind == "null_nodes" for rule in faults.rules):
        return None

    def with_holes(obj: Any, rows: list[Any]) -> list[Any]:
        if not isinstance(obj, Page) or obj.owner is None or not rows:
            return rows
        return [None if _is_hidden(obj, row) else row for row in rows]

    def _is_hidden(page: Page, row: Any) -> bool:
        one = row if isinstance(row, PullRequest) else page.owner
        repository = one.repository if isinstance(one, PullRequest) else one
        if not isinstance(repository, Repository):
            return False
        numbers = frozenset({(repository.full_name, one.number)}) if isinstance(one, PullRequest) else frozenset()
        subject = Subject("graphql", login, frozenset({repository.full_name}), numbers, field=page.field)
        return faults.strike({"null_nodes"}, subject) is not None

    return with_holes


def _deny_objects(obj: Any, name: str, arguments: dict[str, Any]) -> errors.FieldError | None:
    return errors.resource_limits() if isinstance(obj, PullRequest) and name in LISTS else None


def _deny_lists(obj: Any, name: str, arguments: dict[str, Any]) -> errors.FieldError | None:
    is_list_of_one = isinstance(obj, Page) and isinstance(obj.owner, PullRequest) and name == "nodes"
    return errors.resource_limits() if is_list_of_one else None


class _Denial:
    """Field faults: each pull request meets the dial once per query and kind."""

    def __init__(self, faults: Faults, login: str, price: Price) -> None:
        self.faults, self.login, self.price = faults, login, price
        self.verdicts: dict[tuple[int, str, str], bool] = {}

    def __call__(self, obj: Any, name: str, arguments: dict[str, Any]) -> errors.FieldError | None:
        """The error for this field, if a fault strikes it."""
        refused = self._refused_cursor(obj, name, arguments.get("after"))
        if refused is not None:
            return refused
        if isinstance(obj, PullRequest) and name in LISTS:
            return errors.resource_limits() if self._strikes("resource_limits", obj, name) else None
        if isinstance(obj, Page) and name == "nodes" and isinstance(obj.owner, PullRequest):
            return errors.resource_limits() if self._strikes("resource_limits_lists", obj.owner, obj.field) else None
        return None

    def _refused_cursor(self, obj: Any, name: str, cursor: str | None) -> errors.FieldError | None:
        if cursor is None or not isinstance(obj, (Repository, PullRequest)):
            return None
        repository = obj if isinstance(obj, Repository) else obj.repository
        numbers = frozenset({(repository.full_name, obj.number)}) if isinstance(obj, PullRequest) else frozenset()
        subject = Subject("graphql", self.login, frozenset({repository.full_name}), numbers, field=name)
        return errors.invalid_cursor(cursor) if self.faults.strike({"bad_cursor"}, subject) is not None else None

    def _strikes(self, kind: str, one: PullRequest, field: str) -> bool:
        has_field_rule = any(rule.field is not None for rule in self.faults.rules)
        place = (one.database_id, kind, field if has_field_rule else "")
        if place not in self.verdicts:
            name = one.repository.full_name
            numbers = frozenset({(name, one.number)})
            subject = Subject(
                "graphql", self.login, frozenset({name}), numbers, self.price.hydrated, self.price.lists, field
            )
            self.verdicts[place] = self.faults.strike({kind}, subject) is not None
        return self.verdicts[place]
