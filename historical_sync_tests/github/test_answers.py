"""What came back over HTTP is an answer, or the error that says what GitHub meant."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

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
from historical_sync.github.answers import Answer, FieldError, read_answer, unavailable

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
DATE = "Sun, 01 Mar 2026 11:00:00 GMT"
"""GitHub's clock, an hour behind ours."""
RESET = str(int(datetime(2026, 3, 1, 11, 30, tzinfo=UTC).timestamp()))
SECONDARY = "You have exceeded a secondary rate limit. Please wait a few minutes before you try again."


def read(body: Any, status: int = 200, **headers: str) -> Answer:
    names = {"date": DATE, **{name.replace("_", "-"): value for name, value in headers.items()}}
    text = body if isinstance(body, bytes) else json.dumps(body).encode()
    return read_answer(status, names, text, NOW)


def test_an_answer_has_data_cost_and_allowance_in_our_own_time() -> None:
    """The reset is half an hour after GitHub's clock, so half an hour after ours, however the two differ."""
    answer = read(
        {"data": {"x": 1, "rateLimit": {"cost": 7}}},
        X_RateLimit_Limit="5000",
        X_RateLimit_Remaining="4000",
        X_RateLimit_Reset=RESET,
    )
    assert (answer.data["x"], answer.cost) == (1, 7)
    assert answer.allowance is not None
    assert (answer.allowance.limit, answer.allowance.remaining) == (5000, 4000)
    assert answer.allowance.resets_at == NOW + timedelta(minutes=30)
    assert answer.answered_at == datetime(2026, 3, 1, 11, tzinfo=UTC)


def test_without_headers_the_body_tells_the_allowance() -> None:
    """A server without rate-limit headers may still tell in `rateLimit`; one that tells nothing has none."""
    told = {"cost": 1, "limit": 5000, "remaining": 12, "resetAt": "2026-03-01T11:10:00Z"}
    answer = read({"data": {"rateLimit": told}})
    assert answer.allowance is not None
    assert (answer.allowance.remaining, answer.allowance.resets_at) == (12, NOW + timedelta(minutes=10))
    assert read({"data": {"rateLimit": None}}).allowance is None


@pytest.mark.parametrize("kind", ["RATE_LIMITED", "RATE_LIMIT"])
def test_a_primary_limit_in_a_200_names_its_reset(kind: str) -> None:
    """Either spelling, and quota need not read zero."""
    with pytest.raises(RateLimited) as caught:
        read({"errors": [{"type": kind, "message": "API rate limit exceeded"}]}, X_RateLimit_Reset=RESET)
    assert caught.value.resume_at == NOW + timedelta(minutes=30)
    assert not caught.value.is_secondary


@pytest.mark.parametrize(
    ("status", "headers", "resume_in"),
    [
        (403, {"Retry_After": "41"}, 41),
        (429, {"Retry_After": "41"}, 41),
        (403, {"Retry_After": "Sun, 01 Mar 2026 11:00:41 GMT"}, 41),
        (200, {}, None),
        (403, {}, None),
        (403, {"X_RateLimit_Remaining": "4000", "X_RateLimit_Reset": RESET}, None),
        (403, {"X_RateLimit_Remaining": "0", "X_RateLimit_Reset": RESET}, 1800),
    ],
)
def test_a_secondary_limit_in_every_guise(status: int, headers: dict[str, str], resume_in: int | None) -> None:
    """`retry-after` first, then the reset where nothing is left, else GitHub does not say when."""
    body = {"errors": [{"message": SECONDARY}]} if status == 200 else {"message": SECONDARY}
    with pytest.raises(RateLimited) as caught:
        read(body, status, **headers)
    assert caught.value.is_secondary
    expected = None if resume_in is None else NOW + timedelta(seconds=resume_in)
    assert caught.value.resume_at == expected


def test_a_403_about_permission_is_no_limit() -> None:
    """The near miss: forbidden, with points left and no retry-after."""
    with pytest.raises(RepositoryUnavailable) as caught:
        read({"message": "Resource not accessible by integration"}, 403, X_RateLimit_Remaining="4000")
    assert caught.value.reason == "no access"


