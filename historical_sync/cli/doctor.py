"""`historical-sync doctor`: looks at everything that can stand in the way, and says how to mend it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime
from functools import partial

import click

from historical_sync.cli import findings
from historical_sync.cli.errors import reports_errors
from historical_sync.cli.findings import OK, PROBLEM, WARNING, Finding
from historical_sync.errors import HistoricalSyncError
from historical_sync.records import Team
from historical_sync.settings import Settings
from historical_sync.warehouse import registry
from historical_sync.warehouse.embedded import open_database
from historical_sync.warehouse.postgres import Warehouse

MARKS = {OK: ("✓", "green"), WARNING: ("!", "yellow"), PROBLEM: ("✗", "red")}


@click.command()
@click.option("--port", default=3000, show_default=True, help="Where Dagster's pages should be.")
@click.option("--dashboard-port", default=3001, show_default=True, help="Where the trends page should be.")
@reports_errors
def doctor(port: int, dashboard_port: int) -> None:
    """Look at the database, the tokens, Groq, Dagster and this machine, and say how to mend what is wrong.

    Changes nothing and shows no secret: tokens appear by reference (env:GITHUB_TOKEN). Costs one GitHub point a token.
    Exit status 1 when something must be mended.
    """
    settings = Settings.from_environment()
    found = list(examine(settings, {"Dagster's pages": port, "the trends page": dashboard_port}))
    for one in found:
        _print(one)
    count = sum(one.state == PROBLEM for one in found)
    click.echo("Nothing stands in the way." if count == 0 else f"{count} to mend.")
    raise SystemExit(1 if count else 0)


def examine(settings: Settings, ports: dict[str, int]) -> Iterator[Finding]:
    """All findings, those of the machine first."""
    yield from findings.look_at_machine(settings)
    yield from findings.look_at_ports(ports)
    teams: list[Team] = []
    if settings.database_url or (settings.home / "postgres").exists():
        yield from _examine_database(settings, teams)
    else:
        yield Finding("database", OK, "none yet; `historical-sync up` makes the embedded one")
    now = datetime.now(UTC)
    yield from _guarded("GitHub", partial(findings.look_at_github, settings, teams, now))
    yield from _guarded("Groq", partial(findings.look_at_groq, settings))


def _examine_database(settings: Settings, teams: list[Team]) -> Iterator[Finding]:
    """The database and what needs it; fills `teams` with those whose tokens are to be looked at."""
    try:
        with open_database(settings) as url:
            about = list(findings.look_at_database(settings, url))
            yield from about
            if not any(one.state == PROBLEM for one in about):
                teams += _active_teams(url)
                yield from _guarded("Dagster", partial(findings.look_at_daemon, settings))
    except HistoricalSyncError as error:
        yield Finding("database", PROBLEM, str(error), error.remedy)


def _active_teams(url: str) -> list[Team]:
    warehouse = Warehouse(url)
    with warehouse.transaction() as tx:
        teams = registry.list_teams(tx)
    warehouse.close()
    return [team for team in teams if team.status == "active"]


def _guarded(subject: str, look: Callable[[], Iterable[Finding]]) -> list[Finding]:
    """One subject that cannot be looked at does not hide the others."""
    try:
        return list(look())
    except HistoricalSyncError as error:
        return [Finding(subject, PROBLEM, str(error), error.remedy)]


def _print(finding: Finding) -> None:
    mark, colour = MARKS[finding.state]
    click.echo(f"{click.style(mark, fg=colour)} {finding.subject}: {finding.text}")
    if finding.remedy:
        click.echo(f"    {finding.remedy}")
