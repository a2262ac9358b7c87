"""The carrier: sends questions to GitHub, counts them, waits. What is asked and how it is read lies elsewhere.

The one loop that sleeps is here. Requests and their real cost are counted where they leave; tokens are read when a
request is made and shown by reference only. Threads may share a client.
"""

from __future__ import annotations

import json
import random
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

import requests
from urllib3.exceptions import MaxRetryError, NewConnectionError

from historical_sync.errors import GitHubError, RateLimited, ResourceLimitsExceeded, ServerFailure, TokenRefused
from historical_sync.github import queries
from historical_sync.github.answers import Answer, read_answer
from historical_sync.github.budget import Budget, NotYet, Stream
from historical_sync.github.installations import InstallationToken, app_jwt, read_installation_token
from historical_sync.github.meter import Meter
from historical_sync.github.readers import read_identity
from historical_sync.github.retries import wait_before_retry
from historical_sync.github.tokens import (
    AppInstallation,
    app_installation,
    digest,
    read_secret,
    read_token,
    without_secret,
)

T = TypeVar("T")
Report = Callable[[str], None]
Clock = Callable[[], datetime]
Keep = Callable[[bytes, Answer], None]
"""Takes an answer's body and what was read of it."""

CONNECT_TIMEOUT_SECONDS = 10.0
READ_TIMEOUT_SECONDS = 30.0
"""GitHub ends a query at ten seconds; three times that is a server that hangs."""
WHOLE_ANSWER_SECONDS = 60.0
LONGEST_SLEEP_SECONDS = 10.0
"""A long wait is slept in parts: another process may learn that it is over, and a person may stop the work."""
REFUSAL_SECONDS = 2.0
"""How long after a refusal a token is shown once more."""
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


def is_heavy(error: GitHubError) -> bool:
    """Whether asking for less may help: resource limits, or a time-out of the query."""
    return isinstance(error, ResourceLimitsExceeded) or (isinstance(error, ServerFailure) and error.is_timeout)


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


