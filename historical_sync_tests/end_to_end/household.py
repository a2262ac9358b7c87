"""`historical-sync up` as a person runs it, for tests: started as a process, looked at from outside, stopped."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import psutil

from historical_sync.cli.services import free_port
from historical_sync_tests.end_to_end.processes import command_line, kill_all

REPOSITORY_ROOT = Path(__file__).parent.parent.parent
OURS = ("HISTORICAL_SYNC_", "SYNC_", "GITHUB_", "GROQ_", "DAGSTER_")


class Household:
    """An `up` on `home`, with ports of its own. Commands run beside it with `command`."""

    def __init__(self, home: Path, *arguments: str, variables: Mapping[str, str] | None = None) -> None:
        self.home = home
        self.page_port, self.dagster_port = free_port(), free_port()
        self.arguments = [*arguments, "--port", str(self.dagster_port), "--dashboard-port", str(self.page_port)]
        inherited = {name: value for name, value in os.environ.items() if not name.startswith(OURS)}
        self.variables = {**inherited, "HISTORICAL_SYNC_HOME": str(home), **(variables or {})}
        self.output = home.parent / f"{home.name}.output"
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Run `up` in the background."""
        with self.output.open("ab") as output:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "historical_sync", "up", *self.arguments],
                env=self.variables,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def stop(self, number: signal.Signals = signal.SIGINT) -> int:
        """Stop it as Ctrl-C does; its exit status."""
        assert self.process is not None
        self.process.send_signal(number)
        return self.process.wait(90)

    def make_sure_it_is_gone(self) -> None:
        """For the end of a test, however it went."""
        if self.process is not None and self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(60)
            except subprocess.TimeoutExpired:
                self.process.kill()
        kill_all(self.processes())

    def processes(self) -> list[psutil.Process]:
        """Every living process that works in this home: ours, Dagster's, their runs, PostgreSQL's."""
        return [process for process in psutil.process_iter() if self._belongs(process)]

    def _belongs(self, process: psutil.Process) -> bool:
        try:
            if process.status() == psutil.STATUS_ZOMBIE:
                return False
            in_folder = process.cwd() == str(self.home / "postgres")
            return in_folder or process.environ().get("HISTORICAL_SYNC_HOME") == str(self.home)
        except psutil.Error:
            return False

    def named(self, *words: str) -> psutil.Process:
        """The one process whose command line holds all these words; of several the oldest."""
        found = [one for one in self.processes() if all(word in command_line(one) for word in words)]
        return min(found, key=lambda one: one.create_time())

    def command(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Another `historical-sync` command on the same home."""
        command = [sys.executable, "-m", "historical_sync", *arguments]
        return subprocess.run(command, env=self.variables, capture_output=True, text=True, check=False)

    def progress(self) -> list[dict[str, Any]]:
        """What `status --json` says; nothing while there is no database."""
        finished = self.command("status", "--json")
        found: list[dict[str, Any]] = json.loads(finished.stdout) if finished.returncode == 0 else []
        return found

    def get(self, port: int, path: str) -> str:
        """The body of a page."""
        with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=20) as answer:
            body: bytes = answer.read()
            return body.decode()

    def graphql(self, question: str) -> Any:
        """Ask Dagster's own API."""
        request = urllib.request.Request(
            f"http://127.0.0.1:{self.dagster_port}/graphql",
            json.dumps({"query": question}).encode(),
            {"content-type": "application/json"},
        )
        with urllib.request.urlopen(request, timeout=30) as answer:
            return json.load(answer)["data"]

    def wait_until(self, claim: Callable[[], object], *, seconds: float, what: str) -> None:
        """Wait for something to come true; fails with what `up` printed and its logs' ends if it does not in time."""
        deadline = time.monotonic() + seconds
        while not claim():
            assert self.process is not None
            is_over = self.process.poll() is not None
            if is_over or time.monotonic() > deadline:
                why = f"up ended with {self.process.returncode}" if is_over else f"not within {seconds:.0f} s"
                raise AssertionError(f"{what}: {why}\n{self.last_lines()}")
            time.sleep(1.0)

    def last_lines(self, count: int = 30) -> str:
        """The end of what it printed and of each log."""
        logs = [self.output, *sorted((self.home / "logs").glob("*.log"))]
        return "\n".join(
            f"--- {log.name}\n" + "\n".join(log.read_text(errors="replace").splitlines()[-count:])
            for log in logs
            if log.exists()
        )
