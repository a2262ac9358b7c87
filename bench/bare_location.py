"""What Dagster itself costs: four empty assets, and a sensor that runs them for every row of a table.

The floor of an onboarding: the same partitions, the same executor, the same daemon, and no work.
"""

from __future__ import annotations

import os

import dagster as dg
import psycopg2

partitions = dg.MultiPartitionsDefinition(
    {
        "team": dg.DynamicPartitionsDefinition(name="bare_teams"),
        "month": dg.MonthlyPartitionsDefinition(start_date="2024-01-01", end_offset=1),
    }
)


@dg.asset(partitions_def=partitions)
def bare_first() -> None:
    """Nothing."""


@dg.asset(partitions_def=partitions, deps=[bare_first])
def bare_second() -> None:
    """Nothing."""


@dg.asset(partitions_def=partitions, deps=[bare_second])
def bare_third() -> None:
    """Nothing."""


@dg.asset(partitions_def=partitions, deps=[bare_third])
def bare_last() -> None:
    """Nothing."""


bare_month = dg.define_asset_job("bare_month", selection="*", executor_def=dg.in_process_executor)


@dg.sensor(job=bare_month, minimum_interval_seconds=5, default_status=dg.DefaultSensorStatus.RUNNING)
def bare_onboarding(context: dg.SensorEvaluationContext) -> list[dg.RunRequest]:
    """A run for every row; a run key has one run, however often it is asked for."""
    connection = psycopg2.connect(os.environ["HISTORICAL_SYNC_DATABASE_URL"])
    with connection, connection.cursor() as cursor:
        cursor.execute("select team, month from public.bare_wanted order by month desc")
        rows = cursor.fetchall()
    connection.close()
    context.instance.add_dynamic_partitions("bare_teams", sorted({team for team, _ in rows}))
    return [dg.RunRequest(run_key=f"{team}:{month}", partition_key=f"{month}|{team}") for team, month in rows]


defs = dg.Definitions(
    assets=[bare_first, bare_second, bare_third, bare_last], jobs=[bare_month], sensors=[bare_onboarding]
)
