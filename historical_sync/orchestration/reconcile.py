"""After a crash: fail the runs whose process is gone, so that they are run again, and clear half-made ones away.

The default launcher has no health check, so after a power cut a run stays STARTED for ever and keeps its slot. Run this
before the daemon starts (`python -m historical_sync.orchestration.reconcile`); the onboarding sensor does the first
part again every tick, for processes that die while everything else lives.
"""

from __future__ import annotations

import socket
import sys
from collections.abc import Mapping
from datetime import datetime, timedelta

import dagster as dg
import psutil

from historical_sync.errors import HistoricalSyncError
from historical_sync.orchestration import internals
from historical_sync.orchestration.home import open_instance
from historical_sync.orchestration.resources import Pipeline
from historical_sync.warehouse import workers
from historical_sync.warehouse.workers import RunWorker

SILENT_AFTER = timedelta(minutes=20)
"""A process on another machine that said nothing for so long is taken for dead; here we can look."""

NEVER_SEEN_AFTER_SECONDS = 120.0
"""A run says who works on it within seconds of its start; one that did not in this time never began."""


def reconcile(instance: dg.DagsterInstance, pipeline: Pipeline) -> list[str]:
    """Do all of it, before any daemon runs. Returns a line for each thing done."""
    return delete_unsubmitted(instance) + fail_lost_runs(instance, pipeline, is_start=True)


def delete_unsubmitted(instance: dg.DagsterInstance) -> list[str]:
    """Delete the backfills' runs that were created and never queued: the daemon makes them again.

    Left alone they would wait for a time-out, fail and leave their backfill red. Only while no daemon runs: a living
    one has such runs for an instant, on their way into the queue.
    """
    lines = []
    for record in instance.get_run_records(dg.RunsFilter(statuses=[dg.DagsterRunStatus.NOT_STARTED])):
        run = record.dagster_run
        if internals.BACKFILL_ID_TAG in run.tags:
            instance.delete_run(run.run_id)
            lines.append(f"Deleted run {run.run_id}: it was made for a backfill and never queued.")
    return lines


def fail_lost_runs(instance: dg.DagsterInstance, pipeline: Pipeline, *, is_start: bool = False) -> list[str]:
    """Fail the runs at work whose process is gone. Dagster then retries them."""
    records = [one for one in internals.unfinished_runs(instance) if one.dagster_run.status in internals.AT_WORK]
    with pipeline.warehouse.transaction() as tx:
        known = workers.workers_of(tx, [one.dagster_run.run_id for one in records])
    lines = []
    for record in records:
        reason = _why_lost(record, known, pipeline.now(), is_start)
        if reason is not None:
            internals.fail_run(instance, record.dagster_run, reason)
            lines.append(f"Run {record.dagster_run.run_id}: {reason}")
    return lines


def _why_lost(record: internals.RunRecord, known: Mapping[str, RunWorker], now: datetime, is_start: bool) -> str | None:
    worker = known.get(record.dagster_run.run_id)
    if worker is None:
        patience = 0.0 if is_start else NEVER_SEEN_AFTER_SECONDS
        is_late = internals.seconds_since_start(record) >= patience
        return "Its process was never seen at work." if is_late else None
    if worker.host == socket.gethostname():
        return None if is_alive(worker) else f"Its process {worker.pid} is gone."
    if now - worker.seen_at > SILENT_AFTER:
        return f"Its process on {worker.host} has been silent since {worker.seen_at:%Y-%m-%d %H:%M} UTC."
    return None


def is_alive(worker: RunWorker) -> bool:
    """Whether the very process that was noted still runs on this machine, and not another one with its number."""
    try:
        process = psutil.Process(worker.pid)
        same = abs(process.create_time() - worker.process_started_at) < 1.0
        return same and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def main() -> None:
    """Open Dagster's instance (which makes its tables), reconcile it with what really runs, and say what was done."""
    try:
        pipeline = Pipeline()
        with open_instance(pipeline.settings) as instance:
            for line in reconcile(instance, pipeline):
                print(line)  # noqa: T201 - a command's output
    except HistoricalSyncError as error:
        sys.exit(f"error: {error}\n  {error.remedy}".rstrip())


if __name__ == "__main__":
    main()
