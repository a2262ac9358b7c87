"""The sensors. Each looks at the tables as they are now and starts what is missing; none remembers anything."""

import time
from collections.abc import Mapping, Sequence
from datetime import date, datetime

import dagster as dg

from historical_sync.errors import HistoricalSyncError
from historical_sync.orchestration import answers, backfill, internals, onboarding, reconcile, webhooks
from historical_sync.orchestration.jobs import refresh_team, sync_month
from historical_sync.orchestration.onboarding import TeamPlan
from historical_sync.orchestration.partitions import FIRST_MONTH, MONTH_TAG, PARTITION_TAG, TEAM_TAG, TEAMS, key_of
from historical_sync.orchestration.queue import ASKED_BY_A_PERSON, month_priority
from historical_sync.orchestration.resources import Pipeline, PipelineResource
from historical_sync.records import TeamMonth
from historical_sync.warehouse import alerts, benchmarks, operations, registry
from historical_sync.warehouse.operations import DueMonth
from historical_sync.window import first_of_month

Runs = Mapping[str, Sequence[internals.RunRecord]]
"""Partition key → the runs of that partition, newest first."""

TAKE_IN_SECONDS = 15.0
"""How long a tick goes on computing trends with new answers, after it has collected them for `COLLECT_SECONDS`."""
COMPARE_SECONDS = 15.0
"""How long a tick goes on comparing teams; a month of a thousand teams takes about a second."""
TICK_SECONDS = 20.0
"""Dagster gives up on a tick after a minute, and with it on the runs that it asked for."""
MOST_OPEN_BACKFILLS = 200
"""Each tick looks at all that is queued, and a few runs work at once: more would only make the queue long."""
ALERTS_A_TICK = 6
"""At most eight seconds each (see `webhooks.READ_SECONDS`): a tick may take a minute."""


@dg.sensor(
    job=sync_month,
    minimum_interval_seconds=5,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="""
Compares what is wanted (active teams, their repositories, the months of their history) with what is done, in flight or
waiting for its next attempt, and **starts what is missing**: a new team, a repository added later, a longer history, a
new calendar month, a failed month after its delay, what was lost in a crash. A row in `teams` is all it needs.

The newest month gets a run at once; the months before it one backfill, newest first. Stop it to start nothing new.
""",
)
def onboard_teams(context: dg.SensorEvaluationContext, pipeline: PipelineResource) -> dg.SensorResult | dg.SkipReason:
    """One tick: fail the runs whose process is gone, add partitions and backfills, return the runs that go at once."""
    from historical_sync.warehouse.schema import require_current_within  # brings SQLAlchemy and Alembic

    now = pipeline.now()
    with pipeline.warehouse.transaction() as tx:
        require_current_within(tx)  # each time: an upgrade may come while this process lives
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
    return dg.SensorResult(
        run_requests=_start(context, pipeline, plans, runs, MOST_OPEN_BACKFILLS - busy.backfills, now)
    )


def _start(
    context: dg.SensorEvaluationContext,
    pipeline: Pipeline,
    plans: Sequence[TeamPlan],
    runs: Runs,
    room: int,
    now: datetime,
) -> list[dg.RunRequest]:
    """Launch backfills while there is room for them, and return the runs that go at once.

    What is not reached in this tick's time is still missing in the next, which goes on with it.
    """
    requests: list[dg.RunRequest] = []
    deadline = time.monotonic() + TICK_SECONDS
    for place, one in enumerate(plans):
        has_bulk = bool(one.in_bulk) and room > 0
        if one.at_once or has_bulk:
            _note_start(pipeline, one.team_id, now)
        requests += [_request(month, runs, now.date()) for month in one.at_once]
        if has_bulk:
            backfill.launch(context, one, now)
            room -= 1
        if time.monotonic() >= deadline:
            context.log.info(f"{len(plans) - place - 1} teams follow with the next tick.")
            break
    return requests


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


