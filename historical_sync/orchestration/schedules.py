"""The schedules: the refresh of loaded teams, and the look over all their numbers."""

from collections.abc import Iterator

import dagster as dg

from historical_sync.orchestration import internals, onboarding
from historical_sync.orchestration.jobs import check_trends, refresh_team
from historical_sync.orchestration.queue import REFRESH
from historical_sync.orchestration.resources import PipelineResource
from historical_sync.warehouse import refreshes
from historical_sync.warehouse.refreshes import DueRefresh


@dg.schedule(
    cron_schedule="*/10 * * * *",
    job=refresh_team,
    execution_timezone="UTC",
    default_status=dg.DefaultScheduleStatus.RUNNING,
    description="""
Every ten minutes: one run for each loaded team whose refresh is due. A team's interval is `teams.refresh_hours` (six by
default), and its moment a hash of its name, so that the teams do not all ask GitHub at once.
""",
)
def refresh_loaded_teams(
    context: dg.ScheduleEvaluationContext, pipeline: PipelineResource
) -> Iterator[dg.RunRequest | dg.SkipReason]:
    """The run key holds the moment at which the refresh fell due: however often this looks, each has one run."""
    with pipeline.warehouse.transaction() as tx:
        due = refreshes.refreshes_due(tx, now=pipeline.now())
    if not due:
        yield dg.SkipReason("Every loaded team was refreshed when it was last due.")
    for one in due:
        yield _request(one)


def _request(one: DueRefresh) -> dg.RunRequest:
    return dg.RunRequest(
        run_key=f"{one.team_id}:refresh:{one.generation}:{one.due_since:%Y-%m-%dT%H:%M:%S}",
        run_config={"ops": {"refresh": {"config": {"team_id": one.team_id}}}},
        tags={
            **onboarding.identity(one.team_id, one.generation),
            onboarding.CAUSE: "refresh",
            internals.PRIORITY_TAG: str(REFRESH),
        },
    )


check_trends_hourly = dg.ScheduleDefinition(
    name="check_trends_hourly",
    job=check_trends,
    cron_schedule="20 * * * *",
    execution_timezone="UTC",
    default_status=dg.DefaultScheduleStatus.RUNNING,
    description="Every hour: look over the numbers of all teams. Findings show as failed checks of `monthly_trends`.",
)

SCHEDULES = [refresh_loaded_teams, check_trends_hourly]
