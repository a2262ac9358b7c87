"""Cleaning up after an `up` that was killed: a process beside it ends what it had started, and then the database.

`Guardian` is our end. The process reads groups of processes from stdin, one number a line; the word `done` sends it
away, and the end of the stream without that word means that `up` is gone. What it was told stands in a file as well, so
that the next `up` can clean up where both were killed.
"""

from __future__ import annotations

import subprocess
import sys
import threading
from pathlib import Path

import psutil

from historical_sync.cli.supervision import end_groups

END_WITHIN_SECONDS = 2.0


class Guardian:
    """Starts the process beside us and keeps it informed. `data` is the embedded server's folder, None without one."""

    def __init__(self, record: Path, data: Path | None) -> None:
        self._record = record
        self._data = data
        self._groups: list[int] = []
        self._turn = threading.Lock()
        self._record.write_text("")
        self._process = self._launch()

    def watch(self, group: int) -> None:
        """Tell it of a group that was just started. A guardian that was killed is replaced first."""
        with self._turn:
            self._groups.append(group)
            with self._record.open("a") as record:
                record.write(f"{group} {psutil.Process(group).create_time()}\n")
            if self._process.poll() is not None:
                self._process = self._launch()
            else:
                self._say(str(group))

    def dismiss(self) -> None:
        """Everything has been stopped in order: it may go."""
        with self._turn:
            self._say("done")
            self._process.wait()
            self._record.unlink(missing_ok=True)

    def _say(self, line: str) -> None:
        if self._process.stdin is not None:
            try:
                self._process.stdin.write(f"{line}\n")
                self._process.stdin.flush()
            except BrokenPipeError:
                return  # it was killed; the next `watch` replaces it

    def _launch(self) -> subprocess.Popen[str]:
        command = [sys.executable, "-m", "historical_sync.cli.guardian", *([str(self._data)] if self._data else [])]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, text=True, start_new_session=True)
        for group in self._groups:
            self._say(str(group))
        return self._process


def end_left_overs(record: Path) -> int:
    """End the groups of an `up` that was killed together with its guardian. Returns how many still lived."""
    if not record.exists():
        return 0
    lines = [line.split() for line in record.read_text().splitlines()]
    alive = [int(group) for group, started in lines if _is_the_same(int(group), float(started))]
    end_groups(alive[::-1], END_WITHIN_SECONDS)
    record.unlink()
    return len(alive)


def _is_the_same(group: int, started: float) -> bool:
    """Whether the group is the one that was noted. Its number is not given away while a member lives."""
    try:
        return abs(psutil.Process(group).create_time() - started) < 1.0
    except psutil.NoSuchProcess:
        return True


def guard() -> None:
    """The process itself: listen until `done`, or until `up` is gone and there is something to clean up."""
    groups: list[int] = []
    for line in sys.stdin:
        word = line.strip()
        if word == "done":
            return
        groups.append(int(word))
    end_groups(groups[::-1], END_WITHIN_SECONDS)
    if len(sys.argv) > 1:
        _leave_database(Path(sys.argv[1]))


def _leave_database(data: Path) -> None:
    """Come in and go out: the last one out stops the server."""
    from historical_sync.warehouse.embedded import EmbeddedPostgres

    with EmbeddedPostgres(data).in_use():
        pass


if __name__ == "__main__":
    guard()
