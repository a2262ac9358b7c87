"""Whatever GitHub does, the tables equal the truth or say which repository-months do not."""

import random
from datetime import date

import pytest
from hypothesis import HealthCheck, given, seed, settings
from hypothesis import strategies as st

from historical_sync.errors import AllRepositoriesFailed
from historical_sync.sandbox import scenario
from historical_sync.sandbox.faults import GITHUB_KINDS
from historical_sync.sandbox.github.pace import Pace
from historical_sync.window import first_of_month
from historical_sync_tests.github.conftest import SetStage
from historical_sync_tests.github.stage import NOW, Stage

PATIENCE = {"timeout": 0.4}
"""Seconds before the client gives up on an answer, where the fault is that none comes."""
REFUSALS = {"unauthorized", "forbidden", "saml"}
"""What GitHub says about a token or a repository; asking again does not help."""


@pytest.mark.parametrize("kind", sorted(set(GITHUB_KINDS) - REFUSALS - {"bad_cursor"}))
def test_a_fault_that_passes_leaves_no_trace(small_stage: Stage, kind: str) -> None:
    """One fault in the middle of the walk and two among the hydrations: waited out or asked again, and all is there."""
    stage = small_stage
    stage.read_timeout_seconds = PATIENCE.get(kind, 20.0)
    stage.sandbox.faults.add(kind, nth=4, seconds=0.05)
    stage.sandbox.faults.add(kind, nth=7, times=2, seconds=0.05)
    stage.sync()
    assert any(rule["struck"] for rule in stage.sandbox.faults.as_json())
    stage.assert_all_true()


@pytest.mark.parametrize("kind", sorted(GITHUB_KINDS))
def test_a_fault_that_stays_is_told(small_stage: Stage, kind: str) -> None:
    """The same fault on every third request: complete and true, or named as incomplete; once gone, all is there."""
    stage = small_stage
    stage.read_timeout_seconds = PATIENCE.get(kind, 20.0)
    stage.sandbox.faults.add(kind, probability=0.34, seconds=0.05)
    stage.sync()
    stage.assert_true_or_told()
    stage.sandbox.faults.clear()
    stage.sync()
    stage.assert_all_true()


MIXTURES = given(
    chances=st.dictionaries(st.sampled_from(sorted(GITHUB_KINDS)), st.floats(0.01, 0.15), min_size=2, max_size=6),
    number=st.integers(0, 2**32),
)


@seed(20251225)
@settings(max_examples=6, deadline=None, suppress_health_check=list(HealthCheck))
@MIXTURES
def test_any_mixture_of_faults(set_stage: SetStage, chances: dict[str, float], number: int) -> None:
    """Several kinds of fault at once, in a world that moves between any two answers: never silently less."""
    meet_mixture(set_stage(history_months=1), chances, number)


@pytest.mark.soak
@pytest.mark.timeout(7200)
@settings(max_examples=200, deadline=None, suppress_health_check=list(HealthCheck))
@MIXTURES
def test_many_mixtures_of_faults(set_stage: SetStage, chances: dict[str, float], number: int) -> None:
    """The same two hundred times, other ones each time."""
    meet_mixture(set_stage(history_months=1), chances, number)


def meet_mixture(stage: Stage, chances: dict[str, float], number: int) -> None:
    """Sync under these faults, which all have a chance, then without them."""
    stage.read_timeout_seconds = 0.5 if "timeout" in chances else 20.0
    stage.sandbox.faults.random = random.Random(number)
    for kind, chance in chances.items():
        stage.sandbox.faults.add(kind, probability=chance)
    stage.sandbox.changes.at_random(0.5, seed=number, kinds=("update", "merge", "open", "grow", "close"))
    stage.sync()
    stage.assert_true_or_told(is_at_rest=False)
    stage.sandbox.faults.clear()
    stage.sandbox.changes.stop()
    stage.time.sleep(600)
    stage.sync()
    stage.assert_all_true()
    stage.sandbox.stop()
    with stage.warehouse.transaction() as tx:
        tx.execute("delete from teams")


