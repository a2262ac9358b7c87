"""`historical-sync team …`: the registry from the command line. A row inserted by plain SQL counts as much."""

from __future__ import annotations

import click

from historical_sync.cli.errors import reports_errors
from historical_sync.cli.opening import open_warehouse
from historical_sync.warehouse import registry
from historical_sync.warehouse.postgres import Transaction

team_argument = click.argument("team_id", metavar="TEAM")


@click.group()
def team() -> None:
    """Add, list, pause, resume, remove and link teams.

    A team that is added is onboarded by Dagster's sensor within seconds, wherever `up` (or a deployment) runs.
    """


@team.command()
@team_argument
@click.option("--repo", "repositories", metavar="OWNER/NAME", multiple=True, help="A repository; may be given again.")
@click.option("--months", type=click.IntRange(0, 240), help="Months of history beside the open one (default 12).")
@click.option("--name", "display_name", help="How people call the team.")
@click.option(
    "--token-ref",
    metavar="REF",
    help="Where its GitHub token is, never the token: env:NAME, file:/path or app:APP:INSTALLATION:REF (a GitHub App).",
)
@reports_errors
def add(
    team_id: str, repositories: tuple[str, ...], months: int | None, display_name: str | None, token_ref: str | None
) -> None:
    """Register TEAM, or add to it.

    \b
    historical-sync team add acme --repo acme/api --repo acme/web
    historical-sync team add acme --repo acme/docs            one repository more
    historical-sync team add acme --months 24                 a longer history
    historical-sync team add acme --token-ref env:ACME_TOKEN  a token of its own
    """
    with open_warehouse(migrates=True) as (settings, warehouse), warehouse.transaction() as tx:
        added = registry.add_team(
            tx,
            team_id,
            repositories,
            history_months=_history(settings.history_months, months, is_new=not _is_known(tx, team_id)),
            display_name=display_name,
            token_ref=token_ref,
        )
        tracked = registry.tracked_repositories(tx, team_id)
    click.echo(f"Team {added.team_id}: {added.history_months} months of history, {added.status}.")
    for one in tracked:
        click.echo(f"  {one.repository}")
    click.echo(f"`historical-sync status {team_id} --watch` shows its progress.")


def _history(default: int, months: int | None, *, is_new: bool) -> int | None:
    return default if months is None and is_new else months


def _is_known(tx: Transaction, team_id: str) -> bool:
    return any(known.team_id == team_id for known in registry.list_teams(tx))


@team.command(name="list")
@reports_errors
def list_teams() -> None:
    """Every team: its status, history and repositories."""
    with open_warehouse(migrates=True) as (_, warehouse), warehouse.transaction() as tx:
        teams = registry.list_teams(tx)
        if not teams:
            click.echo("No team yet. `historical-sync team add TEAM --repo owner/name` adds one.")
        for one in teams:
            onboarded = f"complete since {one.onboarded_at:%Y-%m-%d %H:%M}" if one.onboarded_at else "not complete yet"
            click.echo(f"{one.team_id}  {one.status}, {one.history_months} months, {onboarded}")
            for repository in registry.tracked_repositories(tx, one.team_id):
                click.echo(f"  {repository.repository}  {repository.sync_status} {repository.sync_progress} %")


@team.command()
@team_argument
@reports_errors
def pause(team_id: str) -> None:
    """Start no new work for TEAM, and stop what runs at the next safe point. What is loaded stays."""
    from historical_sync.orchestration import offboarding
    from historical_sync.orchestration.direct import open_instance

    with open_warehouse(migrates=True) as (settings, _), open_instance(settings) as instance:
        cancelled = offboarding.pause(settings, instance, team_id)
    queued = f"; {cancelled} queued runs were cancelled" if cancelled else ""
    click.echo(f"Team {team_id} is paused{queued}. `historical-sync team resume {team_id}` goes on.")


@team.command()
@team_argument
@reports_errors
def resume(team_id: str) -> None:
    """Go on with a paused TEAM; the sensor starts what is missing."""
    from historical_sync.orchestration import offboarding

    with open_warehouse(migrates=True) as (settings, _):
        offboarding.resume(settings, team_id)
    click.echo(f"Team {team_id} is active.")


@team.command()
@team_argument
@click.option("--repo", "repositories", metavar="OWNER/NAME", multiple=True, help="Only this repository; repeatable.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@reports_errors
def remove(team_id: str, repositories: tuple[str, ...], yes: bool) -> None:
    """Delete TEAM: its rows, its partitions and its queued work. May be run again after an interruption."""
    what = ", ".join(repositories) or "all its data"
    if not yes:
        click.confirm(f"Delete {what} of team {team_id}? This cannot be undone.", abort=True)
    if repositories:
        _remove_repositories(team_id, repositories)
    else:
        _remove_team(team_id)


def _remove_repositories(team_id: str, repositories: tuple[str, ...]) -> None:
    with open_warehouse(migrates=True) as (_, warehouse), warehouse.transaction() as tx:
        registry.read_team(tx, team_id)
        for repository in repositories:
            was_there = registry.remove_repository(tx, team_id, repository)
            click.echo(f"{repository}: {'removed' if was_there else 'was not tracked'}")


def _remove_team(team_id: str) -> None:
    from historical_sync.orchestration.direct import open_instance
    from historical_sync.orchestration.offboarding import remove as offboard

    with open_warehouse(migrates=True) as (settings, _), open_instance(settings) as instance:
        gone = offboard(settings, instance, team_id, on_event=click.echo)
    for table, count in gone.items():
        click.echo(f"  {table}  {count}")
    click.echo(f"Team {team_id} is gone." if gone else f"There is nothing left of team {team_id}.")


@team.command()
@team_argument
@click.option("--days", default=30, show_default=True, help="How long the link opens the page.")
@click.option("--token", is_flag=True, help="A bearer token for programs instead of a link.")
@reports_errors
def link(team_id: str, days: int, token: bool) -> None:
    """Print a signed link to TEAM's page. Whoever has it may look, so send it as you would a password."""
    from historical_sync.dashboard import access

    with open_warehouse() as (settings, warehouse), warehouse.transaction() as tx:
        found = registry.read_team(tx, team_id)
    if token:
        click.echo(access.bearer_token(settings, found, valid_days=days))
    else:
        click.echo(access.signed_link(settings, found, valid_days=days))
