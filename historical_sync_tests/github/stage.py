"""A team, a database and a sandbox GitHub on a clock of their own: waiting takes no time, and all see it pass."""

import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

from historical_sync.errors import AllRepositoriesFailed
from historical_sync.github.client import GitHubClient
from historical_sync.github.ingestion import ingest_month, refresh_team
from historical_sync.github.month import MonthIngestion
from historical_sync.records import ChangedFile as FileRecord
from historical_sync.records import Commit, PullRequest, Review, Team, columns_of, storable_text
from historical_sync.sandbox import world as story
from historical_sync.sandbox.server import Sandbox
from historical_sync.warehouse.budgets import SharedBudget
from historical_sync.warehouse.postgres import Warehouse
from historical_sync.warehouse.pull_requests import SCALARS, with_entries
from historical_sync.warehouse.registry import read_team
from historical_sync.window import first_of_month, months_touched, months_wanted

NOW = datetime(2025, 12, 25, 12, tzinfo=UTC)
HISTORY_MONTHS = 3


class Time:
    """A clock that starts at NOW, runs as real time does, and jumps ahead by what is slept."""

    def __init__(self) -> None:
        self.slept = 0.0
        self._began = time.monotonic()
        self._guard = threading.Lock()

    def now(self) -> datetime:
        return NOW + timedelta(seconds=time.monotonic() - self._began + self.slept)

    def sleep(self, seconds: float) -> None:
        with self._guard:
            self.slept += seconds
        time.sleep(0.001)


@dataclass
class Stage:
    """What a test acts on. `tokens` are the references that new clients use."""

    warehouse: Warehouse
    sandbox: Sandbox
    time: Time
    tokens: list[str]
    team_id: str = "acme"
    now: datetime = NOW
    read_timeout_seconds: float = 20.0
    lines: list[str] = field(default_factory=list)

    @property
    def world(self) -> story.World:
        return self.sandbox.world

    @property
    def team(self) -> Team:
        with self.warehouse.transaction() as tx:
            return read_team(tx, self.team_id)

    @property
    def months(self) -> list[date]:
        return months_wanted(self.now, self.team.history_months)

    def client(self, **changes: Any) -> GitHubClient:
        budget = SharedBudget(self.warehouse, self.team_id)
        settings: dict[str, Any] = {
            "clock": self.time.now,
            "sleep": self.time.sleep,
            "read_timeout_seconds": self.read_timeout_seconds,
        }
        return GitHubClient(self.sandbox.github_url, self.tokens, budget, **{**settings, **changes})

    def ingest(self, month: date, client: GitHubClient | None = None, **changes: Any) -> MonthIngestion:
        return ingest_month(
            self.warehouse,
            client or self.client(),
            self.team,
            month,
            now=self.now,
            on_event=self.lines.append,
            **changes,
        )

    def sync(self, client: GitHubClient | None = None) -> list[MonthIngestion]:
        """All months, newest first; a month in which every repository fails is skipped, as a run would."""
        done = []
        for month in self.months:
            try:
                done.append(self.ingest(month, client))
            except AllRepositoriesFailed as error:
                self.lines.append(str(error))
        return done

    def refresh(self, now: datetime | None = None) -> frozenset[date]:
        return refresh_team(self.warehouse, self.client(), self.team, now=now or self.now, on_event=self.lines.append)

    def rows(self, sql: str, *parameters: Any) -> list[dict[str, Any]]:
        with self.warehouse.transaction() as tx:
            return tx.rows(sql, list(parameters))

    def statuses(self, month: date | None = None) -> dict[str, set[str]]:
        """Repository → the statuses of its months (or of one)."""
        found: dict[str, set[str]] = {}
        for row in self.rows(
            "select repository, month, status from repository_months where team_id = %s", self.team_id
        ):
            if month is None or row["month"] == month:
                found.setdefault(row["repository"], set()).add(row["status"])
        return found

    def stored(self, repository: str) -> dict[int, PullRequest]:
        """The rows of a repository as records."""
        with self.warehouse.transaction() as tx:
            rows = tx.tuples(
                f"select {', '.join(SCALARS)} from pull_requests where team_id = %s and repository = %s",
                [self.team_id, repository],
            )
            return {one.number: replace(one, is_settled=True) for one in with_entries(tx, self.team_id, rows)}

    def truth(self, repository: str) -> dict[int, PullRequest]:
        """The pull requests of a repository that belong to the team's months, as the sandbox knows them."""
        held = self.world.repository(repository)
        assert held is not None
        months = set(self.months)
        return {
            one.number: record
            for one in held
            if months_touched((record := as_record(one, repository)).created_at, record.closed_at) & months
        }

    def assert_true_or_told(self, repositories: Sequence[str] | None = None, *, is_at_rest: bool = True) -> None:
        """Every month that says `completed` equals the sandbox's truth, row for row and list for list.

        While the world moves, what changed after the month's `complete_as_of` is not yet owed.
        """
        for row in self.rows("select * from repository_months where team_id = %s", self.team_id):
            if row["status"] != "completed" or (repositories and row["repository"] not in repositories):
                assert row["status"] == "completed" or row["error"] or row["status"] == "pending", row
                continue
            truth = {
                number: one
                for number, one in self.truth(row["repository"]).items()
                if row["month"] in months_touched(one.created_at, one.closed_at)
                and (is_at_rest or one.updated_at < row["complete_as_of"] - timedelta(seconds=1))
            }
            stored = self.stored(row["repository"])
            missing = sorted(set(truth) - set(stored))
            assert not missing, f"{row['repository']} {row['month']} is 'completed' without {missing}"
            for number, one in truth.items():
                assert not (told := differences(stored[number], one)), f"{row['repository']}#{number}: {told}"

    def assert_all_true(self) -> None:
        """Every month of every repository is complete and equals the truth."""
        with self.warehouse.transaction() as tx:
            names = [row["repository"] for row in tx.rows("select repository from tracked_repositories")]
        assert self.statuses() == {name: {"completed"} for name in names}, self.lines[-5:]
        assert all(
            row["n"] == len(self.months)
            for row in self.rows("select count(*) as n from repository_months group by repository")
        )
        self.assert_true_or_told()


