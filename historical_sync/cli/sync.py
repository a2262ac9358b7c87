"""`historical-sync sync` and `retry`: a team's months here and now, in this process, without the daemon."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from datetime import UTC, date, datetime
from functools import partial
from typing import TYPE_CHECKING

import click
from rich.console import Console

from historical_sync.cli.errors import reports_errors
from historical_sync.cli.opening import open_warehouse
from historical_sync.cli.progress_view import showing_progress
from historical_sync.settings import Settings
from historical_sync.warehouse import registry
from historical_sync.warehouse.postgres import Warehouse
from historical_sync.window import first_of_month, require_in_window

if TYPE_CHECKING:
    from historical_sync.orchestration.direct import MonthOutcome

SOME_PARTIAL, SOME_FAILED, INTERRUPTED = 3, 1, 130
MARKS = {"completed": ("✓", "green"), "partial": ("!", "yellow"), "failed": ("✗", "red")}


@click.command()
@click.argument("team_id", metavar="TEAM")
@click.option("--month", "months", multiple=True, metavar="YYYY-MM", help="This month; may be given again.")
@click.option("--repo", "repositories", multiple=True, metavar="OWNER/NAME", help="Only this repository; repeatable.")
@click.option("--refresh", is_flag=True, help="Only what changed on GitHub since the last time.")
@click.option("--wait", "wait_minutes", default=10.0, show_default=True, help="Minutes to wait for the LLM's batches.")
@reports_errors
def sync(
    team_id: str, months: tuple[str, ...], repositories: tuple[str, ...], refresh: bool, wait_minutes: float
) -> None:
    """Load TEAM's months here and now: fetch, tag, classify, compute trends.

    \b
    historical-sync sync acme                     the open month and what is missing, newest first
    historical-sync sync acme --month 2025-03     this month, complete or not
    historical-sync sync acme --refresh           what changed on GitHub

    It needs no daemon, and may run beside one. Exit status: 0 when every month is complete, 3 when one is partial, 1
    when one failed. After Ctrl-C the same command goes on where it stopped.
    """
    with open_warehouse(migrates=True) as (settings, warehouse):
        chosen = [_read_month(text) for text in months]
        _require_known(warehouse, team_id, chosen, repositories)
        session = Session(settings, warehouse, team_id)
        work = session.refresh if refresh else partial(session.run, chosen or session.open_and_missing(), repositories)
        outcomes = session.drive(work, wait_minutes)
    raise SystemExit(exit_status(outcomes))


@click.command()
@click.argument("team_id", metavar="TEAM")
@click.option("--wait", "wait_minutes", default=10.0, show_default=True, help="Minutes to wait for the LLM's batches.")
@reports_errors
def retry(team_id: str, wait_minutes: float) -> None:
    """Run again only what failed or is partial in TEAM, newest month first.

    Mend the cause first: `historical-sync status TEAM` shows it beside each repository. Exit status as for sync.
    """
    with open_warehouse(migrates=True) as (settings, warehouse):
        _require_known(warehouse, team_id, [], ())
        session = Session(settings, warehouse, team_id)
        missing = session.missing()
        if not missing:
            click.echo(f"Every month of {team_id} is complete.")
        outcomes = session.drive(partial(session.run, missing, ()), wait_minutes)
    raise SystemExit(exit_status(outcomes))


def exit_status(outcomes: Sequence[MonthOutcome]) -> int:
    """0 when every month is complete, 1 when one failed, else 3."""
    statuses = {outcome.status for outcome in outcomes}
    if "failed" in statuses:
        return SOME_FAILED
    return SOME_PARTIAL if "partial" in statuses else 0


class Session:
    """One team's work in this process, with progress on the terminal."""

    def __init__(self, settings: Settings, warehouse: Warehouse, team_id: str) -> None:
        self._settings = settings
        self._warehouse = warehouse
        self._team_id = team_id
        self._console = Console(highlight=False, soft_wrap=True)

    def missing(self) -> list[date]:
        """The months that are not complete, newest first."""
        from historical_sync.orchestration import direct

        return direct.months_missing(self._settings, self._team_id)

    def open_and_missing(self) -> list[date]:
        """The open month, which is never finished, and those that are missing."""
        newest = first_of_month(datetime.now(UTC))
        return [newest, *(month for month in self.missing() if month != newest)]

    def drive(self, work: Callable[[], list[MonthOutcome]], wait_minutes: float) -> list[MonthOutcome]:
        """Do the work, then take in the LLM's batches. Ctrl-C ends the command with status 130; nothing is lost."""
        try:
            outcomes = work()
            self.collect(wait_minutes)
        except KeyboardInterrupt:
            self._console.print("Stopped. What was loaded is kept; the same command goes on from here.")
            raise SystemExit(INTERRUPTED) from None
        return outcomes

    def run(self, months: Sequence[date], repositories: Sequence[str]) -> list[MonthOutcome]:
        """Run these months, newest first."""
        if not months:
            return []
        from historical_sync.orchestration import direct

        outcomes = []
        with direct.open_instance(self._settings) as instance, self._progress():
            for month in sorted(set(months), reverse=True):
                outcome = direct.run_month(self._settings, instance, self._team_id, month, repositories or None)
                outcomes.append(outcome)
                self._tell(outcome)
        return outcomes

    def refresh(self) -> list[MonthOutcome]:
        """Walk what changed on GitHub and build those months again."""
        from historical_sync.orchestration import direct

        with direct.open_instance(self._settings) as instance, self._progress():
            outcomes = direct.refresh(self._settings, instance, self._team_id)
            for outcome in outcomes:
                self._tell(outcome)
        if not outcomes:
            self._console.print("Nothing has changed on GitHub.")
        return outcomes

    def collect(self, wait_minutes: float) -> None:
        """Take in the LLM's batches that end within `wait_minutes`; the others are taken in by the next command."""
        from historical_sync.orchestration import direct

        with direct.open_instance(self._settings) as instance, self._progress():
            changed = direct.collect(self._settings, instance, self._team_id, wait_minutes * 60)
        if changed:
            self._console.print(f"The LLM's answers for {len(changed)} months are in.")

    def _progress(self) -> AbstractContextManager[None]:
        return showing_progress(self._warehouse, self._team_id, console=self._console)

    def _tell(self, outcome: MonthOutcome) -> None:
        mark, style = MARKS[outcome.status]
        line = f"{mark} {outcome.month:%Y-%m}  {outcome.status}, {outcome.pull_requests} pull requests"
        self._console.print(line, style=style, markup=False)
        for text in (outcome.error, outcome.remedy):
            if text:
                self._console.print(f"    {text}", markup=False)


def _read_month(text: str) -> date:
    try:
        return date.fromisoformat(f"{text}-01")
    except ValueError as error:
        raise click.BadParameter(f"{text!r} is no month; write it as 2025-03.", param_hint="--month") from error


def _require_known(warehouse: Warehouse, team_id: str, months: Sequence[date], repositories: Sequence[str]) -> None:
    """Refuse an unknown team, a month outside its history and a repository that it does not track, before any work."""
    with warehouse.transaction() as tx:
        team = registry.read_team(tx, team_id)
        tracked = {one.repository.lower() for one in registry.tracked_repositories(tx, team_id)}
    for month in months:
        require_in_window(month, datetime.now(UTC), team.history_months, team_id)
    strangers = [repository for repository in repositories if repository.lower() not in tracked]
    if strangers:
        raise click.BadParameter(f"{team_id} does not track {', '.join(strangers)}.", param_hint="--repo")
