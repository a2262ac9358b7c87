"""Dagster's own commands on our instance."""

from historical_sync_tests.cli.conftest import Program


def test_dagster_finds_our_instance(program: Program) -> None:
    """What fails as plain `dagster` for want of a variable works: its storage is the database, its queue is ours."""
    assert program("migrate").returncode == 0
    finished = program("dagster", "instance", "info")
    assert finished.returncode == 0, finished.stderr
    assert "PostgresRunStorage" in finished.stdout or "DagsterPostgresStorage" in finished.stdout
    assert "MonthFirstRunCoordinator" in finished.stdout


def test_its_exit_status_is_ours(program: Program) -> None:
    """A command that Dagster does not have fails as Dagster says."""
    program("migrate")
    finished = program("dagster", "no-such-command")
    assert finished.returncode == 2
    assert "No such command" in finished.stderr
