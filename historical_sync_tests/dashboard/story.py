"""A team's history for the page's tests: a seeded story, written month by month as the stages write it.

Rows go in through the warehouse's own functions and `publish_month`, so what the page shows can be compared with what
the tables hold. The last repository can be made to fail.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta

from psycopg2.extras import Json

from historical_sync.records import PullRequest
from historical_sync.trends.publication import publish_month
from historical_sync.warehouse.postgres import Transaction, Warehouse
from historical_sync.warehouse.pull_requests import upsert_pull_requests
from historical_sync.window import add_months, as_instant, month_bounds, months_wanted
from historical_sync_tests.factories import make_commit, make_file, make_pull_request, make_review

REPOSITORIES = ("acme/platform", "acme/web-app", "acme/mobile")
PEOPLE = ("ada", "grace", "linus", "margaret", "ken", "barbara", "edsger")
TITLES = (
    ("Cache the permission lookup per request", "feature", "Adds a request-scoped cache in front of the policy store."),
    ("Fix the off-by-one in invoice rounding", "bugfix", "Rounds once at the total instead of on every line."),
    ("Split the importer into fetch and store", "refactor", "Moves parsing out so that it can be tested alone."),
    ("Document the webhook signature", "docs", "Explains the header, the payload and the clock skew."),
    ("Cover the retry loop with tests", "test", "Adds cases for jitter, limits and the give-up path."),
    ("Bump the build image", "chore", "Newer compiler, same flags."),
    ("Run the linters in parallel", "ci", "Cuts six minutes off the pipeline."),
)
TOOLS = (
    ("Claude Code", "claude.trailer", "Co-Authored-By: Claude <noreply@anthropic.com>"),
    ("GitHub Copilot", "copilot.trailer", "Co-authored-by: Copilot <copilot@github.com>"),
    ("Cursor", "cursor.trailer", "Co-authored-by: Cursor <cursoragent@cursor.com>"),
)


class Story:
    """A team with `history_months` of pull requests up to `now`; every month is told by `load_month`."""

    def __init__(
        self,
        warehouse: Warehouse,
        team_id: str = "acme",
        *,
        repositories: Sequence[str] = REPOSITORIES,
        history_months: int = 12,
        per_month: int = 12,
        now: datetime | None = None,
        seed: int = 7,
        display_name: str | None = "Acme Platform",
    ) -> None:
        self.warehouse = warehouse
        self.team_id = team_id
        self.repositories = tuple(repositories)
        self.history_months = history_months
        self.per_month = per_month
        self.now = now or datetime.now(UTC)
        self.display_name = display_name
        self._random = random.Random(seed)
        self._numbers = dict.fromkeys(self.repositories, 0)
        self.months = months_wanted(self.now, history_months)
        """Newest first."""

    def register(self) -> None:
        """The team and its repositories, with nothing loaded."""
        with self.warehouse.transaction() as tx:
            tx.execute(
                """insert into teams (team_id, display_name, history_months, onboarding_started_at)
                values (%s, %s, %s, now())""",
                [self.team_id, self.display_name, self.history_months],
            )
            tx.execute_values(
                "insert into tracked_repositories (team_id, repository, recent_prs) values %s",
                [(self.team_id, name, self.per_month * 6 // (i + 1)) for i, name in enumerate(self.repositories)],
            )

    def load_all(self) -> None:
        """Every month, newest first."""
        for month in self.months:
            self.load_month(month)
        self.finish()

    def load_month(self, month: date, *, failing: Sequence[str] = (), publish: bool = True) -> None:
        """A month's pull requests of every repository that is not `failing`, its counts and its trends."""
        with self.warehouse.transaction() as tx:
            for place, repository in enumerate(self.repositories):
                if repository in failing:
                    self._fail(tx, repository, month)
                else:
                    self._store(tx, repository, month, self._invent(repository, month, place))
        if publish:
            publish_month(self.warehouse, self.team_id, month, now=self.now)

    def finish(self) -> None:
        """Every repository that has all its months is completed."""
        with self.warehouse.transaction() as tx:
            tx.execute(
                """update tracked_repositories
                set sync_status = 'completed', sync_progress = 100, last_synced_at = now()
                where team_id = %s and sync_error is null""",
                [self.team_id],
            )

    def _invent(self, repository: str, month: date, place: int) -> list[PullRequest]:
        start, end = month_bounds(month)
        elapsed = min(end, self.now) - start
        age = (as_instant(self.months[0]) - as_instant(month)).days / 30
        share_of_month = elapsed / (end - start)
        count = max(0, round((self.per_month / (place + 1) + self._random.randint(-2, 3) - 0.3 * age) * share_of_month))
        return [self._pull_request(repository, start, elapsed, age) for _ in range(count)]

    def _pull_request(self, repository: str, start: datetime, elapsed: timedelta, age: float) -> PullRequest:
        pick = self._random
        self._numbers[repository] += 1
        number = self._numbers[repository]
        title, _, _ = pick.choice(TITLES)
        author, reviewer = pick.sample(PEOPLE, 2)
        merged_at = start + elapsed * pick.random()
        hours = max(0.2, pick.lognormvariate(2.6 + 0.06 * age, 1.1))
        created_at = merged_at - timedelta(hours=hours)
        first_review_at = created_at + timedelta(hours=hours * pick.uniform(0.1, 0.7))
        is_merged = pick.random() > 0.12
        is_assisted = pick.random() < max(0.05, 0.46 - 0.03 * age)
        lines = round(pick.lognormvariate(4.1, 1.2))
        trailer = f"\n\n{pick.choice(TOOLS)[2]}" if is_assisted else ""
        commit = make_commit(
            oid=f"{repository}{number}",
            message=f"{title}{trailer}",
            authored_at=created_at - timedelta(hours=pick.uniform(0.5, 20)),
        )
        review = make_review(review_id=f"{repository}{number}", reviewer_login=reviewer, submitted_at=first_review_at)
        return make_pull_request(
            repository=repository,
            number=number,
            node_id=f"PR_{repository}_{number}",
            title=title,
            body="",
            author_login=author,
            state="MERGED" if is_merged else "CLOSED",
            created_at=created_at,
            updated_at=merged_at,
            merged_at=merged_at if is_merged else None,
            closed_at=merged_at,
            first_commit_at=commit.authored_at,
            additions=lines,
            deletions=lines // 3,
            commits=(commit,),
            reviews=(review,) if pick.random() > 0.12 else (),
            files=(make_file(path=f"src/part_{number % 9}.py", additions=lines, deletions=lines // 3),),
        )

    def _store(self, tx: Transaction, repository: str, month: date, pull_requests: list[PullRequest]) -> None:
        upsert_pull_requests(tx, self.team_id, pull_requests)
        for one in pull_requests:
            self._tag(tx, one)
            self._classify(tx, one)
        self._set_month(tx, repository, month, "completed", len(pull_requests), len(pull_requests), None)
        tx.execute(
            """update tracked_repositories set sync_status = 'syncing',
                sync_started_at = coalesce(sync_started_at, now()),
                sync_prs_completed = sync_prs_completed + %(count)s,
                sync_prs_total = coalesce(sync_prs_total, 0) + %(count)s,
                sync_progress = 100 * (select count(*) from repository_months m where m.team_id = %(team_id)s
                    and m.repository = %(repository)s and m.status = 'completed') / %(months)s
            where team_id = %(team_id)s and repository = %(repository)s""",
            {
                "count": len(pull_requests),
                "team_id": self.team_id,
                "repository": repository,
                "months": len(self.months),
            },
        )

    def _tag(self, tx: Transaction, one: PullRequest) -> None:
        for tool, signature, trailer in TOOLS:
            if trailer in one.commits[0].message:
                tx.execute(
                    """insert into ai_evidence
                    values (%s, %s, %s, %s, 'commit_trailer', 0, %s, 'author', 'exact', %s, 'r1')
                    on conflict do nothing""",
                    [self.team_id, one.repository, one.number, signature, tool, trailer],
                )

    def _classify(self, tx: Transaction, one: PullRequest) -> None:
        kind, text = next((kind, text) for title, kind, text in TITLES if title == one.title)
        is_assisted = "Co-" in one.commits[0].message
        summary = {
            "ai": {"is_assisted": is_assisted, "tools": [], "usage_type": "authored", "confidence": 0.9},
            "tech": {"languages": ["Python"], "frameworks": [], "categories": ["backend"]},
            "summary": {"title": one.title, "description": text, "type": kind},
            "health": {"review_friction": "low", "scope": "small", "risk_level": "low", "insights": []},
        }
        tx.execute(
            """insert into llm_classifications (team_id, repository, number, status, is_ai_assisted, usage_type,
                confidence, summary_title, summary_type, llm_summary, model, classified_at)
            values (%s, %s, %s, 'classified', %s, 'none', 0.9, %s, %s, %s, 'openai/gpt-oss-20b', now())
            on conflict do nothing""",
            [self.team_id, one.repository, one.number, is_assisted, one.title, kind, Json(summary)],
        )

    def _fail(self, tx: Transaction, repository: str, month: date) -> None:
        error = f"{repository}: not found, or the token has no access to it."
        remedy = "Check the repository's name and the token's access to it, then run `historical-sync retry TEAM`."
        self._set_month(tx, repository, month, "failed", None, None, error)
        tx.execute(
            """update tracked_repositories set sync_status = 'failed', sync_error = %s, sync_remedy = %s
            where team_id = %s and repository = %s""",
            [error, remedy, self.team_id, repository],
        )

    def _set_month(
        self,
        tx: Transaction,
        repository: str,
        month: date,
        status: str,
        expected: int | None,
        stored: int | None,
        error: str | None,
    ) -> None:
        tx.execute(
            """insert into repository_months (team_id, repository, month, status, expected, stored, error, attempts,
                attempted_at, completed_at, complete_as_of)
            values (%(team_id)s, %(repository)s, %(month)s, %(status)s, %(expected)s, %(stored)s, %(error)s, 1, now(),
                case when %(status)s = 'completed' then now() end,
                case when %(status)s = 'completed' then %(now)s::timestamptz end)
            on conflict (team_id, repository, month) do update set status = excluded.status,
                expected = excluded.expected, stored = excluded.stored, error = excluded.error,
                completed_at = excluded.completed_at, complete_as_of = excluded.complete_as_of""",
            {
                "team_id": self.team_id,
                "repository": repository,
                "month": month,
                "status": status,
                "expected": expected,
                "stored": stored,
                "error": error,
                "now": self.now,
            },
        )

    def add_batches(self, done: int, total: int) -> None:
        """`total` LLM batches of which `done` are finished."""
        with self.warehouse.transaction() as tx:
            for index in range(total):
                tx.execute(
                    """insert into llm_batches (batch_id, team_id, month, status, digest, model, prompt_version,
                        cost_usd, submitted_at, finished_at)
                    values (%s, %s, %s, %s, 'd', 'openai/gpt-oss-20b', 'p1', 0.0123, now(),
                        case when %s then now() end)
                    on conflict (batch_id) do update set finished_at = excluded.finished_at""",
                    [
                        f"{self.team_id}-{index}",
                        self.team_id,
                        add_months(self.months[0], -index % len(self.months)),
                        "completed" if index < done else "in_progress",
                        index < done,
                    ],
                )
