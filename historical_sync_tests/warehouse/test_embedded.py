"""The embedded server: starts anywhere, survives kill -9, is shared by our commands and leaves strangers alone."""

import os
import pwd
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import psycopg2
import pytest

from historical_sync.errors import ConfigurationError, WarehouseError
from historical_sync.warehouse.embedded import EmbeddedPostgres

as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can act for two users")


@pytest.fixture
def server(folder: Path) -> Iterator[EmbeddedPostgres]:
    """A server that is not started; whatever a test starts is stopped."""
    made = EmbeddedPostgres(folder / "home" / "postgres")
    yield made
    made.stop()


@pytest.fixture
def folder() -> Iterator[Path]:
    """Not pytest's own: the next pytest that starts closes that to PostgreSQL's user."""
    with tempfile.TemporaryDirectory(prefix="hs_embedded_") as made:
        yield Path(made)


def ask(server: EmbeddedPostgres, statement: str) -> list[tuple[object, ...]]:
    connection = psycopg2.connect(server.url())
    connection.autocommit = True
    with connection.cursor() as cursor:
        cursor.execute(statement)
        rows = cursor.fetchall() if cursor.description else []
    connection.close()
    return rows


def postmaster(server: EmbeddedPostgres) -> psutil.Process:
    return psutil.Process(int((server.data / "postmaster.pid").read_text().split()[0]))


