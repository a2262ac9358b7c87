"""Who a token is, what its identity has left, and what GitHub says about it in its headers.

The budget belongs to the identity, so two tokens of one user share it. A window is an hour from its first use.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from datetime import timedelta

from historical_sync.sandbox.world import Clock, moment, stamp

HOUR = timedelta(hours=1)


@dataclass
class Budget:
    """An identity's points in its present hour. `limit` 0 with `is_enforced` False is a server without limits."""

    login: str
    user_id: int
    limit: int = 5000
    used: int = 0
    resets_at: str = ""
    resource: str = "graphql"

    @property
    def remaining(self) -> int:
        """Points left."""
        return max(0, self.limit - self.used)

    def headers(self) -> dict[str, str]:
        """GitHub's `x-ratelimit-*` headers."""
        return {
            "x-ratelimit-limit": str(self.limit),
            "x-ratelimit-remaining": str(self.remaining),
            "x-ratelimit-used": str(self.used),
            "x-ratelimit-reset": str(int(moment(self.resets_at).timestamp())),
            "x-ratelimit-resource": self.resource,
        }


@dataclass
class RateLimit:
    """GraphQL's `rateLimit`: the budget after a query was charged."""

    cost: int
    limit: int
    node_count: int
    remaining: int
    reset_at: str
    used: int


@dataclass
class Identities:
    """Tokens and their identities. Any token is good until it is revoked; its login follows from its text.

    `logins` gives tokens a login by name (several may share one); `limit` is the points of an hour; `mode` says what a
    server does about limits: `on`, `zero` (switched off: 0 of 0) or `absent` (no headers, `rateLimit` null).
    """

    clock: Clock
    limit: int = 5000
    mode: str = "on"
    logins: dict[str, str] = field(default_factory=dict)
    revoked: set[str] = field(default_factory=set)
    expires_at: dict[str, str] = field(default_factory=dict)
    budgets: dict[str, Budget] = field(default_factory=dict)

    def login_of(self, token: str | None) -> str | None:
        """The login behind a token; None for a token that is missing, revoked or past its time."""
        if not token or token in self.revoked:
            return None
        if token in self.expires_at and self.expires_at[token] <= stamp(self.clock()):
            return None
        return self.logins.get(token) or f"user-{hashlib.sha256(token.encode()).hexdigest()[:8]}"

    def budget(self, login: str) -> Budget:
        """The identity's budget in the present hour."""
        found = self.budgets.get(login)
        now = self.clock()
        if found is None:
            user_id = int(hashlib.sha256(login.encode()).hexdigest()[:7], 16)
            found = self.budgets[login] = Budget(login, user_id, self.limit)
        if self.mode == "zero":
            found.limit = 0
        if not found.resets_at or found.resets_at <= stamp(now):
            found.used, found.resets_at = 0, stamp(now + HOUR)
        return found

    def revoke(self, token: str) -> None:
        """Make a token bad from now on."""
        self.revoked.add(token)
