"""What other teams' values are: per month, metric and size of team, from five teams on.

Only full months of teams that have all their repositories take part, and only values that rest on enough pull
requests. A team's size is its active authors of that month.

They look at every team. So among few teams they follow each month that is published; among many a published month is
only marked, and a sensor computes what is marked: a team's month must not cost more the more teams there are.
"""

from __future__ import annotations

from datetime import date
from typing import Any

from historical_sync.trends.benchmarks import LEAST_TEAMS, SIZE_BUCKETS
from historical_sync.trends.metrics import ALL, METRICS
from historical_sync.warehouse.postgres import Transaction

BUCKET = (
    "case "
    + " ".join(f"when size <= {bucket.most_authors} then '{bucket.name}'" for bucket in SIZE_BUCKETS[:-1])
    + f" else '{SIZE_BUCKETS[-1].name}' end"
)

VALUES_OF_TEAMS = f"""
    select t.team_id, t.metric, t.value, {BUCKET} as team_size_bucket
    from monthly_trends t
    join (
        select team_id, value as size from monthly_trends
        where month = %(month)s and metric = 'active_authors' and repository = '{ALL}' and segment = '{ALL}'
    ) sized using (team_id)
    where t.month = %(month)s and t.repository = '{ALL}' and t.segment = '{ALL}' and t.metric = any(%(metrics)s)
        and t.is_enough and t.is_complete and not t.is_open and t.value is not null
"""

STORE_BENCHMARKS = f"""
insert into monthly_benchmarks (month, metric, team_size_bucket, teams, p25, p50, p75, p90)
select %(month)s, metric, team_size_bucket, count(*),
    percentile_cont(0.25) within group (order by value), percentile_cont(0.5) within group (order by value),
    percentile_cont(0.75) within group (order by value), percentile_cont(0.9) within group (order by value)
from ({VALUES_OF_TEAMS}) of_teams
group by metric, team_size_bucket having count(*) >= {LEAST_TEAMS}
"""

STORE_STANDINGS = f"""
insert into team_standings (team_id, month, metric, team_size_bucket, teams, value, better_than_share)
select team_id, %(month)s, metric, team_size_bucket, teams, value,
    case
        when metric = any(%(lower)s) then (above + equal / 2.0) / (teams - 1)
        when metric = any(%(higher)s) then (teams - 1 - above - equal / 2.0) / (teams - 1)
    end
from (
    select *, count(*) over of_group as teams, rank() over (of_group order by value desc) - 1 as above,
        count(*) over (partition by metric, team_size_bucket, value) - 1 as equal
    from ({VALUES_OF_TEAMS}) of_teams
    window of_group as (partition by metric, team_size_bucket)
) ranked
where teams >= {LEAST_TEAMS}
"""
"""The share of the *other* teams of its size that a team does better than; equals count half."""


FEW_TEAMS = 50
"""Up to so many teams benchmarks cost less than the month that changed them (some five milliseconds)."""


def follow_month(tx: Transaction, month: date) -> None:
    """A team's month was published: compute its benchmarks anew among few teams, mark them as stale among many."""
    if _has_few_teams(tx, month):
        refresh_benchmarks(tx, month)
    else:
        tx.execute(
            """
            insert into benchmark_months (month, is_stale) values (%s, true)
            on conflict (month) do update set is_stale = true
            """,
            [month],
        )


def stale_months(tx: Transaction) -> list[date]:
    """The months whose benchmarks wait to be computed anew, newest first."""
    return [row["month"] for row in tx.rows("select month from benchmark_months where is_stale order by month desc")]


def _has_few_teams(tx: Transaction, month: date) -> bool:
    found: int = tx.value(
        """
        select count(*) from (
            select from monthly_trends
            where month = %s and metric = 'active_authors' and repository = %s and segment = %s limit %s
        ) counted
        """,
        [month, ALL, ALL, FEW_TEAMS + 1],
    )
    return found <= FEW_TEAMS


def refresh_benchmarks(tx: Transaction, month: date) -> int:
    """Compute a month's benchmarks and standings anew, in place of the old. Returns how many benchmarks there are.

    The mark goes first: a team that is published meanwhile waits for it and marks the month again.
    """
    tx.lock("benchmarks", month.isoformat())
    tx.execute(
        """
        insert into benchmark_months (month, is_stale, refreshed_at) values (%s, false, now())
        on conflict (month) do update set is_stale = false, refreshed_at = excluded.refreshed_at
        """,
        [month],
    )
    tx.execute("delete from monthly_benchmarks where month = %s", [month])
    tx.execute("delete from team_standings where month = %s", [month])
    parameters: dict[str, Any] = {
        "month": month,
        "metrics": [metric.name for metric in METRICS if metric.is_whole],
        "lower": [metric.name for metric in METRICS if metric.better == "lower"],
        "higher": [metric.name for metric in METRICS if metric.better == "higher"],
    }
    stored = tx.execute(STORE_BENCHMARKS, parameters)
    if stored:
        tx.execute(STORE_STANDINGS, parameters)
    return stored


def read_benchmarks(tx: Transaction, month: date) -> list[dict[str, Any]]:
    """The benchmarks of a month, for every size of team: rows of `dashboard.benchmarks`."""
    return tx.rows(
        "select * from dashboard.benchmarks where month = %s order by metric, team_size_bucket",
        [month],
    )


def read_standings(tx: Transaction, team_id: str) -> list[dict[str, Any]]:
    """Where a team stands among others of its size, newest month first: rows of `dashboard.team_standings`."""
    return tx.rows(
        "select * from dashboard.team_standings where team_id = %s order by month desc, metric",
        [team_id],
    )
