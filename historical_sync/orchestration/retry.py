"""A person asks again: the months of a team that failed or are partial become due at once, before all bulk work."""

from datetime import date

import dagster as dg

from historical_sync.errors import HistoricalSyncError
from historical_sync.orchestration.refresh import TeamConfig
from historical_sync.orchestration.resources import Pipeline, PipelineResource
from historical_sync.orchestration.worker import readable_failure
from historical_sync.warehouse import operations, registry


def ask_again(pipeline: Pipeline, team_id: str) -> list[date]:
    """Ask for every month of the team that is not done; returns them. The onboarding sensor starts them within seconds.

    Raises ConfigurationError for an unknown team.
    """
    now = pipeline.now()
    with pipeline.warehouse.transaction() as tx:
        registry.read_team(tx, team_id)
        months = operations.incomplete_months(tx, team_id, now=now, first_month=pipeline.settings.first_month)
        operations.ask(tx, team_id, months, now=now)
    return months


@dg.op(description="Make the team's incomplete months due at once.", out=dg.Out(dg.Nothing))
def ask(context: dg.OpExecutionContext, config: TeamConfig, pipeline: PipelineResource) -> None:
    try:
        months = ask_again(pipeline, config.team_id)
    except HistoricalSyncError as error:
        raise readable_failure(error) from error
    context.log.info(f"{len(months)} months of {config.team_id} are not done; each gets a run within seconds.")
    context.add_output_metadata({"months": len(months), "which": ", ".join(f"{one:%Y-%m}" for one in months) or "none"})


@dg.job(
    executor_def=dg.in_process_executor,
    config=dg.RunConfig(ops={"ask": {"config": {"team_id": "the-team"}}}),
    description="""
Run again **only what failed or is partial** of one team: put the team's name in the launchpad and launch.

The months become due at once, with their attempts counted anew; the sensor `onboard_teams` starts a run for each,
before all bulk work. What is complete is not touched. The same from a terminal: `historical-sync retry TEAM`.
""",
)
def retry_failed_months() -> None:
    ask()