class GitHubClient:
    """GraphQL with a pool of tokens and a shared budget.

    `token_refs` are references (`github.tokens`). `streams` is how many requests one identity may have under way.
    `clock` and `sleep` are the world's unless a test gives its own.
    """

    def __init__(
        self,
        api_url: str,
        token_refs: Sequence[str],
        budget: Budget,
        *,
        streams: int = 1,
        read_timeout_seconds: float = READ_TIMEOUT_SECONDS,
        clock: Clock = utc_now,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self.parallelism = len(token_refs) * streams
        self._transport = Transport(api_url, read_timeout_seconds=read_timeout_seconds, clock=clock)
        self.meter = self._transport.meter
        self._refs = list(token_refs)
        self._budget = budget
        self.clock = clock
        self._sleep = sleep
        self._jitter = random.Random()  # noqa: S311 - spreads retries, guards nothing
        self._refused: dict[str, TokenRefused] = {}
        self._doubted: set[str] = set()
        self._identities: dict[str, str] = {}
        self._guard = threading.RLock()
        self._slots = threading.BoundedSemaphore(self.parallelism)
        self._report: Report | None = None
        self._is_at_work = False

    @contextmanager
    def at_work(self, report: Report | None) -> Iterator[None]:
        """A stretch of requests: a stream is kept from one to the next for a while, and given back at the end.

        What happens meanwhile (waits, retries, tokens taken out) goes to `report` as lines for people.
        """
        before = self._report, self._is_at_work
        self._report, self._is_at_work = report, True
        try:
            yield
        finally:
            self._report, self._is_at_work = before
            self._budget.rest()

    def tell(self, line: str) -> None:
        """A line for whoever listens."""
        if self._report is not None:
            self._report(line)

    def ask(
        self,
        document: str,
        variables: dict[str, Any],
        read: Callable[[Answer], T],
        *,
        is_shrinkable: bool = False,
        keep: Keep | None = None,
    ) -> T:
        """Ask, and read the answer; again after limits and failures, for as long as `wait_before_retry` says.

        With `is_shrinkable`, a question that was too heavy fails at once, for the caller to ask for less. `keep` is
        given an answer without errors before the stream is free for the next request. Raises GitHubError; TokenRefused
        when no token is left.
        """
        attempt = 0
        while True:
            stream, ref = self._acquire()
            try:
                return well_formed(read, self._answer(document, variables, stream, ref, keep))
            except TokenRefused as error:
                self._doubt(ref, error)
            except GitHubError as error:
                attempt += 1
                if is_shrinkable and is_heavy(error):
                    raise
                wait = wait_before_retry(error, attempt, self.clock(), self._jitter)
                if wait is None:
                    raise
                self._stand_back(error, wait, stream.identity)

    def _answer(self, document: str, variables: dict[str, Any], stream: Stream, ref: str, keep: Keep | None) -> Answer:
        answer = None
        try:
            reply, answer = self._transport.ask(ref, document, variables)
            self._doubted.discard(ref)
            if keep is not None and not answer.errors:
                keep(reply.body, answer)
            return answer
        finally:
            self._budget.release(stream, answer.allowance if answer else None, self.clock(), is_well=answer is not None)
            if not self._is_at_work:
                self._budget.rest()
            self._slots.release()

    def _acquire(self) -> tuple[Stream, str]:
        self._slots.acquire()
        try:
            while True:
                refs = self._refs_by_identity()
                got = self._budget.acquire(list(refs), self.clock())
                if isinstance(got, Stream):
                    return got, refs[got.identity]
                self._wait_for(got)
        except BaseException:
            self._slots.release()
            raise

    def _wait_for(self, not_yet: NotYet) -> None:
        seconds = max(0.01, (not_yet.until - self.clock()).total_seconds())
        if not_yet.is_limit:
            self._wait(min(seconds, LONGEST_SLEEP_SECONDS), not_yet.reason, not_yet.until)
        else:
            self._sleep(min(seconds, LONGEST_SLEEP_SECONDS))

    def _stand_back(self, error: GitHubError, seconds: float, identity: str) -> None:
        """After a limit nobody uses the identity for a while; after a failure this question waits."""
        until = self.clock() + timedelta(seconds=seconds)
        self._budget.rest()
        if isinstance(error, RateLimited):
            self._budget.block(identity, until, str(error))
            return
        while seconds > 0:
            self._wait(min(seconds, LONGEST_SLEEP_SECONDS), str(error), until)
            seconds -= LONGEST_SLEEP_SECONDS

    def _wait(self, seconds: float, reason: str, until: datetime) -> None:
        """Stand still where everybody can see it: in the log, in the progress, on the meter."""
        self.tell(f"Waiting until {until:%H:%M:%S} UTC: {reason}")
        self._budget.wait_begins(reason, until)
        try:
            self._sleep(seconds)
            self.meter.add(waited_seconds=seconds)
        finally:
            self._budget.wait_ends()

    def _doubt(self, ref: str, error: TokenRefused) -> None:
        """GitHub refuses good tokens now and then, and an App's for some seconds after making them; not twice, though.

        A token that cannot even be read is taken out at once.
        """
        with self._guard:
            is_new = ref not in self._doubted
            self._doubted.add(ref)
        if error.token_ref or not is_new:
            self._take_out(ref, error)
            return
        self._transport.forget(ref)
        self._wait(REFUSAL_SECONDS, str(error), self.clock() + timedelta(seconds=REFUSAL_SECONDS))

    def _take_out(self, ref: str, error: TokenRefused) -> None:
        with self._guard:
            self._refused[ref] = TokenRefused(f"{ref}: {error}", token_ref=ref)
        self.tell(f"The token at {ref} is refused and no longer used: {error}")

    def _refs_by_identity(self) -> dict[str, str]:
        """The identities that can send now, each with a reference to one of its tokens."""
        found: dict[str, str] = {}
        for ref in self._refs:
            if ref not in self._refused:
                try:
                    found.setdefault(self._identity(ref), ref)
                except TokenRefused as error:
                    if ref not in self._refused:
                        self._take_out(ref, error)
        if not found:
            raise next(iter(self._refused.values()))
        return found

    def _identity(self, ref: str) -> str:
        """Whose budget a reference spends. Asked once per token; where GitHub does not tell, the token's own."""
        if installation := app_installation(ref):
            return f"installation:{installation.installation_id}"
        name = digest(read_secret(ref))
        with self._guard:
            if name not in self._identities:
                self._identities[name] = self._budget.identity_of(name) or self._ask_identity(ref, name)
            return self._identities[name]

    def _ask_identity(self, ref: str, name: str) -> str:
        try:
            login = read_identity(self._transport.ask(ref, queries.IDENTITY, {})[1])
        except TokenRefused as error:
            self._doubt(ref, error)
            if ref in self._refused:
                raise
            return self._ask_identity(ref, name)
        except GitHubError:
            login = None
        if login is None:
            return f"token:{name}"
        self._budget.remember_identity(name, login)
        return login


def well_formed(read: Callable[[Answer], T], answer: Answer) -> T:
    """Read an answer; one whose shape is not GitHub's is a failure of the server, not a crash of ours."""
    try:
        return read(answer)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise ServerFailure(f"GitHub's answer has an unexpected shape: {error!r}.", status=200) from error


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
