"""doctor finds each thing that can stand in the way, and says how to mend it."""

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from historical_sync.cli import findings
from historical_sync.cli.findings import OK, PROBLEM, WARNING
from historical_sync.cli.services import free_port
from historical_sync.github.inspection import TokenReport
from historical_sync.sandbox.server import Sandbox
from historical_sync_tests.cli.conftest import Command
from historical_sync_tests.conftest import run_sql

NOW = datetime(2025, 3, 1, tzinfo=UTC)


def ask(command: Command) -> tuple[int, str]:
    result = command("doctor", "--port", str(free_port()), "--dashboard-port", str(free_port()))
    return result.exit_code, result.output


def test_all_is_well(command: Command, sandbox: Sandbox) -> None:
    """With database, tokens and key in order nothing is to mend, and no secret is shown."""
    status, said = ask(command)
    assert status == 0, said
    assert "Nothing stands in the way." in said
    assert "env:GITHUB_TOKEN" in said
    assert "planted" not in said


def test_no_schema(command: Command, sandbox: Sandbox, database_url: str) -> None:
    """A database without our schema, or with an old one, leads to `migrate`."""
    run_sql(database_url, "drop schema historical_sync cascade")
    status, said = ask(command)
    assert status == 1
    assert "historical-sync migrate" in said


def test_no_database(command: Command, sandbox: Sandbox) -> None:
    """A database that does not answer is told without its password."""
    result = command(
        "doctor", env={"HISTORICAL_SYNC_DATABASE_URL": f"postgresql://u:planted@127.0.0.1:{free_port()}/x"}
    )
    assert result.exit_code == 1
    assert "does not answer" in result.output
    assert "planted" not in result.output


def test_a_wrong_role(command: Command, sandbox: Sandbox, database_url: str) -> None:
    """A role that may not write what it must is told which rights it lacks."""
    run_sql(database_url, "create role intruder login")
    run_sql(database_url, "grant usage on schema historical_sync to intruder")
    run_sql(database_url, "grant select on all tables in schema historical_sync to intruder")
    try:
        result = command("doctor", env={"HISTORICAL_SYNC_DATABASE_URL": database_url.replace("postgres@", "intruder@")})
        assert "write to historical_sync.teams" in result.output
        assert "act as historical_sync_dashboard" in result.output
        assert "roles.sql" in result.output
    finally:
        run_sql(database_url, "drop owned by intruder")
        run_sql(database_url, "drop role intruder")


def test_no_token_and_no_key(command: Command) -> None:
    """Without a token nothing can be loaded; without a key only the LLM waits."""
    status, said = ask(command)
    assert status == 1
    assert "Set GITHUB_TOKEN" in said
    assert "! Groq: GROQ_API_KEY is not set" in said


def test_a_refused_token(command: Command, sandbox: Sandbox) -> None:
    """A token that GitHub does not take is named by its reference."""
    sandbox.faults.add("unauthorized")
    status, said = ask(command)
    assert status == 1
    assert "env:GITHUB_TOKEN" in said


def test_a_budget_that_is_used_up(command: Command, sandbox: Sandbox) -> None:
    """GitHub answers not even the question: it is said of which token and until when, and is no fault to mend."""
    sandbox.faults.add("rate_limited", retry_after=1800)
    status, said = ask(command)
    assert status == 0, said
    assert re.search(r"! GitHub: env:GITHUB_TOKEN has used up its budget until \d\d:\d\d UTC", said), said
    assert "work goes on then" in said