@pytest.mark.parametrize("kind", ["resource_limits", "502", "504", "something_went_wrong", "timeout"])
def test_a_page_that_is_too_heavy_is_halved(small_stage: Stage, kind: str) -> None:
    """A GitHub that refuses ten at once gets smaller pages, and gives everything."""
    stage = small_stage
    stage.read_timeout_seconds = PATIENCE.get(kind, 20.0)
    if kind == "resource_limits":
        stage.sandbox.github.pace = Pace(largest_hydration=9)
    else:
        stage.sandbox.faults.add(kind, more_than=9)
    stage.sync()
    stage.assert_all_true()
    hydrated = [entry.hydrated for entry in stage.sandbox.requests if entry.hydrated]
    assert hydrated[0] == 21
    assert sum(size > 9 for size in hydrated) < len(hydrated) / 3


@pytest.mark.parametrize("kind", ["502", "504", "timeout", "resource_limits", "resource_limits_lists", "500", "cut"])
def test_a_poisonous_pull_request_spoils_only_itself(stage: Stage, kind: str) -> None:
    """One pull request that can never be read whole: it is partial and says why, and its neighbours are complete."""
    month = stage.months[1]
    number = next(n for n, one in stage.truth("demo/payments").items() if first_of_month(one.created_at) == month)
    stage.sandbox.faults.add(kind, repository="demo/payments", number=number, more_than=0)
    stage.read_timeout_seconds = PATIENCE.get(kind, 20.0)
    stage.ingest(month)
    partial = stage.rows("select repository, number, partial_reason from pull_requests where is_partial")
    assert [(row["repository"], row["number"]) for row in partial] == [("demo/payments", number)]
    assert partial[0]["partial_reason"]
    assert stage.statuses(month) == {
        "demo/payments": {"partial"},
        "demo/storefront": {"completed"},
        "demo/Platform": {"completed"},
    }
    stage.sandbox.faults.clear()
    stage.ingest(month)
    assert stage.statuses(month)["demo/payments"] == {"completed"}
    stage.assert_true_or_told()


@pytest.mark.parametrize("kind", ["502", "500", "resource_limits"])
def test_a_poisonous_pull_request_costs_a_few_requests(set_stage: SetStage, kind: str) -> None:
    """The page that holds it is read by halves, down to it; every other page keeps its size. Half a minute is waited
    for the page to come right by itself, and half a minute for the one."""
    stage = set_stage(lambda time: scenario.scale(210, 1, months=1, now=NOW, clock=time.now), history_months=1)
    stage.sandbox.faults.add(kind, repository="scale/repo-000", number=100, more_than=0)
    client = stage.client()
    for month in stage.months:
        stage.ingest(month, client)
    hydrated = [entry.hydrated for entry in stage.sandbox.requests if entry.hydrated > 1]
    assert sum(size < 15 for size in hydrated) <= 12
    assert stage.sandbox.requests.graphql_requests <= 20 + 25
    assert stage.time.slept <= 31 + 31 + 1


def test_an_outage_is_nobodys_fault(stage: Stage) -> None:
    """When GitHub stops answering in the middle, no pull request is called partial for it; the next run goes on."""
    stage.sandbox.faults.add("502", nth=7, times=10_000)
    with pytest.raises(AllRepositoriesFailed):
        stage.ingest(stage.months[0])
        stage.ingest(stage.months[1])
    assert stage.rows("select number from pull_requests where is_partial") == []
    stage.sandbox.faults.clear()
    stage.sync()
    stage.assert_all_true()


def test_a_list_that_is_null_is_unknown_not_empty(stage: Stage) -> None:
    """Lists whose nodes an error names are asked for again, and never stored as if they were empty."""
    stage.sandbox.faults.add("resource_limits_lists", probability=0.5)
    stage.sync()
    stage.assert_true_or_told()
    for row in stage.rows("select * from pull_requests where not is_partial"):
        held = stage.world.pull_request(row["repository"], row["number"])
        assert (row["file_count"], row["commit_count"]) == (len(held.files), len(held.commits))


def test_an_entry_that_stays_null_makes_the_month_partial(stage: Stage) -> None:
    """A null among a pull request's reviews is counted: the pull request is partial and says how many are missing."""
    month = stage.months[1]
    truth = stage.truth("demo/payments").items()
    number, one = next((n, one) for n, one in truth if one.reviews and first_of_month(one.created_at) == month)
    held = stage.world.pull_request("demo/payments", number)
    held.reviews = [None, *held.reviews]  # type: ignore[list-item]
    stage.ingest(month)
    assert stage.statuses(month)["demo/payments"] == {"partial"}
    row = stage.rows("select partial_reason from pull_requests where repository = 'demo/payments' and is_partial")[0]
    assert row["partial_reason"] == f"reviews: {len(one.reviews)} of {len(one.reviews) + 1}, 1 came as null"


