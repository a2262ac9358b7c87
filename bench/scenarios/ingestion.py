"""Ingestion's wall time beside a bare loop of the same requests, and what it asks of GitHub, exactly.

The target leaves 15 % for everything that cannot be hidden behind the network.
"""

from __future__ import annotations

from bench.ground import LATENCY, NOW, RecordingSandbox, bare_loop, database, register, work
from bench.rows import Row, count
from historical_sync.sandbox import scenario
from historical_sync.warehouse.postgres import Warehouse

TITLE = "Ingestion"


def run(rounds: int, quick: bool) -> list[Row]:
    """Wall time in one month partition, then the requests of a whole history."""
    return [*overlap(60 if quick else 600, rounds), *requests_of(*((300, 3) if quick else (20_000, 50)))]


def overlap(pull_requests: int, rounds: int) -> list[Row]:
    """One stream, a latency per pull request: ours, then the same bodies sent again by a bare loop, each round anew."""
    ours, bare, bodies = [], [], 0
    for _ in range(rounds):
        world = scenario.scale(pull_requests, 1, months=0.9, now=NOW)
        with database() as url, RecordingSandbox(world, latency=LATENCY) as sandbox:
            register(url, list(world.repositories), 1)
            ours.append(work(sandbox, url, "ingest", 1)["wall_seconds"])
            sent = list(sandbox.bodies)
            bare.append(bare_loop(sandbox, sent))
            bodies = len(sent)
    return [
        Row(f"{pull_requests:,} pull requests, one stream", "s", tuple(ours), tuple(bare), "bare loop", 1.15),
        count("its requests", bodies),
    ]


def requests_of(pull_requests: int, repositories: int) -> list[Row]:
    """Thirteen months of many repositories, without latency: the index in pages of 100, hydration in pages of 24."""
    world = scenario.scale(pull_requests, repositories, months=12.9, now=NOW)
    with database() as url, RecordingSandbox(world) as sandbox:
        register(url, list(world.repositories), 13)
        work(sandbox, url, "ingest", 13)
        warehouse = Warehouse(url)
        with warehouse.transaction() as tx:
            rows = tx.value("select count(*) from pull_requests")
        warehouse.close()
        name = f"{rows:,} pull requests of {repositories} repositories in 13 partitions:"
        return [
            count(f"{name} requests", sandbox.requests.graphql_requests),
            count(f"{name} points", sandbox.requests.points),
            Row(f"{name} points for 1,000", "", (1000 * sandbox.requests.points / rows,), is_exact=True),
        ]
