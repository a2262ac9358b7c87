"""`historical-sync status` and the three-level view: as JSON, as plain lines, as bars."""

import io
import json
import threading
from datetime import UTC, datetime
from pathlib import Path

import pytest
from click.testing import CliRunner
from rich.console import Console

from historical_sync.cli.progress_view import live_progress, plain_lines, read_teams, render, showing_progress
from historical_sync.cli.status import status
from historical_sync.warehouse.llm_holds import hold
from historical_sync.warehouse.postgres import Warehouse
from historical_sync_tests.dashboard.story import Story

KEYS = {"team_id", "months_total", "months_complete", "eta_seconds", "repositories", "llm"}


@pytest.fixture
def story(warehouse: Warehouse, database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Story:
    """A team with the newest of three months loaded and one repository that failed; settings lead to it."""
    monkeypatch.setenv("HISTORICAL_SYNC_DATABASE_URL", database_url)
    monkeypatch.setenv("HISTORICAL_SYNC_HOME", str(tmp_path))
    told = Story(warehouse, history_months=2)
    told.register()
    told.load_month(told.months[0], failing=["acme/mobile"])
    told.add_batches(1, 3)
    return told


def test_json_is_the_contract(story: Story) -> None:
    """A list of teams with the promised keys and no others."""
    result = CliRunner().invoke(status, ["--json"])
    assert result.exit_code == 0
    (team,) = json.loads(result.output)
    assert set(team) == KEYS
    assert (team["team_id"], team["months_total"], team["months_complete"]) == ("acme", 3, 0)
    assert (team["llm"]["batches_total"], team["llm"]["batches_done"]) == (3, 1)
    failed = next(one for one in team["repositories"] if one["sync_status"] == "failed")
    assert "not found" in failed["sync_error"]


def test_without_a_terminal_there_are_plain_lines(story: Story) -> None:
    """One line a team with the three levels, the error below it, and no escape codes."""
    result = CliRunner().invoke(status, ["acme"])
    line = result.output.splitlines()[0]
    assert all(word in line for word in ("repositories 0/3", "pull requests", "LLM batches 1 of 3"))
    assert "not found" in result.output
    assert "\x1b" not in result.output


def test_an_unknown_team_is_an_error_with_its_remedy(story: Story) -> None:
    """Exit status 1, and where to look; not an empty answer."""
    result = CliRunner().invoke(status, ["nobody"])
    assert result.exit_code == 1
    assert "team list" in result.output


def test_watching_ends_when_nothing_moves(story: Story) -> None:
    """`--watch` returns once history and batches are done, without anybody stopping it."""
    for month in story.months:
        story.load_month(month)
    with story.warehouse.transaction() as tx:
        tx.execute("update tracked_repositories set sync_error = null")
    story.finish()
    story.add_batches(3, 3)
    result = CliRunner().invoke(status, ["--watch"])
    assert result.exit_code == 0
    assert "months 3/3" in result.output
    lines = CliRunner().invoke(status, ["--watch", "--json"]).output.splitlines()
    assert json.loads(lines[-1])[0]["months_complete"] == 3


@pytest.mark.parametrize("minutes", [-10, 10])
def test_a_used_up_budget_is_told(story: Story, minutes: int) -> None:
    """Pending pull requests that the budget holds up: the view says so, also between two looks at the budget."""
    with story.warehouse.transaction() as tx:
        now = datetime.now(UTC)
        hold(tx, "budget:acme", "cap", "The LLM budget is used up.", now=now, first_seconds=60.0 * minutes)
        tx.execute(
            """
            insert into llm_classifications (team_id, repository, number, status)
            select team_id, repository, number, 'pending' from pull_requests limit 1
            on conflict (team_id, repository, number) do update set status = 'pending'
            """
        )
        hold(tx, "budget:other", "cap", "Of another team.", now=now, first_seconds=600)
    lines = plain_lines(read_teams(story.warehouse, "acme"))
    assert "The LLM waits: The LLM budget is used up." in lines[0].splitlines()[-1]
    console = Console(file=io.StringIO(), width=120, force_terminal=True, color_system=None)
    console.print(render(read_teams(story.warehouse, "acme")))
    assert "The LLM budget is used up." in console.file.getvalue()  # type: ignore[attr-defined]


def test_the_view_in_a_terminal_has_the_three_levels(story: Story) -> None:
    """Repositories, pull requests and LLM batches as bars, with each repository and its error."""
    console = Console(file=io.StringIO(), width=120, force_terminal=True, color_system=None)
    console.print(render(read_teams(story.warehouse, "acme")))
    text = console.file.getvalue()  # type: ignore[attr-defined]
    assert all(word in text for word in ("Repositories", "Pull requests", "LLM batches", "acme/mobile", "not found"))


def test_a_log_gets_a_line_a_month(story: Story) -> None:
    """Beside work in this thread, lines appear when a month is completed, and a last one at the end."""
    output = io.StringIO()
    with showing_progress(story.warehouse, "acme", console=Console(file=output, width=200)):
        with story.warehouse.transaction() as tx:
            tx.execute("delete from repository_months")
        story.load_month(story.months[0])
    assert "months 1/3" in output.getvalue()


def test_the_drawing_ends_with_its_work(story: Story) -> None:
    """`live_progress` comes back soon after the work is done, whatever the terminal."""
    is_over = threading.Event()
    drawing = threading.Thread(
        target=live_progress,
        args=(story.warehouse,),
        kwargs={"is_done": is_over.is_set, "console": Console(file=io.StringIO(), force_terminal=True)},
    )
    drawing.start()
    is_over.set()
    drawing.join(timeout=30)
    assert not drawing.is_alive()


def test_no_teams_is_a_hint(warehouse: Warehouse) -> None:
    """An empty registry says how to add a team."""
    console = Console(file=io.StringIO(), width=120)
    console.print(render([]))
    assert "team add" in console.file.getvalue()  # type: ignore[attr-defined]
    assert plain_lines([]) == []
