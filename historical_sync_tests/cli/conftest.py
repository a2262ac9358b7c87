"""Commands as a person types them: in this process on a fresh database, with nothing else in the environment."""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from historical_sync.cli import main
from historical_sync.sandbox import scenario
from historical_sync.sandbox.server import Sandbox

OURS = ("HISTORICAL_SYNC_", "SYNC_", "GITHUB_", "GROQ_", "DAGSTER_")
Command = Callable[..., Result]
Program = Callable[..., subprocess.CompletedProcess[str]]
REPOSITORY_ROOT = Path(__file__).parent.parent.parent


@pytest.fixture
def bare_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """None of our variables but a home of the test's own."""
    for name in [name for name in os.environ if name.startswith(OURS)]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("HISTORICAL_SYNC_HOME", str(tmp_path / "home"))


@pytest.fixture
def command(bare_environment: None, database_url: str, monkeypatch: pytest.MonkeyPatch) -> Command:
    """Runs `historical-sync …` on a fresh database."""
    monkeypatch.setenv("HISTORICAL_SYNC_DATABASE_URL", database_url)
    return lambda *arguments, **options: CliRunner().invoke(main, list(arguments), **options)


@pytest.fixture
def program(bare_environment: None, database_url: str, monkeypatch: pytest.MonkeyPatch) -> Program:
    """Runs `historical-sync …` in a process of its own: Dagster's definitions read the settings once a process."""
    monkeypatch.setenv("HISTORICAL_SYNC_DATABASE_URL", database_url)

    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "historical_sync", *arguments]
        return subprocess.run(command, capture_output=True, text=True, check=False, cwd=REPOSITORY_ROOT)

    return run


@pytest.fixture
def sandbox(monkeypatch: pytest.MonkeyPatch) -> Iterator[Sandbox]:
    """The demo team's GitHub and Groq, with the variables that lead there."""
    with Sandbox(scenario.demo()) as running:
        monkeypatch.setenv("GITHUB_API_URL", running.github_url)
        monkeypatch.setenv("GROQ_BASE_URL", running.groq_url)
        monkeypatch.setenv("GITHUB_TOKEN", "planted-token")
        monkeypatch.setenv("GROQ_API_KEY", "planted-key")
        yield running
