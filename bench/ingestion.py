"""What ingestion costs: points, requests, CPU seconds and peak memory, beside what other tools' designs would cost.

    python -m bench.ingestion [--out docs/benchmarks/ingestion.md] [--quick]

A sandbox GitHub runs in this process and the ingestion in another, so that CPU and memory are the ingestion's own.
Requests and points are counted by the server and are exact; seconds depend on the machine.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import requests

from historical_sync.sandbox import scenario
from historical_sync.sandbox.github.cost import Price
from historical_sync.sandbox.github.pace import Pace
from historical_sync.sandbox.server import Sandbox
from historical_sync.warehouse.embedded import EmbeddedPostgres
from historical_sync.warehouse.postgres import Warehouse
from historical_sync.warehouse.registry import add_team
from historical_sync.warehouse.schema import migrate
from historical_sync.window import months_wanted

WORKER = """
import json, re, sys, time
from datetime import date, datetime
from pathlib import Path
from historical_sync.github.ingestion import connect, ingest_month
from historical_sync.settings import Settings
from historical_sync.warehouse.postgres import Warehouse
from historical_sync.warehouse.registry import read_team

settings = Settings.from_environment()
warehouse = Warehouse(settings.database_url)
with warehouse.transaction() as tx:
    team = read_team(tx, "bench")
client = connect(settings, warehouse, team)
now = datetime.fromisoformat(sys.argv[1])
began, cpu = time.perf_counter(), time.process_time()
statuses = set()
for month in sys.argv[2:]:
    done = ingest_month(warehouse, client, team, date.fromisoformat(month), now=now)
    statuses |= {one.status for one in done.repositories}
assert statuses == {"completed"}, statuses
print(json.dumps({
    "wall_seconds": time.perf_counter() - began,
    "cpu_seconds": time.process_time() - cpu,
    "peak_mebibytes": int(re.search(r"VmHWM:\\s+(\\d+)", Path("/proc/self/status").read_text())[1]) / 1024,
}))
"""
# VmHWM, since `ru_maxrss` of a child begins with what its parent had when it was forked.

LATENCY = Pace(base_seconds=0.05, per_hydrated_seconds=0.009, per_row_seconds=0.001)
"""A tenth of real GitHub's time per pull request: slow enough to hide work behind, quick enough to measure often."""


@dataclass(frozen=True)
class Cost:
    """What one ingestion cost. `rows` are pull requests stored."""

    pull_requests: int
    repositories: int
    months: int
    rows: int
    requests: int
    points: int
    overflow_pages: int
    cpu_seconds: float
    wall_seconds: float
    peak_mebibytes: float


