"""What row-level security costs a query of the page: the same read as the page's role and as the owner."""

from __future__ import annotations

from bench.ground import database
from bench.rows import Row, alternate, timed
from historical_sync.warehouse.access import team_transaction
from historical_sync.warehouse.postgres import Transaction, Warehouse

TITLE = "Row-level security"

READS = 100
FILL = """
insert into teams (team_id) select 'team-' || i from generate_series(1, %(teams)s) i;
insert into monthly_trends (team_id, month, repository, metric, segment, value, n, unit, is_enough, is_complete,
    computed_at, is_open, repositories, repositories_complete)
select team_id, month::date, repository, 'metric_' || m, '*', 1, 9, 'hours', true, true, now(), false, 3, 3
from teams, generate_series(date '2025-01-01', date '2026-01-01', interval '1 month') month,
    unnest(array['*', 'a/b', 'a/c', 'a/d']) repository, generate_series(1, 40) m;
analyze
"""

READ = """
select month, value, n from dashboard.monthly_trends
where team_id = 'team-3' and metric = 'metric_3' and segment = '*' and repository = '*' order by month
"""


def run(rounds: int, quick: bool) -> list[Row]:
    """Milliseconds of one read, of a hundred in a row."""
    with database() as url:
        warehouse = Warehouse(url)
        with warehouse.transaction() as tx:
            tx.execute(FILL, {"teams": 5 if quick else 200})
        as_role, as_owner = alternate(rounds, lambda: _as_role(warehouse), lambda: _as_owner(warehouse))
        warehouse.close()
    return [Row("one read of the page", "ms", as_role, as_owner, "as the owner")]


def _as_owner(warehouse: Warehouse) -> float:
    with warehouse.transaction() as tx:
        return milliseconds_a_read(tx)


def _as_role(warehouse: Warehouse) -> float:
    with team_transaction(warehouse, "team-3") as tx:
        return milliseconds_a_read(tx)


def milliseconds_a_read(tx: Transaction) -> float:
    """Of many reads in one transaction."""

    def read() -> None:
        for _ in range(READS):
            tx.rows(READ)

    return 1000 * timed(read) / READS
