"""Dagster's own instance on the tests' PostgreSQL, with the sandbox as GitHub and Groq, in this process."""

from collections.abc import Iterator
from pathlib import Path

import dagster as dg
import pytest

from historical_sync.orchestration.home import open_instance
from historical_sync.orchestration.resources import Pipeline
from historical_sync.sandbox import scenario
from historical_sync.sandbox.server import Sandbox
from historical_sync.settings import Settings
from historical_sync.warehouse.address import dagster_url


@pytest.fixture
def empty_sandbox() -> Iterator[Sandbox]:
    """GitHub without repositories: a test adds those it needs."""
    with Sandbox(scenario.empty()) as running:
        yield running


@pytest.fixture
def settings(database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, empty_sandbox: Sandbox) -> Settings:
    """Settings of a machine of its own: a fresh database, a folder, the sandbox's addresses."""
    for name, value in {
        "HISTORICAL_SYNC_HOME": str(tmp_path),
        "HISTORICAL_SYNC_DATABASE_URL": database_url,
        "HISTORICAL_SYNC_DAGSTER_URL": dagster_url(database_url),
        "DAGSTER_HOME": str(tmp_path / "dagster"),
        "GITHUB_API_URL": empty_sandbox.github_url,
        "GROQ_BASE_URL": empty_sandbox.groq_url,
        "GITHUB_TOKEN": "planted-github-token",
        "GROQ_API_KEY": "planted-groq-key",
    }.items():
        monkeypatch.setenv(name, value)
    return Settings.from_environment()


@pytest.fixture
def instance(settings: Settings) -> Iterator[dg.DagsterInstance]:
    """Dagster's instance of these settings."""
    with open_instance(settings) as opened:
        yield opened


@pytest.fixture
def pipeline(settings: Settings) -> Iterator[Pipeline]:
    """What assets and sensors are given."""
    made = Pipeline(settings)
    yield made
    made.warehouse.close()
