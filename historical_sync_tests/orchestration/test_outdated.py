"""What Dagster shows as outdated: partitions whose code changed, whoever built them, and nothing else."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta

import dagster as dg
import pytest
from dagster._core.definitions.data_version import CachingStaleStatusResolver, StaleStatus
from dagster._core.loader import LoadingContextForTest

from historical_sync.orchestration import direct
from historical_sync.orchestration.assets import ASSETS, regex_tagged_pull_requests
from historical_sync.orchestration.partitions import key_of
from historical_sync.sandbox import scenario
from historical_sync.sandbox.server import Sandbox
from historical_sync.settings import Settings
from historical_sync.warehouse.registry import add_team
from historical_sync.window import months_wanted
from historical_sync_tests.orchestration.ticking import PipelineAt, tick

NEWEST = months_wanted(datetime.now(UTC), 0)[0]
KEYS = [asset.key for asset in ASSETS]


@pytest.fixture
def empty_sandbox() -> Iterator[Sandbox]:
    """The demo team's repositories (the name is what `settings` asks for)."""
    with Sandbox(scenario.demo()) as running:
        yield running


@pytest.fixture
def pipeline(settings: Settings, instance: dg.DagsterInstance, empty_sandbox: Sandbox) -> PipelineAt:
    """Team acme with its newest month loaded."""
    made = PipelineAt(settings, datetime.now(UTC))
    with made.warehouse.transaction() as tx:
        add_team(tx, "acme", list(empty_sandbox.world.repositories), history_months=0)
    assert direct.run_month(settings, instance, "acme", NEWEST).status == "completed"
    return made


def outdated(
    instance: dg.DagsterInstance, pipeline: PipelineAt, assets: list[dg.AssetsDefinition] = ASSETS
) -> set[str]:
    """The assets whose newest partition Dagster would show as outdated with these definitions."""
    graph = dg.Definitions(assets=assets, resources={"pipeline": pipeline}).resolve_asset_graph()
    resolver = CachingStaleStatusResolver(instance, graph, LoadingContextForTest(instance))
    statuses = {key.to_user_string(): resolver.get_status(key, key_of("acme", NEWEST)) for key in KEYS}
    assert StaleStatus.MISSING not in statuses.values()
    return {name for name, status in statuses.items() if status == StaleStatus.STALE}


def with_new_rule() -> list[dg.AssetsDefinition]:
    """The assets as they are once a signature was added."""
    changed = regex_tagged_pull_requests.map_asset_specs(lambda spec: spec.replace_attributes(code_version="new rules"))
    return [changed if one is regex_tagged_pull_requests else one for one in ASSETS]


def load(settings: Settings, instance: dg.DagsterInstance, pipeline: PipelineAt, sandbox: Sandbox) -> None:
    """Nothing more."""


def refresh(settings: Settings, instance: dg.DagsterInstance, pipeline: PipelineAt, sandbox: Sandbox) -> None:
    """A change on GitHub, and the refresh that rebuilds its month."""
    repository = next(iter(sandbox.world.repositories.values()))
    changed = next(one for one in repository if one.created_at[:7] == f"{NEWEST:%Y-%m}")
    changed.title = "A title that was mended"
    sandbox.world.touch(changed)
    assert [one.month for one in direct.refresh(settings, instance, "acme")] == [NEWEST]


def take_in(settings: Settings, instance: dg.DagsterInstance, pipeline: PipelineAt, sandbox: Sandbox) -> None:
    """The LLM's answers, by the sensor."""
    for _ in range(3):
        pipeline.time += timedelta(minutes=1)
        tick("collect_llm_batches", instance, pipeline)
    newest, _ = instance.fetch_materializations(dg.AssetKey("llm_classified_pull_requests"), limit=2).records
    assert newest.run_id == "", "no run built it"


Way = Callable[[Settings, dg.DagsterInstance, PipelineAt, Sandbox], None]


@pytest.mark.parametrize("way", [load, refresh, take_in], ids=lambda way: way.__name__)
def test_a_new_rule_shows_what_was_built_by_the_old_one(
    way: Way, settings: Settings, instance: dg.DagsterInstance, pipeline: PipelineAt, empty_sandbox: Sandbox
) -> None:
    """By whatever way a partition was built last: it is up to date, until the table of signatures changes."""
    way(settings, instance, pipeline, empty_sandbox)
    assert outdated(instance, pipeline) == set()
    assert "regex_tagged_pull_requests" in outdated(instance, pipeline, with_new_rule())
    assert "raw_pull_requests" not in outdated(instance, pipeline, with_new_rule())


def test_tagging_again_asks_nobody(
    settings: Settings, instance: dg.DagsterInstance, pipeline: PipelineAt, empty_sandbox: Sandbox
) -> None:
    """The outdated partition and its trends are built anew without a request to GitHub and without a line to Groq."""
    requests, lines = len(empty_sandbox.requests), len(empty_sandbox.groq.tally.history)
    assets = with_new_rule()
    result = dg.materialize(
        assets,
        selection=["regex_tagged_pull_requests", "monthly_trends"],
        instance=instance,
        partition_key=key_of("acme", NEWEST),
        resources={"pipeline": pipeline},
    )
    assert result.success
    assert (len(empty_sandbox.requests), len(empty_sandbox.groq.tally.history)) == (requests, lines)
    assert "regex_tagged_pull_requests" not in outdated(instance, pipeline, assets)
