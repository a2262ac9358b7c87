"""The three levels in a terminal: live bars with rich, or plain lines where the output is no terminal.

`live_progress` blocks until its work is done, `showing_progress` draws beside work that goes on in this thread; both
read the tables, so they show what any other process does as well.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, date, datetime

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from historical_sync.dashboard.formatting import clock, counted, money, thousands, time_left
from historical_sync.errors import WarehouseError
from historical_sync.progress import RepositoryProgress, TeamProgress
from historical_sync.warehouse.postgres import Warehouse
from historical_sync.warehouse.progress import read_progress

SECONDS_BETWEEN_LOOKS = 1.0
PLAIN_SECONDS_BETWEEN_LINES = 10.0
"""A log wants fewer lines than a screen wants frames; a line is printed sooner when a month was completed."""

MOST_REPOSITORIES_SHOWN = 12
BAR_WIDTH = 30

STATE_STYLES = {"pending": "dim", "syncing": "cyan", "completed": "green", "failed": "red"}


def read_teams(warehouse: Warehouse, team_id: str | None, first_month: date | None = None) -> list[TeamProgress]:
    """Where the teams (or one of them) stand now."""
    with warehouse.transaction() as tx:
        return read_progress(tx, now=datetime.now(UTC), team_id=team_id, first_month=first_month)


def render(teams: Sequence[TeamProgress]) -> RenderableType:
    """The teams as rich shows them: one block each."""
    if not teams:
        return Text("No teams yet: `historical-sync team add TEAM --repo owner/name` adds one.", style="dim")
    return Group(*(_team(team, is_only=len(teams) == 1) for team in teams))


def plain_lines(teams: Sequence[TeamProgress]) -> list[str]:
    """One line a team, for a log."""
    return [_plain_line(team) for team in teams]


@contextmanager
def showing_progress(
    warehouse: Warehouse,
    team_id: str | None = None,
    *,
    console: Console | None = None,
    first_month: date | None = None,
) -> Iterator[None]:
    """Draw the progress in a thread of its own until the block ends, then once more."""
    is_over = threading.Event()
    drawing = threading.Thread(
        target=live_progress,
        args=(warehouse,),
        kwargs={"team_id": team_id, "is_done": is_over.is_set, "console": console, "first_month": first_month},
        daemon=True,
    )
    drawing.start()
    try:
        yield
    finally:
        is_over.set()
        drawing.join(timeout=10)


def live_progress(
    warehouse: Warehouse,
    *,
    team_id: str | None = None,
    is_done: Callable[[], bool],
    console: Console | None = None,
    first_month: date | None = None,
) -> None:
    """Draw the progress until `is_done`; a database that is away for a moment leaves the last picture standing."""
    console = console or Console()
    if console.is_terminal:
        _draw(warehouse, team_id, is_done, console, first_month)
    else:
        _print_lines(warehouse, team_id, is_done, console, first_month)


def _draw(
    warehouse: Warehouse,
    team_id: str | None,
    is_done: Callable[[], bool],
    console: Console,
    first_month: date | None,
) -> None:
    with Live(console=console, auto_refresh=False, transient=False) as live:
        for teams in _looks(warehouse, team_id, is_done, first_month):
            live.update(render(teams), refresh=True)


def _print_lines(
    warehouse: Warehouse,
    team_id: str | None,
    is_done: Callable[[], bool],
    console: Console,
    first_month: date | None,
) -> None:
    printed: dict[str, str] = {}
    months: dict[str, int] = {}
    due_at = 0.0
    for teams in _looks(warehouse, team_id, is_done, first_month):
        is_due = time.monotonic() >= due_at or is_done()
        for team, line in zip(teams, plain_lines(teams), strict=True):
            if printed.get(team.team_id) != line and (is_due or months.get(team.team_id) != team.months_complete):
                console.print(line, markup=False, highlight=False, soft_wrap=True)
                printed[team.team_id], months[team.team_id] = line, team.months_complete
        if is_due:
            due_at = time.monotonic() + PLAIN_SECONDS_BETWEEN_LINES


def _looks(
    warehouse: Warehouse, team_id: str | None, is_done: Callable[[], bool], first_month: date | None
) -> Iterator[list[TeamProgress]]:
    """A reading now, every second, and one last after it is done. Unreadable moments are left out."""
    while True:
        is_last = is_done()
        try:
            yield read_teams(warehouse, team_id, first_month)
        except WarehouseError:
            if is_last:
                return
        if is_last:
            return
        _sleep_until(is_done)


def _sleep_until(is_done: Callable[[], bool]) -> None:
    until = time.monotonic() + SECONDS_BETWEEN_LOOKS
    while time.monotonic() < until and not is_done():
        time.sleep(0.05)


def _team(team: TeamProgress, *, is_only: bool) -> RenderableType:
    head = Text.assemble(
        (team.display_name or team.team_id, "bold"),
        (f"  {team.months_complete} of {counted(team.months_total, 'month')}", ""),
        (f"  {_outlook(team)}", "yellow" if team.wait else "dim"),
    )
    levels = Table.grid(padding=(0, 2))
    levels.add_row("History", _bar(team.percent, 100), f"{team.percent} %")
    done = sum(one.sync_status == "completed" for one in team.repositories)
    levels.add_row("Repositories", _bar(done, len(team.repositories)), f"{done} of {len(team.repositories)}")
    levels.add_row("Pull requests", _bar(team.prs_completed, team.prs_expected), _pull_requests(team))
    levels.add_row("LLM batches", _bar(team.llm.batches_done, team.llm.batches_total), _llm(team))
    waits = [Text(f"  {line}", "yellow") for line in _llm_waits(team)]
    return Group(head, levels, *waits, *([_repositories(team)] if is_only else []), Text(""))


def _bar(done: float, total: float) -> ProgressBar:
    return ProgressBar(total=max(total, 1), completed=min(done, max(total, 1)), width=BAR_WIDTH)


def _pull_requests(team: TeamProgress) -> str:
    if not (team.prs_expected or team.prs_completed or team.is_complete):
        return "not counted yet"
    about = "" if team.is_total_known else "about "
    return f"{thousands(team.prs_completed)} of {about}{thousands(max(team.prs_expected, team.prs_completed))}"


def _llm(team: TeamProgress) -> str:
    llm = team.llm
    if not llm.batches_total:
        return f"none yet, {thousands(llm.pending)} pull requests wait" if llm.pending else "none yet"
    text = f"{llm.batches_done} of {llm.batches_total}, {thousands(llm.classified)} classified"
    text += f", {thousands(llm.pending)} pending" if llm.pending else ""
    text += f", {thousands(llm.unclassified)} unclassified" if llm.unclassified else ""
    return f"{text}, {money(llm.cost_usd)}"


def _llm_waits(team: TeamProgress) -> list[str]:
    """Why pull requests that are pending are not sent: Groq's trouble, or the team's budget."""
    return [f"The LLM waits: {team.llm.error}"] if team.llm.pending and team.llm.error else []


def _outlook(team: TeamProgress) -> str:
    if team.wait and not team.is_complete:
        until = f"waiting for GitHub until {clock(team.wait.resume_at, team.read_at)}"
        return ", ".join(part for part in (until, time_left(team.eta_seconds)) if part)
    if team.stalled_since:
        return f"no news since {clock(team.stalled_since, team.read_at)}: see `historical-sync doctor`"
    if team.state == "loading":
        return time_left(team.eta_seconds) or "measuring the time left"
    return {"waiting": "not begun", "incomplete": "done, with gaps", "empty": "no repositories"}.get(
        team.state, team.state
    )


def _repositories(team: TeamProgress) -> RenderableType:
    table = Table.grid(padding=(0, 2))
    for _ in range(3):
        table.add_column(no_wrap=True)
    shown = sorted(team.repositories, key=lambda one: one.sync_status == "completed")[:MOST_REPOSITORIES_SHOWN]
    for one in shown:
        table.add_row(f"  {one.repository}", Text(one.sync_status, style=STATE_STYLES[one.sync_status]), _months(one))
    hidden = len(team.repositories) - len(shown)
    if hidden:
        table.add_row(Text(f"  and {counted(hidden, 'other')}", style="dim"))
    errors = [
        Text.assemble((f"  {one.repository}: {one.sync_error} ", "red"), _remedy(one, team))
        for one in shown
        if one.sync_error
    ]
    return Group(table, *errors)


def _remedy(one: RepositoryProgress, team: TeamProgress) -> str:
    """What a person can do, with the team's own name in the command."""
    return (one.sync_remedy or "").replace("TEAM", team.team_id)


def _months(one: RepositoryProgress) -> Text:
    return Text(
        f"{one.months_complete} of {one.months_total} months, {thousands(one.sync_prs_completed)} pull requests"
    )


def _plain_line(team: TeamProgress) -> str:
    done = sum(one.sync_status == "completed" for one in team.repositories)
    failed = [
        f"{one.repository}: {one.sync_error} {_remedy(one, team)}".rstrip()
        for one in team.repositories
        if one.sync_error
    ]
    parts = [
        f"{team.team_id}: {team.percent} %",
        f"months {team.months_complete}/{team.months_total}",
        f"repositories {done}/{len(team.repositories)}",
        f"pull requests {_pull_requests(team)}",
        f"LLM batches {_llm(team)}",
        _outlook(team),
    ]
    return " | ".join(parts) + "".join(f"\n  {line}" for line in [*failed, *_llm_waits(team)])
