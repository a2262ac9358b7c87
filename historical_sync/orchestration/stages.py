"""The four stages of a (team, month), each called on the room that does it. Knows nothing of Dagster.

The rooms are imported when they are needed: definitions are loaded often, and pandas, scipy and the SDK seldom used.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from historical_sync.orchestration.resources import Pipeline
from historical_sync.records import TeamMonth
from historical_sync.warehouse import alerts, operations, registry
from historical_sync.window import require_in_window

if TYPE_CHECKING:
    from historical_sync.ai_usage.retagging import TaggingSummary
    from historical_sync.classification.ledger import ClassificationSummary
    from historical_sync.github.ingestion import MonthIngestion
    from historical_sync.trends.publication import TrendSummary

OnEvent = Callable[[str], None]


def begin(pipeline: Pipeline, partition: TeamMonth, run_id: str) -> int:
    """Count the attempt before anything can fail. Raises ConfigurationError or OutsideWindow for what nobody wants."""
    now = pipeline.now()
    with pipeline.warehouse.transaction() as tx:
        team = registry.read_team(tx, partition.team_id)
        require_in_window(partition.month, now, team.history_months, team.team_id)
        attempt = operations.begin_attempt(tx, team.team_id, partition.month, run_id, now=now)
        alerts.note_milestones(tx, team.team_id, now=now, first_month=pipeline.settings.first_month)
    return attempt


def ingest(
    pipeline: Pipeline, partition: TeamMonth, on_event: OnEvent, repositories: Sequence[str] = ()
) -> MonthIngestion:
    """Fetch the month from GitHub, for all repositories or those named."""
    from historical_sync.github.ingestion import connect, ingest_month

    with pipeline.warehouse.transaction() as tx:
        team = registry.read_team(tx, partition.team_id)
    return ingest_month(
        pipeline.warehouse,
        connect(pipeline.settings, pipeline.warehouse, team),
        team,
        partition.month,
        now=pipeline.now(),
        repositories=repositories or None,
        first_month=pipeline.settings.first_month,
        on_event=on_event,
    )


def tag(pipeline: Pipeline, partition: TeamMonth) -> TaggingSummary:
    """Tag the month's pull requests by signature."""
    from historical_sync.ai_usage.retagging import tag_month

    return tag_month(pipeline.warehouse, partition.team_id, partition.month)


def classify(
    pipeline: Pipeline,
    partition: TeamMonth,
    on_event: OnEvent,
    on_progress: Callable[[ClassificationSummary], None] | None = None,
) -> ClassificationSummary:
    """Send what is new to the LLM; take in what has been answered."""
    from historical_sync.classification.groq_client import connect
    from historical_sync.classification.ledger import classify_month

    return classify_month(
        pipeline.warehouse,
        connect(pipeline.settings),
        partition.team_id,
        partition.month,
        pipeline.settings,
        now=pipeline.now(),
        on_event=on_event,
        on_progress=on_progress,
    )


def take_in(pipeline: Pipeline, partition: TeamMonth) -> tuple[ClassificationSummary, TrendSummary]:
    """Where the month stands with the LLM, and its trends computed anew with the answers stored so far.

    Says nothing of whether the month is done: it may have been fetched and not tagged since.
    """
    from historical_sync.classification.ledger import summarize
    from historical_sync.trends.publication import publish_month

    team_id, month = partition.team_id, partition.month
    published = publish_month(pipeline.warehouse, team_id, month, now=pipeline.now())
    return summarize(pipeline.warehouse, team_id, month, now=pipeline.now()), published


def publish(pipeline: Pipeline, partition: TeamMonth) -> tuple[TrendSummary, bool]:
    """Compute the month's trends; mark the month, set when it is tried again if it is not complete, tell who listens.

    The second value says whether the month is done.
    """
    from historical_sync.trends.publication import publish_month

    team_id, month = partition.team_id, partition.month
    summary = publish_month(pipeline.warehouse, team_id, month, now=pipeline.now())
    now = pipeline.now()
    with pipeline.warehouse.transaction() as tx:
        operations.mark_published(tx, team_id, month, now=now)
        state = operations.month_state(tx, team_id, month)
        if not state.is_done:
            operations.end_attempt(tx, team_id, month, state.error or "It is not complete.", now=now)
        alerts.note_milestones(tx, team_id, now=now, first_month=pipeline.settings.first_month)
        alerts.note_repository_failures(tx, team_id, month, now=now)
    return summary, state.is_done
