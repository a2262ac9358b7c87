"""`historical-sync status`: where every team's history stands, once or live, for people or as JSON."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import click

from historical_sync.cli.errors import reports_errors
from historical_sync.cli.opening import open_warehouse
from historical_sync.errors import ConfigurationError

if TYPE_CHECKING:
    from historical_sync.progress import TeamProgress

Look = Callable[[], Sequence["TeamProgress"]]


@click.command()
@click.argument("team", required=False)
@click.option("--watch", is_flag=True, help="Follow until nothing more moves by itself (Ctrl-C ends it sooner).")
@click.option("--json", "as_json", is_flag=True, help="A list of teams as JSON; with --watch one line a look.")
@reports_errors
def status(team: str | None, watch: bool, as_json: bool) -> None:
    """Where every team's history stands: repositories, pull requests, LLM batches, time left."""
    from historical_sync.cli.progress_view import live_progress, read_teams

    with open_warehouse() as (settings, warehouse):

        def look() -> Sequence[TeamProgress]:
            return read_teams(warehouse, team, settings.first_month)

        teams = look()
        if team is not None and not teams:
            raise ConfigurationError(
                f"There is no team {team!r}.", remedy="`historical-sync team list` shows the registered teams."
            )
        if as_json:
            _print_json(teams, look if watch else None)
        elif watch:
            live_progress(warehouse, team_id=team, is_done=lambda: is_settled(look()), first_month=settings.first_month)
        else:
            _print_once(teams)


def is_settled(teams: Sequence[TeamProgress]) -> bool:
    """Whether nothing more will move by itself."""
    return all(one.is_settled for one in teams)


def _print_once(teams: Sequence[TeamProgress]) -> None:
    from rich.console import Console

    from historical_sync.cli.progress_view import plain_lines, render

    console = Console()
    if console.is_terminal or not teams:
        console.print(render(teams))
    else:
        click.echo("\n".join(plain_lines(teams)))


def _print_json(teams: Sequence[TeamProgress], look: Look | None) -> None:
    if look is None:
        click.echo(json.dumps([one.as_json() for one in teams], indent=2))
        return
    from historical_sync.cli.progress_view import SECONDS_BETWEEN_LOOKS

    click.echo(json.dumps([one.as_json() for one in teams]))
    while not is_settled(teams):
        time.sleep(SECONDS_BETWEEN_LOOKS)
        teams = look()
        click.echo(json.dumps([one.as_json() for one in teams]))
