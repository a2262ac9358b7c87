"""The refresh of a loaded team: one run walks the index down to its watermark and rebuilds only what changed."""

import dagster as dg

from historical_sync.errors import HistoricalSyncError, TeamStopped
from historical_sync.orchestration import reports, stages
from historical_sync.orchestration.assets import (
    llm_classified_pull_requests,
    monthly_trends,
    raw_pull_requests,
    regex_tagged_pull_requests,
)
from historical_sync.orchestration.recording import record
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
    instance, run = context.instance, context.run
    stages.begin(pipeline, partition, run.run_id)
    ingested = stages.ingest(pipeline, partition, worker)
    record(instance, raw_pull_requests, partition, reports.ingested(pipeline, partition, ingested), run)
    tagged = stages.tag(pipeline, partition)
    record(instance, regex_tagged_pull_requests, partition, reports.tagged(pipeline, partition, tagged), run)
    classified = stages.classify(pipeline, partition, worker)
    record(instance, llm_classified_pull_requests, partition, reports.classified(pipeline, partition, classified), run)
    published, _ = stages.publish(pipeline, partition)
    record(instance, monthly_trends, partition, reports.published(pipeline, partition, published), run)


@dg.job(
    executor_def=dg.in_process_executor,
    description="""
Bring a loaded team up to date: one walk over its index, then only the months that changed are rebuilt.

The schedule `refresh_loaded_teams` starts it every few hours for each team. Launch it by hand to see a change at once.
""",
)
def refresh_team() -> None:
    refresh()
