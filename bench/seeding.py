"""Loaded teams by SQL alone: rows as the pipeline would leave them, made as fast as PostgreSQL can copy them.

Teams are named `team-1` … and each has the same shape: so many repositories, so many pull requests in each of them and
month. Trends are computed for one team; those of the team as a whole (not of each repository) are copied to the others.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime

from historical_sync.trends.publication import publish_month
from historical_sync.warehouse.postgres import Warehouse
from historical_sync.window import months_wanted

MODEL = "team-1"


@dataclass(frozen=True)
class Shape:
    """How large each team is: per repository and month so many pull requests."""

    teams: int
    repositories: int = 3
    per_month: int = 25
    months: int = 13
    has_trends: bool = True

    @property
    def pull_requests(self) -> int:
        """Of all teams together."""
        return self.teams * self.repositories * self.per_month * self.months


def fill(warehouse: Warehouse, shape: Shape, now: datetime | None = None) -> list[date]:
    """Make the teams, complete and published; returns their months, newest first."""
    now = now or datetime.now(UTC)
    months = months_wanted(now, shape.months - 1)
    sizes = {"teams": shape.teams, "repositories": shape.repositories, "per_month": shape.per_month, "months": months}
    with warehouse.transaction() as tx:
        tx.execute("set local session_replication_role = replica")  # no foreign keys to look up for each row
        tx.execute(TEAMS, sizes)
        tx.execute(PULL_REQUESTS, sizes | {"now": now})
    with warehouse.transaction() as tx:
        tx.execute("analyze")
    if shape.has_trends:
        _fill_trends(warehouse, shape, months, now)
    return months


def _fill_trends(warehouse: Warehouse, shape: Shape, months: list[date], now: datetime) -> None:
    for month in months:
        publish_month(warehouse, MODEL, month, now=now)
    with warehouse.transaction() as tx:
        tx.execute("set local session_replication_role = replica")
        for table in ("monthly_trends", "metric_trends"):
            tx.execute(_copied(tx, table), {"teams": shape.teams, "model": MODEL})
    with warehouse.transaction() as tx:
        tx.execute("analyze")


def _copied(tx: object, table: str) -> str:
    columns = tx.value(  # type: ignore[attr-defined]
        "select string_agg(column_name, ', ' order by ordinal_position) from information_schema.columns "
        "where table_schema = 'historical_sync' and table_name = %s and column_name <> 'team_id'",
        [table],
    )
    return f"""
        insert into {table} (team_id, {columns})
        select 'team-' || i, {columns} from {table}, generate_series(2, %(teams)s) i
        where team_id = %(model)s and repository = '*'
    """


TEAMS = """
insert into teams (team_id, history_months, onboarding_started_at, onboarded_at)
select 'team-' || i, cardinality(%(months)s::date[]) - 1, now() - interval '1 day', now() - interval '23 hours'
from generate_series(1, %(teams)s) i;
insert into tracked_repositories (team_id, repository, recent_prs, sync_status, sync_progress, sync_prs_total,
    sync_prs_completed, added_at)
select team_id, 'acme/repository-' || r, 100 - r, 'completed', 100, %(per_month)s * cardinality(%(months)s::date[]),
    %(per_month)s * cardinality(%(months)s::date[]), now() - interval '1 day'
from teams, generate_series(0, %(repositories)s - 1) r;
insert into repository_months (team_id, repository, month, expected, stored, status, complete_as_of, completed_at)
select team_id, repository, month, %(per_month)s, %(per_month)s, 'completed', now(), now() - interval '22 hours'
from tracked_repositories, unnest(%(months)s::date[]) month;
insert into team_months (team_id, month, attempts, attempted_at, published_at)
select team_id, month, 0, now() - interval '22 hours', now() - interval '21 hours'
from teams, unnest(%(months)s::date[]) month;
insert into repository_walks (team_id, repository, kind, started_at, frontier, is_at_end, walked_at, finished_at)
select team_id, repository, kind, now() - interval '23 hours', '2020-01-01', true, now() - interval '1 hour',
    now() - interval '1 hour'
from tracked_repositories, unnest(array['history', 'look', 'full']) kind
"""

PULL_REQUESTS = """
create temp table made on commit drop as
select team_id, repository, (row_number() over (partition by team_id, repository order by month))::int as number,
    least(month + random() * interval '27 days', %(now)s) as merged_at, 1 + 40 * -ln(1 - random()) as hours
from tracked_repositories, unnest(%(months)s::timestamptz[]) month, generate_series(1, %(per_month)s);
insert into pull_requests (team_id, repository, number, node_id, title, body, author_login, author_type, state,
    is_draft, created_at, updated_at, merged_at, closed_at, first_commit_at, additions, deletions, changed_files,
    head_ref, base_ref, commit_count, review_count, file_count, comment_count)
select team_id, repository, number, 'PR_' || team_id || repository || number, 'Change ' || number, repeat('words ', 30),
    'user-' || number %% 12, 'User', 'MERGED', false, merged_at - interval '1 hour' * hours, merged_at, merged_at,
    merged_at, merged_at - interval '1 hour' * (hours + number %% 50), number %% 700, number %% 90, 3, 'change', 'main',
    3, 1, 3, 0
from made;
insert into pull_request_index (team_id, repository, number, node_id, state, created_at, updated_at, merged_at,
    closed_at, seen_at)
select team_id, repository, number, node_id, state, created_at, updated_at, merged_at, closed_at, now()
from pull_requests;
insert into pull_request_reviews (team_id, repository, number, review_id, position, reviewer_login, reviewer_type,
    state, submitted_at, body)
select team_id, repository, number, 'R' || number, 0, 'user-' || (number + 1) %% 12, 'User', 'APPROVED',
    created_at + (merged_at - created_at) * 0.6, ''
from pull_requests where number %% 8 <> 0;
insert into ai_evidence (team_id, repository, number, signature_id, source, position, tool, role, strength, quote,
    ruleset_version)
select team_id, repository, number, 'trailer', 'commit_trailer', 0,
    (array['claude', 'cursor', 'copilot'])[1 + number %% 3], 'author', 'exact', 'Co-authored-by', 'v1'
from pull_requests where number %% 3 = 0;
insert into llm_classifications (team_id, repository, number, status, is_ai_assisted, tools, usage_type, confidence,
    summary_type, llm_summary)
select team_id, repository, number, 'classified', number %% 3 = 0, '{}', 'none', 0.9,
    (array['feature', 'bugfix', 'docs', 'chore'])[1 + number %% 4],
    jsonb_build_object('tech', jsonb_build_object('languages',
        jsonb_build_array((array['python', 'go', 'sql'])[1 + number %% 3]), 'frameworks', '[]'::jsonb))
from pull_requests
"""
