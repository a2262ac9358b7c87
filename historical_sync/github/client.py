"""Asks GitHub until it answers: the pool of tokens, the shared budget, and the one loop that waits.

What is asked and how it is read lies elsewhere; `transport.py` sends. Tokens are shown by reference only. Threads may
share a client.
"""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any, TypeVar

from historical_sync.errors import GitHubError, RateLimited, ResourceLimitsExceeded, ServerFailure, TokenRefused
from historical_sync.github import queries
from historical_sync.github.answers import Answer
from historical_sync.github.budget import Budget, NotYet, Stream
from historical_sync.github.readers import read_identity
from historical_sync.github.retries import wait_before_retry
from historical_sync.github.tokens import app_installation, digest, read_secret
from historical_sync.github.transport import READ_TIMEOUT_SECONDS, Clock, Transport, utc_now

T = TypeVar("T")
Report = Callable[[str], None]
Keep = Callable[[bytes, Answer], None]
"""Takes an answer's body and what was read of it."""

LONGEST_SLEEP_SECONDS = 10.0
"""A long wait is slept in parts: another process may learn that it is over, and a person may stop the work."""
REFUSAL_SECONDS = 2.0
"""How long after a refusal a token is shown once more."""


def is_heavy(error: GitHubError) -> bool:
    """Whether asking for less may help: resource limits, or a time-out of the query."""
    return isinstance(error, ResourceLimitsExceeded) or (isinstance(error, ServerFailure) and error.is_timeout)


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
        is_suspect: bool = False,
        keep: Keep | None = None,
    ) -> T:
        """Ask, and read the answer; again after limits and failures, for as long as `wait_before_retry` says.

        With `is_shrinkable`, a question that was too heavy fails at once, for the caller to ask for less; with
        `is_suspect` one at which the server fails in any way does, since it is a part of one that failed again and
        again. `keep` is given an answer without errors before the stream is free for the next request. Raises
        GitHubError; TokenRefused when no token is left.
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
                if (is_shrinkable and is_heavy(error)) or (is_suspect and isinstance(error, ServerFailure)):
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
