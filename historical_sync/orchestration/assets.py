"""The four assets, one partition a (team, month). Each calls its stage and says in Dagster's terms what came out.

What the UI shows of them (texts, tables, links) is made in `descriptions` and `reports`, the work in `stages`.
"""

import dagster as dg

from historical_sync.ai_usage.signatures import RULESET_VERSION
from historical_sync.classification.prompt import prompt_version
from historical_sync.orchestration import descriptions, internals, reports, stages
from historical_sync.orchestration.observing import Observer
from historical_sync.orchestration.partitions import read_key, team_month_partitions
from historical_sync.orchestration.reports import Result
from historical_sync.orchestration.resources import PipelineResource
from historical_sync.orchestration.worker import at_work

GROUP = "pull_request_history"


class Repositories(dg.Config):
    """Which repositories a run reads. Empty: all that the team tracks."""

    repositories: list[str] = []  # noqa: RUF012 - a pydantic field, copied for each run


@dg.asset(
    partitions_def=team_month_partitions,
    group_name=GROUP,
    kinds={"github", "postgres"},
    check_specs=[descriptions.REPOSITORIES_COMPLETE],
    owners=descriptions.OWNERS,
    tags={descriptions.STAGE_TAG: "1-ingest"},
    description=descriptions.RAW,
    metadata=descriptions.RAW_METADATA,
    freshness_policy=descriptions.FRESH,
)
def raw_pull_requests(context: dg.AssetExecutionContext, config: Repositories, pipeline: PipelineResource) -> Result:
    partition = read_key(context.partition_key)
    observer = Observer(context, pipeline, partition)
    with at_work(context, pipeline, partition, observer) as worker:
        stages.begin(pipeline, partition, context.run.run_id)
        ingested = stages.ingest(pipeline, partition, worker, config.repositories)
    observer.finish()
    return reports.ingested(pipeline, partition, ingested)


@dg.asset(
    partitions_def=team_month_partitions,
    group_name=GROUP,
    deps=[raw_pull_requests],
    kinds={"python", "postgres"},
    owners=descriptions.OWNERS,
    tags={descriptions.STAGE_TAG: "2-tag"},
    description=descriptions.TAGGED,
    metadata=descriptions.TAGGED_METADATA,
    code_version=RULESET_VERSION,
    freshness_policy=descriptions.FRESH,
)
def regex_tagged_pull_requests(context: dg.AssetExecutionContext, pipeline: PipelineResource) -> Result:
    partition = read_key(context.partition_key)
    with at_work(context, pipeline, partition):
        return reports.tagged(pipeline, partition, stages.tag(pipeline, partition))


@dg.asset(
    partitions_def=team_month_partitions,
    group_name=GROUP,
    deps=[regex_tagged_pull_requests],
    kinds={"groq", "postgres"},
    check_specs=[descriptions.LEDGER_BALANCED, descriptions.EVIDENCE_AGREES],
    owners=descriptions.OWNERS,
    tags={descriptions.STAGE_TAG: "3-classify"},
    description=descriptions.CLASSIFIED,
    metadata=descriptions.CLASSIFIED_METADATA,
    code_version=prompt_version(),
    freshness_policy=descriptions.FRESH,
)
def llm_classified_pull_requests(context: dg.AssetExecutionContext, pipeline: PipelineResource) -> Result:
    partition = read_key(context.partition_key)
    observer = Observer(context, pipeline, partition)
    with at_work(context, pipeline, partition) as worker:
        classified = stages.classify(pipeline, partition, worker, observer.classified)
        return reports.classified(pipeline, partition, classified)


@dg.asset(
    partitions_def=team_month_partitions,
    group_name=GROUP,
    deps=[raw_pull_requests, regex_tagged_pull_requests, llm_classified_pull_requests],
    kinds={"sql", "postgres"},
    owners=descriptions.OWNERS,
    tags={descriptions.STAGE_TAG: "4-publish"},
    description=descriptions.TRENDS,
    metadata=descriptions.TRENDS_METADATA,
    freshness_policy=descriptions.FRESH,
)
def monthly_trends(context: dg.AssetExecutionContext, pipeline: PipelineResource) -> Result:
    partition = read_key(context.partition_key)
    with at_work(context, pipeline, partition):
        published, is_done = stages.publish(pipeline, partition)
        internals.tag_run(
            context.instance, context.run.run_id, {descriptions.STATE_TAG: "complete" if is_done else "partial"}
        )
        return reports.published(pipeline, partition, published)


ASSETS = [raw_pull_requests, regex_tagged_pull_requests, llm_classified_pull_requests, monthly_trends]