@pytest.mark.parametrize(
    ("status", "body", "error"),
    [
        (200, b"<html>a moment</html>", ServerFailure),
        (200, b'{"data": {"x": ', ServerFailure),
        (200, b"", ServerFailure),
        (200, b"[]", ServerFailure),
        (200, {"data": None}, ServerFailure),
        (
            200,
            {"data": None, "errors": [{"message": "Something went wrong while executing your query."}]},
            ServerFailure,
        ),
        (
            200,
            {"data": {"x": None}, "errors": [{"type": "RESOURCE_LIMITS_EXCEEDED", "message": "m"}]},
            ResourceLimitsExceeded,
        ),
        (200, {"errors": [{"message": "`x` does not appear to be a valid cursor."}]}, CursorRefused),
        (200, {"errors": [{"message": "bad", "extensions": {"code": "undefinedField"}}]}, QueryRefused),
        (401, {"message": "Bad credentials"}, TokenRefused),
        (403, {"message": "Resource protected by organization SAML enforcement."}, RepositoryUnavailable),
        (404, {"message": "Not Found"}, ConfigurationError),
        (422, {"message": "Unprocessable"}, QueryRefused),
        (500, b"", ServerFailure),
        (503, b"<html></html>", ServerFailure),
        (301, b"", ConfigurationError),
    ],
)
def test_without_data_the_error_says_what_is_meant(status: int, body: Any, error: type[Exception]) -> None:
    """Every other way of not answering has its own error."""
    with pytest.raises(error):
        read(body, status)


@pytest.mark.parametrize(
    ("status", "body", "is_timeout"),
    [
        (502, b"<html>502</html>", True),
        (504, {"message": "We couldn't respond to your request in time."}, True),
        (500, b"", False),
        (503, b"", False),
        (200, {"data": None, "errors": [{"message": "This may be the result of a timeout, or a bug."}]}, True),
    ],
)
def test_a_query_that_took_too_long_is_told_from_a_server_that_fails(status: int, body: Any, is_timeout: bool) -> None:
    """Only for the first does a smaller page help."""
    with pytest.raises(ServerFailure) as caught:
        read(body, status)
    assert caught.value.is_timeout is is_timeout


def test_an_error_with_a_path_leaves_the_rest_of_the_answer() -> None:
    """Data with a path error is an answer; what is at the path, above or below it, is unknown, its neighbour is not."""
    answer = read(
        {
            "data": {"nodes": [{"files": None}, {}]},
            "errors": [{"type": "RESOURCE_LIMITS_EXCEEDED", "path": ["nodes", 0, "files"], "message": "m"}],
        }
    )
    assert answer.errors_at("nodes", 0)
    assert answer.errors_at("nodes", 0, "files", "nodes", 3)
    assert not answer.errors_at("nodes", 1)
    assert not answer.errors_at("nodes", 0, "commits")


def test_what_github_says_of_an_error_can_be_stored() -> None:
    """NUL and lone surrogates in a message do not reach the tables, which could not hold them."""
    said = {"path": ["repository"], "message": "no\0 \ud800"}
    (error,) = read({"data": {"repository": None}, "errors": [said]}).errors_at("repository")
    assert error.message == "no \ufffd"
    with pytest.raises(QueryRefused, match="no \ufffd"):
        read({"message": "no\0 \ud800"}, 422)


@pytest.mark.parametrize(
    ("error", "expected", "reason"),
    [
        (FieldError(("repository",), "NOT_FOUND", "Could not resolve"), RepositoryUnavailable, "not found"),
        (FieldError(("repository",), "FORBIDDEN", "Resource not accessible"), RepositoryUnavailable, "no access"),
        (FieldError(("repository",), "FORBIDDEN", "organization SAML enforcement"), RepositoryUnavailable, "SAML"),
        (FieldError(("repository",), "RESOURCE_LIMITS_EXCEEDED", "too much"), ResourceLimitsExceeded, None),
        (FieldError(("repository",), "INTERNAL", "oops"), ServerFailure, None),
    ],
)
def test_a_null_repository_says_why(error: FieldError, expected: type[GitHubError], reason: str | None) -> None:
    """Not found, no access and SAML are the repository's; the rest is GitHub's moment."""
    found = unavailable("acme/api", [error])
    assert type(found) is expected
    assert getattr(found, "reason", None) == reason
    assert "acme/api" in str(found)
