"""The jobs: what can be launched, by a sensor, a schedule or a person."""

import dagster as dg

from historical_sync.orchestration.assets import ASSETS

sync_month = dg.define_asset_job(
    "sync_month",
    selection=dg.AssetSelection.assets(*ASSETS),
    executor_def=dg.in_process_executor,
    description="Load, tag, classify and aggregate one month of one team.",
)

publish_again = dg.define_asset_job(
    "classify_month_again",
    selection=dg.AssetSelection.assets("llm_classified_pull_requests", "monthly_trends"),
    executor_def=dg.in_process_executor,
    description="After LLM batches ended: take their results in and compute the month's trends again.",
)

JOBS = [sync_month, publish_again]
