"""Aggregation alone: a team's trends over 13 months, beside a bare statement on the same tables.

*Bare* is one statement with the same percentile columns and grouping sets, over all months at once, on the same joins:
no counts, no n, no gaps, nothing stored, no directions. *Ours* is what the pipeline does, month by month.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime
from functools import partial

from bench.ground import database
from bench.rows import Row, alternate, timed
from historical_sync.trends.metrics import METRICS, Segment
from historical_sync.trends.publication import publish_month
from historical_sync.warehouse import trends
from historical_sync.warehouse.aggregation import LIST_OF, SEGMENT_OF
from historical_sync.warehouse.postgres import Transaction, Warehouse
from historical_sync.window import months_between

TITLE = "Aggregation alone"

FIRST, LAST = date(2025, 1, 1), date(2026, 1, 1)
NOW = datetime(2026, 3, 1, tzinfo=UTC)

FILL = """
insert into teams (team_id) values ('bench');
insert into tracked_repositories (team_id, repository)
select 'bench', 'acme/repository-' || i from generate_series(0, %(repositories)s - 1) i;
insert into pull_requests (team_id, repository, number, node_id, title, body, author_login, author_type, state,
    is_draft, created_at, updated_at, merged_at, closed_at, first_commit_at, ready_at, additions, deletions,
    changed_files, head_ref, base_ref, commit_count, review_count, file_count, comment_count)
select 'bench', 'acme/repository-' || i %% %(repositories)s, i, 'PR_' || i, 'Change ' || i, repeat('words ', 60),
    'user-' || i %% 80, 'User', 'MERGED', false, created_at, merged_at, merged_at, merged_at,
    created_at - interval '1 hour' * (i %% 50), case when i %% 4 = 0 then created_at + interval '1 hour' end,
    i %% 700, i %% 90, 3, 'change-' || i, 'main', 3, 2, 3, 0
from (
    select i, created_at, created_at + interval '1 hour' * (-ln(1 - random()) * 40) as merged_at
    from (
        select i, timestamptz '2025-01-01' + random() * interval '395 days' as created_at
        from generate_series(1, %(pull_requests)s) i
    ) made
) merged;
insert into pull_request_reviews (team_id, repository, number, review_id, position, reviewer_login, reviewer_type,
    state, submitted_at, body)
select team_id, repository, number, 'R' || number || '-' || k, k, 'user-' || (number + k) %% 80, 'User',
    case when (number + k) %% 5 = 0 then 'CHANGES_REQUESTED' else 'APPROVED' end,
    created_at + (merged_at - created_at) * random(), ''
from pull_requests, generate_series(1, 2) k;
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
from pull_requests where number %% 10 <> 0;
insert into repository_months (team_id, repository, month, expected, stored, status, complete_as_of)
select 'bench', repository, month, 0, 0, 'completed', timestamptz '2026-03-01'
from tracked_repositories, generate_series(date '2025-01-01', date '2026-01-01', interval '1 month') month;
"""


def bare_statement() -> str:
    """The percentile columns and grouping sets of the table of metrics, for all months in one statement.

    The joins are made once; each kind of segment comes back as rows of month, place, segment and an array of numbers.
    """
    kinds: list[Segment] = [*SEGMENT_OF, *LIST_OF]
    parts = [_bare(None, "''"), *(_bare(kind, _segment(kind)) for kind in kinds)]
    parts.append(_bare("label", f"({SEGMENT_OF['label']}) || size_bucket", statistics=("p50",)))
    return f"with f as materialized ({JOINED}) {' union all '.join(parts)}"


JOINED = """
    select *, date_trunc('month', merged_at) as month from dashboard.pull_requests
    where team_id = 'bench' and not is_automation and merged_at is not null
"""


def _segment(kind: Segment) -> str:
    return SEGMENT_OF.get(kind, "name")


def _bare(kind: Segment | None, segment: str, statistics: tuple[str, ...] = ("p25", "p50", "p75", "p90")) -> str:
    columns = [
        f"percentile_cont(0.{one.statistic.removeprefix('p')}) within group (order by {one.value})"
        for one in METRICS
        if one.statistic in statistics and (kind is None or kind in one.segments)
    ]
    source = f"f cross join lateral unnest({LIST_OF[kind]}) as listed (name)" if kind in LIST_OF else "f"
    return f"""
        select month, repository, segment, array[{", ".join(columns)}]::float8[]
        from (select *, {segment} as segment from {source}) cut
        group by grouping sets ((month, segment), (month, repository, segment))
    """


def run(rounds: int, quick: bool) -> list[Row]:
    """Few and many repositories."""
    pull_requests, sizes = (1_000, (2,)) if quick else (100_000, (10, 50))
    return [row for repositories in sizes for row in compare(pull_requests, repositories, rounds)]


def compare(pull_requests: int, repositories: int, rounds: int) -> list[Row]:
    """Values of all months against the bare statement; then the same with the directions after each month."""
    with database() as url:
        warehouse = Warehouse(url)
        in_transaction(
            warehouse, lambda tx: tx.execute(FILL, {"pull_requests": pull_requests, "repositories": repositories})
        )
        in_transaction(warehouse, lambda tx: tx.execute("analyze"))
        bare = partial(timed, lambda: in_transaction(warehouse, lambda tx: tx.rows(bare_statement())))
        values, bare_values = alternate(rounds, partial(timed, partial(store_values, warehouse)), bare)
        whole, bare_whole = alternate(rounds, partial(timed, partial(publish, warehouse)), bare)
        warehouse.close()
    what = f"{pull_requests:,} pull requests, {repositories} repositories, 13 months:"
    return [
        Row(f"{what} values stored", "s", values, bare_values, "bare statement"),
        Row(f"{what} with directions after each month", "s", whole, bare_whole, "bare statement"),
    ]


def store_values(warehouse: Warehouse) -> None:
    """The values of each month, one transaction each."""
    for month in months_between(FIRST, LAST):
        with warehouse.transaction() as tx:
            trends.store_month(tx, "bench", month, now=NOW)


def publish(warehouse: Warehouse) -> None:
    """What the pipeline does with each month."""
    for month in months_between(FIRST, LAST):
        publish_month(warehouse, "bench", month, now=NOW)


def in_transaction(warehouse: Warehouse, work: Callable[[Transaction], object]) -> None:
    """Do something in a transaction of its own."""
    with warehouse.transaction() as tx:
        work(tx)
