"""One request to GitHub over HTTP: its token, its time-outs, its whole reply, or an error of ours.

Requests and their real cost are counted here, where they leave; a token is read when a request is made. The only home
of `requests`. Waits for nothing: whether and when to ask again is for `client.py`.
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import requests
from urllib3.exceptions import MaxRetryError, NewConnectionError

from historical_sync.errors import ServerFailure
from historical_sync.github.answers import Answer, read_answer
from historical_sync.github.installations import InstallationToken, app_jwt, read_installation_token
from historical_sync.github.meter import Meter
from historical_sync.github.tokens import AppInstallation, app_installation, read_secret, read_token, without_secret

Clock = Callable[[], datetime]

CONNECT_TIMEOUT_SECONDS = 10.0
READ_TIMEOUT_SECONDS = 30.0
"""GitHub ends a query at ten seconds; three times that is a server that hangs."""
WHOLE_ANSWER_SECONDS = 60.0
USER_AGENT = "historical_sync"


@dataclass(frozen=True, slots=True)
class Reply:
    """An HTTP reply, as it came, and how long it took."""

    status: int
    headers: dict[str, str]
    body: bytes
    elapsed: timedelta


def utc_now() -> datetime:
    """The computer's clock."""
    return datetime.now(UTC)


def graphql_url(api_url: str) -> str:
    """Where GraphQL is asked: `…/graphql`; for an Enterprise Server's `HOST/api/v3`, `HOST/api/graphql`."""
    api_url = api_url.rstrip("/")
    return f"{api_url.removesuffix('/v3')}/graphql" if api_url.endswith("/api/v3") else f"{api_url}/graphql"


class Transport:
    """HTTP with the token behind a reference; counts what leaves, reads what comes."""

    def __init__(
        self, api_url: str, *, read_timeout_seconds: float = READ_TIMEOUT_SECONDS, clock: Clock = utc_now
    ) -> None:
        self.meter = Meter()
        self._api_url = api_url.rstrip("/")
        self._read_timeout_seconds = read_timeout_seconds
        self._clock = clock
        self._installation_tokens: dict[str, InstallationToken] = {}
        self._guard = threading.Lock()
        self._local = threading.local()

    def ask(self, ref: str, document: str, variables: dict[str, Any]) -> tuple[Reply, Answer]:
        """Ask once. Raises GitHubError."""
        body = json.dumps({"query": document, "variables": variables}).encode()
        reply = self._post(graphql_url(self._api_url), body, self._token(ref))
        answer = read_answer(reply.status, reply.headers, reply.body, self._clock(), reply.elapsed)
        self.meter.add(points=answer.cost or 0)
        return reply, answer

    def forget(self, ref: str) -> None:
        """Ask for a new token of an App's installation, the next time that one is needed."""
        with self._guard:
            self._installation_tokens.pop(ref, None)

    def _token(self, ref: str) -> str:
        installation = app_installation(ref)
        return self._installation_token(ref, installation) if installation else read_token(ref)

    def _installation_token(self, ref: str, installation: AppInstallation) -> str:
        with self._guard:
            held = self._installation_tokens.get(ref)
            if held is None or not held.is_fresh(self._clock()):
                key = read_secret(installation.key_ref)
                url = f"{self._api_url}/app/installations/{installation.installation_id}/access_tokens"
                reply = self._post(url, b"", app_jwt(installation.app_id, key, self._clock(), ref))
                held = self._installation_tokens[ref] = read_installation_token(reply.status, reply.body, ref)
            return held.token

    def _post(self, url: str, body: bytes, token: str) -> Reply:
        """One HTTP request. Raises ServerFailure when no whole reply comes."""
        self.meter.add(requests=1)
        began = time.monotonic()
        try:
            with self._session().post(
                url,
                data=body,
                auth=_Bearer(token),
                headers={"Content-Type": "application/json", "Accept": "application/json", "User-Agent": USER_AGENT},
                timeout=(CONNECT_TIMEOUT_SECONDS, self._read_timeout_seconds),
                allow_redirects=False,
                stream=True,
            ) as response:
                read = _read_body(response, began + WHOLE_ANSWER_SECONDS)
                elapsed = timedelta(seconds=time.monotonic() - began)
                return Reply(response.status_code, dict(response.headers), without_secret(read, token), elapsed)
        except (requests.ReadTimeout, TimeoutError):
            raise ServerFailure("GitHub did not answer in time.", is_timeout=True) from None
        except requests.RequestException as error:  # the library's own may repeat the header, and with it the token
            raise ServerFailure(
                f"The connection to GitHub failed: {type(error).__name__}.", is_unreachable=_is_unreachable(error)
            ) from None

    def _session(self) -> requests.Session:
        if not hasattr(self._local, "session"):
            self._local.session = requests.Session()
        session: requests.Session = self._local.session
        return session


class _Bearer(requests.auth.AuthBase):
    """Sets the token as requests' own authentication, or a `.netrc` would take its place."""

    def __init__(self, token: str) -> None:
        self._token = token

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        request.headers["Authorization"] = f"Bearer {self._token}"
        return request


def _is_unreachable(error: requests.RequestException) -> bool:
    """Whether no connection came about at all: a name that does not resolve, a port where nobody listens."""
    cause = error.args[0] if error.args else None
    return isinstance(cause, MaxRetryError) and isinstance(cause.reason, NewConnectionError)


def _read_body(response: requests.Response, deadline: float) -> bytes:
    """The body, unless it drips for longer than the deadline."""
    parts = []
    for part in response.iter_content(1 << 16):
        parts.append(part)
        if time.monotonic() > deadline:
            raise TimeoutError
    return b"".join(parts)
