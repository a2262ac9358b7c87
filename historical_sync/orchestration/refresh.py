"""The refresh of a loaded team: one run walks the index down to its watermark and rebuilds only what changed."""

import dagster as dg

from historical_sync.errors import HistoricalSyncError, TeamStopped
from historical_sync.orchestration import reports, stages
from historical_sync.orchestration.partitions import key_of
from historical_sync.orchestration.reports import Result
from historical_sync.orchestration.resources import Pipeline, PipelineResource
from historical_sync.orchestration.worker import Worker, ended_as_cancelled, readable_failure
from historical_sync.records import TeamMonth
from historical_sync.warehouse import refreshes, registry


class TeamConfig(dg.Config):
    """Which team."""

    team_id: str = "the-team"


@dg.op(
    description="Walk the team's index down to the watermark; rebuild the months that changed, newest first.",
    out=dg.Out(dg.Nothing),
    tags={"kind": "github"},
)
def refresh(context: dg.OpExecutionContext, config: TeamConfig, pipeline: PipelineResource) -> None:
    from historical_sync.github.ingestion import connect, refresh_team

    with pipeline.warehouse.transaction() as tx:
        team = registry.read_team(tx, config.team_id)
        refreshes.begin_refresh(tx, team.team_id, now=pipeline.now())
    try:
        worker = Worker(context, pipeline, team.team_id)
        client = connect(pipeline.settings, pipeline.warehouse, team)
        changed = refresh_team(pipeline.warehouse, client, team, now=pipeline.now(), on_event=worker)
        for month in sorted(changed, reverse=True):
            _rebuild(context, pipeline, TeamMonth(team.team_id, month), worker)
    except TeamStopped as error:
        _end(pipeline, team.team_id, error=str(error))
        raise ended_as_cancelled(context, error) from error
    except HistoricalSyncError as error:
        _end(pipeline, team.team_id, error=str(error))
        raise readable_failure(error) from error
    _end(pipeline, team.team_id, changed_months=len(changed))
    context.add_output_metadata({"changed months": len(changed), "months": ", ".join(map(str, sorted(changed)))})


def _end(pipeline: Pipeline, team_id: str, *, changed_months: int | None = None, error: str | None = None) -> None:
    with pipeline.warehouse.transaction() as tx:
        refreshes.end_refresh(tx, team_id, now=pipeline.now(), changed_months=changed_months, error=error)


def _rebuild(context: dg.OpExecutionContext, pipeline: Pipeline, partition: TeamMonth, worker: Worker) -> None:
    """The four stages of one month, each recorded as a materialisation of its asset's partition."""
    worker(f"{partition.month:%Y-%m} changed")
    stages.begin(pipeline, partition, context.run.run_id)
    ingested = stages.ingest(pipeline, partition, worker)
    _record(context, partition, "raw_pull_requests", reports.ingested(pipeline, partition, ingested))
    _record(
        context,
        partition,
        "regex_tagged_pull_requests",
        reports.tagged(pipeline, partition, stages.tag(pipeline, partition)),
    )
    classified = stages.classify(pipeline, partition, worker)
    _record(context, partition, "llm_classified_pull_requests", reports.classified(pipeline, partition, classified))
    published, _ = stages.publish(pipeline, partition)
    _record(context, partition, "monthly_trends", reports.published(pipeline, partition, published))


def _record(context: dg.OpExecutionContext, partition: TeamMonth, asset: str, result: Result) -> None:
    key = key_of(partition.team_id, partition.month)
    context.log_event(dg.AssetMaterialization(asset, metadata=result.metadata, partition=key))
    for check in result.check_results or ():
        context.instance.report_runless_asset_event(
            dg.AssetCheckEvaluation(
                asset_key=dg.AssetKey(asset),
                check_name=str(check.check_name),
                passed=check.passed,
                severity=check.severity,
                description=check.description,
                metadata=check.metadata or {},
            )
        )


@dg.job(
    executor_def=dg.in_process_executor,
    description="""
Bring a loaded team up to date: one walk over its index, then only the months that changed are rebuilt.

The schedule `refresh_loaded_teams` starts it every few hours for each team. Launch it by hand to see a change at once.
""",
)
def refresh_team() -> None:
    refresh()
