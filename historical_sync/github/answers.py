"""How we read what came back over HTTP: an `Answer`, or the error that says what GitHub meant. No I/O.

Odd corners of GitHub's, each from its documentation or a public report: errors arrive with status 200; a limit's type
is RATE_LIMIT or RATE_LIMITED and the quota need not read zero; a secondary limit comes as 200, 403 or 429, with or
without `retry-after`; an error may name a path, and the field at that path is unknown, never empty; an Enterprise
Server with limits switched off reports 0/0 or nothing.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any

from historical_sync.errors import (
    ConfigurationError,
    CursorRefused,
    GitHubError,
    QueryRefused,
    RateLimited,
    RepositoryUnavailable,
    ResourceLimitsExceeded,
    ServerFailure,
    TokenRefused,
)
from historical_sync.records import storable_text

Path = tuple[str | int, ...]

LIMIT_TYPES = {"RATE_LIMITED", "RATE_LIMIT"}
SECONDARY_WORDS = ("secondary rate limit", "abuse detection", "submitted too quickly")
LONGEST_PAGE_READ = 1 << 16
TIMEOUT_WORDS = ("may be the result of a timeout", "timed out", "timeout")
GATEWAY_TIMEOUTS = {502, 504}
"""What a query over ten seconds ends in."""
SSO_REMEDY = "Authorise the token for the organization's single sign-on, then run `historical-sync retry TEAM`."
ACCESS_REMEDY = "Give the token read access to the repository, then run `historical-sync retry TEAM`."
NAME_REMEDY = "Check the repository's name and the token's access to it, then run `historical-sync retry TEAM`."


@dataclass(frozen=True, slots=True)
class FieldError:
    """One entry of `errors`: what is at `path` is unknown."""

    path: Path
    type: str
    message: str

    @property
    def is_heavy(self) -> bool:
        """Whether asking for less may help."""
        return self.type == "RESOURCE_LIMITS_EXCEEDED" or says(self.message, *TIMEOUT_WORDS)


@dataclass(frozen=True, slots=True)
class Allowance:
    """What is left of a budget. `limit` 0 means that this server sets no limit. `resets_at` is in our own time."""

    limit: int
    remaining: int
    resets_at: datetime


@dataclass(frozen=True, slots=True)
class Answer:
    """A GraphQL answer with data. `cost` is in points, None where it is not told.

    `answered_at` is GitHub's clock (its `Date`), `asked_at` the same less the time that the answer took.
    """

    data: dict[str, Any]
    errors: tuple[FieldError, ...]
    answered_at: datetime
    asked_at: datetime
    cost: int | None
    allowance: Allowance | None

    def errors_at(self, *path: str | int) -> list[FieldError]:
        """The errors at this path, below it, or above it."""
        return [one for one in self.errors if all(a == b for a, b in zip(one.path, path, strict=False))]


def says(text: str, *words: str) -> bool:
    """Whether any of these words is in the text, whatever the case."""
    lowered = text.lower()
    return any(word in lowered for word in words)


def read_answer(
    status: int, headers: Mapping[str, str], body: bytes, now: datetime, elapsed: timedelta = timedelta(0)
) -> Answer:
    """Read one HTTP reply to a GraphQL question. `headers` are matched without case; `now` is our clock, UTC.

    `elapsed` is how long the reply took.

    Raises RateLimited, ServerFailure, ResourceLimitsExceeded, CursorRefused, TokenRefused, QueryRefused or
    ConfigurationError when there is no data to speak of.
    """
    names = {name.lower(): value for name, value in headers.items()}
    document = _document(body)
    message = _message(document) or _message_of_page(status, body)
    if limited := _limit(status, names, message, document, now):
        raise limited
    if status != 200:
        raise _refusal(status, names, message)
    if document is None:
        raise ServerFailure(f"GitHub answered 200 with something that is not JSON ({len(body)} bytes).", status=200)
    errors = tuple(_field_error(entry) for entry in _entries(document.get("errors")))
    data = document.get("data")
    if not isinstance(data, dict):
        raise _without_data(errors, message)
    if pathless := [one for one in errors if not one.path]:
        raise _without_data(tuple(pathless), message)
    answered_at = _date(names) or now
    allowance = _allowance(names, data, answered_at, now)
    return Answer(data, errors, answered_at, answered_at - elapsed, _cost(data), allowance)


def read_again(body: bytes, asked_at: datetime, answered_at: datetime) -> Answer:
    """An answer that was kept when it came, without errors. What it cost is spent and counted."""
    document = _document(body)
    if document is None or not isinstance(document.get("data"), dict):
        raise ServerFailure("A kept answer cannot be read.", status=200)
    return Answer(document["data"], (), answered_at, asked_at, None, None)


def unavailable(repository: str, errors: Sequence[FieldError]) -> GitHubError:
    """The error that says why a repository came back as null."""
    for one in errors:
        if one.is_heavy:
            return ResourceLimitsExceeded(f"{repository}: {one.message}")
        if says(one.message, "saml", "single sign-on"):
            return RepositoryUnavailable(
                f"{repository}: {one.message}", repository=repository, reason="SAML", remedy=SSO_REMEDY
            )
        if one.type == "FORBIDDEN" or says(one.message, "not accessible", "ip allow list", "access blocked"):
            return RepositoryUnavailable(
                f"{repository}: {one.message}", repository=repository, reason="no access", remedy=ACCESS_REMEDY
            )
        if one.type not in {"", "NOT_FOUND"}:
            return ServerFailure(f"{repository}: {one.message}")
    message = errors[0].message if errors else "GitHub gives nothing for this name."
    return RepositoryUnavailable(
        f"{repository}: not found ({message})", repository=repository, reason="not found", remedy=NAME_REMEDY
    )


def parse_time(text: str | None) -> datetime | None:
    """GitHub's ISO time as an aware UTC datetime."""
    return None if text is None else datetime.fromisoformat(text).astimezone(UTC)


