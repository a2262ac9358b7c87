"""How far a team's history is: the records, the overall percentage, the time left. Pure.

Read from the tables by `warehouse.progress`.

Three levels: repositories (and their months), pull requests, LLM batches. The history is complete when every month is;
it does not wait for the LLM.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

MONTH_WEIGHT = 10
"""A (repository, month) weighs as much in the bar as so many pull requests: its run, its requests and its trends cost
time even when it is empty."""

STALLED_AFTER = timedelta(minutes=3)
"""Without a pull request for so long the measured rate is no guide: GitHub's slowest page takes a third of it."""

NO_NEWS_AFTER = timedelta(minutes=5)
"""Nothing begun, fetched or completed for so long means that nothing works: only the index of a very large repository
takes longer."""

HISTORY_OF_RECENT_MONTHS = 6
"""`recent_prs` counts the pull requests of so many months."""


@dataclass(frozen=True, slots=True)
class RepositoryProgress:
    """Where one repository stands; `months_missing` are failed or partial months with nothing under way."""

    repository: str
    sync_status: str
    sync_progress: int
    sync_prs_total: int | None
    sync_prs_completed: int
    sync_error: str | None
    sync_remedy: str | None = None
    recent_prs: int | None = None
    last_synced_at: datetime | None = None
    months_total: int = 0
    months_complete: int = 0
    months_indexed: int = 0
    months_missing: int = 0

    @property
    def expected_prs(self) -> int:
        """The total as far as it is known: counted where the index is complete, else estimated from recent activity."""
        known = max(self.sync_prs_total or 0, self.sync_prs_completed)
        if self.months_indexed >= self.months_total:
            return known
        return max(known, round((self.recent_prs or 0) * self.months_total / HISTORY_OF_RECENT_MONTHS))


@dataclass(frozen=True, slots=True)
class MonthProgress:
    """One month over all repositories of the team."""

    month: date
    repositories: int
    complete: int
    missing: int
    expected: int
    stored: int

    @property
    def is_complete(self) -> bool:
        return self.repositories > 0 and self.complete == self.repositories


@dataclass(frozen=True, slots=True)
class LlmProgress:
    """The LLM's level: batches, and what became of each pull request."""

    batches_total: int = 0
    batches_done: int = 0
    classified: int = 0
    pending: int = 0
    unclassified: int = 0
    cost_usd: float = 0.0
    error: str | None = None
    """Why the newest batch could not be sent or failed; None when there is nothing to say."""


@dataclass(frozen=True, slots=True)
class FetchRate:
    """What was fetched lately: `pull_requests` between `first_at` and `last_at`."""

    pull_requests: int
    first_at: datetime
    last_at: datetime

    @property
    def seconds_each(self) -> float | None:
        """Seconds per pull request; None where too little is measured."""
        seconds = (self.last_at - self.first_at).total_seconds()
        return seconds / (self.pull_requests - 1) if self.pull_requests > 1 and seconds > 0 else None


@dataclass(frozen=True, slots=True)
class Wait:
    """GitHub asked us to wait: until when (UTC) and why."""

    resume_at: datetime
    reason: str


