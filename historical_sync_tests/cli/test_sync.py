"""`sync` and `retry`: a team's months in this process, without the daemon, with an exit status that can be trusted."""

from datetime import UTC, date, datetime

import pytest

from historical_sync.cli.sync import exit_status
from historical_sync.orchestration.direct import MonthOutcome
from historical_sync.sandbox.server import Sandbox
from historical_sync.warehouse.postgres import Warehouse
from historical_sync_tests.cli.conftest import Command, Program

MONTH = date(2025, 3, 1)


@pytest.mark.parametrize(
    ("statuses", "expected"),
    [
        ([], 0),
        (["completed", "completed"], 0),
        (["completed", "partial"], 3),
        (["partial", "failed", "completed"], 1),
    ],
)
def test_exit_status(statuses: list[str], expected: int) -> None:
    """0 only if every month is complete; a failure outweighs a partial month."""
    assert exit_status([MonthOutcome(MONTH, status, 1) for status in statuses]) == expected


def test_a_team_is_loaded_newest_month_first(program: Program, sandbox: Sandbox, warehouse: Warehouse) -> None:
    """Two months of the demo team: complete, in order, with the LLM's answers; a second run has nothing to do."""
    program("team", "add", "demo", "--repo", "demo/storefront", "--repo", "demo/payments", "--months", "1")
    result = program("sync", "demo", "--wait", "2")
    assert result.returncode == 0, result.stdout
    lines = [line for line in result.stdout.splitlines() if line.startswith("✓")]
    assert len(lines) == 2
    assert lines[0] > lines[1]
    with warehouse.transaction() as tx:
        assert tx.value("select count(*) from repository_months where stored = expected and status = 'completed'") == 4
        assert tx.value("select count(*) from llm_classifications where status = 'classified'") > 0
        assert tx.value("select count(distinct month) from monthly_trends") == 2
    assert "Every month of demo is complete." in program("retry", "demo").stdout
    assert program("sync", "demo", "--refresh").returncode == 0


def test_a_repository_that_fails_makes_the_month_partial(program: Program, sandbox: Sandbox) -> None:
    """One repository GitHub does not know: the others are loaded, exit status 3, its error is shown; retry mends it."""
    program("team", "add", "demo", "--repo", "demo/payments", "--repo", "demo/unheard-of", "--months", "0")
    result = program("sync", "demo", "--wait", "0")
    assert result.returncode == 3, result.stdout
    assert "demo/unheard-of" in result.stdout
    assert program("team", "remove", "demo", "--repo", "demo/unheard-of", "--yes").returncode == 0
    assert program("retry", "demo", "--wait", "0").returncode == 0


def test_no_token_is_a_failure_with_its_remedy(
    program: Program, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without a token every month fails: status 1 and what to set."""
    monkeypatch.delenv("GITHUB_TOKEN")
    program("team", "add", "demo", "--repo", "demo/payments", "--months", "0")
    result = program("sync", "demo", "--wait", "0")
    assert result.returncode == 1, result.stdout
    assert "GITHUB_TOKEN" in result.stdout


def test_what_cannot_be_asked_is_refused_before_any_work(command: Command, sandbox: Sandbox) -> None:
    """An unknown team, a month outside the window, no month at all, a repository that is not tracked."""
    command("team", "add", "demo", "--repo", "demo/payments", "--months", "1")
    assert command("sync", "nobody").exit_code == 1
    outside = command("sync", "demo", "--month", "2024-01")
    assert outside.exit_code == 1
    assert "history_months" in outside.stderr
    assert command("sync", "demo", "--month", "March").exit_code == 2
    now = f"{datetime.now(UTC):%Y-%m}"
    assert command("sync", "demo", "--month", now, "--repo", "demo/storefront").exit_code == 2
    assert sandbox.requests.graphql_requests == 0
