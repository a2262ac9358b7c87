"""Each repository for itself: one that cannot be read says why, and leaves the others complete."""

import random
from datetime import timedelta

import pytest

from historical_sync.sandbox.changes import delete
from historical_sync.window import first_of_month
from historical_sync_tests.github.stage import NOW, Stage

OTHERS = {"demo/storefront": {"completed"}, "demo/Platform": {"completed"}}


@pytest.mark.parametrize(
    ("access", "words"), [("missing", "not found"), ("forbidden", "not accessible"), ("saml", "SAML")]
)
def test_one_that_cannot_be_read_leaves_the_others_complete(stage: Stage, access: str, words: str) -> None:
    """Its months are failed with GitHub's reason and a remedy; the others' are complete. Once open, it is loaded."""
    stage.world.repositories["demo/payments"].access = access
    ingested = stage.sync()
    assert stage.statuses() == {"demo/payments": {"failed"}, **OTHERS}
    failed = next(one for one in ingested[0].repositories if one.repository == "demo/payments")
    assert words.lower() in (failed.error or "").lower()
    assert "historical-sync retry" in (failed.remedy or "")
    row = stage.rows("select sync_status, sync_error from tracked_repositories where repository = 'demo/payments'")[0]
    assert row["sync_status"] == "failed"
    assert words.lower() in row["sync_error"].lower()
    stage.world.repositories["demo/payments"].access = "open"
    stage.sync()
    stage.assert_all_true()
    assert stage.rows("select 1 from tracked_repositories where sync_error is not null") == []


def test_a_rename_is_followed_and_recorded(stage: Stage) -> None:
    """The old name leads to the new one: rows stay under the registered name, the new one is noted."""
    stage.ingest(stage.months[0])
    stage.world.rename("demo/payments", "acme/billing")
    stage.sync()
    stage.assert_all_true()
    names = stage.rows("select repository, current_name from tracked_repositories where current_name is not null")
    assert names == [{"repository": "demo/payments", "current_name": "acme/billing"}]


def test_an_old_name_that_is_taken_by_another_is_not_mixed_up(stage: Stage) -> None:
    """After a rename somebody makes a new repository of the old name: its pull requests are not taken for ours."""
    stage.sync()
    stage.world.rename("demo/payments", "acme/billing")
    stage.time.sleep(3600)
    stage.refresh()
    stage.world.add_repository("demo/payments")
    stage.sync()
    stage.assert_true_or_told(["demo/storefront", "demo/Platform"])
    assert len(stage.stored("demo/payments")) > 20
    assert stage.statuses()["demo/payments"] == {"completed"}


def test_a_repository_made_anew_is_another_one(stage: Stage) -> None:
    """A repository that was deleted and made again under its name has other pull requests: it fails, and says so."""
    stage.sync()
    stage.world.add_repository("demo/payments")
    stage.ingest(stage.months[0])
    row = stage.rows(
        "select status, error from repository_months where repository = 'demo/payments' order by month desc"
    )
    assert row[0]["status"] == "failed"
    assert "another repository" in row[0]["error"]


def test_names_are_matched_without_case(stage: Stage) -> None:
    """`--repo DEMO/PAYMENTS` means the repository registered as demo/payments."""
    ingested = stage.ingest(stage.months[0], repositories=["DEMO/Payments"])
    assert [one.repository for one in ingested.repositories] == ["demo/payments"]


@pytest.mark.parametrize("which", [0, 7, -1])
def test_a_deleted_pull_request_goes_after_a_full_walk(stage: Stage, which: int) -> None:
    """A week later a full walk misses it and its id is NOT_FOUND: its row, its index entry and its count go."""
    stage.sync()
    gone = sorted(stage.truth("demo/payments"))[which]
    delete(stage.world, stage.world.pull_request("demo/payments", gone), random.Random(4))
    assert stage.refresh() == frozenset()
    assert gone in stage.stored("demo/payments")
    touched = {first_of_month(stage.stored("demo/payments")[gone].created_at)}
    stage.refresh(now=NOW + timedelta(days=8))
    assert gone not in stage.stored("demo/payments")
    assert all(stage.statuses(month)["demo/payments"] == {"pending"} for month in touched & set(stage.months))
    stage.sync()
    stage.assert_all_true()


@pytest.mark.parametrize("kind", ["502", "saml", "resource_limits", "truncated"])
def test_nothing_is_deleted_after_a_failed_walk(stage: Stage, kind: str) -> None:
    """When the full walk or the question about the ids fails, every row stays."""
    stage.sync()
    gone = sorted(stage.truth("demo/payments"))[3]
    delete(stage.world, stage.world.pull_request("demo/payments", gone), random.Random(4))
    before = len(stage.stored("demo/payments"))
    if kind == "resource_limits":
        stage.world.repositories["demo/payments"].access = "missing"
    else:
        stage.sandbox.faults.add(kind, times=10_000, nth=2)
    stage.refresh(now=NOW + timedelta(days=8))
    assert len(stage.stored("demo/payments")) == before


def test_a_repository_that_cannot_be_read_loses_nothing(stage: Stage) -> None:
    """Every id of a repository that turned private is NOT_FOUND; that is no deletion."""
    stage.sync()
    stage.world.repositories["demo/payments"].access = "missing"
    stage.time.sleep(3600)
    stage.refresh(now=NOW + timedelta(days=8))
    assert len(stage.stored("demo/payments")) == len(stage.truth("demo/payments"))


def test_one_deleted_between_walk_and_hydration_does_not_spoil_the_month(stage: Stage) -> None:
    """An id that GitHub no longer knows is confirmed gone by a full walk in the same run; the month is complete."""
    number = next(n for n, one in stage.truth("demo/payments").items() if one.created_at.month == 12)
    held = stage.world.pull_request("demo/payments", number)
    stage.sandbox.changes.after(5, lambda world: world.remove(held))
    stage.ingest(stage.months[0])
    assert stage.sandbox.changes.made == 1
    assert number not in stage.stored("demo/payments")
    assert stage.statuses(stage.months[0])["demo/payments"] == {"completed"}
