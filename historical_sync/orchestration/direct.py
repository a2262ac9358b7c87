"""The same job here and now, without the daemon: what `historical-sync sync` and `retry` call.

Runs are recorded in Dagster like any other, so the UI shows them, and the sensor sees that they are in flight.
"""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import dagster as dg

from historical_sync.errors import HistoricalSyncError
from historical_sync.orchestration import answers, internals, onboarding
from historical_sync.orchestration.home import open_instance
from historical_sync.orchestration.location import definitions_around
from historical_sync.orchestration.partitions import TEAMS, key_of, read_key
from historical_sync.orchestration.resources import Pipeline
from historical_sync.settings import Settings
from historical_sync.warehouse import operations, registry
from historical_sync.window import require_in_window

__all__ = ["MonthOutcome", "collect", "daemon_status", "months_missing", "open_instance", "refresh", "run_month"]

COLLECT_PAUSE_SECONDS = 2.0
QUIET: dict[str, Any] = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}
"""Dagster's own log on the terminal would tear the command's progress bars; the run's log in the UI has it all."""


@dataclass(frozen=True)
class MonthOutcome:
    """How a month came out: `completed`, `partial` or `failed`; the error and its remedy where it is not completed."""

    month: date
    status: str
    pull_requests: int
    error: str | None = None
    remedy: str | None = None
    run_id: str | None = None


def months_missing(settings: Settings, team_id: str) -> list[date]:
    """The months of the team's history that are not done, newest first: what `retry` runs."""
    pipeline = Pipeline(settings)
    with pipeline.warehouse.transaction() as tx:
        registry.read_team(tx, team_id)
        return operations.incomplete_months(tx, team_id, now=pipeline.now(), first_month=settings.first_month)


def run_month(
    settings: Settings,
    instance: dg.DagsterInstance,
    team_id: str,
    month: date,
    repositories: Sequence[str] | None = None,
) -> MonthOutcome:
    """Materialise the four assets of one (team, month) in this process.

    Raises ConfigurationError for an unknown team, OutsideWindow for a month that its history does not cover. A failure
    of the work itself is an outcome, not an exception.
    """
    pipeline = Pipeline(settings)
    with pipeline.warehouse.transaction() as tx:
        team = registry.read_team(tx, team_id)
    require_in_window(month, pipeline.now(), team.history_months, team_id)
    instance.add_dynamic_partitions(TEAMS, [team_id])
    key = key_of(team_id, month)
    job = definitions_around(pipeline).resolve_job_def("sync_month")
    with _signals_as_in_the_foreground():
        result = job.execute_in_process(
            instance=instance,
            partition_key=key,
            tags={
                **onboarding.identity(team_id, team.generation),
                onboarding.CAUSE: "command",
            },
            run_config={**QUIET, "ops": {"raw_pull_requests": {"config": {"repositories": list(repositories or ())}}}},
            raise_on_error=False,
        )
    return _outcome(pipeline, team_id, month, result)


def collect(
    settings: Settings,
    instance: dg.DagsterInstance,
    team_id: str,
    wait_seconds: float,
    on_event: Callable[[str], None] | None = None,
) -> set[date]:
    """Collect the team's LLM batches and compute the trends of the months that changed again; returns those months.

    Waits up to `wait_seconds` for batches that are still under way; 0 looks once.
    """
    from historical_sync.classification.groq_client import connect
    from historical_sync.classification.ledger import collect as collect_batches
    from historical_sync.classification.ledger import is_worth_waiting
    from historical_sync.warehouse import classifications

    pipeline, say = Pipeline(settings), on_event or _silent
    groq = connect(settings)
    deadline, done = time.monotonic() + wait_seconds, set()
    while True:
        collect_batches(pipeline.warehouse, groq, settings, now=pipeline.now(), team_id=team_id, on_event=say)
        with pipeline.warehouse.transaction() as tx:
            changed = classifications.changed_months(tx, team_id)
        for partition in changed:
            answers.take_in(instance, pipeline, partition)
            done.add(partition.month)
        if time.monotonic() >= deadline or not is_worth_waiting(pipeline.warehouse, team_id, now=pipeline.now()):
            return done
        time.sleep(min(COLLECT_PAUSE_SECONDS, max(0.0, deadline - time.monotonic())))


def _silent(line: str) -> None:
    """Nobody listens."""


def refresh(settings: Settings, instance: dg.DagsterInstance, team_id: str) -> list[MonthOutcome]:
    """Refresh a loaded team here and now: only what changed is rebuilt. Returns how each rebuilt month came out.

    Raises ConfigurationError for an unknown team, HistoricalSyncError when the refresh itself fails.
    """
    pipeline = Pipeline(settings)
    with pipeline.warehouse.transaction() as tx:
        team = registry.read_team(tx, team_id)
    job = definitions_around(pipeline).resolve_job_def("refresh_team")
    with _signals_as_in_the_foreground():
        result = job.execute_in_process(
            instance=instance,
            tags={**onboarding.identity(team_id, team.generation), onboarding.CAUSE: "command"},
            run_config={**QUIET, "ops": {"refresh": {"config": {"team_id": team_id}}}},
            raise_on_error=False,
        )
    error, remedy = _failure(result)
    if error is not None:
        raise HistoricalSyncError(error, remedy=remedy)
    records = instance.get_records_for_run(result.run_id, of_type=dg.DagsterEventType.ASSET_MATERIALIZATION).records
    rebuilt = {record.partition_key for record in records if record.partition_key}
    months = sorted({read_key(key).month for key in rebuilt}, reverse=True)
    return [_outcome(pipeline, team_id, month, result) for month in months]


def daemon_status(instance: dg.DagsterInstance) -> list[tuple[str, bool, datetime | None]]:
    """Each of Dagster's daemons that must run: its name, whether it is healthy, and when it was last heard of (UTC)."""
    return internals.daemon_status(instance)


@contextmanager
def _signals_as_in_the_foreground() -> Iterator[None]:
    """Run with SIGINT heard, and leave both signals as they were.

    A script's shell ignores SIGINT in what it starts in the background. Dagster sets SIGTERM to whatever SIGINT is; its
    helper processes would then hear neither, and it would wait half a minute for each of them to end.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    if before[signal.SIGINT] is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        yield
    finally:
        for number, handler in before.items():
            if handler is not None:  # one that was not set from Python cannot be set from it
                signal.signal(number, handler)


def _outcome(pipeline: Pipeline, team_id: str, month: date, result: dg.ExecuteInProcessResult) -> MonthOutcome:
    error, remedy = _failure(result)
    with pipeline.warehouse.transaction() as tx:
        state = operations.month_state(tx, team_id, month)
    status = "failed" if not result.success else "completed" if state.is_done else "partial"
    if status == "partial":
        error, remedy = state.error, "Run `historical-sync retry` once the cause is mended."
    return MonthOutcome(month, status, state.stored, error, remedy, result.run_id)


def _failure(result: dg.ExecuteInProcessResult) -> tuple[str | None, str | None]:
    """The first failed step's own words."""
    for event in result.all_events:
        if event.is_step_failure:
            failure = event.step_failure_data
            remedy = failure.user_failure_data.metadata.get("what to do") if failure.user_failure_data else None
            description = failure.user_failure_data.description if failure.user_failure_data else None
            said = failure.error.message.strip() if failure.error else "The step failed."
            text = description or said.partition(": ")[2] or said  # Dagster puts the error's class in front
            what_to_do = str(remedy.value) if remedy else None
            return text.removesuffix(what_to_do or "").strip(), what_to_do
    return (None, None) if result.success else ("The run ended before its first step.", None)
