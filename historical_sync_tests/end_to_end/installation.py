"""A whole installation for fault tests: PostgreSQL with fsync on, Dagster's real processes, and a way to kill each."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeVar

import dagster as dg
import psutil

from historical_sync.orchestration.home import environment, open_instance
from historical_sync.settings import Settings
from historical_sync.warehouse.embedded import EmbeddedPostgres
from historical_sync.warehouse.postgres import Warehouse
from historical_sync.warehouse.schema import migrate
from historical_sync_tests.end_to_end.processes import family, kill_all

T = TypeVar("T")
PROGRAMS = Path(sys.executable).parent
WORKSPACE = Path(__file__).parent.parent.parent / "workspace.yaml"
WEBSERVER = ("dagster-webserver", "-h", "127.0.0.1", "-p", "0")
DAEMON = ("dagster-daemon", "run")


class Installation:
    """One machine: its own PostgreSQL and Dagster home under `folder`. Nothing runs until it is started."""

    def __init__(self, folder: Path, variables: Mapping[str, str]) -> None:
        self.folder = folder
        self.processes: dict[str, subprocess.Popen[bytes]] = {}
        self._commands: dict[str, tuple[str, ...]] = {}
        self._orphans: list[psutil.Process] = []
        self.postgres = EmbeddedPostgres(folder / "postgres", settings={"max_connections": "200"})
        self.warehouse = Warehouse(self.postgres.url())
        try:
            self.postgres.start()
            self._prepare(variables)
        except BaseException:  # a test that is interrupted here has nothing yet to stop
            self.stop()
            raise

    def _prepare(self, variables: Mapping[str, str]) -> None:
        migrate(self.postgres.url())
        self.variables = {
            **os.environ,
            "HISTORICAL_SYNC_HOME": str(self.folder / "home"),
            "HISTORICAL_SYNC_DATABASE_URL": self.postgres.url(),
            **variables,
        }
        self.settings = Settings.from_environment(self.variables)
        self.variables |= environment(self.settings)
        self.variables.pop("PYTHONDONTWRITEBYTECODE", None)
        with open_instance(self.settings):
            pass

    def start(self, *commands: tuple[str, ...]) -> None:
        """What a supervisor does: reconcile, then start these programs (by default the daemon alone)."""
        subprocess.run(
            [sys.executable, "-m", "historical_sync.orchestration.reconcile"], env=self.variables, check=True
        )
        for command in commands or (DAEMON,):
            self.start_beside(command[0], command)

    def start_beside(self, name: str, command: tuple[str, ...]) -> None:
        """Start a program under a name of its own, whatever else runs, and without reconciling."""
        self._commands[name] = command
        log = (self.folder / f"{name}.log").open("ab")
        self.processes[name] = subprocess.Popen(
            [PROGRAMS / command[0], *command[1:], "-w", WORKSPACE],
            env=self.variables,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )

    def start_what_is_missing(self, *commands: tuple[str, ...]) -> None:
        """Start those of these programs that do not run."""
        self.restart_what_died()
        missing = [command for command in commands if command[0] not in self.processes]
        if missing:
            self.start(*missing)

    def kill(self, *names: str) -> None:
        """kill -9 of these programs with all their children; of everything that runs, if none is named."""
        for name in names or tuple(self.processes):
            process = self.processes.pop(name)
            kill_all(family(process.pid))
            process.wait()

    def kill_alone(self, name: str) -> None:
        """kill -9 of a program, whose children stay behind until they notice."""
        process = self.processes.pop(name)
        self._orphans += family(process.pid)[1:]
        process.kill()
        process.wait()

    def restart_what_died(self) -> None:
        """What a supervisor does all the time."""
        for name, process in list(self.processes.items()):
            if process.poll() is not None:
                command = self._commands[name]
                self.kill(name)
                self.start(command)

    def stop(self) -> None:
        """End everything, PostgreSQL included."""
        self.kill()
        kill_all(self._orphans)
        self.warehouse.close()
        self.postgres.stop()

    def kill_run_worker(self, run_id: str) -> None:
        """kill -9 of the process that works on a run, if one does."""
        pid = self.value("select pid from run_workers where run_id = %s", [run_id])
        if pid is not None:
            os.kill(pid, signal.SIGKILL)

    def kill_postgres(self) -> None:
        """kill -9 of PostgreSQL with all its backends."""
        pid = int((self.folder / "postgres" / "postmaster.pid").read_text().split()[0])
        kill_all(family(pid))

    def value(self, sql: str, parameters: Any = ()) -> Any:
        """The first column of the first row of a query on the warehouse."""
        with self.warehouse.transaction() as tx:
            return tx.value(sql, parameters)

    def rows(self, sql: str, parameters: Any = ()) -> list[dict[str, Any]]:
        """The rows of a query on the warehouse."""
        with self.warehouse.transaction() as tx:
            return tx.rows(sql, parameters)

    def runs(self, **tags: str) -> list[dg.DagsterRun]:
        """Dagster's runs, newest first; with all of these tags, if any are named."""
        with open_instance(self.settings) as instance:
            return list(instance.get_runs(dg.RunsFilter(tags=tags or None)))

    def unfinished_runs(self) -> list[dg.DagsterRun]:
        """The runs that are queued or at work."""
        return [run for run in self.runs() if not run.is_finished]

    def wait_until(self, claim: Callable[[], T], *, seconds: float, what: str) -> T:
        """Wait for something to come true; fails with the daemon's last lines if it does not in time."""
        deadline = time.monotonic() + seconds
        while not (found := claim()):
            if time.monotonic() > deadline:
                raise AssertionError(f"{what} did not come true in {seconds:.0f} s\n{self.last_lines()}")
            time.sleep(0.5)
        return found

    def last_lines(self, count: int = 40) -> str:
        """The end of each program's log."""
        return "\n".join(
            f"--- {log.name}\n" + "\n".join(log.read_text(errors="replace").splitlines()[-count:])
            for log in sorted(self.folder.glob("*.log"))
        )
