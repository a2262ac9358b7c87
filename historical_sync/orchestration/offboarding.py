"""Pausing a team, and removing one: queued work first, then what is at work, then every row, proved by count."""

from __future__ import annotations

import time
from collections.abc import Callable

import dagster as dg

from historical_sync.errors import ConfigurationError
from historical_sync.orchestration import internals, onboarding
from historical_sync.orchestration.partitions import TEAM_TAG, TEAMS, key_ending
from historical_sync.orchestration.resources import Pipeline
from historical_sync.settings import Settings
from historical_sync.warehouse import operations, registry

QUEUED = (dg.DagsterRunStatus.QUEUED, dg.DagsterRunStatus.NOT_STARTED)
PATIENCE_SECONDS = 60.0
"""A run stops at its next safe point: after the page it is fetching, at most GitHub's slowest answer away."""


def pause(settings: Settings, instance: dg.DagsterInstance, team_id: str) -> int:
    """Stop new work for a team: its queued runs are cancelled, those at work stop at their next safe point.

    Returns how many queued runs were cancelled. What is loaded stays, and is shown.
    """
    with Pipeline(settings).warehouse.transaction() as tx:
        registry.set_status(tx, team_id, "paused")
    return cancel_queued(instance, team_id)


def resume(settings: Settings, team_id: str) -> None:
    """Let a paused team's work go on: what is missing becomes due at once, with its attempts counted anew."""
    pipeline = Pipeline(settings)
    now = pipeline.now()
    with pipeline.warehouse.transaction() as tx:
        registry.set_status(tx, team_id, "active")
        missing = operations.incomplete_months(tx, team_id, now=now, first_month=settings.first_month)
        operations.ask(tx, team_id, missing, now=now, is_urgent=False)


def cancel_queued(instance: dg.DagsterInstance, team_id: str) -> int:
    """Cancel the team's open backfills and the runs that no process has begun. Returns how many runs."""
    internals.cancel_backfills(instance, {onboarding.TEAM: team_id})
    queued = [record.dagster_run for record in _unfinished(instance, team_id) if record.dagster_run.status in QUEUED]
    for run in queued:
        internals.cancel_run(instance, run, f"Team {team_id!r} was paused or is being removed.")
    return len(queued)


def remove(
    settings: Settings,
    instance: dg.DagsterInstance,
    team_id: str,
    *,
    patience_seconds: float = PATIENCE_SECONDS,
    on_event: Callable[[str], None] | None = None,
) -> dict[str, int]:
    """Remove a team: its queued and running work, its runs in Dagster, its partition, and every row of it.

    Returns how many of each there were, proved gone by counting again. Can be run again after a crash at any point, and
    on a team that is half removed. Raises ConfigurationError when a run does not stop in time: run it again then.
    """
    say = on_event or (lambda line: None)
    pipeline = Pipeline(settings)
    with pipeline.warehouse.transaction() as tx:
        is_known = any(one.team_id == team_id for one in registry.list_teams(tx))
        if is_known:
            registry.set_status(tx, team_id, "offboarding")
    cancelled = cancel_queued(instance, team_id)
    say(f"{cancelled} queued runs cancelled; waiting for those at work to stop.")
    _wait_until_idle(instance, team_id, patience_seconds)
    counts = {"queued runs": cancelled} | _delete_runs(instance, team_id)
    if instance.has_dynamic_partition(TEAMS, team_id):
        instance.delete_dynamic_partition(TEAMS, team_id)
        counts["partitions"] = 1
    with pipeline.warehouse.transaction() as tx:
        counts |= registry.remove_team(tx, team_id)
        left = {table: count for table, count in registry.rows_of_team(tx, team_id).items() if count}
    if left:
        raise ConfigurationError(f"Rows of team {team_id!r} are left: {left}.", remedy="Run the command again.")
    say(f"Nothing of {team_id} is left.")
    return {name: count for name, count in counts.items() if count}


def _wait_until_idle(instance: dg.DagsterInstance, team_id: str, patience_seconds: float) -> None:
    deadline = time.monotonic() + patience_seconds
    while at_work := _unfinished(instance, team_id):
        cancel_queued(instance, team_id)
        if time.monotonic() > deadline:
            runs = ", ".join(record.dagster_run.run_id for record in at_work)
            raise ConfigurationError(
                f"These runs of team {team_id!r} have not stopped: {runs}.",
                remedy=f"Terminate them in the Dagster UI, then run `historical-sync team remove {team_id}` again.",
            )
        time.sleep(0.5)


def _unfinished(instance: dg.DagsterInstance, team_id: str) -> list[internals.RunRecord]:
    found = {}
    for tag in (TEAM_TAG, onboarding.TEAM):
        for record in internals.unfinished_runs(instance, {tag: team_id}):
            found[record.dagster_run.run_id] = record
    return list(found.values())


def _delete_runs(instance: dg.DagsterInstance, team_id: str) -> dict[str, int]:
    """The runs' logs hold the names of repositories, the checks quotes: they go with the team."""
    found = {run.run_id for tag in (TEAM_TAG, onboarding.TEAM) for run in internals.runs_with(instance, {tag: team_id})}
    for run_id in found:
        instance.delete_run(run_id)
    return {"runs": len(found), "events": internals.forget_events(instance, sorted(found), key_ending(team_id))}
