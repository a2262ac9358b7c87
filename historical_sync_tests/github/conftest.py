"""The stage of the ingestion tests: see `stage.py`."""

from collections.abc import Callable, Iterator

import pytest

from historical_sync.sandbox import scenario
from historical_sync.sandbox.server import Sandbox
from historical_sync.sandbox.world import World
from historical_sync.warehouse.postgres import Warehouse
from historical_sync.warehouse.registry import add_team
from historical_sync_tests.github.stage import HISTORY_MONTHS, NOW, Stage, Time

SetStage = Callable[..., Stage]


@pytest.fixture
def set_stage(warehouse: Warehouse, monkeypatch: pytest.MonkeyPatch) -> Iterator[SetStage]:
    """Make a stage around a world: `set_stage(lambda time: scenario.demo(...))`; by default the demo team's."""
    running: list[Sandbox] = []
    monkeypatch.setenv("GITHUB_TOKEN", "token-one")

    def make(
        make_world: Callable[[Time], World] | None = None,
        *,
        repositories: list[str] | None = None,
        tokens: list[str] | None = None,
        history_months: int = HISTORY_MONTHS,
    ) -> Stage:
        time = Time()
        world = make_world(time) if make_world else scenario.demo(now=NOW, clock=time.now)
        sandbox = Sandbox(world)
        running.append(sandbox.start())
        with warehouse.transaction() as tx:
            add_team(tx, "acme", repositories or list(world.repositories), history_months=history_months)
        return Stage(warehouse, sandbox, time, tokens or ["env:GITHUB_TOKEN"])

    yield make
    for sandbox in running:
        sandbox.stop()


@pytest.fixture
def small_stage(set_stage: SetStage) -> Stage:
    """The same with two months, for tests that run often."""
    return set_stage(history_months=1)


@pytest.fixture
def stage(set_stage: SetStage) -> Stage:
    """The demo team's three repositories with their awkward cases, four months of history."""
    return set_stage()
