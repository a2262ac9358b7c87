"""What the Dagster UI shows of each asset and each materialisation: texts, numbers to plot, tables, links.

`RAW`, `TAGGED`, `CLASSIFIED` and `TRENDS` are the assets' own descriptions, schemas and policies; the functions turn a
stage's summary into a materialisation's metadata.
"""

from datetime import timedelta
from typing import Any

import dagster as dg

from historical_sync.orchestration import internals
from historical_sync.orchestration.resources import Pipeline
from historical_sync.records import TeamMonth
from historical_sync.warehouse import operations

STATE_TAG = "historical_sync/state"
PROGRESS_TAG = "historical_sync/progress"
OWNERS = ["team:data-platform"]
FRESH = dg.FreshnessPolicy.time_window(fail_window=timedelta(hours=26), warn_window=timedelta(hours=13))

RAW: dict[str, Any] = {
    "owners": OWNERS,
    "freshness_policy": FRESH,
    "description": "Every pull request that was created or closed in the month, with commits, reviews and files.",
}
TAGGED: dict[str, Any] = {
    "owners": OWNERS,
    "description": "Evidence of AI use by signature, with the words that prove it.",
}
CLASSIFIED: dict[str, Any] = {"owners": OWNERS, "description": "What an LLM says of each pull request."}
TRENDS: dict[str, Any] = {"owners": OWNERS, "description": "The month's metrics and the team's directions."}


class Observer:
    """Reports an ingestion's progress while it runs: an observation on the asset, and a tag on the run."""

    def __init__(self, context: dg.AssetExecutionContext, pipeline: Pipeline, partition: TeamMonth) -> None:
        self._context = context
        self._pipeline = pipeline
        self._partition = partition

    def __call__(self) -> None:
        with self._pipeline.warehouse.transaction() as tx:
            state = operations.month_state(tx, self._partition.team_id, self._partition.month)
        stored, expected = state.stored, state.expected
        self._context.log_event(
            dg.AssetObservation(
                self._context.asset_key,
                partition=self._context.partition_key,
                metadata={"stored": stored, "expected": expected},
            )
        )
        internals.tag_run(self._context.instance, self._context.run_id, {PROGRESS_TAG: f"{stored} of {expected}"})

    def finish(self, ingested: Any) -> None:
        stored = sum(one.stored or 0 for one in ingested.repositories)
        internals.tag_run(self._context.instance, self._context.run_id, {PROGRESS_TAG: f"{stored} pull requests"})


def _numbers(summary: Any, *names: str) -> dict[str, Any]:
    return {name: getattr(summary, name) for name in names if getattr(summary, name, None) is not None}


def ingested(pipeline: Pipeline, partition: TeamMonth, summary: Any) -> dg.MaterializeResult:
    return dg.MaterializeResult(
        metadata=_numbers(summary, "pull_requests", "fetched", "requests", "points", "waited_seconds")
    )


def tagged(summary: Any) -> dg.MaterializeResult:
    return dg.MaterializeResult(metadata=_numbers(summary, "pull_requests", "with_author_evidence"))


def classified(summary: Any) -> dg.MaterializeResult:
    return dg.MaterializeResult(metadata=_numbers(summary, "pull_requests", "classified", "pending", "unclassified"))


def published(pipeline: Pipeline, partition: TeamMonth, summary: Any) -> dg.MaterializeResult:
    return dg.MaterializeResult(metadata=_numbers(summary, "values", "months"))
