"""The code location: all of this room's definitions together, around one pipeline."""

from __future__ import annotations

import dagster as dg

from historical_sync.orchestration.assets import ASSETS
from historical_sync.orchestration.checks import CHECKS_OF_TRENDS
from historical_sync.orchestration.jobs import JOBS
from historical_sync.orchestration.resources import Pipeline
from historical_sync.orchestration.schedules import SCHEDULES
from historical_sync.orchestration.sensors import SENSORS


def definitions_around(pipeline: Pipeline) -> dg.Definitions:
    """Assets, checks, jobs, schedules and sensors that work with this pipeline."""
    return dg.Definitions(
        assets=ASSETS,
        asset_checks=CHECKS_OF_TRENDS,
        jobs=[*JOBS],
        sensors=SENSORS,
        schedules=SCHEDULES,
        resources={"pipeline": pipeline},
        executor=dg.in_process_executor,
    )
