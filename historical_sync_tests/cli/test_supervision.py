"""Children are started again when they die, stopped with all of theirs, and outlive nobody."""

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from historical_sync.cli.guardian import Guardian, end_left_overs
from historical_sync.cli.supervision import Service, Supervisor, end_groups
from historical_sync.errors import ConfigurationError

SLEEP = [sys.executable, "-c", "import time; time.sleep(600)"]
STUBBORN_PARENT = """
import signal, subprocess, sys, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
print(child.pid, flush=True)
time.sleep(600)
"""


class Notes:
    """What a supervisor tells and whom it reports to the guardian."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self.groups: list[int] = []


@pytest.fixture
def notes() -> Notes:
    return Notes()


@pytest.fixture
def supervisor(tmp_path: Path, notes: Notes) -> Iterator[Supervisor]:
    made = Supervisor(tmp_path, notes.groups.append, notes.lines.append)
    yield made
    made.stop_all()


def wait_for(claim: Callable[[], bool], seconds: float = 30.0) -> None:
    deadline = time.monotonic() + seconds
    while not claim():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def lives(pid: int) -> bool:
    return psutil.pid_exists(pid) and psutil.Process(pid).status() != psutil.STATUS_ZOMBIE


def test_a_killed_child_is_started_again(supervisor: Supervisor, notes: Notes) -> None:
    """kill -9 is told in words, the child runs again, and the guardian learns of the new one."""
    child = supervisor.start(Service("sleeper", SLEEP, os.environ))
    assert child.process is not None
    first = child.process.pid
    child.process.kill()
    wait_for(lambda: len(notes.groups) == 2)
    assert notes.groups[0] == first
    assert lives(notes.groups[1])
    assert "sleeper was killed (SIGKILL)" in notes.lines[0]


def test_a_child_that_cannot_start_is_an_error_with_its_log(supervisor: Supervisor) -> None:
    """A service that ends again and again stops the start, and its last words are in the message."""
    command = [sys.executable, "-c", "raise SystemExit('no such port')"]
    child = supervisor.start(Service("broken", command, os.environ, is_ready=lambda: False))
    with pytest.raises(ConfigurationError, match="no such port"):
        supervisor.wait_until_ready(child, 60, is_cancelled=lambda: False)


def test_waiting_can_be_cancelled(supervisor: Supervisor) -> None:
    """Ctrl-C while something starts does not wait for it."""
    child = supervisor.start(Service("slow", SLEEP, os.environ, is_ready=lambda: False))
    assert not supervisor.wait_until_ready(child, 60, is_cancelled=lambda: True)


def test_grandchildren_and_the_stubborn_are_ended(tmp_path: Path) -> None:
    """A child that ignores SIGTERM is killed, and what it had started with it."""
    parent = subprocess.Popen(
        [sys.executable, "-c", STUBBORN_PARENT], stdout=subprocess.PIPE, text=True, start_new_session=True
    )
    assert parent.stdout is not None
    grandchild = int(parent.stdout.readline())
    end_groups([parent.pid], 0.5)
    parent.wait()
    wait_for(lambda: not lives(grandchild))


OWNER = """
import os, subprocess, sys, time
from pathlib import Path
from historical_sync.cli.guardian import Guardian
guardian = Guardian(Path(sys.argv[1]), None)
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"], start_new_session=True)
guardian.watch(child.pid)
print(child.pid, guardian._process.pid, flush=True)
if sys.argv[2] == "dismiss":
    guardian.dismiss()
    os._exit(0)
time.sleep(600)
"""


def owner(record: Path, mode: str) -> tuple[subprocess.Popen[str], int, int]:
    """A process with a guardian and a child; both of whose numbers it prints."""
    process = subprocess.Popen(
        [sys.executable, "-c", OWNER, str(record), mode], stdout=subprocess.PIPE, text=True, start_new_session=True
    )
    assert process.stdout is not None
    child, guardian = map(int, process.stdout.readline().split())
    return process, child, guardian


def test_the_guardian_ends_what_a_killed_owner_started(tmp_path: Path) -> None:
    """kill -9 of the owner: its child is gone a moment later, and so is the guardian."""
    process, child, guardian = owner(tmp_path / "groups", "stay")
    process.kill()
    process.wait()
    wait_for(lambda: not lives(child))
    wait_for(lambda: not lives(guardian))


def test_a_dismissed_guardian_touches_nothing(tmp_path: Path) -> None:
    """After an orderly end the guardian goes without ending anybody."""
    process, child, guardian = owner(tmp_path / "groups", "dismiss")
    process.wait()
    wait_for(lambda: not lives(guardian))
    assert lives(child)
    assert not (tmp_path / "groups").exists()
    end_groups([child], 0.0)


def test_left_overs_of_a_power_cut(tmp_path: Path) -> None:
    """Owner and guardian killed together: the next start ends what they left, and only that."""
    record = tmp_path / "groups"
    process, child, guardian = owner(record, "stay")
    psutil.Process(guardian).kill()
    process.kill()
    process.wait()
    assert lives(child)
    with record.open("a") as lines:
        lines.write(f"{os.getpid()} 12345.0\n")  # a number that now belongs to somebody else: to this test
    assert end_left_overs(record) == 1
    wait_for(lambda: not lives(child))
    assert end_left_overs(record) == 0


def test_a_killed_guardian_is_replaced(tmp_path: Path) -> None:
    """The next child that is reported brings a new guardian, which knows the earlier ones."""
    guardian = Guardian(tmp_path / "groups", None)
    first = subprocess.Popen(SLEEP, start_new_session=True)
    guardian.watch(first.pid)
    guardian._process.kill()
    guardian._process.wait()
    second = subprocess.Popen(SLEEP, start_new_session=True)
    guardian.watch(second.pid)
    assert guardian._process.stdin is not None
    guardian._process.stdin.close()
    first.wait(30)
    second.wait(30)