@pytest.mark.parametrize("name", ["it's a folder  with spaces % and ü", "a" * 60 + "/" + "b" * 60])
def test_awkward_homes(folder: Path, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Spaces, quotes, other letters, paths too long for a socket and a PGPORT in the environment are no obstacle."""
    monkeypatch.setenv("PGPORT", "6543")
    server = EmbeddedPostgres(folder / name / "postgres")
    server.start()
    try:
        assert ask(server, "show fsync") == [("on",)]
        assert ask(server, "show listen_addresses") == [("",)]
    finally:
        server.stop()
    assert not server.is_running()


def test_kill_9_loses_nothing(server: EmbeddedPostgres) -> None:
    """After kill -9 of the server with a session open, the next start works at once and has every committed row."""
    server.start()
    ask(server, "create table kept as select generate_series(1, 1000) as number")
    session = psycopg2.connect(server.url())
    victim = postmaster(server)
    victim.kill()
    victim.wait()
    assert not server.is_running()
    server.start()
    assert ask(server, "select count(*) from kept") == [(1000,)]
    session.close()


def test_a_stale_pid_file_does_not_count(server: EmbeddedPostgres) -> None:
    """A postmaster.pid whose number now belongs to another process (this one) is not taken for a running server."""
    server.start()
    pid_file = server.data / "postmaster.pid"
    text = pid_file.read_text()
    server.stop()
    pid_file.write_text(text.replace(text.split()[0], str(os.getpid()), 1))
    assert not server.is_running()
    server.start()
    assert ask(server, "select 1") == [(1,)]


def test_an_interrupted_initdb_is_done_again(server: EmbeddedPostgres) -> None:
    """What an interrupted initdb left behind is never taken for data."""
    unfinished = server.data.with_name("postgres.unfinished")
    unfinished.mkdir(parents=True)
    (unfinished / "PG_VERSION").write_text("18\n")
    server.start()
    assert ask(server, "select 1") == [(1,)]


def test_two_starters_at_once(server: EmbeddedPostgres) -> None:
    """Starters take turns: both end with the same running server."""
    failures: list[Exception] = []

    def start() -> None:
        try:
            EmbeddedPostgres(server.data).start()
        except (ConfigurationError, WarehouseError, OSError) as error:
            failures.append(error)

    threads = [threading.Thread(target=start) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failures
    assert ask(server, "select 1") == [(1,)]


USE_UNTIL_CLOSED = """
import sys
from pathlib import Path
from historical_sync.warehouse.embedded import EmbeddedPostgres
with EmbeddedPostgres(Path(sys.argv[1])).in_use():
    print("in use", flush=True)
    sys.stdin.read()
"""


def use_elsewhere(server: EmbeddedPostgres) -> subprocess.Popen[str]:
    """Another process that uses the server until its stdin is closed."""
    user = subprocess.Popen(
        [sys.executable, "-c", USE_UNTIL_CLOSED, str(server.data)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert user.stdout is not None
    assert user.stdout.readline() == "in use\n"
    return user


def test_the_last_one_out_stops_it(server: EmbeddedPostgres) -> None:
    """The server runs while anybody uses it; a user that was killed does not count."""
    killed, last = use_elsewhere(server), use_elsewhere(server)
    with server.in_use():
        pass
    assert server.is_running()
    killed.send_signal(signal.SIGKILL)
    killed.wait()
    assert ask(server, "select 1") == [(1,)]
    last.communicate()
    assert last.returncode == 0
    assert not server.is_running()


def test_another_version_of_postgres(server: EmbeddedPostgres) -> None:
    """Data of another major version is refused with the way out, not started on."""
    server.start()
    server.stop()
    (server.data / "PG_VERSION").write_text("14\n")
    with pytest.raises(ConfigurationError, match="PostgreSQL 14") as caught:
        server.start()
    assert "upgrading" in caught.value.remedy


def test_a_folder_with_other_things(server: EmbeddedPostgres) -> None:
    """A folder that holds something else is refused, and what it holds stays."""
    server.start()
    server.stop()
    (server.data / "PG_VERSION").rename(server.data / "thesis.txt")
    kept = sorted(path.name for path in server.data.iterdir())
    with pytest.raises(ConfigurationError, match="not empty"):
        server.start()
    assert sorted(path.name for path in server.data.iterdir()) == kept


def test_a_home_that_cannot_be_made(tmp_path: Path) -> None:
    """A path below a file is a clear error that names the setting."""
    (tmp_path / "file").write_text("")
    with pytest.raises(ConfigurationError) as caught:
        EmbeddedPostgres(tmp_path / "file" / "home" / "postgres").start()
    assert "HISTORICAL_SYNC_HOME" in caught.value.remedy


def test_no_wheel_for_this_platform(server: EmbeddedPostgres, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where there is no wheel, the message says which setting takes its place."""
    monkeypatch.setattr("historical_sync.warehouse.programs.find_spec", lambda name: None)
    with pytest.raises(ConfigurationError) as caught:
        server.start()
    assert "HISTORICAL_SYNC_DATABASE_URL" in caught.value.remedy


def use_as(user_id: int, server: EmbeddedPostgres) -> str:
    """Use the server in a process of that user; returns "" or the error. Forked, since Python itself may be root's."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        message = ""
        try:
            os.setgroups([])
            os.setgid(user_id)
            os.setuid(user_id)
            with server.in_use():
                ask(server, "select 1")
        except Exception as error:  # noqa: BLE001 - whatever it is, the parent judges it
            message = f"{type(error).__name__}: {error}"
        os.write(writing, message.encode())
        os._exit(0)
    os.close(writing)
    os.waitpid(child, 0)
    with os.fdopen(reading) as pipe:
        return pipe.read()


@as_root
def test_an_ordinary_user_runs_it_as_itself(tmp_path_factory: pytest.TempPathFactory) -> None:
    """Without root nothing is created or opened: the data belongs to the user, and nobody else may look."""
    nobody = pwd.getpwnam("nobody").pw_uid
    home = Path("/tmp") / f"historical_sync_test_{os.getpid()}_{time.monotonic_ns()}"
    home.mkdir(mode=0o700)
    os.chown(home, nobody, nobody)
    server = EmbeddedPostgres(home / "postgres")
    try:
        assert use_as(nobody, server) == ""
        assert (home / "postgres").stat().st_uid == nobody
        assert home.stat().st_mode & 0o077 == 0
        with pytest.raises(ConfigurationError, match="'nobody'"):
            server.start()
    finally:
        subprocess.run(["rm", "-rf", str(home)], check=True)


@as_root
def test_a_server_of_another_user_is_left_running(server: EmbeddedPostgres) -> None:
    """An ordinary user who points at root's data is refused, and root's server goes on."""
    server.start()
    before = postmaster(server)
    server.data.parent.chmod(0o777)
    for path in (server.data.with_name("postgres.lock"), server.data.with_name("postgres.users")):
        path.touch()
        path.chmod(0o666)
    for folder in server.data.parents[1:4]:
        folder.chmod(folder.stat().st_mode | 0o001)
    assert "belongs to user" in use_as(pwd.getpwnam("nobody").pw_uid, server)
    assert postmaster(server) == before


@as_root
def test_folders_of_others_are_not_opened(folder: Path) -> None:
    """Root opens its own folders on the way to the data (to be passed, not listed), and nobody else's."""
    closed = folder / "closed"
    closed.mkdir(mode=0o700)
    server = EmbeddedPostgres(closed / "postgres")
    server.start()
    server.stop()
    assert closed.stat().st_mode & 0o007 == 0o001
    private = folder / "private"
    private.mkdir(mode=0o700)
    os.chown(private, pwd.getpwnam("nobody").pw_uid, -1)
    with pytest.raises(ConfigurationError, match="may be passed by its owner alone"):
        EmbeddedPostgres(private / "home" / "postgres").start()
    assert private.stat().st_mode & 0o077 == 0