class RecordingSandbox(Sandbox):
    """Keeps the bodies of the GraphQL requests, for a bare loop to send again."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.bodies: list[bytes] = []

    def app(self) -> Any:
        inner = super().app()

        async def recording(scope: Any, receive: Any, send: Any) -> None:
            parts: list[bytes] = []

            async def listen() -> Any:
                message = await receive()
                parts.append(message.get("body", b""))
                return message

            await inner(scope, listen, send)
            self.bodies.append(b"".join(parts))

        return recording


@contextmanager
def database() -> Iterator[str]:
    """A fresh, migrated database on a server of its own, without fsync."""
    with tempfile.TemporaryDirectory(prefix="hs_bench_") as folder:
        server = EmbeddedPostgres(Path(folder) / "postgres", settings={"fsync": "off"})
        server.start()
        try:
            migrate(server.url())
            yield server.url()
        finally:
            server.stop()


def ingest(sandbox: Sandbox, url: str, months: int, now: datetime) -> dict[str, float]:
    """Ingest these newest months in another process; returns what it measured of itself."""
    environment = {
        **os.environ,
        "GITHUB_TOKEN": "bench",
        "GITHUB_API_URL": sandbox.github_url,
        "HISTORICAL_SYNC_DATABASE_URL": url,
    }
    arguments = [str(month) for month in months_wanted(now, months - 1)]
    finished = subprocess.run(
        [sys.executable, "-c", WORKER, now.isoformat(), *arguments],
        env=environment,
        stdout=subprocess.PIPE,
        check=True,
    )
    measured: dict[str, float] = json.loads(finished.stdout)
    return measured


def measure(pull_requests: int, repositories: int, months: int, story_months: float) -> Cost:
    """One ingestion of a generated history of `story_months`, with `months` partitions."""
    now = datetime(2026, 9, 30, 23, tzinfo=UTC)
    world = scenario.scale(pull_requests, repositories, months=story_months, now=now)  # type: ignore[arg-type]
    with database() as url, Sandbox(world) as sandbox:
        sandbox.github.identities.limit = 1_000_000
        warehouse = Warehouse(url)
        with warehouse.transaction() as tx:
            add_team(tx, "bench", list(world.repositories), history_months=months - 1)
        measured = ingest(sandbox, url, months, now)
        with warehouse.transaction() as tx:
            rows = tx.value("select count(*) from pull_requests")
            overflow = tx.value(
                """
                select sum(greatest(0, (file_count - 1) / 100) + greatest(0, (commit_count - 1) / 100)
                    + greatest(0, (review_count - 1) / 100))::int from pull_requests
                """
            )
        warehouse.close()
        return Cost(
            pull_requests,
            repositories,
            months,
            rows,
            sandbox.requests.graphql_requests,
            sandbox.requests.points,
            overflow,
            measured["cpu_seconds"],
            measured["wall_seconds"],
            measured["peak_mebibytes"],
        )


def overlap(pull_requests: int, runs: int) -> tuple[list[float], list[float], int]:
    """Wall seconds of ingestions, and of bare loops that send the same requests and read nothing; and their number."""
    now = datetime(2026, 9, 30, 23, tzinfo=UTC)
    ours, bare, count = [], [], 0
    for _ in range(runs):
        world = scenario.scale(pull_requests, 1, months=1, now=now)
        with database() as url, RecordingSandbox(world, latency=LATENCY) as sandbox:
            warehouse = Warehouse(url)
            with warehouse.transaction() as tx:
                add_team(tx, "bench", list(world.repositories), history_months=1)
            ours.append(ingest(sandbox, url, 2, now)["wall_seconds"])
            warehouse.close()
            bodies, count = list(sandbox.bodies), len(sandbox.bodies)
            bare.append(bare_loop(f"{sandbox.github_url}/graphql", bodies))
    return ours, bare, count


def bare_loop(url: str, bodies: Sequence[bytes]) -> float:
    """Send the bodies one after the other on one connection."""
    began = time.perf_counter()
    with requests.Session() as session:
        for body in bodies:
            session.post(url, data=body, headers={"Authorization": "Bearer bench"}, timeout=60).content  # noqa: B018
    return time.perf_counter() - began


@dataclass(frozen=True)
class Design:
    """Another tool's documented way: GraphQL pages of so many with so many lists, REST requests per pull request."""

    name: str
    page: int
    lists: int
    queries_per_page: int = 1
    rest_per_pull_request: int = 0
    rest_page: int = 0
    graphql_per_pull_request: int = 0
    remark: str = ""

    def cost(self, count: int) -> tuple[int, int]:
        """Requests and GraphQL points for `count` pull requests, by GitHub's formula as the sandbox charges it."""
        pages = -(-count // self.page) * self.queries_per_page if self.page else 0
        rest = (-(-count // self.rest_page) if self.rest_page else 0) + count * self.rest_per_pull_request
        single = count * self.graphql_per_pull_request
        return pages + rest + single, pages * Price(requests=1 + self.page * self.lists).points + single


DESIGNS = (
    Design("page 10 with six lists (this project's predecessor)", 10, 6, remark="lists cut at 25 or 50"),
    Design("Airbyte source-github", 10, 2, queries_per_page=3, rest_per_pull_request=1, remark="no files"),
    Design("DevLake github_graphql", 10, 5, remark="commits cut at 100; files by cloning"),
    Design("Augur", 0, 0, rest_page=100, rest_per_pull_request=2, graphql_per_pull_request=1),
    Design("Perceval (GrimoireLab)", 0, 0, rest_page=100, rest_per_pull_request=3, remark="no files"),
    Design("Singer tap-github", 0, 0, rest_page=100, rest_per_pull_request=3, remark="files as a raw diff"),
)


def report(costs: Sequence[Cost], walls: tuple[list[float], list[float], int], story: Cost) -> str:
    """The Markdown fragment."""
    lines = ["## Ingestion", "", "`python -m bench.ingestion`, sandbox without latency, one token, one stream.", ""]
    lines += [
        "| pull requests | repositories | partitions | requests | points | of these for lists over 100 |"
        " points per 1,000 | CPU s per 1,000 | peak MiB |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    for cost in costs:
        per = 1000 / cost.rows
        lines.append(
            f"| {cost.rows:,} | {cost.repositories} | {cost.months} | {cost.requests:,} | {cost.points:,} |"
            f" ≤ {cost.overflow_pages:,} pages | {cost.points * per:.1f} | {cost.cpu_seconds * per:.2f} |"
            f" {cost.peak_mebibytes:.1f} |"
        )
    ours, bare, count = walls
    ratio = statistics.median(ours) / statistics.median(bare)
    lines += [
        "",
        f"Peak memory, {costs[1].rows:,} against {costs[0].rows:,} in one partition:"
        f" × {costs[1].peak_mebibytes / costs[0].peak_mebibytes:.2f}.",
        "",
        f"Wall time with the latency of `LATENCY` (medians of {len(ours)}): {statistics.median(ours):.2f} s for {count}"
        f" requests; a bare loop of the same requests {statistics.median(bare):.2f} s: × {ratio:.2f}.",
        "",
        f"The same {story.rows:,} pull requests by other documented designs (arithmetic of their sources, by GitHub's"
        " formula; overflow pages not counted for them):",
        "",
        "| design | requests | GraphQL points | what is missing |",
        "|---|---|---|---|",
        f"| **historical_sync** (measured) | {story.requests:,} | {story.points:,} | nothing |",
    ]
    for design in DESIGNS:
        asked, points = design.cost(story.rows)
        lines.append(f"| {design.name} | {asked:,} | {points:,} | {design.remark or '–'} |")
    return "\n".join(lines) + "\n"


def main() -> None:
    """Measure and write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path)
    parser.add_argument("--quick", action="store_true", help="a tenth of the size, two runs")
    options = parser.parse_args()
    most, runs = (2_000, 2) if options.quick else (20_000, 5)
    costs = [
        measure(1_000, 1, 1, 0.9),
        measure(most, 1, 1, 0.9),
        measure(most, 50, 13, 12.9),
    ]
    text = report(costs, overlap(600, runs), costs[2])
    if options.out:
        options.out.parent.mkdir(parents=True, exist_ok=True)
        options.out.write_text(text)
    sys.stdout.write(text)


if __name__ == "__main__":
    main()
