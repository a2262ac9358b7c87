"""What stands in `up`'s way is told in words before anything is started."""

import fcntl
import json
import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from historical_sync.cli import home, services, worlds
from historical_sync.cli.services import free_port
from historical_sync.errors import ConfigurationError
from historical_sync.settings import Settings
from historical_sync.warehouse import registry
from historical_sync.warehouse.postgres import Warehouse
from historical_sync_tests.cli.conftest import Command


def test_a_port_in_use(command: Command) -> None:
    """The port, who holds it and the option that chooses another are named; nothing was started."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        result = command("up", "--sandbox", "--port", str(port), "--dashboard-port", str(free_port()))
    assert result.exit_code == 1
    assert f"Port {port} is in use" in result.stderr
    assert f"(process {os.getpid()})" in result.stderr
    assert "--port" in result.stderr


def test_another_up_on_the_same_folder(command: Command, tmp_path: Path) -> None:
    """A second `up` is refused while the first holds the folder."""
    folder = home.make(tmp_path / "home")
    with home.held(folder):
        result = command("up", "--sandbox")
    assert result.exit_code == 1
    assert f"process {os.getpid()}" in result.stderr


def test_the_folder_is_free_again(tmp_path: Path) -> None:
    """The lock goes with the process that holds it, however that ends."""
    folder = home.make(tmp_path / "home")
    holder = "import sys, time; from pathlib import Path; from historical_sync.cli import home\n"
    holder += "with home.held(Path(sys.argv[1])):\n    print('held', flush=True)\n    time.sleep(600)"
    process = subprocess.Popen([sys.executable, "-c", holder, str(folder)], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    process.stdout.readline()
    with (folder / "up.lock").open() as lock, pytest.raises(BlockingIOError):
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    process.kill()
    process.wait()
    with home.held(folder):
        pass


def test_an_unwritable_folder(command: Command, tmp_path: Path) -> None:
    """A folder that cannot be made is an error that names the setting."""
    (tmp_path / "file").write_text("")
    result = command("up", "--sandbox", env={"HISTORICAL_SYNC_HOME": str(tmp_path / "file" / "home")})
    assert result.exit_code == 1
    assert "HISTORICAL_SYNC_HOME" in result.stderr


def test_the_folder_is_private(tmp_path: Path) -> None:
    """Data, logs and the signing key are nobody else's to read."""
    folder = home.make(tmp_path / "home")
    for path in (folder, folder / "logs", folder / "dagster"):
        assert path.stat().st_mode & 0o077 == 0


def test_no_secret_on_a_command_line(tmp_path: Path) -> None:
    """Addresses with passwords and tokens travel in the environment of each service, never among its arguments."""
    settings = Settings.from_environment({"HISTORICAL_SYNC_HOME": str(tmp_path)})
    where = services.Addresses("127.0.0.1", 3000, 3001, 3002, tmp_path / "code.sock")
    env = services.environment(settings, where, "postgresql://u:planted@h/db", services.sandbox_environment(where))
    workspace = services.write_workspace(settings, where)
    made = [
        services.sandbox_service(where, env),
        services.page_service(where, env),
        services.code_service(where, env),
        services.webserver_service(where, env, workspace),
        services.daemon_service(env, workspace),
    ]
    assert "planted" in made[0].environment["HISTORICAL_SYNC_DAGSTER_URL"]
    assert not any("planted" in word or word == "sandbox" for one in made[1:] for word in one.command)
    assert "planted" not in workspace.read_text()


def test_a_privileged_port_is_refused_in_words() -> None:
    """A port that may not be used is told apart from one in use."""
    if os.geteuid() == 0:
        pytest.skip("root may use every port")
    with pytest.raises(ConfigurationError, match="may not be used"):
        services.require_free("127.0.0.1", 80, "--port")


def statuses(warehouse: Warehouse) -> dict[str, str]:
    with warehouse.transaction() as tx:
        return {team.team_id: team.status for team in registry.list_teams(tx)}


def test_two_worlds_in_one_folder(warehouse: Warehouse, tmp_path: Path) -> None:
    """Real teams sleep while the sandbox is on, and wake afterwards; one that a person paused stays paused."""
    with warehouse.transaction() as tx:
        for team_id in ("real", "resting"):
            registry.add_team(tx, team_id, ["acme/api"])
        registry.set_status(tx, "resting", "paused")
        assert worlds.enter(tx, tmp_path, worlds.REAL) == []
    with warehouse.transaction() as tx:
        assert worlds.enter(tx, tmp_path, worlds.SANDBOX) == ["real"]
        registry.add_team(tx, "demo", ["demo/storefront"])
    assert statuses(warehouse) == {"demo": "active", "real": "paused", "resting": "paused"}
    with warehouse.transaction() as tx:
        assert worlds.enter(tx, tmp_path, worlds.SANDBOX) == []
        assert worlds.enter(tx, tmp_path, worlds.REAL) == ["demo"]
    assert statuses(warehouse) == {"demo": "paused", "real": "active", "resting": "paused"}
    assert json.loads((tmp_path / "world.json").read_text()) == {"world": "real", "asleep": ["demo"]}