@dataclass(frozen=True, slots=True)
class TeamProgress:
    """Where a team's history stands at `read_at`. Months and repositories are in the order of work: newest, busiest."""

    team_id: str
    display_name: str | None
    status: str
    generation: int
    history_months: int
    read_at: datetime
    onboarding_started_at: datetime | None
    repositories: tuple[RepositoryProgress, ...]
    months: tuple[MonthProgress, ...]
    llm: LlmProgress
    rate: FetchRate | None = None
    wait: Wait | None = None
    added_at: datetime | None = None
    last_completed_at: datetime | None = None
    last_attempted_at: datetime | None = None
    last_walked_at: datetime | None = None
    """When a month was last completed, when one was last begun, and when GitHub last gave a page of a list."""
    percent_reached: int = 0
    """The highest percentage anybody was shown for this load."""

    @property
    def months_total(self) -> int:
        return len(self.months)

    @property
    def months_complete(self) -> int:
        return sum(month.is_complete for month in self.months)

    @property
    def prs_completed(self) -> int:
        return sum(one.sync_prs_completed for one in self.repositories)

    @property
    def prs_expected(self) -> int:
        return sum(one.expected_prs for one in self.repositories)

    @property
    def is_total_known(self) -> bool:
        """Whether every month is indexed, so that the total is a count and no estimate."""
        return all(one.months_indexed >= one.months_total for one in self.repositories)

    @property
    def is_complete(self) -> bool:
        """Whether every month is complete and every repository says so too; a later refresh does not undo it."""
        if not self.months or not all(month.is_complete for month in self.months):
            return False
        return self.percent_reached == 100 or all(one.sync_status == "completed" for one in self.repositories)

    @property
    def state(self) -> str:
        """`paused`, `empty` (no repositories), `complete`, `incomplete` (done, with gaps), `waiting` or `loading`."""
        if self.status == "paused":
            return "paused"
        if not self.repositories:
            return "empty"
        if self.is_complete:
            return "complete"
        if {one.sync_status for one in self.repositories} <= {"completed", "failed"} and self._is_everything_tried:
            return "incomplete"
        is_started = self.prs_completed or any(one.sync_status != "pending" for one in self.repositories)
        return "loading" if is_started else "waiting"

    @property
    def _is_everything_tried(self) -> bool:
        return all(one.months_complete + one.months_missing >= one.months_total for one in self.repositories)

    @property
    def is_settled(self) -> bool:
        """Whether nothing more will move by itself, so that nobody need look again: history and batches are done."""
        return self.state in ("complete", "incomplete", "paused") and self.llm.batches_done >= self.llm.batches_total

    @property
    def stalled_since(self) -> datetime | None:
        """When the last thing happened, where something should happen and nothing has for NO_NEWS_AFTER; else None."""
        if self.state not in ("waiting", "loading") or self.wait is not None:
            return None
        fetched_at = self.rate.last_at if self.rate else None
        begun = (self.added_at, self.onboarding_started_at, self.last_attempted_at)
        signs = (*begun, self.last_walked_at, fetched_at, self.last_completed_at)
        last = max((sign for sign in signs if sign is not None), default=self.read_at)
        return last if self.read_at - last > NO_NEWS_AFTER else None

    @property
    def percent(self) -> int:
        """0 to 100, never less than was shown before; 100 only when the history is complete."""
        if self.is_complete:
            return 100
        return max(min(self._measured_percent, 99), min(self.percent_reached, 100))

    @property
    def _measured_percent(self) -> int:
        months_done = sum(one.months_complete for one in self.repositories)
        months_all = sum(one.months_total for one in self.repositories)
        done = self.prs_completed + MONTH_WEIGHT * months_done
        everything = max(self.prs_expected, self.prs_completed) + MONTH_WEIGHT * months_all
        return int(100 * done / everything) if everything else 0

    @property
    def eta_seconds(self) -> int | None:
        """Seconds until the history is complete at the measured rate; 0 when it is; None when nobody can know."""
        if self.is_complete:
            return 0
        if self.state != "loading" or self.stalled_since is not None:
            return None
        wait_seconds = max(0.0, (self.wait.resume_at - self.read_at).total_seconds()) if self.wait else 0.0
        by_part = [seconds for seconds in (self._fetch_seconds, self._month_seconds) if seconds is not None]
        return round(wait_seconds + max(by_part)) if by_part else None

    @property
    def _fetch_seconds(self) -> float | None:
        if self.rate is None or self.rate.seconds_each is None:
            return None
        if self.wait is None and self.read_at - self.rate.last_at > STALLED_AFTER:
            return None
        return self.rate.seconds_each * max(0, self.prs_expected - self.prs_completed)

    @property
    def _month_seconds(self) -> float | None:
        """Small months take as long as their runs: so many seconds a month as those before took."""
        if not self.months_complete or self.onboarding_started_at is None or self.last_completed_at is None:
            return None
        if self.wait is None and self.read_at - self.last_completed_at > STALLED_AFTER and self._fetch_seconds is None:
            return None
        seconds = (self.last_completed_at - self.onboarding_started_at).total_seconds()
        return max(0.0, seconds) / self.months_complete * (self.months_total - self.months_complete)

    def as_json(self) -> dict[str, Any]:
        """The shape that `status --json` promises, and nothing else."""
        return {
            "team_id": self.team_id,
            "months_total": self.months_total,
            "months_complete": self.months_complete,
            "eta_seconds": self.eta_seconds,
            "repositories": [_repository_json(one) for one in self.repositories],
            "llm": _llm_json(self.llm),
        }

    def as_json_with_details(self) -> dict[str, Any]:
        """`as_json` and what the page shows beside it."""
        return {
            **self.as_json(),
            "repositories": [{**_repository_json(one), "sync_remedy": one.sync_remedy} for one in self.repositories],
            "state": self.state,
            "is_settled": self.is_settled,
            "percent": self.percent,
            "pull_requests": {
                "completed": self.prs_completed,
                "expected": self.prs_expected,
                "is_estimate": not self.is_total_known,
            },
            "waiting_until": self.wait.resume_at.isoformat() if self.wait else None,
            "waiting_reason": self.wait.reason if self.wait else None,
            "stalled_since": self.stalled_since.isoformat() if self.stalled_since else None,
            "months": [_month_json(one) for one in self.months],
            "read_at": self.read_at.isoformat(),
        }


def _repository_json(one: RepositoryProgress) -> dict[str, Any]:
    names = ("repository", "sync_status", "sync_progress", "sync_prs_total", "sync_prs_completed", "sync_error")
    return {name: getattr(one, name) for name in names}


def _llm_json(llm: LlmProgress) -> dict[str, Any]:
    names = ("batches_total", "batches_done", "classified", "pending", "unclassified", "cost_usd")
    return {name: getattr(llm, name) for name in names}


def _month_json(one: MonthProgress) -> dict[str, Any]:
    return {
        "month": f"{one.month:%Y-%m}",
        "is_complete": one.is_complete,
        "repositories_total": one.repositories,
        "repositories_complete": one.complete,
        "repositories_missing": one.missing,
        "expected": one.expected,
        "stored": one.stored,
    }


def busiest_first(repositories: Iterable[RepositoryProgress]) -> tuple[RepositoryProgress, ...]:
    """The order in which the work goes: by recent pull requests, then by name."""
    return tuple(sorted(repositories, key=lambda one: (-(one.recent_prs or 0), one.repository.lower())))
