"""The four assets, one partition a (team, month). Each calls its stage and says in Dagster's terms what came out.

The work is done by the rooms below; the texts and tables that the UI shows are made in `reports`. Stages are imported
when they run: Dagster's processes load these definitions often, and pandas, scipy and the SDK seldom.
"""

import dagster as dg

from historical_sync.ai_usage.signatures import RULESET_VERSION
from historical_sync.orchestration import internals, reports
from historical_sync.orchestration.partitions import read_key, team_month_partitions
from historical_sync.orchestration.resources import Pipeline, PipelineResource
from historical_sync.orchestration.worker import at_work
from historical_sync.records import TeamMonth
from historical_sync.warehouse import alerts, operations, registry
from historical_sync.window import require_in_window

GROUP = "historical_sync"


class Repositories(dg.Config):  # type: ignore[misc]
    """Which repositories a run reads. Empty: all that the team tracks."""

    repositories: list[str] = []  # noqa: RUF012 - a pydantic field, copied for each run


@dg.asset(
    partitions_def=team_month_partitions,
    group_name=GROUP,
    kinds={"github", "postgres"},
    **reports.RAW,
)
def raw_pull_requests(
    context: dg.AssetExecutionContext, config: Repositories, pipeline: PipelineResource
) -> dg.MaterializeResult:
    from historical_sync.github.ingestion import connect, ingest_month

    partition = read_key(context.partition_key)
    now = pipeline.now()
    observe = reports.Observer(context, pipeline, partition)
    with at_work(context, pipeline, partition, observe) as worker:
        with pipeline.warehouse.transaction() as tx:
            team = registry.read_team(tx, partition.team_id)
            require_in_window(partition.month, now, team.history_months, team.team_id)
            operations.begin_attempt(tx, team.team_id, partition.month, context.run_id, now=now)
            alerts.note_milestones(tx, team.team_id, now=now, first_month=pipeline.settings.first_month)
        ingested = ingest_month(
            pipeline.warehouse,
            connect(pipeline.settings, pipeline.warehouse, team),
            team,
            partition.month,
            now=now,
            repositories=config.repositories or None,
            on_event=worker,
        )
    observe.finish(ingested)
    return reports.ingested(pipeline, partition, ingested)


@dg.asset(
    partitions_def=team_month_partitions,
    group_name=GROUP,
    deps=[raw_pull_requests],
    kinds={"postgres"},
    code_version=RULESET_VERSION,
    **reports.TAGGED,
)
def regex_tagged_pull_requests(context: dg.AssetExecutionContext, pipeline: PipelineResource) -> dg.MaterializeResult:
    from historical_sync.ai_usage.retagging import tag_month

    partition = read_key(context.partition_key)
    with at_work(context, pipeline, partition):
        tagged = tag_month(pipeline.warehouse, partition.team_id, partition.month)
    return reports.tagged(tagged)


@dg.asset(
    partitions_def=team_month_partitions,
    group_name=GROUP,
    deps=[regex_tagged_pull_requests],
    kinds={"groq", "postgres"},
    **reports.CLASSIFIED,
)
def llm_classified_pull_requests(context: dg.AssetExecutionContext, pipeline: PipelineResource) -> dg.MaterializeResult:
    from historical_sync.classification.groq_client import connect
    from historical_sync.classification.ledger import classify_month

    partition = read_key(context.partition_key)
    with at_work(context, pipeline, partition) as worker:
        classified = classify_month(
            pipeline.warehouse,
            connect(pipeline.settings),
            partition.team_id,
            partition.month,
            pipeline.settings,
            now=pipeline.now(),
            on_event=worker,
        )
    return reports.classified(classified)


@dg.asset(
    partitions_def=team_month_partitions,
    group_name=GROUP,
    deps=[raw_pull_requests, regex_tagged_pull_requests, llm_classified_pull_requests],
    kinds={"postgres"},
    **reports.TRENDS,
)
def monthly_trends(context: dg.AssetExecutionContext, pipeline: PipelineResource) -> dg.MaterializeResult:
    from historical_sync.trends.publication import publish_month

    partition = read_key(context.partition_key)
    with at_work(context, pipeline, partition):
        now = pipeline.now()
        published = publish_month(pipeline.warehouse, partition.team_id, partition.month, now=now)
        _finish(context, pipeline, partition)
    return reports.published(pipeline, partition, published)


def _finish(context: dg.AssetExecutionContext, pipeline: Pipeline, partition: TeamMonth) -> None:
    """Mark the month as published; if it is not complete, set when it is tried again; tell whoever listens."""
    now = pipeline.now()
    with pipeline.warehouse.transaction() as tx:
        operations.mark_published(tx, partition.team_id, partition.month, now=now)
        is_done = operations.is_month_done(tx, partition.team_id, partition.month)
        if not is_done:
            operations.end_attempt(tx, partition.team_id, partition.month, "Not every repository is complete.", now=now)
        alerts.note_milestones(tx, partition.team_id, now=now, first_month=pipeline.settings.first_month)
    internals.tag_run(context.instance, context.run_id, {reports.STATE_TAG: "complete" if is_done else "partial"})


ASSETS = [raw_pull_requests, regex_tagged_pull_requests, llm_classified_pull_requests, monthly_trends]
