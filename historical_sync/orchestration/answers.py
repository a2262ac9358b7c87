"""LLM answers that came after their month was built: whoever collected them builds its last two partitions anew."""

from __future__ import annotations

from typing import TYPE_CHECKING

import dagster as dg

from historical_sync.orchestration import reports, stages
from historical_sync.orchestration.assets import llm_classified_pull_requests, monthly_trends
from historical_sync.orchestration.recording import record
from historical_sync.orchestration.resources import Pipeline
from historical_sync.records import TeamMonth

if TYPE_CHECKING:
    from historical_sync.classification.ledger import ClassificationSummary


def take_in(instance: dg.DagsterInstance, pipeline: Pipeline, partition: TeamMonth) -> ClassificationSummary:
    """Compute the month's trends with the answers stored so far, and tell Dagster of both partitions. No run is made.

    The tables come first: a process killed in between leaves Dagster with an older account of right numbers.
    """
    classified, published = stages.take_in(pipeline, partition)
    record(instance, llm_classified_pull_requests, partition, reports.classified(pipeline, partition, classified))
    record(instance, monthly_trends, partition, reports.published(pipeline, partition, published))
    return classified