def differences(stored: PullRequest, true: PullRequest) -> dict[str, tuple[Any, Any]]:
    """Field → what is stored and what is true, where they differ."""
    return {
        name: (getattr(stored, name), getattr(true, name))
        for name in columns_of(PullRequest)
        if getattr(stored, name) != getattr(true, name)
    }


def instant(text: str | None) -> datetime | None:
    return None if text is None else story.moment(text)


def as_record(one: story.PullRequest, repository: str) -> PullRequest:
    """The record that a faultless ingestion makes of a pull request of the sandbox's world."""
    created_at, updated_at = story.moment(one.created_at), story.moment(one.updated_at)
    commits = tuple(
        Commit(
            oid=commit.oid,
            message=storable_text(commit.message),
            authored_at=instant(commit.authored_at),
            committed_at=instant(commit.committed_at),
            author_login=commit.author.login if commit.author else None,
            author_name=commit.author_name,
            author_email=commit.author_email,
        )
        for commit in one.commits
    )
    ready = [event.created_at for event in one.events if event.kind == "ReadyForReviewEvent"]
    return PullRequest(
        repository=repository,
        number=one.number,
        node_id=one.node_id,
        title=storable_text(one.title),
        body=storable_text(one.body),
        author_login=one.author.login if one.author else None,
        author_type=one.author.kind if one.author else None,
        state=one.state,
        is_draft=one.is_draft,
        created_at=created_at,
        updated_at=updated_at,
        merged_at=instant(one.merged_at),
        closed_at=instant(one.closed_at),
        first_commit_at=min((commit.authored_at for commit in commits if commit.authored_at), default=None),
        ready_at=instant(max(ready, default=None)),
        merged_by=one.merged_by.login if one.merged_by else None,
        additions=one.additions,
        deletions=one.deletions,
        changed_files=one.changed_files,
        head_ref=one.head_ref,
        base_ref=one.base_ref,
        labels=list(one.labels),
        milestone=one.milestone,
        assignees=[account.login for account in one.assignees],
        closing_issues=[str(number) for number in one.closing_issues],
        commit_count=len(one.commits),
        review_count=len(one.reviews),
        file_count=len(one.files),
        comment_count=one.comment_count + sum(1 for review in one.reviews if review.body),
        is_partial=False,
        partial_reason=None,
        commits=commits,
        reviews=tuple(
            Review(
                review_id=review.node_id,
                reviewer_login=review.author.login if review.author else None,
                reviewer_type=review.author.kind if review.author else None,
                state=review.state,
                submitted_at=instant(review.submitted_at),
                body=storable_text(review.body),
            )
            for review in one.reviews
        ),
        files=tuple(
            FileRecord(storable_text(file.path), file.additions, file.deletions, file.change_type) for file in one.files
        ),
    )


def month_of(one: story.PullRequest) -> date:
    """The month a pull request was created in."""
    return first_of_month(story.moment(one.created_at))
