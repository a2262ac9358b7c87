"""A thousand loaded teams on one machine: ticks, pages, schedules; then thirty new teams, then a thousand at once.

Sensors are evaluated in this process as the daemon does, on Dagster's real instance; its pages are asked of a real
webserver. Nothing of the new teams is run here: what runs cost is measured by `onboarding` and `thirty_teams`.
"""

from __future__ import annotations

import json
import urllib.request
import uuid
from collections.abc import Sequence
from datetime import date
from typing import Any

import dagster as dg

from bench.installation import NOW, Installation
from bench.rows import Row, count, timed
from bench.seeding import Shape
from historical_sync.orchestration.partitions import PARTITION_TAG
from historical_sync.warehouse.progress import read_progress
from historical_sync.warehouse.registry import add_team
from historical_sync_tests.orchestration.ticking import backfills

TITLE = "A thousand teams"

TICK_SECONDS = 5
"""The sensor's interval: a tick that takes longer delays the next."""
LONGEST_TICK_SECONDS = 60
"""Dagster ends a tick after that."""
PAGE_SECONDS = 5

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


def run(rounds: int, quick: bool) -> list[Row]:
    """Loaded teams at rest, then what happens when new ones are registered."""
    shape = Shape(5, 2, 1, has_trends=False) if quick else Shape(1_000, 3, 1, has_trends=False)
    some, many = (2, 6) if quick else (30, 1_000)
    with Installation(shape) as machine:
        rows = [*at_rest(machine, rounds), *pages(machine, rounds)]
        for name, new in (("a", some), ("b", many)):
            rows += registered(machine, name, new)
        return [*rows, *pages(machine, 1, f"with {some + many:,} new teams queued, ")]


def at_rest(machine: Installation, rounds: int) -> list[Row]:
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


def refreshes(machine: Installation) -> int:
    """Evaluate the refresh schedule as the daemon does every ten minutes."""
    from historical_sync.definitions import defs

    schedule = defs.get_repository_def().get_schedule_def("refresh_loaded_teams")
    context = dg.build_schedule_context(
        instance=machine.instance, scheduled_execution_time=NOW, resources={"pipeline": machine.pipeline}
    )
    return len(schedule.evaluate_tick(context).run_requests or ())


def registered(machine: Installation, name: str, new: int) -> list[Row]:
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
        asked += len(requests)
        take_up(machine, requests)
    made = len(backfills(machine.instance)) - before
    what = f"{new:,} teams registered at once"
    return [
        Row(f"{what}: the longest tick", "s", (max(ticks),), most=LONGEST_TICK_SECONDS),
        Row(f"{what}: all ticks until each has begun", "s", (sum(ticks),)),
        count(f"{what}: ticks", len(ticks)),
        count(f"{what}: backfills", made),
    ]


def take_up(machine: Installation, partitions: Sequence[str]) -> None:
    """What the daemon does with a tick's run requests: a run for each, waiting."""
    for key in partitions:
        run = dg.DagsterRun(
            job_name="sync_month",
            run_id=str(uuid.uuid4()),
            status=dg.DagsterRunStatus.NOT_STARTED,
            tags={PARTITION_TAG: key},
        )
        machine.instance.add_run(run)


def pages(machine: Installation, rounds: int, when: str = "") -> list[Row]:
    """Dagster's own pages, by the questions that they ask."""
    asked = {"partitions": PARTITIONS_PAGE, "runs": RUNS_PAGE, "backfills": BACKFILLS_PAGE}
    with machine.webserver() as port:
        return [
            Row(
                f"{when}Dagster's page of {name}",
                "s",
                tuple(timed(lambda question=question: graphql(port, question)) for _ in range(rounds + 1))[-rounds:],  # type: ignore[misc]
                most=PAGE_SECONDS,
            )
            for name, question in asked.items()
        ]


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
