"""The run of one month of a team: survey, walk, look, hydrate, count, and say for each repository how it ended.

One repository's failure leaves the others complete; only when all fail does the month fail. Everything is committed
page by page, so a run that is killed refetches at most one page.
"""

from __future__ import annotations

import time
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from historical_sync.errors import AllRepositoriesFailed, GitHubError, RateLimited, TokenRefused
from historical_sync.github.client import GitHubClient
from historical_sync.github.deletions import remove_deleted
from historical_sync.github.loading import Loader
from historical_sync.github.survey import survey
from historical_sync.github.walk import Walker
from historical_sync.records import Team, TrackedRepository
from historical_sync.warehouse import index, repository_months, walk_holes
from historical_sync.warehouse.postgres import Warehouse
from historical_sync.warehouse.registry import tracked_repositories
from historical_sync.warehouse.repository_months import MonthCounts, MonthResult
from historical_sync.window import months_wanted

PASSES = 3
"""What changed while a pass ran is fetched in the next one; what still changes then is left to the next run."""
PROGRESS_EVERY_SECONDS = 1.0
PROGRESS_SHARE = 0.02
"""Counting a large team takes longer, and is then done less often: at most this share of the time."""


@dataclass(frozen=True, slots=True)
class RepositoryMonth:
    """How a repository's month ended: `completed`, `partial` or `failed`, why, and what a person can do about it."""

    repository: str
    status: str
    expected: int
    stored: int
    error: str | None
    remedy: str | None


@dataclass(frozen=True, slots=True)
class MonthIngestion:
    """What an ingestion did. `pull_requests` are in the month now; `fetched` is how many this run hydrated."""

    repositories: tuple[RepositoryMonth, ...]
    pull_requests: int
    fetched: int
    requests: int
    points: int
    waited_seconds: float


