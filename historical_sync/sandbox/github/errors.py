"""GitHub's errors in GitHub's words: the entries of `errors`, and the bodies of answers that are none.

Shapes as seen in GitHub's documentation and in public reports (docs/sandbox.md lists them). Sends nothing.
"""

from __future__ import annotations

from typing import Any

RESOURCE_LIMITS = "Resource limits for this query exceeded."
SAML = (
    "Resource protected by organization SAML enforcement. "
    "You must grant your Personal Access token access to this organization."
)
SECONDARY = (
    "You have exceeded a secondary rate limit. Please wait a few minutes before you try again. "
    "If you reach out to GitHub Support for help, please include the request ID {request_id}."
)
SECONDARY_URL = "https://docs.github.com/rest/overview/rate-limits-for-the-rest-api#about-secondary-rate-limits"
UNANSWERED = (
    "Something went wrong while executing your query. This may be the result of a timeout, or it could be a "
    "GitHub bug. Please include `{request_id}` when reporting this issue."
)
TOO_SLOW = (
    "We couldn't respond to your request in time. Sorry about that. "
    "Please try resubmitting your request and contact us if the problem persists."
)
BAD_GATEWAY_HTML = """<html>
<head><title>502 Bad Gateway</title></head>
<body>
<center><h1>502 Bad Gateway</h1></center>
<hr><center>nginx</center>
</body>
</html>
"""


class FieldError(Exception):
    """A field that could not be answered; becomes an entry of `errors` with the field's path, and null data."""

    def __init__(self, message: str, kind: str | None = None, extensions: dict[str, Any] | None = None) -> None:
        super().__init__(message)
        self.message, self.kind, self.extensions = message, kind, extensions

    def entry(self, path: list[str | int], locations: list[dict[str, int]]) -> dict[str, Any]:
        """The entry of `errors`."""
        found: dict[str, Any] = {} if self.kind is None else {"type": self.kind}
        found["path"] = path
        if self.extensions is not None:
            found["extensions"] = self.extensions
        return {**found, "locations": locations, "message": self.message}


def repository_not_found(full_name: str) -> FieldError:
    """No such repository, or none that this token may see: GitHub tells neither apart."""
    return FieldError(f"Could not resolve to a Repository with the name '{full_name}'.", "NOT_FOUND")


def node_not_found(node_id: str) -> FieldError:
    """No object of this global id."""
    return FieldError(f"Could not resolve to a node with the global id of '{node_id}'.", "NOT_FOUND")


def pull_request_not_found(number: int) -> FieldError:
    """No pull request of this number."""
    return FieldError(f"Could not resolve to a PullRequest with the number of {number}.", "NOT_FOUND")


def forbidden() -> FieldError:
    """A token whose owner let this repository out."""
    return FieldError("Resource not accessible by personal access token", "FORBIDDEN")


def saml_enforced() -> FieldError:
    """An organisation that wants its single sign-on first."""
    return FieldError(SAML, "FORBIDDEN", {"saml_failure": True})


def resource_limits() -> FieldError:
    """Too much work for one query."""
    return FieldError(RESOURCE_LIMITS, "RESOURCE_LIMITS_EXCEEDED")


def invalid_cursor(cursor: str) -> FieldError:
    """A cursor that GitHub did not give, or gave too long ago."""
    return FieldError(f"`{cursor}` does not appear to be a valid cursor.", "INVALID_CURSOR_ARGUMENTS")


def rate_limited(user_id: int, kind: str) -> dict[str, Any]:
    """The body of an answer beyond the primary limit; `kind` is RATE_LIMITED or the newer RATE_LIMIT."""
    if kind == "RATE_LIMIT":
        message = f"API rate limit already exceeded for user ID {user_id}."
        return {"errors": [{"type": kind, "code": "graphql_rate_limit", "message": message}]}
    return {"errors": [{"type": kind, "message": f"API rate limit exceeded for user ID {user_id}."}]}


def bad_credentials() -> dict[str, Any]:
    """The body of a 401."""
    return {"message": "Bad credentials", "documentation_url": "https://docs.github.com/rest", "status": "401"}
