"""A thousand loaded teams on one machine: ticks, pages, schedules; then thirty new teams, then a thousand at once.

Sensors are evaluated in this process as the daemon does, on Dagster's real instance; its pages are asked of a real
webserver. Nothing of the new teams is run here: what runs cost is measured by `onboarding`.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import dagster as dg

from bench.ground import database
from bench.rows import Row, count, timed
from bench.seeding import Shape, fill
from historical_sync.cli.services import answers, free_port
from historical_sync.orchestration.home import environment, open_instance
from historical_sync.orchestration.partitions import TEAMS, key_of
from historical_sync.settings import Settings
from historical_sync.warehouse.address import dagster_url
from historical_sync.warehouse.progress import read_progress
from historical_sync.warehouse.registry import add_team
from historical_sync_tests.orchestration.ticking import PipelineAt, backfills, requested, tick

TITLE = "A thousand teams"

TICK_SECONDS = 5
"""The sensor's interval: a tick that takes longer delays the next."""
LONGEST_TICK_SECONDS = 60
"""Dagster ends a tick after that."""
PAGE_SECONDS = 5
NOW = datetime.now(UTC)
ASSETS = ("raw_pull_requests", "regex_tagged_pull_requests", "llm_classified_pull_requests", "monthly_trends")
WORKSPACE = Path(__file__).parent.parent.parent / "workspace.yaml"

PARTITIONS_PAGE = """
{ assetNodes(assetKeys: [{path: ["raw_pull_requests"]}]) {
    partitionKeysByDimension { name partitionKeys }
    assetPartitionStatuses { ... on MultiPartitionStatuses { primaryDimensionName ranges {
        primaryDimStartKey primaryDimEndKey secondaryDim {
            ... on TimePartitionStatuses { ranges { status startKey endKey } }
            ... on DefaultPartitionStatuses { materializedPartitions } } } } }
    partitionStats { numMaterialized numPartitions numFailed } } }
"""
RUNS_PAGE = "{ runsOrError(limit: 25) { ... on Runs { results { runId status tags { key value } } } } }"
BACKFILLS_PAGE = (
    "{ partitionBackfillsOrError(limit: 10) { ... on PartitionBackfills { results { id status title } } } }"
)

EVENTS = """
insert into dagster.event_logs (run_id, event, dagster_event_type, timestamp, step_key, asset_key, partition)
select run_id, replace(event, partition, key), dagster_event_type, timestamp, step_key, asset_key, key
from dagster.event_logs, unnest(%(keys)s::text[]) key
where dagster_event_type = 'ASSET_MATERIALIZATION' and partition is not null and key <> partition
"""


def run(rounds: int, quick: bool) -> list[Row]:
    """Loaded teams at rest, then what happens when new ones are registered."""
    shape = Shape(5, 2, 2) if quick else Shape(1_000, 3, 5)
    some, many = (2, 6) if quick else (30, 1_000)
    with Machine(shape) as machine:
        rows = [*at_rest(machine, rounds), *pages(machine, rounds)]
        for name, new in (("a", some), ("b", many)):
            rows += registered(machine, name, new)
        return [*rows, *pages(machine, 1, f"with {some + many:,} new teams queued, ")]


class Machine:
    """Loaded teams in the tables and in Dagster's storage."""

    def __init__(self, shape: Shape) -> None:
        self.shape = shape
        self._stack = ExitStack()

    def __enter__(self) -> Machine:
        folder = self._stack.enter_context(tempfile.TemporaryDirectory(prefix="hs_bench_"))
        url = self._stack.enter_context(database())
        self.variables = {**os.environ, "HISTORICAL_SYNC_HOME": folder, "HISTORICAL_SYNC_DATABASE_URL": url}
        self.variables |= {"HISTORICAL_SYNC_DAGSTER_URL": dagster_url(url), "GITHUB_TOKEN": "bench"}
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

    def tick(self) -> tuple[float, int]:
        """Seconds of a tick of the onboarding sensor, and how many runs it asks for at once."""
        asked: list[str] = []
        seconds = timed(lambda: asked.extend(requested(tick("onboard_teams", self.instance, self.pipeline))))
        return seconds, len(asked)


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