@dg.sensor(
    minimum_interval_seconds=15,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="""
Takes in the LLM's batches that have ended, sends what was queued during an outage, and rebuilds the classified
partition and its trends, once a (team, month) however many batches ended. It starts no run: a process for each month
would mostly import Dagster. One query when there is nothing to do.
Stop it to keep Groq out of it for a while: what is queued stays queued.
""",
)
def collect_llm_batches(context: dg.SensorEvaluationContext, pipeline: PipelineResource) -> dg.SkipReason:
    """What changed is read from the table, not from the collection: so nothing is lost if this dies in between.

    A month that cannot be computed holds up no other: the tick fails when it has done the rest.
    """
    from historical_sync.classification.groq_client import connect
    from historical_sync.classification.ledger import collect
    from historical_sync.warehouse.classifications import changed_months

    groq = connect(pipeline.settings)
    collect(pipeline.warehouse, groq, pipeline.settings, now=pipeline.now(), on_event=context.log.info)
    until = time.monotonic() + TAKE_IN_SECONDS
    with pipeline.warehouse.transaction() as tx:
        changed = changed_months(tx)
        active = {one.team_id for one in registry.list_teams(tx) if one.status == "active"}
    if not changed:
        return dg.SkipReason("No batch has brought anything new.")
    busy = onboarding.in_flight(context.instance, pipeline.now())
    ready = [one for one in changed if one.team_id in active and one not in busy]
    done, failures = 0, []
    for one in ready:
        try:
            summary = answers.take_in(context.instance, pipeline, one)
            context.log.info(
                f"{one.team_id} {one.month:%Y-%m}: {summary.classified} classified, {summary.pending} wait."
            )
        except Exception as error:  # noqa: BLE001 - raised below, when the other months are done
            error.add_note(f"In {one.team_id} {one.month:%Y-%m}, which is tried again with the next tick.")
            failures.append(error)
        done += 1
        if time.monotonic() >= until:
            break
    if failures:
        raise ExceptionGroup(f"{len(failures)} of {done} months could not be computed with their new answers", failures)
    return dg.SkipReason(
        f"{done} months have their new answers; {len(ready) - done} follow with the next tick, and "
        f"{len(changed) - len(ready)} are in flight or of a paused team."
    )


@dg.sensor(
    minimum_interval_seconds=10,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="""
Sends the alerts in the outbox (table `alerts`) to HISTORICAL_SYNC_WEBHOOK_URL, signed with
HISTORICAL_SYNC_WEBHOOK_SECRET. What does not arrive is sent again after 30 s, then twice as long each time.
""",
)
def deliver_alerts(context: dg.SensorEvaluationContext, pipeline: PipelineResource) -> dg.SkipReason:
    """Starts no run. The rows are locked while they are sent, so that two daemons do not tell everything twice."""
    if not webhooks.is_wanted():
        return dg.SkipReason(f"{webhooks.URL} is not set: nobody wants alerts.")
    delivered = failed = 0
    with pipeline.warehouse.transaction() as tx:
        for alert in alerts.undelivered(tx, now=pipeline.now(), limit=ALERTS_A_TICK):
            try:
                webhooks.deliver(alert, pipeline.settings)
            except (webhooks.DeliveryFailed, HistoricalSyncError) as error:
                alerts.mark_undelivered(tx, alert, str(error), now=pipeline.now())
                context.log.warning(f"Alert {alert.alert_id} ({alert.kind}): {error}")
                failed += 1
            else:
                alerts.mark_delivered(tx, [alert.alert_id], now=pipeline.now())
                delivered += 1
    return dg.SkipReason(f"{delivered} alerts delivered, {failed} to be sent again.")


@dg.run_failure_sensor(
    monitored_jobs=[sync_month, refresh_team],
    minimum_interval_seconds=10,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="Puts an alert with team, repository, cause and remedy into the outbox when a run fails for good.",
)
def report_failed_runs(context: dg.RunFailureSensorContext, pipeline: PipelineResource) -> None:
    """A run that Dagster itself runs again is no news yet."""
    run = context.instance.get_run_by_id(context.dagster_run.run_id) or context.dagster_run
    team_id = run.tags.get(onboarding.TEAM) or run.tags.get(TEAM_TAG)
    if team_id is None or internals.will_be_retried(run):
        return
    now = pipeline.now()
    month = date.fromisoformat(run.tags[MONTH_TAG]) if MONTH_TAG in run.tags else first_of_month(now)
    with pipeline.warehouse.transaction() as tx:
        alerts.note_run_failure(tx, team_id, month, cause=context.failure_event.message or "", now=now)


@dg.sensor(
    minimum_interval_seconds=60,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="""
Compares the teams of one size with each other again for the months that changed: it looks at every team, so with more
than fifty of them this is done once a minute at most, not with every month that a team publishes.
""",
)
def compare_teams(context: dg.SensorEvaluationContext, pipeline: PipelineResource) -> dg.SkipReason:
    """Starts no run. A transaction a month; what does not fit into the tick is done by the next."""
    until = time.monotonic() + COMPARE_SECONDS
    with pipeline.warehouse.transaction() as tx:
        stale = benchmarks.stale_months(tx)
    done = 0
    for month in stale:
        if time.monotonic() >= until:
            break
        with pipeline.warehouse.transaction() as tx:
            benchmarks.refresh_benchmarks(tx, month)
        done += 1
    return dg.SkipReason(f"Benchmarks of {done} months were computed anew; {len(stale) - done} wait.")


SENSORS = [onboard_teams, collect_llm_batches, deliver_alerts, report_failed_runs, compare_teams]
