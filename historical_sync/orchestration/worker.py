"""The process behind a run: it says that it lives, reports progress, counts its attempt, and stops when it must."""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

import dagster as dg
import psutil

from historical_sync.errors import HistoricalSyncError, SchemaOutdated, TeamStopped, WarehouseError
from historical_sync.orchestration import internals
from historical_sync.orchestration.resources import Pipeline
from historical_sync.records import TeamMonth
from historical_sync.warehouse import operations, workers

BEAT_SECONDS = 5.0
"""An event costs Dagster about ten milliseconds of CPU, and a look at the tables as much."""


Context = dg.AssetExecutionContext | dg.OpExecutionContext


class Worker:
    """The callback that a stage calls with each line of its log, between two pieces of work.

    Logs the line; every few seconds notes that the process lives, looks whether the team still wants the work, and
    reports progress. Raises TeamStopped when it does not: whatever was committed stays, nothing is half written.
    """

    def __init__(
        self,
        context: Context,
        pipeline: Pipeline,
        team_id: str,
        observe: Callable[[], None] | None = None,
    ) -> None:
        self._context = context
        self._pipeline = pipeline
        self._team_id = team_id
        self._observe = observe
        self._next_beat = 0.0
        self._beat()

    def __call__(self, line: str) -> None:
        self._context.log.info(line)
        if time.monotonic() >= self._next_beat:
            self._beat()
            if self._observe is not None:
                self._observe()

    def _beat(self) -> None:
        self._next_beat = time.monotonic() + BEAT_SECONDS
        with self._pipeline.warehouse.transaction() as tx:
            status = workers.team_status(tx, self._team_id)
            if status != "active":
                raise TeamStopped(f"Team {self._team_id!r} is {status or 'gone'}: the run stops here.")
            workers.seen(
                tx,
                self._context.run.run_id,
                self._team_id,
                host=socket.gethostname(),
                pid=os.getpid(),
                process_started_at=psutil.Process().create_time(),
                now=datetime.now(UTC),
            )


@contextmanager
def at_work(
    context: dg.AssetExecutionContext,
    pipeline: Pipeline,
    partition: TeamMonth,
    observe: Callable[[], None] | None = None,
) -> Iterator[Worker]:
    """A step's work on a (team, month): what stops or fails it is recorded with the month, and ends the step readably.

    A pause or removal ends the run as cancelled. An error of ours ends it with its sentence and its remedy instead of a
    traceback; the onboarding sensor, not Dagster, tries again after the month's delay.
    """
    try:
        yield Worker(context, pipeline, partition.team_id, observe)
    except TeamStopped as error:
        with pipeline.warehouse.transaction() as tx:
            operations.forget_attempt(tx, partition.team_id, partition.month)
        raise ended_as_cancelled(context, error) from error
    except HistoricalSyncError as error:
        _record_failure(pipeline, partition, error)
        raise readable_failure(error) from error
    except Exception as error:
        _record_failure(pipeline, partition, error)
        raise


def ended_as_cancelled(context: Context, error: TeamStopped) -> dg.DagsterExecutionInterruptedError:
    """The exception that ends a run as cancelled, with the reason in its log: no failure, nothing to be retried."""
    internals.announce_stop(context.instance, context.run, str(error))
    return dg.DagsterExecutionInterruptedError(str(error))


def readable_failure(error: HistoricalSyncError) -> dg.Failure:
    """The error as Dagster shows it: its sentence, what to do about it, and for each repository why it failed."""
    metadata: dict[str, dg.MetadataValue] = {}
    if error.remedy:
        metadata["what to do"] = dg.MetadataValue.text(error.remedy)
    failures = getattr(error, "failures", None)
    if failures:
        rows = [dg.TableRecord({"repository": name, "error": text}) for name, text in sorted(failures.items())]
        metadata["repositories"] = dg.MetadataValue.table(rows)
    return dg.Failure(f"{error} {error.remedy}".strip(), metadata=metadata, allow_retries=False)


def _record_failure(pipeline: Pipeline, partition: TeamMonth, error: Exception) -> None:
    """Note why the month is not done. When it is the database that failed, the delay set at the start has to do."""
    if isinstance(error, WarehouseError | SchemaOutdated):
        return
    with pipeline.warehouse.transaction() as tx:
        operations.end_attempt(
            tx, partition.team_id, partition.month, f"{type(error).__name__}: {error}", now=pipeline.now()
        )
