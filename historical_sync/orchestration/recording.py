"""What Dagster is told of a partition that was rebuilt outside the assets' own steps: by a refresh, or by a sensor."""

from __future__ import annotations

import uuid

import dagster as dg

from historical_sync.orchestration import internals
from historical_sync.orchestration.partitions import key_of
from historical_sync.orchestration.reports import Result
from historical_sync.records import TeamMonth

PARTITION = "partition"
"""What a check is of stands in its metadata: in a column of its own Dagster takes one evaluation a partition, ever."""


def record(
    instance: dg.DagsterInstance,
    asset: dg.AssetsDefinition,
    partition: TeamMonth,
    result: Result,
    run: internals.DagsterRun | None = None,
) -> None:
    """Store the materialisation of the asset's partition, with what Dagster tells outdated ones by, and its checks.

    In the order of the flow: a partition is newer than those that it was built from.
    """
    spec, key = asset.get_asset_spec(), key_of(partition.team_id, partition.month)
    tags = internals.provenance(instance, spec, key, default_version=run.run_id if run else uuid.uuid4().hex)
    materialization = dg.AssetMaterialization(spec.key, metadata=result.metadata, partition=key, tags=tags)
    internals.report_materialization(instance, materialization, run)
    for check in result.check_results or ():
        instance.report_runless_asset_event(
            dg.AssetCheckEvaluation(
                asset_key=spec.key,
                check_name=str(check.check_name),
                passed=check.passed,
                severity=check.severity,
                description=check.description,
                metadata={**(check.metadata or {}), PARTITION: key},
            )
        )
