"""What scenarios stand on: a PostgreSQL of their own, a sandbox that keeps the requests, work done in another process.

CPU and memory are those of the working process alone; the sandbox runs in this one, PostgreSQL in its own.
"""

from __future__ import annotations

import atexit
import json
import os
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from datetime import UTC, date, datetime
from functools import cache
from pathlib import Path
from typing import Any

import psycopg2
import requests

from historical_sync.sandbox.github.pace import Pace
from historical_sync.sandbox.server import Sandbox
from historical_sync.warehouse.embedded import EmbeddedPostgres
from historical_sync.warehouse.postgres import Warehouse
from historical_sync.warehouse.registry import add_team
from historical_sync.warehouse.schema import migrate
from historical_sync.window import months_wanted

TEAM = "bench"
NOW = datetime(2026, 9, 30, 23, tzinfo=UTC)
"""The end of every generated history: the last hour of a month, so that a month may hold all of it."""

LATENCY = Pace(base_seconds=0.05, per_hydrated_seconds=0.009, per_row_seconds=0.001)
"""A tenth of real GitHub's time per pull request: slow enough to hide work behind, quick enough to measure often."""

WITHOUT_FSYNC = {"fsync": "off", "max_connections": "200"}


@contextmanager
def server(*, durable: bool = False) -> Iterator[EmbeddedPostgres]:
    """A PostgreSQL server of its own in a folder that goes away; without fsync unless `durable`."""
    with tempfile.TemporaryDirectory(prefix="hs_bench_") as folder:
        settings = {"max_connections": "200"} if durable else WITHOUT_FSYNC
        postgres = EmbeddedPostgres(Path(folder) / "postgres", settings=settings)
        postgres.start()
        try:
            yield postgres
        finally:
            postgres.stop()


@cache
def _shared_server() -> EmbeddedPostgres:
    """One server for all databases of this process, with a migrated one to copy; it ends with the process."""
    stack = ExitStack()
    postgres = stack.enter_context(server())
    atexit.register(stack.close)
    run_sql(postgres.url(), "create database migrated")
    migrate(postgres.url("migrated"))
    return postgres


@contextmanager
def database() -> Iterator[str]:
    """The URL of a fresh, migrated database."""
    postgres, name = _shared_server(), f"bench_{uuid.uuid4().hex[:12]}"
    run_sql(postgres.url(), f"create database {name} template migrated strategy file_copy")
    try:
        yield postgres.url(name)
    finally:
        run_sql(postgres.url(), f"drop database {name} with (force)")


def postmaster() -> int:
    """The process id of that server."""
    return int((_shared_server().data / "postmaster.pid").read_text().split()[0])


def run_sql(url: str, statement: str) -> None:
    """Run a statement outside any transaction."""
    connection = psycopg2.connect(url)
    connection.autocommit = True
    with connection.cursor() as cursor:
        cursor.execute(statement)
    connection.close()


class RecordingSandbox(Sandbox):
    """Keeps the bodies of the requests to GitHub, for a bare loop to send again."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.bodies: list[bytes] = []
        self.github.identities.limit = 10_000_000

    def app(self) -> Any:
        inner = super().app()

        async def recording(scope: Any, receive: Any, send: Any) -> None:
            parts: list[bytes] = []

            async def listen() -> Any:
                message = await receive()
                parts.append(message.get("body", b""))
                return message

            await inner(scope, listen, send)
            if scope.get("path") == "/graphql":
                self.bodies.append(b"".join(parts))

        return recording


def bare_loop(sandbox: Sandbox, bodies: Sequence[bytes]) -> float:
    """Wall seconds of sending these bodies to GitHub one after the other on one connection, reading nothing."""
    began = time.perf_counter()
    with requests.Session() as session:
        session.headers["Authorization"] = "Bearer bench"
        for body in bodies:
            session.post(f"{sandbox.github_url}/graphql", data=body, timeout=60).raise_for_status()
    return time.perf_counter() - began


def register(url: str, repositories: Sequence[str], months: int, team_id: str = TEAM) -> None:
    """Add the team with so many month partitions."""
    warehouse = Warehouse(url)
    with warehouse.transaction() as tx:
        add_team(tx, team_id, repositories, history_months=months - 1)
    warehouse.close()


def wanted(months: int) -> list[date]:
    """The newest month partitions, newest first."""
    return months_wanted(NOW, months - 1)


def environment(sandbox: Sandbox, url: str) -> dict[str, str]:
    """What points a process at this sandbox and this database."""
    return {
        **{name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"},
        "GITHUB_TOKEN": "bench",
        "GITHUB_TOKENS": "",
        "GITHUB_API_URL": sandbox.github_url,
        "GROQ_API_KEY": "bench",
        "GROQ_BASE_URL": sandbox.groq_url,
        "HISTORICAL_SYNC_DATABASE_URL": url,
    }


def work(sandbox: Sandbox, url: str, stage: str, months: int, team_id: str = TEAM) -> dict[str, float]:
    """Do one stage of the newest months in another process; its `wall_seconds`, `cpu_seconds`, `peak_mebibytes`."""
    finished = subprocess.run(
        [sys.executable, "-m", "bench.worker", stage, team_id, NOW.isoformat(), *map(str, wanted(months))],
        env=environment(sandbox, url),
        cwd=Path(__file__).parent.parent,
        stdout=subprocess.PIPE,
        check=True,
        timeout=3600,
    )
    measured: dict[str, float] = json.loads(finished.stdout.splitlines()[-1])
    return measured
