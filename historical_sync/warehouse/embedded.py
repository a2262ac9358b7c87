"""The embedded PostgreSQL: a real server from a wheel, kept under HISTORICAL_SYNC_HOME and shared by our commands.

The server listens on a Unix socket in a private folder, never on TCP, with PostgreSQL's own defaults for safety (fsync
is on). Its programs are run by `warehouse.programs`; what root must do first is in `warehouse.os_user`.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import signal
import stat
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote

import psutil
import psycopg2
from tenacity import RetryError, Retrying, TryAgain, retry_if_exception_type, stop_after_delay, wait_fixed

from historical_sync.errors import ConfigurationError, WarehouseError
from historical_sync.settings import Settings
from historical_sync.warehouse import os_user, programs

INITDB = ("--auth=trust", "--encoding=UTF8", "--locale=C.UTF-8", "-U", "postgres")
SETTINGS = {"max_connections": "200"}
"""Every Dagster run is a process with a few connections; 100, the default, is reached with two dozen of them."""
PORT = "5432"
LONGEST_SOCKET_PATH = 100
"""Bytes. The kernel's limit is 108 on Linux and 104 on macOS, with the closing zero."""
LARGEST_LOG_BYTES = 20_000_000
ANSWER_WITHIN_SECONDS = 60
END_WITHIN_SECONDS = 60


