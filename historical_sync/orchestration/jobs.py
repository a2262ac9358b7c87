"""The jobs: what can be launched, by a sensor, a schedule or a person."""

import dagster as dg

from historical_sync.orchestration.assets import ASSETS
from historical_sync.orchestration.checks import CHECKS_OF_TRENDS
from historical_sync.orchestration.refresh import refresh_team as refresh_team
from historical_sync.orchestration.retry import retry_failed_months as retry_failed_months

SYNC_MONTH = "sync_month"
CLASSIFY_AGAIN = "classify_month_again"

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

classify_month_again = dg.define_asset_job(
    CLASSIFY_AGAIN,
    selection=dg.AssetSelection.assets("llm_classified_pull_requests", "monthly_trends") - WHOLE_TABLES,
    executor_def=dg.in_process_executor,
    description="""
After LLM batches ended: take their answers in and compute the month's trends again. The sensor `collect_llm_batches`
launches it, once a (team, month) however many batches ended. Nothing is sent twice.
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

JOBS = (sync_month, classify_month_again, refresh_team, retry_failed_months, check_trends)