class MonthRun:
    """One attempt at one month of one team."""

    def __init__(
        self,
        warehouse: Warehouse,
        client: GitHubClient,
        team: Team,
        month: date,
        now: datetime,
        first_month: date | None,
    ) -> None:
        wanted = months_wanted(now, team.history_months)
        self._wanted_months = [one for one in wanted if first_month is None or one >= first_month] or [month]
        self._warehouse = warehouse
        self._client = client
        self._team_id = team.team_id
        self._month = month
        self._now = now
        self._holder = uuid.uuid4().hex
        self._walker = Walker(warehouse, client, team.team_id)
        self._loader = Loader(warehouse, client, team.team_id, month, min(self._wanted_months))
        self._errors: dict[str, GitHubError] = {}
        self._looked_at: dict[str, datetime] = {}
        self._progress_due = 0.0

    def run(self, names: Sequence[str] | None) -> MonthIngestion:
        """Do it for these repositories, or all. The repositories' states are settled even when something raises."""
        before = self._client.meter.reading()
        repositories = self._repositories(names)
        registered = [one.repository for one in repositories]
        with self._warehouse.transaction() as tx:
            repository_months.begin_month(tx, self._team_id, self._month, registered, self._now)
            repository_months.keep_alive(tx, self._team_id, self._month, self._holder, self._client.clock())
        try:
            repositories = self._order(repositories)
            self._walk(repositories)
            self._look(repositories)
            self._load([one.repository for one in repositories if one.repository in self._looked_at])
            self._remove_deleted(repositories)
            results = self._finish(registered)
        finally:
            self._settle(registered)
        after = self._client.meter.reading()
        return MonthIngestion(
            repositories=results,
            pull_requests=sum(one.stored for one in results),
            fetched=self._loader.fetched,
            requests=after.requests - before.requests,
            points=after.points - before.points,
            waited_seconds=after.waited_seconds - before.waited_seconds,
        )

    def _repositories(self, names: Sequence[str] | None) -> list[TrackedRepository]:
        with self._warehouse.transaction() as tx:
            found = tracked_repositories(tx, self._team_id)
        if names is None:
            return found
        wanted = {name.lower() for name in names}
        return [one for one in found if one.repository.lower() in wanted]

    def _order(self, repositories: list[TrackedRepository]) -> list[TrackedRepository]:
        """Busiest first. Repositories of which nothing is known are surveyed, before anything else is asked."""
        unknown = [one.repository for one in repositories if one.recent_prs is None and one.node_id is None]
        if not unknown:
            return repositories
        try:
            recent = survey(self._client, unknown, self._now)
        except (RateLimited, TokenRefused) as error:
            self._give_up(repositories, error)
            return repositories
        with self._warehouse.transaction() as tx:
            repository_months.save_survey(tx, self._team_id, recent)
            repository_months.save_progress(tx, self._team_id, unknown, self._wanted_months)
        return self._repositories([one.repository for one in repositories])

    def _give_up(self, repositories: Sequence[TrackedRepository], error: GitHubError) -> None:
        """What stands in the way stands in the way of all of them: a limit that does not end, or no token left."""
        self._errors = {one.repository: error for one in repositories} | self._errors

    def _walk(self, repositories: Sequence[TrackedRepository]) -> None:
        """Bring each repository's index down to the month."""
        to_walk = [one for one in repositories if one.repository not in self._errors]
        for repository, outcome in self._walker.walk_all(to_walk, self._month):
            if isinstance(outcome, RateLimited | TokenRefused):
                self._give_up(repositories, outcome)
            elif isinstance(outcome, GitHubError):
                self._client.tell(f"{repository.repository}: {outcome}")
                self._errors[repository.repository] = outcome
            elif outcome is not None:
                self._looked_at[repository.repository] = outcome
            self._show_progress([repository.repository])

    def _look(self, repositories: Sequence[TrackedRepository]) -> None:
        """See what moved to the top while the walks went down: only then are the months' lists complete."""
        done = {*self._errors, *self._looked_at}
        outcomes = self._walker.look([one for one in repositories if one.repository not in done])
        for name, outcome in outcomes.items():
            if isinstance(outcome, GitHubError):
                self._client.tell(f"{name}: {outcome}")
                self._errors[name] = outcome
            else:
                self._looked_at[name] = outcome

    def _load(self, repositories: Sequence[str]) -> None:
        """Fetch what the index has newer than the rows; again for what changed meanwhile."""
        try:
            for _ in self._loader.take_up():
                self._show_progress(repositories)
            for number in range(PASSES):
                for _ in self._loader.load(repositories, with_partial=number == 0):
                    self._show_progress(repositories)
                if all(one.stored == one.expected for one in self._count(repositories)):
                    return
        except GitHubError as error:
            self._client.tell(f"Fetching stopped: {error}")
            self._errors = dict.fromkeys(repositories, error) | self._errors

    def _remove_deleted(self, repositories: Sequence[TrackedRepository]) -> None:
        """Where GitHub no longer knows an id, a full walk confirms it now rather than next week, or finds it again."""
        with self._warehouse.transaction() as tx:
            missing = index.repositories_with_missing(tx, self._team_id, sorted(self._looked_at))
        found_again = []
        for repository in repositories:
            if repository.repository in missing:
                try:
                    remove_deleted(self._walker, repository)
                    found_again.append(repository.repository)
                except GitHubError as error:
                    self._errors.setdefault(repository.repository, error)
        if found_again:
            self._load(found_again)

    def _count(self, repositories: Sequence[str]) -> list[MonthCounts]:
        with self._warehouse.transaction() as tx:
            counts = repository_months.count_months(tx, self._team_id, [(name, self._month) for name in repositories])
            repository_months.save_counts(tx, self._team_id, counts)
            return counts

    def _show_progress(self, repositories: Sequence[str]) -> None:
        if time.monotonic() < self._progress_due:
            return
        began = time.monotonic()
        self._count(repositories)
        with self._warehouse.transaction() as tx:
            repository_months.keep_alive(tx, self._team_id, self._month, self._holder, self._client.clock())
            repository_months.save_progress(tx, self._team_id, repositories, self._wanted_months)
        took = time.monotonic() - began
        self._progress_due = time.monotonic() + max(PROGRESS_EVERY_SECONDS, took / PROGRESS_SHARE)

    def _finish(self, registered: Sequence[str]) -> tuple[RepositoryMonth, ...]:
        """Count, and store how each repository ended. Raises AllRepositoriesFailed when none could be read."""
        with self._warehouse.transaction() as tx:
            pairs = [(name, self._month) for name in registered]
            counts = {one.repository: one for one in repository_months.count_months(tx, self._team_id, pairs)}
            nulls = walk_holes.nulls_concerning(tx, self._team_id, self._month, registered)
            repository_months.save_counts(tx, self._team_id, list(counts.values()))
            ended = tuple(self._result(counts[name], nulls.get(name, 0)) for name in registered)
            results = [
                MonthResult(one.repository, one.status, one.error, self._looked_at.get(one.repository), one.remedy)
                for one in ended
            ]
            repository_months.save_results(tx, self._team_id, self._month, results, self._now)
        failures = {one.repository: one.error or "" for one in ended if one.status == "failed"}
        if failures and len(failures) == len(ended):
            raise AllRepositoriesFailed(
                f"No repository of team {self._team_id!r} could be read for {self._month:%Y-%m}: "
                + "; ".join(f"{name}: {error}" for name, error in failures.items()),
                failures=failures,
                remedies=[one.remedy or "" for one in ended],
            )
        return ended

    def _result(self, counts: MonthCounts, nulls: int) -> RepositoryMonth:
        error = self._errors.get(counts.repository) or (self._walker.problems.get(counts.repository) if nulls else None)
        has_looked = counts.repository in self._looked_at
        status = status_of(counts, nulls, has_looked=has_looked)
        reason = None if status == "completed" else shortfall(counts, nulls, error)
        remedy = (error.remedy or None) if error and status != "completed" else None
        return RepositoryMonth(counts.repository, status, counts.expected, counts.stored, reason, remedy)

    def _settle(self, registered: Sequence[str]) -> None:
        with self._warehouse.transaction() as tx:
            repository_months.end_month(tx, self._team_id, self._month, self._holder, self._client.clock())
            repository_months.save_progress(tx, self._team_id, registered, self._wanted_months)
            repository_months.settle(
                tx, self._team_id, registered, self._wanted_months, self._now, self._client.clock()
            )


def status_of(counts: MonthCounts, nulls: int, *, has_looked: bool) -> str:
    """`completed` only with proof: the list was walked and looked at again, every row is there, and none is partial."""
    if not has_looked:
        return "failed"
    if counts.is_whole and not nulls:
        return "completed"
    return "failed" if counts.expected and not counts.stored else "partial"


def shortfall(counts: MonthCounts, nulls: int, error: GitHubError | None) -> str:
    """What is missing, in words."""
    told = [str(error)] if error else []
    if counts.stored != counts.expected:
        told.append(
            f"{counts.expected - counts.stored} of {counts.expected} pull requests are not stored as they are now"
        )
    if counts.partial:
        told.append(f"{counts.partial} could be read only in part, such as #{counts.partial_reason}")
    if nulls:
        told.append(
            f"{nulls} entries of GitHub's list came as null and may belong to this month; the next run asks again for"
            " the pages they are in, and for no others"
        )
    return "; ".join(told)