def parse_git_time(text: str | None) -> datetime | None:
    """A time that somebody's git wrote into a commit: any number passes there, so None for what is no date."""
    try:
        return parse_time(text)
    except (ValueError, OverflowError):
        return None


def _document(body: bytes) -> dict[str, Any] | None:
    try:
        document = json.loads(body)
    except ValueError:
        return None
    return document if isinstance(document, dict) else None


def _entries(value: Any) -> list[dict[str, Any]]:
    return [entry for entry in value if isinstance(entry, dict)] if isinstance(value, list) else []


def _message(document: dict[str, Any] | None) -> str:
    if document is None:
        return ""
    told = [document.get("message"), *(entry.get("message") for entry in _entries(document.get("errors")))]
    return storable_text("; ".join(str(text) for text in told if text))


def _message_of_page(status: int, body: bytes) -> str:
    """What an HTML page of a refusal says of limits: some of GitHub's secondary limits come as one."""
    text = body[:LONGEST_PAGE_READ].decode(errors="replace") if status in {403, 429} else ""
    return next((f"{words} (in a page of HTML)" for words in SECONDARY_WORDS if says(text, words)), "")


def _field_error(entry: dict[str, Any]) -> FieldError:
    path = entry.get("path")
    extensions = entry.get("extensions")
    code = extensions.get("code") if isinstance(extensions, dict) else None
    return FieldError(
        path=tuple(path) if isinstance(path, list) else (),
        type=str(entry.get("type") or code or ""),
        message=storable_text(str(entry.get("message") or "GitHub gave no message.")),
    )


def _limit(
    status: int, headers: Mapping[str, str], message: str, document: dict[str, Any] | None, now: datetime
) -> RateLimited | None:
    types = {str(entry.get("type")) for entry in _entries((document or {}).get("errors"))}
    is_secondary = says(message, *SECONDARY_WORDS)
    is_limit = bool(types & LIMIT_TYPES) or is_secondary or says(message, "api rate limit")
    is_refused = status in {403, 429}
    has_limit = headers.get("x-ratelimit-limit") != "0"
    is_exhausted = is_refused and has_limit and headers.get("x-ratelimit-remaining") == "0"
    if not (is_limit or is_exhausted or status == 429 or (is_refused and "retry-after" in headers)):
        return None
    resume_at = _resume_at(headers, now, is_primary=not is_secondary)
    words = "secondary" if is_secondary else "primary"
    return RateLimited(f"GitHub's {words} limit: {message or status}", resume_at=resume_at, is_secondary=is_secondary)


def _resume_at(headers: Mapping[str, str], now: datetime, *, is_primary: bool) -> datetime | None:
    """When work may go on, by `retry-after`, else by the reset where the quota is what ran out. In our own time."""
    retry_after = headers.get("retry-after", "")
    if retry_after.isdigit():
        return now + timedelta(seconds=int(retry_after))
    if retry_after and (until := _http_date(retry_after)):
        return now + max(timedelta(0), until - (_date(headers) or now))
    if is_primary or headers.get("x-ratelimit-remaining") == "0":
        return _reset(headers, _date(headers) or now, now)
    return None


