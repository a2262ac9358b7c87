"""A running sandbox for any room's tests: import what you need into the room's conftest.py.

from historical_sync_tests.sandbox.fixtures import sandbox  # noqa: F401
"""

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from historical_sync.sandbox import scenario
from historical_sync.sandbox.server import Sandbox

NOW = datetime(2025, 12, 25, 12, tzinfo=UTC)
"""A fixed day for stories: the window of DESIGN's example (2024-12-01 to now)."""


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    """The demo team as of today, without latency; batches end at once."""
    with Sandbox(scenario.demo()) as running:
        yield running


@pytest.fixture
def empty_sandbox() -> Iterator[Sandbox]:
    """No repositories at all: a test adds what it needs to `sandbox.world`."""
    with Sandbox(scenario.empty()) as running:
        yield running
