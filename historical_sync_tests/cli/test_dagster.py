"""Dagster's own commands on our instance."""

import os

from historical_sync_tests.cli.conftest import Program


def test_dagster_finds_our_instance(program: Program) -> None:
    """What fails as plain `dagster` for want of a variable works: its home is ours and its storage the database."""
    assert program("migrate").returncode == 0
    finished = program("dagster", "instance", "info")
    assert finished.returncode == 0, finished.stderr
    assert "Postgres" in finished.stdout
    assert os.environ["HISTORICAL_SYNC_HOME"] in finished.stdout


def test_its_exit_status_is_ours(program: Program) -> None:
    """A command that Dagster does not have fails as Dagster says."""
    program("migrate")
    finished = program("dagster", "no-such-command")
    assert finished.returncode == 2
    assert "No such command" in finished.stderr
