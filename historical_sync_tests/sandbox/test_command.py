"""`historical-sync sandbox` as its own process: ready, serving, turned by its options, ended by Ctrl-C."""

import json
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import requests
from click.testing import CliRunner

from historical_sync.cli.sandbox import sandbox
from historical_sync.sandbox.faults import KINDS
from historical_sync_tests.sandbox.test_corpus import RECORD


@contextmanager
def process(*options: str) -> Iterator[tuple[str, subprocess.Popen[str]]]:
    """The command on a free port; its address, once it says that it is ready."""
    command = [str(Path(sys.executable).with_name("historical-sync")), "sandbox", "--port", "0", *options]
    started = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        assert started.stdout is not None
        found = re.search(r"http://\S+:\d+", started.stdout.readline())
        assert found is not None, started.communicate()
        yield found.group(), started
    finally:
        started.kill()
        started.communicate()


def test_it_serves_until_ctrl_c() -> None:
    """Ready line, health, GitHub and Groq under one address; SIGINT ends it with status 0 and no words."""
    with process("--faults", "502@2") as (url, running):
        assert requests.get(f"{url}/_sandbox/health", timeout=5).json() == {"status": "ok"}
        question = {"query": "{ viewer { login } }"}
        headers = {"authorization": "Bearer any"}
        codes = [
            requests.post(f"{url}/graphql", json=question, headers=headers, timeout=5).status_code for _ in range(3)
        ]
        assert codes == [200, 502, 200]
        assert requests.get(f"{url}/openai/v1/models", headers=headers, timeout=5).json()["data"]
        running.send_signal(signal.SIGINT)
        _, errors = running.communicate(timeout=10)
        assert (running.returncode, errors) == (0, "")


def test_it_serves_recorded_data(tmp_path: Path) -> None:
    """--data: the repositories of the folder, and no others."""
    (tmp_path / "one.jsonl").write_text(json.dumps(RECORD) + "\n")
    with process("--data", str(tmp_path), "--shift-to-now") as (url, _):
        assert requests.get(f"{url}/_sandbox/state", timeout=5).json()["repositories"] == {"Acme/API": 1}


def test_wrong_options_are_explained() -> None:
    """An unknown fault, an empty folder, --shift-to-now without data: an error in words, nothing served."""
    runner = CliRunner()
    unknown = runner.invoke(sandbox, ["--faults", "nope", "--port", "0"])
    assert unknown.exit_code == 1
    assert "no fault is called 'nope'" in unknown.output
    lonely = runner.invoke(sandbox, ["--shift-to-now"])
    assert lonely.exit_code == 2
    assert "--data" in lonely.output


def test_every_fault_is_listed_with_its_meaning() -> None:
    """--list-faults: what can be written after --faults."""
    listed = CliRunner().invoke(sandbox, ["--list-faults"]).output
    assert all(f"{kind} " in listed and meaning in listed for kind, meaning in KINDS.items())