class EmbeddedPostgres:
    """A PostgreSQL server on `data`, a folder that is made if need be; `settings` go to it as `-c name=value`."""

    def __init__(self, data: Path, *, settings: Mapping[str, str] | None = None) -> None:
        self.data = data.resolve()
        self._settings = dict(settings or {})
        self._port = self._settings.pop("port", PORT)
        self._log = self._beside("log")
        self._sockets = self._socket_folder()

    def url(self, database: str = "postgres") -> str:
        """The libpq URL of a database on this server."""
        return f"postgresql://postgres@/{quote(database)}?host={quote(str(self._sockets), safe='/')}&port={self._port}"

    def start(self) -> None:
        """Start the server unless it runs already, and wait until it answers. Several processes may call it at once.

        Raises ConfigurationError that says what stands in the way.
        """
        self._make_folder(self.data.parent)
        with self._turn():
            self._refuse_strangers()
            if not self.is_running():
                self._prepare()
                self._launch()
            self._wait_for_answer()

    def stop(self) -> None:
        """Stop the server, ending its sessions; nothing that was committed is lost."""
        if not self.data.parent.is_dir():
            return
        with self._turn():
            postmaster = self._postmaster()
            if postmaster is not None:
                postmaster.send_signal(signal.SIGINT)  # PostgreSQL's "fast shutdown"
                self._wait_until_ended()

    def _wait_until_ended(self) -> None:
        patiently = Retrying(stop=stop_after_delay(END_WITHIN_SECONDS), wait=wait_fixed(0.05))
        try:
            patiently.wraps(self._require_ended)()
        except RetryError:
            raise WarehouseError("The embedded PostgreSQL does not end.", remedy=f"See {self._log}.") from None

    def _require_ended(self) -> None:
        if self.is_running():
            raise TryAgain

    @contextmanager
    def in_use(self) -> Iterator[str]:
        """The server's URL, with the server running for as long as the block lasts; the last one out stops it.

        The users share a lock that the kernel releases for them when they are killed.
        """
        self._make_folder(self.data.parent)
        with self._beside("users").open("a") as users:
            fcntl.flock(users, fcntl.LOCK_SH)
            self.start()
            try:
                yield self.url()
            finally:
                if _is_alone(users.fileno()):
                    self.stop()

    def is_running(self) -> bool:
        """Whether the server of this very data folder is alive."""
        return self._postmaster() is not None

    def _postmaster(self) -> psutil.Process | None:
        try:
            lines = (self.data / "postmaster.pid").read_text().splitlines()
            process = psutil.Process(int(lines[0]))
            is_ours = process.name().startswith("postgres") and str(self.data) in process.cmdline()
            return process if is_ours and process.status() != psutil.STATUS_ZOMBIE else None
        except (OSError, IndexError, ValueError, psutil.Error):
            return None

    def _beside(self, ending: str) -> Path:
        return self.data.parent / f"{self.data.name}.{ending}"

    def _socket_folder(self) -> Path:
        """Beside the data; where that is too long for a socket, a folder of ours in /tmp named by the data's path."""
        beside = self._beside("sockets")
        if len(os.fsencode(beside / f".s.PGSQL.{self._port}")) <= LONGEST_SOCKET_PATH:
            return beside
        digest = hashlib.sha256(os.fsencode(self.data)).hexdigest()[:12]
        return Path("/tmp") / f"historical_sync_{os.geteuid()}_{digest}"  # noqa: S108 - its owner is verified

    @contextmanager
    def _turn(self) -> Iterator[None]:
        with self._beside("lock").open("a") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield

    def _refuse_strangers(self) -> None:
        """A data folder of somebody else is left alone: taking it over would take down the server that uses it."""
        user_id, _ = os_user.ids()
        for folder in (self.data, self._sockets):
            if not os.path.lexists(folder) or _is_empty_and_ours(folder):
                continue
            state = folder.lstat()
            if not stat.S_ISDIR(state.st_mode) or state.st_uid != user_id:
                raise ConfigurationError(
                    f"{folder} belongs to user {_user_name(state.st_uid)}; PostgreSQL would run as "
                    f"{_user_name(user_id)} and leaves it alone.",
                    remedy="Run it as the user who made it (no sudo), or set HISTORICAL_SYNC_HOME to another folder.",
                )

    def _prepare(self) -> None:
        if os_user.needed():
            os_user.let_pass(self.data)
            os_user.let_use(programs.folder())
        self._own_folder(self._sockets)
        self._fresh_log()
        self._make_cluster()
        self._end_orphans()
        self._forget_dead_server()

    def _make_cluster(self) -> None:
        """Run initdb in a folder beside the data and rename it, so that an interrupted one is never taken for data."""
        version_file = self.data / "PG_VERSION"
        if version_file.exists():
            self._require_version(version_file.read_text().strip())
            return
        if self.data.exists() and not _is_empty_and_ours(self.data):
            raise ConfigurationError(
                f"{self.data} is not empty and holds no PostgreSQL data.",
                remedy="Set HISTORICAL_SYNC_HOME to another folder, or move what is in there away.",
            )
        unfinished = self._beside("unfinished")
        shutil.rmtree(unfinished, ignore_errors=True)
        self._own_folder(unfinished)
        programs.run("initdb", *INITDB, "-D", str(unfinished))
        unfinished.rename(self.data)

    def _require_version(self, found: str) -> None:
        ours = programs.version()
        if found != ours:
            raise ConfigurationError(
                f"{self.data} was made by PostgreSQL {found}; this installation brings PostgreSQL {ours}.",
                remedy="See docs/upgrading.md, or set HISTORICAL_SYNC_HOME to a new folder to start afresh.",
            )

    def _end_orphans(self) -> None:
        """After `kill -9` of the server its sessions live on for a moment, and a new server refuses to start."""
        orphans = [process for process in psutil.process_iter(["name"]) if self._works_here(process)]
        _, alive = psutil.wait_procs(orphans, timeout=5)
        for process in alive:
            process.kill()  # harmless: what they had not committed is rolled back by the recovery
        psutil.wait_procs(alive, timeout=5)

    def _forget_dead_server(self) -> None:
        """PostgreSQL takes a zombie, which a container without an init never reaps, for a server that lives."""
        for left_behind in (self.data / "postmaster.pid", *self._sockets.glob(".s.PGSQL.*")):
            left_behind.unlink(missing_ok=True)

    def _works_here(self, process: psutil.Process) -> bool:
        try:
            return process.info["name"] == "postgres" and process.cwd() == str(self.data)
        except psutil.Error:
            return False

    def _launch(self) -> None:
        options = ["-h", "", "-p", self._port, "-k", str(self._sockets)]
        for name, value in self._settings.items():
            options += ["-c", f"{name}={value}"]
        quoted = " ".join("'" + option.replace("'", "'\\''") + "'" for option in options)
        programs.run("pg_ctl", "-D", str(self.data), "-l", str(self._log), "-w", "-t", "60", "-o", quoted, "start")

    def _wait_for_answer(self) -> None:
        patiently = Retrying(
            retry=retry_if_exception_type(psycopg2.OperationalError),
            stop=stop_after_delay(ANSWER_WITHIN_SECONDS),
            wait=wait_fixed(0.1),
            reraise=True,
        )
        try:
            patiently(lambda: psycopg2.connect(self.url(), connect_timeout=10).close())
        except psycopg2.OperationalError as error:
            raise WarehouseError(
                f"The embedded PostgreSQL runs but does not answer: {error}".strip(), remedy=f"See {self._log}."
            ) from error

    def _own_folder(self, folder: Path) -> None:
        self._make_folder(folder)
        folder.chmod(0o700)
        self._hand_over(folder)

    def _make_folder(self, folder: Path) -> None:
        try:
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        except OSError as error:
            raise ConfigurationError(
                f"The folder {folder} cannot be made: {error.strerror}.",
                remedy="Set HISTORICAL_SYNC_HOME to a folder that you may write to.",
            ) from error
        if not os.access(folder, os.W_OK):
            raise ConfigurationError(
                f"The folder {folder} cannot be written to.",
                remedy="Set HISTORICAL_SYNC_HOME to a folder that you may write to.",
            )

    def _fresh_log(self) -> None:
        if self._log.exists() and self._log.stat().st_size > LARGEST_LOG_BYTES:
            self._log.replace(self._beside("log.1"))
        self._log.touch(mode=0o600)
        self._hand_over(self._log)

    @staticmethod
    def _hand_over(path: Path) -> None:
        if os_user.needed():
            os.chown(path, *os_user.ids())


def _is_empty_and_ours(folder: Path) -> bool:
    return folder.is_dir() and folder.lstat().st_uid == os.geteuid() and not any(folder.iterdir())


def _is_alone(file_number: int) -> bool:
    try:
        fcntl.flock(file_number, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _user_name(user_id: int) -> str:
    import pwd

    try:
        return repr(pwd.getpwuid(user_id).pw_name)
    except KeyError:
        return str(user_id)


def database_url(settings: Settings) -> str:
    """The database that these settings name: HISTORICAL_SYNC_DATABASE_URL, or the embedded server's (not started)."""
    return settings.database_url or embedded_server(settings).url()


def embedded_server(settings: Settings) -> EmbeddedPostgres:
    """The embedded server under HISTORICAL_SYNC_HOME (not started)."""
    return EmbeddedPostgres(settings.home / "postgres", settings=SETTINGS)


@contextmanager
def open_database(settings: Settings) -> Iterator[str]:
    """The URL of the database, running: HISTORICAL_SYNC_DATABASE_URL, or the embedded server while anybody uses it."""
    if settings.database_url:
        yield settings.database_url
        return
    with embedded_server(settings).in_use() as url:
        yield url
