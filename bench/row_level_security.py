"""What row-level security costs a query of the page: the same reads as the owner and as the page's role.

python bench/row_level_security.py [--teams 200] [--rounds 300]
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from historical_sync.warehouse.access import team_transaction
from historical_sync.warehouse.embedded import EmbeddedPostgres
from historical_sync.warehouse.postgres import Transaction, Warehouse
from historical_sync.warehouse.schema import migrate

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
where team_id = 'team-7' and metric = 'metric_3' and segment = '*' and repository = '*' order by month
"""


def median_milliseconds(rounds: int, read: Callable[[], object]) -> float:
    taken = []
    for _ in range(rounds):
        start = time.perf_counter()
        read()
        taken.append(1000 * (time.perf_counter() - start))
    return statistics.median(taken)


def measure(warehouse: Warehouse, rounds: int) -> tuple[float, float]:
    """Milliseconds of the read itself: as the owner, and as the page's role with its team set."""

    def read(tx: Transaction) -> float:
        return median_milliseconds(rounds, lambda: tx.rows(READ))

    with warehouse.transaction() as tx:
        plain = read(tx)
    with team_transaction(warehouse, "team-7") as tx:
        return plain, read(tx)


def run(teams: int, rounds: int) -> None:
    with tempfile.TemporaryDirectory(prefix="hs_bench_") as folder:
        server = EmbeddedPostgres(Path(folder) / "postgres", settings={"fsync": "off"})
        server.start()
        try:
            migrate(server.url())
            warehouse = Warehouse(server.url())
            with warehouse.transaction() as tx:
                tx.execute(FILL, {"teams": teams})
            plain, protected = measure(warehouse, rounds)
            print(
                f"owner {plain:.2f} ms, page's role {protected:.2f} ms, row-level security {protected - plain:.2f} ms"
            )
        finally:
            server.stop()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--teams", type=int, default=200)
    parser.add_argument("--rounds", type=int, default=300)
    arguments = parser.parse_args()
    run(arguments.teams, arguments.rounds)
