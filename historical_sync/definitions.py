"""What Dagster loads: everything of `orchestration`, with an empty environment too."""

import dagster as dg

from historical_sync.orchestration.assets import ASSETS
from historical_sync.orchestration.checks import CHECKS_OF_TRENDS
from historical_sync.orchestration.jobs import JOBS
from historical_sync.orchestration.resources import Pipeline
from historical_sync.orchestration.schedules import SCHEDULES
from historical_sync.orchestration.sensors import SENSORS

defs = dg.Definitions(
    assets=ASSETS,
    asset_checks=CHECKS_OF_TRENDS,
    jobs=[*JOBS],
    sensors=SENSORS,
    schedules=SCHEDULES,
    resources={"pipeline": Pipeline()},
    executor=dg.in_process_executor,
)
