"""Child processes: each in a group of its own with a log of its own, started again when it dies, stopped in order.

Nothing outlives us: `cli.guardian`, a process beside the children, ends them when this one is killed. Which processes
there are is for `cli.services` to say.
"""

from __future__ import annotations

import os
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import psutil

from historical_sync.errors import ConfigurationError, HistoricalSyncError

LOG_LINES_SHOWN = 12
LONGEST_PAUSE_SECONDS = 30.0
STEADY_AFTER_SECONDS = 60.0
"""A child that lived this long is started again at once; one that keeps dying waits twice as long each time."""
STOP_WITHIN_SECONDS = 10.0
"""Runs need a few seconds to stop at a safe point; one that is killed is run again after the next start."""


@dataclass(frozen=True)
class Service:
    """A program that is to run for as long as we do. `is_ready` asks whether it serves."""

    name: str
    command: Sequence[str]
    environment: Mapping[str, str]
    is_ready: Callable[[], bool] = lambda: True


@dataclass
class Child:
    """A service's process, past and present."""

    service: Service
    log: Path
    process: subprocess.Popen[bytes] | None = None
    started: float = 0.0
    pause_seconds: float = 0.0
    deaths: list[int] = field(default_factory=list)

    def start(self) -> None:
        """Start it, its output going to the log."""
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                list(self.service.command),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                env=dict(self.service.environment),
                start_new_session=True,
            )
        self.started = time.monotonic()

    def has_died(self) -> bool:
        """Whether it was started and has ended."""
        return self.process is not None and self.process.poll() is not None

    def last_words(self) -> str:
        """The end of its log."""
        lines = self.log.read_text(errors="replace").splitlines()[-LOG_LINES_SHOWN:]
        return "\n".join(f"    {line}" for line in lines)


class Supervisor:
    """Keeps services alive from `start` until `stop_all`. `tell` gets a line about each death and restart."""

    def __init__(self, log_folder: Path, guard: Callable[[int], None], tell: Callable[[str], None]) -> None:
        self._log_folder = log_folder
        self._guard = guard
        self._tell = tell
        self._children: list[Child] = []
        self._others: list[Callable[[], None]] = []
        self._turn = threading.RLock()
        self._is_stopping = threading.Event()
        self._watcher = threading.Thread(target=self._watch, name="supervisor", daemon=True)

    def start(self, service: Service) -> Child:
        """Start a service and watch it from now on."""
        log = self._log_folder / f"{service.name}.log"
        if log.exists():
            log.replace(log.with_suffix(".previous.log"))
        log.touch(mode=0o600)
        child = Child(service, log)
        with self._turn:
            self._children.append(child)
            self._launch(child)
        if not self._watcher.is_alive():
            self._watcher.start()
        return child

    def wait_until_ready(self, child: Child, within_seconds: float, *, is_cancelled: Callable[[], bool]) -> bool:
        """Wait until the service serves; False when cancelled.

        Raises ConfigurationError with the end of its log when it keeps dying or takes too long.
        """
        deadline = time.monotonic() + within_seconds
        while not is_cancelled():
            if not child.has_died() and child.service.is_ready():
                return True
            if len(child.deaths) >= 3 or time.monotonic() > deadline:
                raise ConfigurationError(
                    f"{child.service.name} does not start; the end of its log ({child.log}):\n{child.last_words()}",
                    remedy="`historical-sync doctor` looks for the usual causes.",
                )
            time.sleep(0.1)
        return False

    def keep(self, look_after: Callable[[], None]) -> None:
        """Call this, too, twice a second: for what must live and is not our child."""
        with self._turn:
            self._others.append(look_after)

    def stop_all(self) -> None:
        """Stop every service: all are asked to, the last started first; what is left after a while is killed."""
        self._is_stopping.set()
        with self._turn:
            processes = [child.process for child in reversed(self._children) if child.process is not None]
            end_groups([process.pid for process in processes], STOP_WITHIN_SECONDS)
            for process in processes:
                process.wait()
            self._children.clear()

    def _watch(self) -> None:
        while not self._is_stopping.wait(0.5):
            with self._turn:
                if self._is_stopping.is_set():
                    return
                try:
                    for child in self._children:
                        self._look_after(child)
                    for look_after in self._others:
                        look_after()
                except (HistoricalSyncError, OSError) as error:
                    self._tell(f"A process could not be started again: {error}")

    def _look_after(self, child: Child) -> None:
        if not child.has_died() or child.process is None:
            return
        lived_seconds = time.monotonic() - child.started
        if len(child.deaths) == 0 or child.deaths[-1] != child.process.pid:
            child.deaths.append(child.process.pid)
            is_steady = lived_seconds >= STEADY_AFTER_SECONDS or len(child.deaths) == 1
            child.pause_seconds = 0.0 if is_steady else min(max(1.0, child.pause_seconds * 2), LONGEST_PAUSE_SECONDS)
            child.started = time.monotonic()
            self._tell(_obituary(child))
        if time.monotonic() - child.started >= child.pause_seconds:
            end_groups([child.process.pid], 0.0)
            self._launch(child)

    def _launch(self, child: Child) -> None:
        child.start()
        if child.process is not None:
            self._guard(child.process.pid)


def _obituary(child: Child) -> str:
    status = child.process.returncode if child.process else 0
    how = f"was killed ({signal.Signals(-status).name})" if status < 0 else f"ended with status {status}"
    when = "now" if child.pause_seconds == 0 else f"in {child.pause_seconds:.0f} s"
    return f"{child.service.name} {how}; it is started again {when} (log: {child.log})."


def end_groups(groups: Sequence[int], within_seconds: float) -> None:
    """End every process of these groups: SIGTERM in this order, and SIGKILL for what is left after `within_seconds`."""
    for group in groups:
        _signal_group(group, signal.SIGTERM)
    deadline = time.monotonic() + within_seconds
    while _any_lives(groups) and time.monotonic() < deadline:
        time.sleep(0.1)
    for group in groups:
        _signal_group(group, signal.SIGKILL)


def _signal_group(group: int, number: signal.Signals) -> None:
    try:
        os.killpg(group, number)
    except (ProcessLookupError, PermissionError):
        return


def _any_lives(groups: Sequence[int]) -> bool:
    """Whether a process of these groups lives; a zombie that nobody reaps does not count."""
    for process in psutil.process_iter(["pid", "status"]):
        try:
            if os.getpgid(process.pid) in groups and process.info["status"] != psutil.STATUS_ZOMBIE:
                return True
        except (ProcessLookupError, PermissionError):
            continue
    return False
