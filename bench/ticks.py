"""What a tick of the onboarding sensor costs with many teams: the query of due months, and the whole tick.

python bench/ticks.py [--teams 1000] [--months 12]
"""

from __future__ import annotations

import argparse
import os
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path

import dagster as dg
from dagster._core.execution.backfill import BulkActionStatus

from historical_sync.orchestration.home import open_instance
from historical_sync.orchestration.sensors import MOST_OPEN_BACKFILLS
from historical_sync.settings import Settings
from historical_sync.warehouse import operations
from historical_sync.warehouse.address import dagster_url
from historical_sync.warehouse.embedded import EmbeddedPostgres
from historical_sync.warehouse.postgres import Transaction
from historical_sync.warehouse.schema import migrate
from historical_sync_tests.orchestration.ticking import PipelineAt, tick

NOW = datetime(2025, 12, 25, 10, tzinfo=UTC)
FIRST_MONTH = date(2024, 1, 1)

REGISTER = """
insert into teams (team_id, history_months) select 'team-' || n, %(months)s from generate_series(1, %(teams)s) n;
insert into tracked_repositories (team_id, repository) select team_id, 'o/' || r from teams, generate_series(1, 3) r
"""
LOAD = """
insert into repository_months (team_id, repository, month, expected, stored, status, completed_at)
select team_id, repository, month::date, 1, 1, 'completed', %(now)s
from tracked_repositories, generate_series(
    date_trunc('month', %(now)s) - make_interval(months => %(months)s), date_trunc('month', %(now)s), interval '1 month'
) month on conflict do nothing;
insert into team_months (team_id, month, published_at)
select distinct team_id, month, %(now)s::timestamptz from repository_months on conflict do nothing
"""


@dataclass(frozen=True)
class Cost:
    """Seconds: of the query alone, and of a whole tick."""

    query: float
    tick: float


@contextmanager
def installation(teams: int, months: int) -> Iterator[tuple[PipelineAt, dg.DagsterInstance]]:
    """A database with so many teams of three repositories, nothing loaded, and Dagster's own storage beside it."""
    with tempfile.TemporaryDirectory(prefix="hs_bench_") as folder:
        server = EmbeddedPostgres(Path(folder) / "postgres", settings={"fsync": "off"})
        server.start()
        migrate(server.url())
        os.environ["HISTORICAL_SYNC_DAGSTER_URL"] = dagster_url(server.url())
        settings = Settings.from_environment(
            {"HISTORICAL_SYNC_HOME": folder, "HISTORICAL_SYNC_DATABASE_URL": server.url()}
        )
        pipeline = PipelineAt(settings, NOW)
        with pipeline.warehouse.transaction() as tx:
            tx.execute(REGISTER, {"teams": teams, "months": months})
        with open_instance(settings) as instance:
            yield pipeline, instance
        pipeline.warehouse.close()
        server.stop()


def seconds(act: Callable[[], object], rounds: int) -> float:
    """The median of some rounds."""
    taken = []
    for _ in range(rounds):
        start = time.perf_counter()
        act()
        taken.append(time.perf_counter() - start)
    return statistics.median(taken)


def due(tx: Transaction) -> int:
    return len(operations.months_due(tx, now=NOW, first_month=FIRST_MONTH))


def measure(pipeline: PipelineAt, instance: dg.DagsterInstance, *, rounds: int) -> Cost:
    """The query and the tick as things stand."""
    with pipeline.warehouse.transaction() as tx:
        query = seconds(lambda: due(tx), rounds)
    return Cost(query, seconds(lambda: tick("onboard_teams", instance, pipeline), rounds))


def load(pipeline: PipelineAt, months: int) -> None:
    """The newest month, and so many before it, are complete for every team."""
    with pipeline.warehouse.transaction() as tx:
        tx.execute(LOAD, {"now": NOW, "months": months})
        tx.execute("analyze")


def run(teams: int, months: int) -> dict[str, Cost]:
    """One tick with all teams new; ticks with newest months loaded and backfills open; ticks with all of it loaded."""
    found = {}
    with installation(teams, months) as (pipeline, instance):
        found["all new"] = measure(pipeline, instance, rounds=1)
        load(pipeline, 0)
        while len(instance.get_backfills()) < min(teams, MOST_OPEN_BACKFILLS):
            tick("onboard_teams", instance, pipeline)
        found["in backfills"] = measure(pipeline, instance, rounds=5)
        load(pipeline, months)
        for backfill in instance.get_backfills():
            instance.update_backfill(backfill.with_status(BulkActionStatus.COMPLETED_SUCCESS))  # type: ignore[no-untyped-call]
        found["all loaded"] = measure(pipeline, instance, rounds=5)
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--teams", type=int, default=1000)
    parser.add_argument("--months", type=int, default=12)
    options = parser.parse_args()
    for state, cost in run(options.teams, options.months).items():
        print(f"{options.teams} teams × {options.months + 1} months, {state}: ", end="")
        print(f"query {cost.query * 1000:.0f} ms, whole tick {cost.tick * 1000:.0f} ms")


if __name__ == "__main__":
    main()
