"""What a token is worth: whose it is, what it may do, when it ends, what is left of its budget. For `doctor`."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

from historical_sync.errors import RateLimited, TokenRefused
from historical_sync.github import queries
from historical_sync.github.answers import Answer
from historical_sync.github.readers import read_identity
from historical_sync.github.tokens import references
from historical_sync.github.transport import Transport


@dataclass(frozen=True, slots=True)
class TokenReport:
    """A token as GitHub sees it.

    `scopes` is None for fine-grained tokens and Apps, which have none. `limit` 0 means that this server sets no limit.
    `server_time` is GitHub's clock, for comparing ours with it.
    """

    token_ref: str
    login: str | None
    scopes: tuple[str, ...] | None
    expires_at: datetime | None
    limit: int
    remaining: int
    resets_at: datetime | None
    server_time: datetime


@dataclass(frozen=True, slots=True)
class TokenExhausted:
    """A token whose budget is used up, so that GitHub answers not even this question; `resets_at` None: it did not say.

    `reason` is GitHub's own.
    """

    token_ref: str
    resets_at: datetime | None
    reason: str


Inspected = TokenReport | TokenExhausted | TokenRefused


def inspect_tokens(api_url: str, token_ref: str | None = None) -> list[Inspected]:
    """Ask GitHub about each token of a reference, or of the pool: its report, or why there is none.

    Costs one point each. Raises ConfigurationError when there is no token, ServerFailure when GitHub is not reached.
    """
    return [_inspect(api_url, ref) for ref in references(token_ref)]


def _inspect(api_url: str, ref: str) -> Inspected:
    try:
        reply, answer = Transport(api_url).ask(ref, queries.IDENTITY, {})
    except TokenRefused as error:
        return TokenRefused(f"{ref}: {error}", token_ref=ref)
    except RateLimited as error:
        return TokenExhausted(ref, error.resume_at, str(error))
    return _report(ref, {name.lower(): value for name, value in reply.headers.items()}, answer)


def _report(ref: str, headers: dict[str, str], answer: Answer) -> TokenReport:
    allowance = answer.allowance
    scopes = headers.get("x-oauth-scopes")
    return TokenReport(
        token_ref=ref,
        login=read_identity(answer),
        scopes=None if scopes is None else tuple(scope.strip() for scope in scopes.split(",") if scope.strip()),
        expires_at=_expiration(headers.get("github-authentication-token-expiration", "")),
        limit=allowance.limit if allowance else 0,
        remaining=allowance.remaining if allowance else 0,
        resets_at=allowance.resets_at if allowance else None,
        server_time=answer.answered_at,
    )


def _expiration(text: str) -> datetime | None:
    """GitHub writes `2026-12-01 08:00:00 UTC` or with an offset such as `+0100`."""
    for form in ("%Y-%m-%d %H:%M:%S UTC", "%Y-%m-%d %H:%M:%S %z"):
        try:
            found = datetime.strptime(text, form)  # noqa: DTZ007 - the first form says UTC in words
        except ValueError:
            continue
        return found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)
    return None
