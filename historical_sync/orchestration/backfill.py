"""The backfill of a team's older months: one row on the Backfills page, titled, newest month first."""

from __future__ import annotations

from datetime import datetime

import dagster as dg

from historical_sync.orchestration import internals, onboarding
from historical_sync.orchestration.partitions import key_of


def launch(context: dg.SensorEvaluationContext, plan: onboarding.TeamPlan, now: datetime) -> str | None:
    """Add the backfill of what the plan holds in bulk; its id, or None when there is nothing in bulk.

    The runs get their priority by month when they are queued (see `queue`).
    """
    if not plan.in_bulk:
        return None
    identity = onboarding.identity(plan.team_id, plan.generation)
    attempt = onboarding.next_attempt([internals.newest_backfill_tags(context.instance, identity)])
    backfill_id = onboarding.backfill_id(plan.team_id, plan.generation, attempt)
    newest, oldest = plan.in_bulk[0].month, plan.in_bulk[-1].month
    internals.add_job_backfill(
        context,
        backfill_id=backfill_id,
        job_name="sync_month",
        partition_keys=[key_of(one.team_id, one.month) for one in plan.in_bulk],
        title=f"{plan.team_id}: {newest:%Y-%m} back to {oldest:%Y-%m}",
        description=f"{len(plan.in_bulk)} months of the history of {plan.team_id}, newest first.",
        tags={**identity, onboarding.ATTEMPT: str(attempt), onboarding.CAUSE: "wanted"},
        created_at=now,
    )
    context.log.info(f"Backfill {backfill_id}: {len(plan.in_bulk)} months of {plan.team_id}")
    return backfill_id
