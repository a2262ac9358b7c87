"""Sensors evaluated as the daemon does: with the repository's name and origin, on a real instance."""

from __future__ import annotations

from datetime import datetime

import dagster as dg
from dagster._core.execution.backfill import PartitionBackfill
from dagster._core.remote_origin import InProcessCodeLocationOrigin
from dagster._core.types.loadable_target_origin import LoadableTargetOrigin

from historical_sync.definitions import defs
from historical_sync.orchestration.resources import Pipeline
from historical_sync.settings import Settings

MODULE = "historical_sync.definitions"
LOCATION = InProcessCodeLocationOrigin(LoadableTargetOrigin(module_name=MODULE), location_name="historical_sync")


class PipelineAt(Pipeline):
    """A pipeline whose clock stands still."""

    def __init__(self, settings: Settings, now: datetime) -> None:
        super().__init__(settings)
        self.time = now

    def now(self) -> datetime:
        return self.time


def tick(
    name: str, instance: dg.DagsterInstance, pipeline: Pipeline
) -> dg.SensorResult | dg.SkipReason | list[dg.RunRequest]:
    """Evaluate a sensor once; what it returned."""
    sensor = defs.get_repository_def().get_sensor_def(name)
    context = dg.SensorEvaluationContext(
        instance_ref=None,
        last_tick_completion_time=None,
        last_run_key=None,
        cursor=None,
        repository_name="__repository__",
        instance=instance,
        definitions=defs,
        sensor_name=name,
        code_location_origin=LOCATION,
        resources={"pipeline": pipeline},
    )
    return sensor(context)


def requested(result: dg.SensorResult | dg.SkipReason | list[dg.RunRequest]) -> list[str]:
    """The partitions of the runs that a tick asks for."""
    if isinstance(result, dg.SkipReason):
        return []
    requests = result if isinstance(result, list) else result.run_requests
    return [str(one.partition_key) for one in requests or ()]


def backfills(instance: dg.DagsterInstance) -> list[PartitionBackfill]:
    """Every backfill there is, oldest first."""
    return sorted(instance.get_backfills(), key=lambda one: one.backfill_timestamp)
