"""A whole installation for measurements: loaded teams in the tables and in Dagster, and Dagster's processes."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from pathlib import Path

import dagster as dg
import psutil

from bench.ground import database
from bench.rows import timed
from bench.seeding import Shape, fill
from historical_sync.cli.services import answers, free_port
from historical_sync.orchestration.home import environment, open_instance
from historical_sync.orchestration.partitions import TEAMS, key_of
from historical_sync.sandbox.server import Sandbox
from historical_sync.sandbox.story.bulk import bulk_history
from historical_sync.settings import Settings
from historical_sync.warehouse.address import dagster_url
from historical_sync.warehouse.registry import add_team
from historical_sync_tests.orchestration.ticking import PipelineAt, requested, tick

NOW = datetime.now(UTC)
ASSETS = ("raw_pull_requests", "regex_tagged_pull_requests", "llm_classified_pull_requests", "monthly_trends")
OURS = "historical_sync.definitions"
ROOT = Path(__file__).parent.parent

EVENTS = """
insert into dagster.event_logs (run_id, event, dagster_event_type, timestamp, step_key, asset_key, partition)
select run_id, replace(event, partition, key), dagster_event_type, timestamp, step_key, asset_key, key
from dagster.event_logs, unnest(%(keys)s::text[]) key
where dagster_event_type = 'ASSET_MATERIALIZATION' and partition is not null and key <> partition
"""


class Installation:
    """Loaded teams in the tables and in Dagster's storage."""

    def __init__(self, shape: Shape, **variables: str) -> None:
        self.shape = shape
        self._given = variables
        self._stack = ExitStack()

    def __enter__(self) -> Installation:
        self.folder = folder = self._stack.enter_context(tempfile.TemporaryDirectory(prefix="hs_bench_"))
        url = self._stack.enter_context(database())
        self.variables = {**os.environ, "HISTORICAL_SYNC_HOME": folder, "HISTORICAL_SYNC_DATABASE_URL": url}
        self.variables |= {"HISTORICAL_SYNC_DAGSTER_URL": dagster_url(url), "GITHUB_TOKEN": "bench", **self._given}
        self.settings = Settings.from_environment(self.variables)
        self.pipeline = PipelineAt(self.settings, NOW)
        self._stack.enter_context(patched(HISTORICAL_SYNC_DAGSTER_URL=dagster_url(url)))
        self.instance = self._stack.enter_context(open_instance(self.settings))
        self.variables |= environment(self.settings)
        self.months = fill(self.pipeline.warehouse, self.shape, NOW)
        self._fill_dagster()
        return self

    def __exit__(self, *_: object) -> None:
        self.pipeline.warehouse.close()
        self._stack.close()

    def _fill_dagster(self) -> None:
        """Four materialisations of each (team, month), as its runs would have left them."""
        teams = [f"team-{number}" for number in range(1, self.shape.teams + 1)]
        self.instance.add_dynamic_partitions(TEAMS, teams)
        for asset in ASSETS:
            first = dg.AssetMaterialization(asset, partition=key_of(teams[0], self.months[0]))
            self.instance.report_runless_asset_event(first)
        keys = [key_of(team, month) for team in teams for month in self.months]
        with self.pipeline.warehouse.transaction() as tx:
            tx.execute(EVENTS, {"keys": keys})
            tx.execute("analyze dagster.event_logs")

    def tick(self) -> tuple[float, list[str]]:
        """Seconds of a tick of the onboarding sensor, and the partitions whose runs it asks for at once."""
        asked: list[str] = []
        seconds = timed(lambda: asked.extend(requested(tick("onboard_teams", self.instance, self.pipeline))))
        return seconds, asked

    def register(self, sandbox: Sandbox, team: str, pull_requests: int, months: int, repositories: int = 1) -> None:
        """A team with repositories of its own, and so many pull requests in all of them that the sandbox knows."""
        with sandbox.world.lock:
            bulk_history(sandbox.world, pull_requests, repositories, months - 0.5, 7, NOW, f"bench/{team}")
        names = [f"bench/{team}-{number:03}" for number in range(repositories)]
        with self.pipeline.warehouse.transaction() as tx:
            add_team(tx, team, names, history_months=months - 1)

    def published(self, teams: Sequence[str]) -> int:
        """How many months of these teams have their trends."""
        with self.pipeline.warehouse.transaction() as tx:
            found: int = tx.value(
                "select count(*) from team_months where team_id = any(%s) and published_at is not null", [list(teams)]
            )
            return found

    def workspace(self, *modules: str) -> Path:
        """A workspace file with a code location for each of these modules."""
        path = Path(self.folder) / "workspace.yaml"
        locations = [f"  - python_module: {{module_name: {one}, location_name: {one}}}\n" for one in modules]
        path.write_text("load_from:\n" + "".join(locations))
        return path

    @contextmanager
    def webserver(self) -> Iterator[int]:
        """Dagster's webserver on a free port, with its code server."""
        port = free_port()
        command = ["dagster_webserver", "--workspace", str(self.workspace(OURS)), "-h", "127.0.0.1", "-p", str(port)]
        with self._process(command) as running:
            wait_until(lambda: answers("127.0.0.1", port, "/server_info"), running, 240)
            yield port

    @contextmanager
    def daemon(self, *modules: str) -> Iterator[psutil.Process]:
        """Dagster's daemon with a code server for each of these modules."""
        with self._process(["dagster._daemon", "run", "--workspace", str(self.workspace(*modules))]) as running:
            yield psutil.Process(running.pid)

    @contextmanager
    def _process(self, arguments: Sequence[str]) -> Iterator[subprocess.Popen[bytes]]:
        with (Path(self.folder) / f"{arguments[0]}.log").open("ab") as log:
            running = subprocess.Popen(
                [sys.executable, "-m", *arguments], env=self.variables, stdout=log, stderr=log, cwd=ROOT
            )
        try:
            yield running
        finally:
            servers = psutil.Process(running.pid).children(recursive=True) if running.poll() is None else []
            running.terminate()
            running.wait(120)
            for left in psutil.wait_procs(servers, 30)[1]:  # code servers outlive a daemon that was told to end
                left.kill()


@contextmanager
def patched(**variables: str) -> Iterator[None]:
    """Set these variables of this process for a while."""
    before = {name: os.environ.get(name) for name in variables}
    os.environ.update(variables)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name)
            else:
                os.environ[name] = value


def wait_until(claim: Callable[[], object], process: subprocess.Popen[bytes] | None, seconds: float) -> float:
    """Look twenty times a second; the seconds that it took. Raises RuntimeError when it does not come true in time."""
    began = time.perf_counter()
    while not claim():
        is_over = process is not None and process.poll() is not None
        if is_over or time.perf_counter() - began > seconds:
            raise RuntimeError(f"It did not come true within {seconds:.0f} s.")
        time.sleep(0.05)
    return time.perf_counter() - began


def cpu_seconds(process: psutil.Process) -> float:
    """CPU of a process and all its descendants, also of those that have ended and were waited for."""
    total = 0.0
    for one in (process, *process.children(recursive=True)):
        try:
            total += sum(one.cpu_times()[:4])
        except psutil.NoSuchProcess:
            continue
    return total
