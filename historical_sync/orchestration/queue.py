"""The order of the queue: a person's request first, then the newest months, whoever queued them and how.

`dagster.yaml` names `MonthFirstRunCoordinator`; it is Dagster's queue with a priority given to every run that has
none. So a backfill started by hand on an asset's page, which Dagster queues oldest first, also runs newest first.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime

from historical_sync.orchestration.internals import (
    BACKFILL_ID_TAG,
    PRIORITY_TAG,
    DagsterRun,
    QueuedRunCoordinator,
    SubmitRunContext,
    tag_run,
)
from historical_sync.window import first_of_month

MONTH_TAG = "dagster/partition/month"

ASKED_BY_A_PERSON = 1000
NEWEST_MONTH = 500
"""A month's priority is this less the months that it lies back."""
REFRESH = 450
"""A loaded team's refresh: after the newest months of new teams, before the bulk of their history."""


def month_priority(month: date, today: date) -> int:
    """Newer months first: 500 for the open month, one less for each month back."""
    newest = first_of_month(today)
    return NEWEST_MONTH - ((newest.year - month.year) * 12 + newest.month - month.month)


def priority_of(tags: Mapping[str, str], today: date) -> int | None:
    """The priority that a run with these tags deserves; None when it has one or has no month."""
    if PRIORITY_TAG in tags or MONTH_TAG not in tags:
        return None
    is_bulk = BACKFILL_ID_TAG in tags or "dagster/sensor_name" in tags or "dagster/schedule_name" in tags
    if not is_bulk:
        return ASKED_BY_A_PERSON
    try:
        return month_priority(date.fromisoformat(tags[MONTH_TAG]), today)
    except ValueError:
        return None


class MonthFirstRunCoordinator(QueuedRunCoordinator):
    """Dagster's queued run coordinator, with a priority by month for every run that comes without one."""

    def submit_run(self, context: SubmitRunContext) -> DagsterRun:
        run = context.dagster_run
        priority = priority_of(run.tags, datetime.now(UTC).date())
        if priority is not None:
            tag_run(self._instance, run.run_id, {PRIORITY_TAG: str(priority)})
        return super().submit_run(context)
