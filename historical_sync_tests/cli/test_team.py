"""The registry from the command line."""

from itsdangerous import URLSafeSerializer

from historical_sync.warehouse.postgres import Warehouse
from historical_sync_tests.cli.conftest import Command


def test_add_and_list(command: Command) -> None:
    """A team is added with its repositories; adding again adds what is new and keeps the rest."""
    assert command("team", "add", "acme", "--repo", "acme/api", "--months", "3").exit_code == 0
    again = command("team", "add", "acme", "--repo", "acme/web", "--repo", "ACME/api")
    assert again.exit_code == 0
    assert "3 months of history" in again.output
    listed = command("team", "list").output
    assert "acme/api" in listed
    assert "acme/web" in listed
    assert "ACME/api" not in listed


def test_a_new_team_takes_the_default_history(command: Command, monkeypatch: object) -> None:
    """SYNC_HISTORY_MONTHS is for new teams; adding a repository to an old one does not change its history."""
    command("team", "add", "acme", "--repo", "acme/api", env={"SYNC_HISTORY_MONTHS": "5"})
    command("team", "add", "acme", "--repo", "acme/web", env={"SYNC_HISTORY_MONTHS": "7"})
    assert "5 months" in command("team", "list").output


def test_what_is_not_well_formed_is_refused(command: Command) -> None:
    """A bad name, a bad repository, no repository and a token instead of a reference: what is wrong, what to do."""
    for arguments in (
        ["Acme!", "--repo", "acme/api"],
        ["acme", "--repo", "not-a-repository"],
        ["acme"],
        ["acme", "--repo", "acme/api", "--token-ref", "ghp_planted"],
    ):
        result = command("team", "add", *arguments)
        assert result.exit_code == 1
        assert result.stderr.startswith("error: ")
        assert "ghp_planted" not in result.output
    assert "No team yet" in command("team", "list").output


def test_pause_and_resume(command: Command) -> None:
    """The status follows the command."""
    command("team", "add", "acme", "--repo", "acme/api")
    assert command("team", "pause", "acme").exit_code == 0
    assert "paused" in command("team", "list").output
    assert command("team", "resume", "acme").exit_code == 0
    assert "active" in command("team", "list").output


def test_remove_deletes_and_can_be_run_again(command: Command, warehouse: Warehouse) -> None:
    """A removed team leaves no row; removing it again is no error; without --yes it asks first."""
    command("team", "add", "acme", "--repo", "acme/api", "--repo", "acme/web")
    assert command("team", "remove", "acme", input="n\n").exit_code == 1
    assert command("team", "remove", "acme", "--repo", "acme/web", "--yes").exit_code == 0
    assert "acme/web" not in command("team", "list").output
    assert command("team", "remove", "acme", "--yes").exit_code == 0
    with warehouse.transaction() as tx:
        assert tx.value("select count(*) from teams") == 0
        assert tx.value("select count(*) from tracked_repositories") == 0
    assert command("team", "remove", "acme", "--yes").exit_code == 0


def test_link(command: Command) -> None:
    """A link opens one team's page; nobody gets one for a team that does not exist."""
    command("team", "add", "acme", "--repo", "acme/api")
    link = command("team", "link", "acme").output.strip()
    assert link.startswith("http://127.0.0.1:3001/open/")
    assert URLSafeSerializer("another key").loads_unsafe(link.rsplit("/", 1)[1])[0] is False
    assert command("team", "link", "other").exit_code == 1