def at_rest(machine: Machine, rounds: int) -> list[Row]:
    """Everything is loaded: what looking costs."""
    machine.tick()
    teams = f"{machine.shape.teams:,} loaded teams"

    def everybody() -> None:
        with machine.pipeline.warehouse.transaction() as tx:
            read_progress(tx, now=NOW, first_month=date(2024, 1, 1))

    def one_team() -> None:
        with machine.pipeline.warehouse.transaction() as tx:
            read_progress(tx, now=NOW, team_id="team-3", first_month=date(2024, 1, 1))

    return [
        Row(f"{teams}: a tick of the sensor", "s", tuple(machine.tick()[0] for _ in range(rounds)), most=TICK_SECONDS),
        Row(f"{teams}: progress of one", "s", tuple(timed(one_team) for _ in range(rounds)), most=0.05),
        Row(f"{teams}: progress of all (`status`)", "s", tuple(timed(everybody) for _ in range(rounds))),
        Row(f"{teams}: the refresh schedule", "s", tuple(timed(lambda: refreshes(machine)) for _ in range(rounds))),
    ]


def refreshes(machine: Machine) -> int:
    """Evaluate the refresh schedule as the daemon does every ten minutes."""
    from historical_sync.definitions import defs

    schedule = defs.get_repository_def().get_schedule_def("refresh_loaded_teams")
    context = dg.build_schedule_context(
        instance=machine.instance, scheduled_execution_time=NOW, resources={"pipeline": machine.pipeline}
    )
    return len(schedule.evaluate_tick(context).run_requests or ())


def registered(machine: Machine, name: str, new: int) -> list[Row]:
    """So many teams at once: the first tick, and how many ticks it takes until each has begun."""
    with machine.pipeline.warehouse.transaction() as tx:
        for number in range(new):
            add_team(tx, f"new-{name}-{number}", [f"acme/{name}-{number}"], history_months=machine.shape.months - 1)
    before = len(backfills(machine.instance))
    ticks: list[float] = []
    asked = 0
    while asked < new and len(ticks) < 100:
        seconds, requests = machine.tick()
        ticks.append(seconds)
        asked += requests
        take_up(machine, requests)
    made = len(backfills(machine.instance)) - before
    what = f"{new:,} teams registered at once"
    return [
        Row(f"{what}: the longest tick", "s", (max(ticks),), most=LONGEST_TICK_SECONDS),
        Row(f"{what}: all ticks until each has begun", "s", (sum(ticks),)),
        count(f"{what}: ticks", len(ticks)),
        count(f"{what}: backfills", made),
    ]


def take_up(machine: Machine, requests: int) -> None:
    """What the daemon does with a tick's run requests: a queued run for each."""


def pages(machine: Machine, rounds: int, when: str = "") -> list[Row]:
    """Dagster's own pages, by the questions that they ask."""
    asked = {"partitions": PARTITIONS_PAGE, "runs": RUNS_PAGE, "backfills": BACKFILLS_PAGE}
    with webserver(machine) as port:
        return [
            Row(
                f"{when}Dagster's page of {name}",
                "s",
                tuple(timed(lambda question=question: graphql(port, question)) for _ in range(rounds + 1))[-rounds:],  # type: ignore[misc]
                most=PAGE_SECONDS,
            )
            for name, question in asked.items()
        ]


@contextmanager
def webserver(machine: Machine) -> Iterator[int]:
    """Dagster's webserver on a free port, with its code server."""
    port = free_port()
    command = [sys.executable, "-m", "dagster_webserver", "--workspace", str(WORKSPACE), "-h", "127.0.0.1"]
    running = subprocess.Popen(
        [*command, "-p", str(port)], env=machine.variables, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        deadline = time.monotonic() + 180
        while not answers("127.0.0.1", port, "/server_info"):
            if time.monotonic() > deadline or running.poll() is not None:
                raise RuntimeError("The webserver does not start.")
            time.sleep(0.5)
        yield port
    finally:
        running.terminate()
        running.wait(60)


def graphql(port: int, question: str) -> Any:
    """Ask Dagster's API. Raises RuntimeError for an answer with errors."""
    request = urllib.request.Request(
        f"http://127.0.0.1:{port}/graphql",
        json.dumps({"query": question}).encode(),
        {"content-type": "application/json"},
    )
    with urllib.request.urlopen(request, timeout=120) as answer:
        found = json.load(answer)
    if found.get("errors"):
        raise RuntimeError(found["errors"])
    return found["data"]
