"""The few REST paths that a GraphQL client needs beside it: limits, whose token this is, and app installations."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import jwt

from historical_sync.sandbox.faults import Subject
from historical_sync.sandbox.github import errors
from historical_sync.sandbox.github.api import ANSWER_KINDS, GitHub
from historical_sync.sandbox.github.misfortune import broken_answer
from historical_sync.sandbox.wire import Answer, json_answer
from historical_sync.sandbox.world import moment, stamp

INSTALLATION_ID = 4711
TOKEN_LIFETIME = timedelta(hours=1)
CLOCK_SKEW_SECONDS = 60


class Rest:
    """REST answers over the same world and identities as `GitHub`.

    `app_public_key` (PEM) makes app JWTs be checked: RS256, `iss`, not expired, at most ten minutes long.
    """

    def __init__(self, github: GitHub, app_public_key: str | None = None) -> None:
        self.github, self.app_public_key = github, app_public_key

    def answer(self, operation: str, token: str | None, act: Callable[[], Answer]) -> Answer:
        """Run one operation. Only faults that name it strike it: those for GraphQL leave REST alone."""
        github = self.github
        with github.world.lock:
            entry = github.log.begin("github", operation, stamp(github.world.clock()))
            answer = act()
            fault = github.faults.strike(ANSWER_KINDS, Subject(operation, is_named=True))
            if fault is not None:
                entry.fault = fault.kind
                budget = github.identities.budget(f"rest-{operation}")
                answer = github.dressed(broken_answer(fault, answer, budget, github.world.clock()), None)
            entry.status = answer.status
        return answer

    def rate_limit(self, token: str | None) -> Answer:
        """GET /rate_limit; 404 where limits are switched off, as on GitHub Enterprise Server."""
        login = self.github.identities.login_of(token)
        if login is None:
            return self._unauthorized()
        if self.github.identities.mode == "absent":
            return self._answer({"message": "Rate limiting is not enabled."}, 404)
        budget = self.github.identities.budget(login)
        figures = {
            "limit": budget.limit,
            "used": budget.used,
            "remaining": budget.remaining,
            "reset": int(moment(budget.resets_at).timestamp()),
            "resource": "graphql",
        }
        return self._answer(
            {"resources": {"core": {**figures, "resource": "core"}, "graphql": figures}, "rate": figures}
        )

    def user(self, token: str | None) -> Answer:
        """GET /user; an installation token is nobody's."""
        login = self.github.identities.login_of(token)
        if login is None:
            return self._unauthorized()
        if login.startswith("installation-"):
            return self._answer({"message": "Resource not accessible by integration"}, 403)
        budget = self.github.identities.budget(login)
        answer = self._answer({"login": login, "id": budget.user_id, "type": "User", "site_admin": False})
        answer.headers["x-oauth-scopes"] = "read:org, repo"
        return answer

    def repository_installation(self, token: str | None, owner: str, name: str) -> Answer:
        """GET /repos/{owner}/{repo}/installation with an app's JWT."""
        refusal = self._app_refusal(token)
        if refusal is not None:
            return refusal
        if self.github.world.repository(f"{owner}/{name}") is None:
            return self._answer({"message": "Not Found", "status": "404"}, 404)
        return self._answer({"id": INSTALLATION_ID, "account": {"login": owner}, "app_slug": "historical-sync"})

    def installation_token(self, token: str | None, installation_id: str) -> Answer:
        """POST /app/installations/{id}/access_tokens: a token for one hour, with a budget of the installation."""
        refusal = self._app_refusal(token)
        if refusal is not None:
            return refusal
        if installation_id != str(INSTALLATION_ID):
            return self._answer({"message": "Not Found", "status": "404"}, 404)
        issued = f"ghs_{secrets.token_hex(18)}"
        expires_at = stamp(self.github.world.clock() + TOKEN_LIFETIME)
        self.github.identities.logins[issued] = f"installation-{installation_id}"
        self.github.identities.expires_at[issued] = expires_at
        return self._answer({"token": issued, "expires_at": expires_at, "permissions": {"pull_requests": "read"}}, 201)

    def meta(self) -> Answer:
        """GET /meta."""
        return self._answer({"verifiable_password_authentication": False, "installed_version": "3.17.0"})

    def _app_refusal(self, token: str | None) -> Answer | None:
        try:
            if not token:
                raise jwt.InvalidTokenError("missing")
            self._read_jwt(token)
        except jwt.InvalidTokenError:
            message = "A JSON web token could not be decoded"
            return self._answer({"message": message, "documentation_url": "https://docs.github.com/rest"}, 401)
        return None

    def _read_jwt(self, token: str) -> dict[str, Any]:
        options: Any = {"require": ["iss", "iat", "exp"], "verify_exp": False, "verify_iat": False}
        if self.app_public_key is None:
            options["verify_signature"] = False
        claims: dict[str, Any] = jwt.decode(token, self.app_public_key or "", algorithms=["RS256"], options=options)
        now = self.github.world.clock().timestamp()
        if claims["exp"] <= now or claims["iat"] > now + CLOCK_SKEW_SECONDS:
            raise jwt.InvalidTokenError("'Expiration time' claim ('exp') must be a numeric value in the future")
        if claims["exp"] - claims["iat"] > 660:
            raise jwt.InvalidTokenError("'Expiration time' claim ('exp') is too far in the future")
        return claims

    def _unauthorized(self) -> Answer:
        return self._answer(errors.bad_credentials(), 401)

    def _answer(self, value: Any, status: int = 200) -> Answer:
        return self.github.dressed(json_answer(value, status), None)
