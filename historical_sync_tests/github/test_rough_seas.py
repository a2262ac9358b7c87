"""What happens around a run: names and access that change in the middle, clocks that differ, looks that are cut short,
text that is no text, counts that lag behind."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from historical_sync.errors import AllRepositoriesFailed
from historical_sync.github.answers import Answer
from historical_sync.github.hydrated import HydratedPullRequest
from historical_sync.github.readers import read_hydration
from historical_sync.sandbox import scenario
from historical_sync.sandbox.world import World, stamp
from historical_sync_tests.github.conftest import SetStage
from historical_sync_tests.github.stage import NOW, Stage

NOISE = "a\0b \ud83d c"
"""A NUL and half of a surrogate pair."""


@pytest.mark.parametrize("answers", [2, 4, 6])
@pytest.mark.parametrize("new_name", ["demo/payments-api", "another/payments"])
def test_renamed_or_transferred_in_the_middle_of_a_run(small_stage: Stage, answers: int, new_name: str) -> None:
    """Before the walk, between walk and look, among the hydrations: the rows stay under the registered name."""
    stage = small_stage
    stage.sandbox.changes.after(answers, lambda world: world.rename("demo/payments", new_name))
    stage.sync()
    assert set(stage.statuses()) == {"demo/payments", "demo/storefront", "demo/Platform"}
    assert all(found == {"completed"} for found in stage.statuses().values())
    stage.sync()
    names = stage.rows("select current_name from tracked_repositories where repository = 'demo/payments'")
    assert names == [{"current_name": new_name}]


@pytest.mark.parametrize("answers", [2, 5, 7])
def test_vanished_in_the_middle_of_a_run(small_stage: Stage, answers: int) -> None:
    """Access is lost between two answers: nothing is deleted, the others are complete; once it is back, so is it."""
    stage = small_stage
    stage.sandbox.changes.after(answers, lambda world: set_access(world, "missing"))
    stage.sync()
    before = stage.rows("select count(*)::int as n from pull_request_index")
    stage.sync()
    assert stage.rows("select count(*)::int as n from pull_request_index") == before
    assert stage.statuses()["demo/storefront"] == {"completed"}
    stage.assert_true_or_told()
    set_access(stage.world, "open")
    stage.sync()
    stage.assert_all_true()


def set_access(world: World, access: str) -> None:
    held = world.repository("demo/payments")
    assert held is not None
    held.access = access


@pytest.mark.parametrize("hours", [-1, 1])
def test_clocks_that_differ_by_an_hour(set_stage: SetStage, hours: int) -> None:
    """GitHub's clock is an hour off ours: a limit of two seconds is waited for as long, and the history is true."""
    skew = timedelta(hours=hours)
    stage = set_stage(lambda time: scenario.demo(now=NOW - timedelta(hours=2), clock=lambda: time.now() + skew))
    stage.sandbox.faults.add("rate_limited", nth=3, retry_after=2)
    stage.sync()
    assert 1 < stage.time.slept < 120
    stage.sandbox.changes.at_random(1.0, seed=3, times=4)
    stage.refresh()
    stage.sandbox.changes.stop()
    stage.time.sleep(600)
    for month in stage.refresh():
        stage.ingest(month)
    stage.sync()
    stage.assert_all_true()


def test_a_look_that_is_cut_short_is_taken_up(set_stage: SetStage) -> None:
    """250 of 450 were touched, GitHub fails in the middle of the refresh, more is touched: the next one sees all.

    More than a page within five minutes is more than a look can see at once; later it can.
    """
    stage = set_stage(lambda time: scenario.scale(450, 1, months=3, now=NOW, clock=time.now))
    stage.sync()
    held = list(stage.world.pull_requests())
    stage.time.sleep(3600)
    for one in held[:250]:
        stage.world.touch(one, stamp(stage.time.now()))
    stage.sandbox.faults.add("502", nth=3, times=10_000)
    stage.refresh()
    stage.sandbox.faults.clear()
    stage.time.sleep(60)
    for one in held[200:300]:
        stage.world.touch(one, stamp(stage.time.now()))
    stage.time.sleep(600)
    assert stage.refresh() == set(stage.months)
    stage.sync()
    stage.assert_all_true()


def test_noise_in_every_name_is_stored(small_stage: Stage) -> None:
    """NUL and lone surrogates in file names, labels, branches, logins, milestones and authors stop nothing."""
    stage = small_stage
    one = next(one for one in stage.world.pull_requests() if one.files and one.commits and one.reviews)
    one.labels = [NOISE, f"{NOISE}2"]
    one.milestone = one.head_ref = one.base_ref = one.title = NOISE
    one.files[0].path = NOISE
    one.commits[0].author_name = one.commits[0].author_email = NOISE
    stage.world.touch(one)
    stage.sync()
    stage.assert_all_true()


def test_a_count_that_lags_behind_is_no_shortfall() -> None:
    """Three reviews where `totalCount` says two: nothing is missing, and three are counted."""
    node: dict[str, Any] = {
        **dict.fromkeys(("title", "body", "headRefName", "baseRefName"), "x"),
        **dict.fromkeys(("additions", "deletions", "changedFiles", "number"), 1),
        **dict.fromkeys(("createdAt", "updatedAt"), "2025-12-01T10:00:00Z"),
        **dict.fromkeys(("mergedAt", "closedAt", "author", "mergedBy", "milestone", "totalCommentsCount")),
        "id": "PR_1",
        "state": "OPEN",
        "isDraft": False,
        "timelineItems": {"nodes": []},
        "repository": {"nameWithOwner": "a/b"},
    }
    for name in ("labels", "assignees", "closingIssuesReferences", "reviews", "commits", "files"):
        node[name] = {"totalCount": 0, "pageInfo": {"hasNextPage": False, "endCursor": None}, "nodes": []}
    review = {"state": "APPROVED", "submittedAt": None, "body": "", "author": None}
    node["reviews"] |= {"totalCount": 2, "nodes": [{"id": f"R{i}", **review} for i in range(3)]}
    now = datetime(2025, 12, 2, tzinfo=UTC)
    (read,) = read_hydration(Answer({"nodes": [node]}, (), now, now, 1, None), ["PR_1"])
    assert isinstance(read, HydratedPullRequest)
    record = read.as_record("a/b")
    assert (record.is_partial, record.review_count, len(record.reviews)) == (False, 3, 3)


def test_a_limit_that_never_ends_stops_every_repository(small_stage: Stage) -> None:
    """Each answer a secondary limit: the run gives up after its attempts, and names the limit for each repository."""
    stage = small_stage
    stage.sandbox.faults.add("secondary_429", retry_after=1)
    with pytest.raises(AllRepositoriesFailed, match="secondary limit"):
        stage.ingest(stage.months[0])
    errors = {row["error"] for row in stage.rows("select error from repository_months")}
    assert all("secondary limit" in (error or "") for error in errors)
