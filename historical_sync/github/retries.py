"""Whether and how long to wait before the same question is asked again, and when to leave all of them. Pure rules."""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from datetime import datetime
from threading import Lock

from historical_sync.errors import GitHubError, RateLimited, ServerFailure

ATTEMPTS_AT_FAILURES = 6
"""1 + 2 + 4 + 8 + 16 s: half a minute, long enough for a hiccup and short enough for a next run to take over."""
ATTEMPTS_AT_LIMITS = 12
SECONDARY_WAIT_SECONDS = 60.0
"""GitHub: without `retry-after`, wait at least a minute, then exponentially longer."""
LONGEST_WAIT_SECONDS = 3600.0


@dataclass
class Streak:
    """Failures one after the other, each after all its retries: from `most` on the fault is not theirs but GitHub's."""

    most: int
    length: int = 0
    _guard: Lock = field(default_factory=Lock, repr=False)

    def add(self, error: GitHubError) -> None:
        """One more. Raises the error when it is one too many."""
        with self._guard:
            self.length += 1
            is_outage = self.length >= self.most
        if is_outage:
            raise error

    def end(self) -> None:
        """Something was answered."""
        with self._guard:
            self.length = 0


def wait_before_retry(error: GitHubError, attempt: int, now: datetime, jitter: random.Random) -> float | None:
    """Seconds to wait after the `attempt`-th failure (from 1) of a question; None when it is not to be asked again."""
    if isinstance(error, RateLimited):
        return None if attempt >= ATTEMPTS_AT_LIMITS else _limit_wait(error, attempt, now, jitter)
    if isinstance(error, ServerFailure) and attempt < ATTEMPTS_AT_FAILURES:
        return float(2 ** (attempt - 1) * jitter.uniform(0.5, 1.0))
    return None


def _limit_wait(error: RateLimited, attempt: int, now: datetime, jitter: random.Random) -> float:
    if error.resume_at is not None:
        return max(0.0, (error.resume_at - now).total_seconds()) + jitter.uniform(0.1, 1.0)
    return float(min(LONGEST_WAIT_SECONDS, SECONDARY_WAIT_SECONDS * 2 ** (attempt - 1)) * jitter.uniform(1.0, 1.2))