def test_a_null_in_the_walk_is_never_a_shorter_list(stage: Stage) -> None:
    """Where a row of the walk stays null, nobody knows what it was: no month of that repository is complete."""
    stage.sandbox.faults.add("null_nodes", repository="demo/payments", operation="graphql")
    stage.sync()
    assert "completed" not in stage.statuses()["demo/payments"]
    assert stage.statuses()["demo/storefront"] == {"completed"}
    stage.assert_true_or_told()


def test_a_hole_in_the_list_concerns_only_months_before_it(set_stage: SetStage) -> None:
    """An entry that stays null is noted by its place: months after its last update are complete, the others say why.

    The next run asks again for that page alone, and when it comes the months are complete and true.
    """
    stage = set_stage(lambda time: scenario.scale(450, 1, months=3, now=NOW, clock=time.now))
    newest = max(stage.months)
    one = next(one for one in stage.truth("scale/repo-000").values() if one.updated_at.date() < date(2025, 11, 20))
    stage.sandbox.faults.add("null_nodes", number=one.number, field="pullRequests")
    stage.sync()
    rows = stage.rows("select month, status, error from repository_months order by month")
    told = {row["month"]: row["error"] for row in rows if row["status"] == "partial"}
    assert newest not in told
    assert first_of_month(one.created_at) in told
    assert "1 entries of GitHub's list came as null" in told[first_of_month(one.created_at)]
    stage.assert_true_or_told()
    stage.sandbox.faults.clear()
    stage.sandbox.requests.clear()
    stage.ingest(first_of_month(one.created_at))
    assert len(stage.sandbox.requests) <= 5
    stage.sync()
    stage.assert_all_true()


def test_a_hole_whose_place_is_forgotten_is_found_by_walking_again(set_stage: SetStage) -> None:
    """Where GitHub no longer takes the cursor of the place, the history is walked once more."""
    stage = set_stage(lambda time: scenario.scale(250, 1, months=3, now=NOW, clock=time.now))
    one = next(one for one in stage.truth("scale/repo-000").values() if one.updated_at.date() < date(2025, 11, 10))
    stage.sandbox.faults.add("null_nodes", number=one.number, field="pullRequests")
    stage.sync()
    stage.sandbox.faults.clear()
    stage.sandbox.faults.add("bad_cursor", nth=1)
    stage.ingest(first_of_month(one.created_at))
    assert stage.sandbox.faults.as_json()[0]["struck"] == 1
    stage.sync()
    stage.assert_all_true()
    assert stage.rows("select * from walk_holes") == []


def test_a_page_of_nothing_but_nulls_fails_and_says_so(stage: Stage) -> None:
    """No entry of a page came: the repository's month is failed with that reason, and is loaded by the next run."""
    stage.sandbox.faults.add("null_nodes", repository="demo/payments", field="pullRequests")
    stage.ingest(stage.months[0])
    row = stage.rows("select status, error from repository_months where repository = 'demo/payments'")[0]
    assert row["status"] == "failed"
    assert "came as null" in row["error"]
    stage.sandbox.faults.clear()
    stage.sync()
    stage.assert_all_true()


def test_a_cursor_that_is_refused_starts_the_walk_again(set_stage: SetStage) -> None:
    """The walk goes back to the top, keeps its frontier, and misses nothing."""
    stage = set_stage(lambda time: scenario.scale(450, 1, months=3, now=NOW, clock=time.now))
    stage.sandbox.faults.add("bad_cursor", nth=2)
    stage.sync()
    assert any("starts again" in line for line in stage.lines)
    stage.assert_all_true()


def test_every_answer_moves_the_world(stage: Stage) -> None:
    """Updates, merges, pushes and new pull requests between any two answers: what is called complete is true."""
    stage.sandbox.changes.at_random(1.0, seed=5)
    for month in stage.months:
        stage.ingest(month)
        stage.assert_true_or_told(is_at_rest=False)
    assert stage.sandbox.changes.made > 10
    stage.sandbox.changes.stop()
    stage.time.sleep(600)
    for month in sorted(stage.refresh() | {date(2025, 12, 1)}):
        stage.ingest(month)
    stage.sync()
    stage.assert_all_true()
