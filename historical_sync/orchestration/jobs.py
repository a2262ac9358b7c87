"""The jobs: what can be launched, by a sensor, a schedule or a person."""

import dagster as dg

from historical_sync.orchestration.assets import ASSETS
from historical_sync.orchestration.checks import CHECKS_OF_TRENDS
from historical_sync.orchestration.refresh import refresh_team as refresh_team
from historical_sync.orchestration.retry import retry_failed_months as retry_failed_months

SYNC_MONTH = "sync_month"

WHOLE_TABLES = dg.AssetSelection.checks(*CHECKS_OF_TRENDS)

sync_month = dg.define_asset_job(
    SYNC_MONTH,
    selection=dg.AssetSelection.assets(*ASSETS) - WHOLE_TABLES,
    executor_def=dg.in_process_executor,
    description="""
Load, tag, classify and aggregate **one month of one team**. The sensor `onboard_teams` launches it; to rebuild months
by hand, choose partitions here or on an asset's page: a backfill started there runs newest month first.
""",
)

check_trends = dg.define_asset_job(
    "check_trends",
    selection=WHOLE_TABLES,
    executor_def=dg.in_process_executor,
    description="""
Check the numbers of all teams: shares between 0 and 1, parts that add up to their whole, no negative duration, …
The schedule `check_trends_hourly` runs it; launch it by hand after a change of a metric.
""",
)

JOBS = (sync_month, refresh_team, retry_failed_months, check_trends)
