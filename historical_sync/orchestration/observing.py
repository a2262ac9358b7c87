"""Progress while a run is at work: an observation on its asset every few seconds, and a tag on the run."""

from __future__ import annotations

from typing import TYPE_CHECKING

import dagster as dg

from historical_sync.orchestration import internals
from historical_sync.orchestration.descriptions import PROGRESS_TAG
from historical_sync.orchestration.resources import Pipeline
from historical_sync.records import TeamMonth
from historical_sync.warehouse import operations

if TYPE_CHECKING:
    from historical_sync.classification.ledger import ClassificationSummary


class Observer:
    """Says how far a partition is. Called by the worker at its beat; `classified` by the ledger while it waits."""

    def __init__(self, context: dg.AssetExecutionContext, pipeline: Pipeline, partition: TeamMonth) -> None:
        self._context = context
        self._pipeline = pipeline
        self._partition = partition

    def __call__(self) -> None:
        with self._pipeline.warehouse.transaction() as tx:
            state = operations.month_state(tx, self._partition.team_id, self._partition.month)
        self._observe(
            {
                "pull requests stored": state.stored,
                "pull requests expected": state.expected,
                "repositories complete": state.complete,
                "repositories": state.repositories,
            }
        )
        self._tag(f"{state.stored}/{state.expected} PRs")

    def finish(self) -> None:
        """The month's pull requests are in."""
        with self._pipeline.warehouse.transaction() as tx:
            state = operations.month_state(tx, self._partition.team_id, self._partition.month)
        self._tag(f"{state.stored} PRs, {state.complete}/{state.repositories} repos")

    def classified(self, summary: ClassificationSummary) -> None:
        """Where the LLM's batches stand while the run waits for them."""
        self._observe(
            {
                "batches done": summary.batches_done,
                "batches": summary.batches_total,
                "classified": summary.classified,
                "pending": summary.pending,
                "unclassified": summary.unclassified,
                "cost so far (USD)": summary.cost_usd,
            }
        )

    def _observe(self, metadata: dict[str, int | float]) -> None:
        self._context.log_event(
            dg.AssetObservation(self._context.asset_key, partition=self._context.partition_key, metadata=metadata)
        )

    def _tag(self, text: str) -> None:
        internals.tag_run(self._context.instance, self._context.run.run_id, {PROGRESS_TAG: text})