def test_nobody_answers(command: Command, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    """An address where nobody answers is named, with where to look; without Groq only classification waits."""
    nowhere = f"http://127.0.0.1:{free_port()}"
    monkeypatch.setenv("GITHUB_API_URL", nowhere)
    monkeypatch.setenv("GROQ_BASE_URL", nowhere)
    status, said = ask(command)
    assert status == 1
    assert f"✗ GitHub: {nowhere} does not answer" in said
    assert "HTTPS_PROXY" in said
    assert "! Groq: Groq cannot be reached" in said


def test_groq_refuses_the_key_or_the_plan(command: Command, sandbox: Sandbox) -> None:
    """A key that Groq does not take is a fault; a plan without batches is told with what it costs."""
    sandbox.faults.add("groq_403")
    status, said = ask(command)
    assert "no batches" in said
    assert status == 0
    sandbox.faults.clear()
    sandbox.faults.add("groq_401")
    status, said = ask(command)
    assert status == 1
    assert "Set GROQ_API_KEY to a valid key" in said


@pytest.mark.parametrize(("revision", "remedy"), [("0001", "migrate"), ("9999", "newer version")])
def test_another_version_s_schema(
    command: Command, sandbox: Sandbox, database_url: str, revision: str, remedy: str
) -> None:
    """An older schema is migrated; a newer one needs the newer program, since nothing is migrated backwards."""
    run_sql(database_url, f"update historical_sync.alembic_version set version_num = '{revision}'")
    status, said = ask(command)
    assert status == 1
    (line,) = [one for one in said.splitlines() if "✗ schema" in one]
    assert revision in line
    assert remedy in said.partition(line)[2].splitlines()[1]


def report(**changes: object) -> TokenReport:
    values = {
        "token_ref": "env:GITHUB_TOKEN",
        "login": "ada",
        "scopes": ("repo",),
        "expires_at": None,
        "limit": 5000,
        "remaining": 4000,
        "resets_at": NOW + timedelta(minutes=20),
        "server_time": NOW,
    }
    return TokenReport(**{**values, **changes})  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("changes", "states", "words"),
    [
        ({}, [OK], "4000 of 5000"),
        ({"scopes": None}, [OK], "ada"),
        ({"scopes": ("gist",)}, [WARNING, OK], "scope"),
        ({"scopes": ()}, [WARNING, OK], "scope"),
        ({"expires_at": NOW + timedelta(days=6)}, [WARNING, OK], "2025-03-07"),
        ({"expires_at": NOW + timedelta(days=8)}, [OK], "ada"),
        ({"remaining": 0}, [WARNING, OK], "00:20 UTC"),
        ({"server_time": NOW - timedelta(seconds=29)}, [OK], "ada"),
        ({"server_time": NOW - timedelta(seconds=31)}, [OK, WARNING], "31 s"),
        ({"server_time": NOW + timedelta(minutes=6)}, [OK, PROBLEM], "360 s"),
    ],
)
def test_what_a_token_report_means(changes: dict[str, object], states: list[str], words: str) -> None:
    """Scope, end, budget and clock: each on its own, with the near misses."""
    found = list(findings.judge_token(report(**changes), "", NOW))
    assert [one.state for one in found] == states
    assert words in " ".join(one.text for one in found)
    assert all(one.remedy for one in found if one.state != OK)


def test_an_idle_daemon(command: Command, sandbox: Sandbox) -> None:
    """Without a running daemon it is said that new teams wait, and what works without it."""
    _, said = ask(command)
    assert "not at work" in said
    assert "sync TEAM" in said


def test_a_taken_port(command: Command, sandbox: Sandbox) -> None:
    """A port held by another program is a problem that names it; a free one is none."""
    result = command("doctor", "--port", str(sandbox.port), "--dashboard-port", str(free_port()))
    assert f"{sandbox.port}, for Dagster's pages, is taken" in result.output
    assert "is free" in result.output


def test_a_folder_that_others_may_read(tmp_path: Path) -> None:
    """The folder holds data and a key: a mode that lets others read it is told with the command that mends it."""
    tmp_path.chmod(0o755)
    found = list(findings._look_at_home(tmp_path))
    assert any("chmod go-rw" in one.remedy for one in found)
    tmp_path.chmod(0o711)
    assert all(one.state == OK for one in findings._look_at_home(tmp_path))
