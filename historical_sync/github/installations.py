"""GitHub App installations: the JWT that asks for a token, and the reading of the reply. No I/O.

A product acts as an App: its tokens last an hour and are renewed before they end.
https://docs.github.com/en/apps/creating-github-apps/authenticating-with-a-github-app
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime, timedelta

import jwt

from historical_sync.errors import ServerFailure, TokenRefused
from historical_sync.github.answers import parse_time

JWT_LIFETIME = timedelta(minutes=9)
"""GitHub takes at most ten minutes, from an `iat` that allows for a minute of clock drift."""
CLOCK_DRIFT = timedelta(minutes=1)
RENEW_BEFORE_END = timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class InstallationToken:
    """A token and when it ends. Its text never shows in a representation."""

    token: str
    expires_at: datetime

    def __repr__(self) -> str:
        return f"InstallationToken(expires_at={self.expires_at})"

    def is_fresh(self, now: datetime) -> bool:
        """Whether it outlives the next few minutes."""
        return now < self.expires_at - RENEW_BEFORE_END


def app_jwt(app_id: str, private_key: str, now: datetime, reference: str) -> str:
    """The signed claim that we are this App. Raises TokenRefused when the key is no RSA private key."""
    claims = {"iat": now - CLOCK_DRIFT, "exp": now + JWT_LIFETIME, "iss": app_id}
    try:
        return jwt.encode(claims, private_key, algorithm="RS256")
    except (ValueError, TypeError, jwt.PyJWTError) as error:
        raise TokenRefused(f"The key of {reference} is no RSA private key.", token_ref=reference) from error


def read_installation_token(status: int, body: bytes, reference: str) -> InstallationToken:
    """Read the reply of `POST /app/installations/ID/access_tokens`. Raises TokenRefused or ServerFailure."""
    if status in {401, 404, 422} or (status == 403 and b"rate limit" not in body.lower()):
        raise TokenRefused(
            f"GitHub gives no token for {reference} ({status}): App suspended or removed, or a wrong key.",
            token_ref=reference,
        )
    try:
        document = json.loads(body)
        token, expires_at = str(document["token"]), parse_time(document["expires_at"])
    except (ValueError, KeyError, TypeError) as error:
        raise ServerFailure(
            f"GitHub answered {status} when asked for a token of {reference}.", status=status
        ) from error
    if expires_at is None:
        raise ServerFailure(f"GitHub gave a token for {reference} without its end.", status=status)
    return InstallationToken(token, expires_at)
