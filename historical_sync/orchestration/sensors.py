"""The sensors. Each looks at the tables as they are now and starts what is missing; none remembers anything."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime

import dagster as dg

from historical_sync.orchestration import backfill, internals, onboarding, reconcile
from historical_sync.orchestration.jobs import sync_month
from historical_sync.orchestration.partitions import FIRST_MONTH, PARTITION_TAG, TEAMS, key_of
from historical_sync.orchestration.queue import ASKED_BY_A_PERSON, month_priority
from historical_sync.orchestration.resources import Pipeline, PipelineResource
from historical_sync.records import TeamMonth
from historical_sync.warehouse import alerts, operations
from historical_sync.warehouse.operations import DueMonth

Runs = Mapping[str, Sequence[internals.RunRecord]]
"""Partition key → the runs of that partition, newest first."""


@dg.sensor(
    job=sync_month,
    minimum_interval_seconds=5,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="Starts what is wanted and missing: new teams, repositories, months, longer histories, retries.",
)
def onboard_teams(context: dg.SensorEvaluationContext, pipeline: PipelineResource) -> dg.SensorResult | dg.SkipReason:
    """One tick: fail the runs whose process is gone, add partitions and backfills, return the runs that go at once."""
    now = pipeline.now()
    for line in reconcile.fail_lost_runs(context.instance, pipeline):
        context.log.warning(line)
    busy = onboarding.in_flight(context.instance, now)
    with pipeline.warehouse.transaction() as tx:
        due = operations.months_due(tx, now=now, first_month=FIRST_MONTH)
    idle = [one for one in due if TeamMonth(one.team_id, one.month) not in busy]
    runs = internals.runs_by_tag(context.instance, PARTITION_TAG, [key_of(one.team_id, one.month) for one in idle])
    ready = [one for one in idle if not _must_wait(context, pipeline, one, runs)]
    plans = onboarding.plan(ready, now.date())
    if not plans:
        return dg.SkipReason(f"Every wanted month is done, in flight ({len(busy)}) or waiting for its next attempt.")
    _add_partitions(context, {one.team_id for one in plans})
    requests = []
    for one in plans:
        _note_start(pipeline, one.team_id, now)
        requests += [_request(month, runs, now.date()) for month in one.at_once]
        backfill.launch(context, one, now)
    return dg.SensorResult(run_requests=requests)


def _must_wait(context: dg.SensorEvaluationContext, pipeline: Pipeline, one: DueMonth, runs: Runs) -> bool:
    """Count a run that died before its first step as an attempt; its month then waits like any other that failed."""
    record = next(iter(runs.get(key_of(one.team_id, one.month), ())), None)
    if record is None or not onboarding.ended_badly(record, one):
        return False
    run = record.dagster_run
    with pipeline.warehouse.transaction() as tx:
        is_new = operations.count_unseen_attempt(
            tx,
            one.team_id,
            one.month,
            run.run_id,
            ended_at=internals.ended_at(record),
            error=f"Run {run.run_id} ended as {run.status.value.lower()} before its first step.",
        )
    if is_new:
        context.log.warning(f"Run {run.run_id} of {one.team_id} {one.month:%Y-%m} never began; its month waits.")
    return is_new


def _add_partitions(context: dg.SensorEvaluationContext, team_ids: set[str]) -> None:
    missing = team_ids - set(context.instance.get_dynamic_partitions(TEAMS))
    if missing:
        context.instance.add_dynamic_partitions(TEAMS, sorted(missing))
        context.log.info(f"New teams: {', '.join(sorted(missing))}")


def _note_start(pipeline: Pipeline, team_id: str, now: datetime) -> None:
    with pipeline.warehouse.transaction() as tx:
        alerts.note_milestones(tx, team_id, now=now, first_month=FIRST_MONTH)


def _request(one: DueMonth, runs: Runs, today: date) -> dg.RunRequest:
    before = [record.dagster_run.tags for record in runs.get(key_of(one.team_id, one.month), ())]
    priority = ASKED_BY_A_PERSON if one.is_asked else month_priority(one.month, today)
    return onboarding.run_request(one, onboarding.next_attempt(before), priority)


SENSORS = [onboard_teams]