def _reset(headers: Mapping[str, str], answered_at: datetime, now: datetime) -> datetime | None:
    """The reset in our own time: our clock may differ from GitHub's, so what counts is the span from its `Date`."""
    text = headers.get("x-ratelimit-reset", "")
    if not text.isdigit() or int(text) == 0:
        return None
    return now + max(timedelta(0), datetime.fromtimestamp(int(text), UTC) - answered_at)


def _refusal(status: int, headers: Mapping[str, str], message: str) -> Exception:
    if status == 401:
        return TokenRefused(f"GitHub refuses the token: {message or 'bad credentials'}.", token_ref="")
    if status == 403 and ("x-github-sso" in headers or says(message, "saml")):
        return RepositoryUnavailable(f"SAML: {message}", repository="", reason="SAML", remedy=SSO_REMEDY)
    if status == 403:
        return RepositoryUnavailable(
            f"No access: {message or 'forbidden'}", repository="", reason="no access", remedy=ACCESS_REMEDY
        )
    if status == 404:
        return ConfigurationError(
            "There is no GraphQL API at this address (404).",
            remedy="Check GITHUB_API_URL; see `historical-sync doctor`.",
        )
    if 300 <= status < 400:
        return ConfigurationError(
            f"GitHub's API is not at this address ({status}); it points to {headers.get('location') or 'nowhere'}.",
            remedy="Set GITHUB_API_URL to the address that answers; see `historical-sync doctor`.",
        )
    if status >= 500 or status == 408:
        told = f": {message}" if message else ""
        return ServerFailure(
            f"GitHub answered {status}{told}.", status=status, is_timeout=status in GATEWAY_TIMEOUTS or status == 408
        )
    if status in {400, 422}:
        return QueryRefused(f"GitHub refuses the query ({status}): {message}")
    return ServerFailure(f"GitHub answered {status}, which means nothing here: {message}", status=status)


def _without_data(errors: tuple[FieldError, ...], message: str) -> GitHubError:
    if any(one.type == "RESOURCE_LIMITS_EXCEEDED" for one in errors):
        return ResourceLimitsExceeded(message)
    if says(message, "valid cursor") or any("CURSOR" in one.type for one in errors):
        return CursorRefused(message)
    if any(one.is_heavy for one in errors):
        return ServerFailure(f"GitHub gave up on the query: {message}", status=200, is_timeout=True)
    if any(one.type == "NOT_FOUND" or one.type == "FORBIDDEN" for one in errors):
        return RepositoryUnavailable(message, repository="", reason="no access", remedy=ACCESS_REMEDY)
    if any(one.type not in {"", "INTERNAL", "SERVICE_UNAVAILABLE"} for one in errors):
        return QueryRefused(f"GitHub refuses the query: {message}")
    return ServerFailure(f"GitHub answered without data: {message or 'no reason given'}", status=200)


def _http_date(text: str) -> datetime | None:
    try:
        return parsedate_to_datetime(text).astimezone(UTC)
    except (TypeError, ValueError):
        return None


def _date(headers: Mapping[str, str]) -> datetime | None:
    return _http_date(headers.get("date", ""))


def _cost(data: dict[str, Any]) -> int | None:
    rate_limit = data.get("rateLimit")
    cost = rate_limit.get("cost") if isinstance(rate_limit, dict) else None
    return int(cost) if isinstance(cost, int) else None


def _allowance(
    headers: Mapping[str, str], data: dict[str, Any], answered_at: datetime, now: datetime
) -> Allowance | None:
    """The budget by the headers, else by the body; None where the server tells neither."""
    limit, remaining = headers.get("x-ratelimit-limit", ""), headers.get("x-ratelimit-remaining", "")
    if limit.isdigit() and remaining.isdigit():
        return Allowance(int(limit), int(remaining), _reset(headers, answered_at, now) or now)
    told = data.get("rateLimit")
    if not isinstance(told, dict) or told.get("limit") is None or told.get("remaining") is None:
        return None
    reset_at = parse_time(told.get("resetAt"))
    resets_at = now + max(timedelta(0), reset_at - answered_at) if reset_at else now
    return Allowance(int(told["limit"]), int(told["remaining"]), resets_at)
