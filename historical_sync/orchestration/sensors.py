"""The sensors. Each looks at the tables as they are now and starts what is missing; none remembers anything."""

from datetime import date, datetime

import dagster as dg

from historical_sync.orchestration import backfill, internals, onboarding
from historical_sync.orchestration.jobs import JOBS, sync_month
from historical_sync.orchestration.partitions import FIRST_MONTH, PARTITION_TAG, TEAMS, key_of
from historical_sync.orchestration.queue import ASKED_BY_A_PERSON, month_priority
from historical_sync.orchestration.resources import Pipeline, PipelineResource
from historical_sync.warehouse import alerts, operations
from historical_sync.warehouse.operations import DueMonth


@dg.sensor(
    job=sync_month,
    minimum_interval_seconds=5,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="Starts what is wanted and missing: new teams, repositories, months, longer histories, retries.",
)
def onboard_teams(context: dg.SensorEvaluationContext, pipeline: PipelineResource) -> dg.SensorResult | dg.SkipReason:
    """One tick: add partitions, add backfills, return the runs that go at once."""
    now = pipeline.now()
    busy = onboarding.in_flight(context.instance, now)
    with pipeline.warehouse.transaction() as tx:
        due = operations.months_due(tx, now=now, first_month=FIRST_MONTH)
    plans = onboarding.plan(due, busy, now.date())
    if not plans:
        return dg.SkipReason(f"Every wanted month is done, in flight ({len(busy)}) or waiting for its next attempt.")
    _add_partitions(context, {one.team_id for one in plans})
    requests = []
    for one in plans:
        _note_start(pipeline, one.team_id, now)
        requests += [_request(context.instance, month, now.date()) for month in one.at_once]
        backfill.launch(context, one, now)
    return dg.SensorResult(run_requests=requests)


def _add_partitions(context: dg.SensorEvaluationContext, team_ids: set[str]) -> None:
    missing = team_ids - set(context.instance.get_dynamic_partitions(TEAMS))
    if missing:
        context.instance.add_dynamic_partitions(TEAMS, sorted(missing))
        context.log.info(f"New teams: {', '.join(sorted(missing))}")


def _note_start(pipeline: Pipeline, team_id: str, now: datetime) -> None:
    with pipeline.warehouse.transaction() as tx:
        alerts.note_milestones(tx, team_id, now=now, first_month=FIRST_MONTH)


def _request(instance: dg.DagsterInstance, one: DueMonth, today: date) -> dg.RunRequest:
    identity = onboarding.identity(one.team_id, one.generation)
    before = internals.newest_run_tags(instance, {PARTITION_TAG: key_of(one.team_id, one.month), **identity})
    priority = ASKED_BY_A_PERSON if one.is_asked else month_priority(one.month, today)
    return onboarding.run_request(one, onboarding.next_attempt(before), priority)


SENSORS = [onboard_teams]
JOBS_WATCHED = JOBS
