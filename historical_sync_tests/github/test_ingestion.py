"""A month and a history from a GitHub that behaves: complete, at its price, and no dearer the second time."""

import random
from datetime import date

import pytest

from historical_sync.errors import AllRepositoriesFailed, OutsideWindow
from historical_sync.sandbox import scenario
from historical_sync.sandbox.changes import merge, open_new, update
from historical_sync.sandbox.github.cost import Tariff
from historical_sync_tests.github.conftest import SetStage
from historical_sync_tests.github.stage import HISTORY_MONTHS, NOW, Stage


def test_a_history_equals_the_truth(set_stage: SetStage) -> None:
    """Every pull request of the demo team, awkward ones included, is in the tables as GitHub has it, lists and all."""
    stage = set_stage(history_months=12)
    stage.sync()
    stage.assert_all_true()
    assert sum(len(stage.truth(name)) for name in stage.world.repositories) > 150
    longest = max(len(one.files) for name in stage.world.repositories for one in stage.stored(name).values())
    assert longest > 100


def test_a_month_is_complete_alone(stage: Stage) -> None:
    """An old month can be built first and by itself; the others are not touched."""
    month = stage.months[2]
    ingested = stage.ingest(month)
    assert {one.status for one in ingested.repositories} == {"completed"}
    assert set(stage.statuses()) == set(stage.world.repositories)
    assert {row["month"] for row in stage.rows("select month from repository_months")} == {month}
    stage.assert_true_or_told()


def test_a_rerun_hydrates_nothing(stage: Stage) -> None:
    """An unchanged month costs one look, and no pull request is fetched again."""
    stage.sync()
    stage.sandbox.requests.clear()
    again = stage.ingest(stage.months[0])
    assert (again.fetched, stage.sandbox.requests.hydrated) == (0, 0)
    assert again.requests == 1


def test_only_what_changed_is_fetched_again(stage: Stage) -> None:
    """After one title is edited, one pull request is hydrated."""
    stage.sync()
    stage.time.sleep(60)
    target = next(iter(stage.truth("demo/payments").values()))
    changed = stage.world.pull_request("demo/payments", target.number)
    changed.title = "A better title"
    stage.world.touch(changed)
    stage.time.sleep(60)
    months = stage.refresh()
    assert months
    stage.sandbox.requests.clear()
    assert sum(stage.ingest(month).fetched for month in months) == 1
    stage.assert_all_true()


def test_a_quiet_refresh_changes_nothing(stage: Stage) -> None:
    """Nothing happened: one request for all repositories, and no month to run again."""
    stage.sync()
    stage.sandbox.requests.clear()
    assert stage.refresh() == frozenset()
    assert stage.sandbox.requests.graphql_requests == 1


def test_a_refresh_names_the_months_that_changed(stage: Stage) -> None:
    """An old pull request that is merged now changes the month it was opened in and the newest one."""
    stage.sync()
    stage.time.sleep(60)
    chance = random.Random(1)
    repository = stage.world.repositories["demo/Platform"]
    one = next(row for row in repository if row.state == "OPEN" and row.number in stage.truth("demo/Platform"))
    created = stage.truth("demo/Platform")[one.number].created_at.date().replace(day=1)
    merge(stage.world, one, chance)
    assert stage.refresh() == {created, stage.months[0]}
    assert stage.statuses(stage.months[0])["demo/Platform"] == {"pending"}
    for month in (created, stage.months[0]):
        stage.ingest(month)
    stage.assert_all_true()


def test_the_busiest_repository_comes_first(stage: Stage) -> None:
    """Before anything else one query asks how busy each repository was; the walks follow that order."""
    stage.ingest(stage.months[0])
    recent = stage.rows(
        "select repository, recent_prs, sync_prs_total from tracked_repositories order by recent_prs desc"
    )
    assert all(row["recent_prs"] for row in recent)
    walked = [entry.repositories[0] for entry in stage.sandbox.requests.of("graphql") if len(entry.repositories) == 1]
    assert walked[: len(recent)] == [row["repository"] for row in recent]


def test_fifty_quiet_repositories_cost_as_much_as_a_busy_one(set_stage: SetStage) -> None:
    """Ids of many repositories share requests: what each repository adds is its own walk, once."""
    busy = set_stage(lambda time: scenario.scale(1000, 1, months=3, now=NOW, clock=time.now))
    one = busy.client()
    busy.sync(one)
    with busy.warehouse.transaction() as tx:
        tx.execute("delete from teams")
    quiet = set_stage(lambda time: scenario.scale(1000, 50, months=3, now=NOW, clock=time.now))
    many = quiet.client()
    quiet.sync(many)
    quiet.assert_all_true()
    assert many.meter.points <= one.meter.points + 50 + 2 * HISTORY_MONTHS


def test_the_price_of_a_thousand_is_what_the_formula_makes_inevitable(set_stage: SetStage) -> None:
    """Exactly: whose token, how busy, ten pages of the walk, a look, 48 hydrations of 21, and pages of long lists;
    one of the hydrations is larger and costs two points, to see whether the server charges less than the formula."""
    stage = set_stage(lambda time: scenario.scale(1000, 1, months=1, now=NOW, clock=time.now), history_months=1)
    client = stage.client()
    done = [stage.ingest(month, client) for month in stage.months]
    stage.assert_all_true()
    stored = stage.stored("scale/repo-000").values()
    overflow = sum(max(0, len(one.files) - 1) // 100 for one in stored)
    hydrations = [
        entry for entry in stage.sandbox.requests if entry.hydrated > 10 or entry.hydrated == len(stored) % 21
    ]
    assert len(hydrations) <= -(-len(stored) // 21) + 1
    assert client.meter.requests == stage.sandbox.requests.graphql_requests
    assert client.meter.points == stage.sandbox.requests.points == client.meter.requests + 1
    assert client.meter.requests <= 1 + 1 + 10 + len(done) + len(hydrations) + overflow
    assert client.meter.points <= 60 + overflow + len(done)


@pytest.mark.parametrize(("tariff", "pages"), [("per_id", 48), ("once", 20)])
def test_the_page_follows_what_the_server_charges(set_stage: SetStage, tariff: str, pages: int) -> None:
    """Where all ids are charged as one parent, pages grow until they are too heavy, and a thousand cost less than half;
    where each is charged, one larger page finds that out, at the price of a point."""
    stage = set_stage(lambda time: scenario.scale(1000, 1, months=1, now=NOW, clock=time.now), history_months=1)
    stage.sandbox.github.tariff = Tariff(tariff)
    client = stage.client()
    for month in stage.months:
        stage.ingest(month, client)
    stage.assert_all_true()
    hydrations = [entry for entry in stage.sandbox.requests if entry.hydrated > 10]
    assert len(hydrations) <= pages + 6
    assert sum(entry.points - 1 for entry in hydrations) <= 1


def test_a_month_outside_the_window_is_refused(stage: Stage) -> None:
    """The month before the history's first is not fetched in silence."""
    with pytest.raises(OutsideWindow):
        stage.ingest(date(2025, 8, 1))
    assert stage.sandbox.requests.graphql_requests == 0


def test_an_empty_repository_is_complete(set_stage: SetStage) -> None:
    """No pull requests is a fact, and costs one page."""
    stage = set_stage(lambda time: scenario.empty(time.now), repositories=["acme/empty"])
    stage.world.add_repository("acme/empty", is_archived=True)
    stage.sync()
    stage.assert_all_true()


def test_progress_follows_and_never_goes_back(stage: Stage) -> None:
    """While months load the percentage only rises; at the end every repository is completed at 100."""
    seen: dict[str, list[int]] = {}
    for month in stage.months:
        stage.ingest(month)
        for row in stage.rows("select repository, sync_progress from tracked_repositories"):
            seen.setdefault(row["repository"], []).append(row["sync_progress"])
    assert all(values == sorted(values) and values[-1] == 100 and values[0] < 100 for values in seen.values()), seen
    for row in stage.rows("select * from tracked_repositories"):
        assert row["sync_status"] == "completed"
        assert row["sync_prs_total"] == row["sync_prs_completed"] == len(stage.truth(row["repository"]))


def test_what_happens_after_completion_reopens_the_month(stage: Stage) -> None:
    """A pull request that another month's run finds changed sets a completed month back to pending."""
    stage.sync()
    stage.time.sleep(60)
    number = next(n for n, one in stage.truth("demo/storefront").items() if one.created_at.month == 10)
    update(stage.world, stage.world.pull_request("demo/storefront", number), random.Random(2))
    stage.time.sleep(5)
    stage.ingest(stage.months[0])
    assert stage.statuses(date(2025, 10, 1))["demo/storefront"] == {"pending"}
    stage.ingest(date(2025, 10, 1))
    stage.assert_all_true()


def test_no_repository_at_all_is_a_failed_month(stage: Stage) -> None:
    """Every repository unreadable is a failure that names each of them, not an empty success."""
    for repository in stage.world.repositories.values():
        repository.access = "missing"
    with pytest.raises(AllRepositoriesFailed) as caught:
        stage.ingest(stage.months[0])
    assert set(caught.value.failures) == set(stage.world.repositories)
    assert {row["sync_status"] for row in stage.rows("select sync_status from tracked_repositories")} == {"failed"}


def test_two_names_of_one_repository_both_load(set_stage: SetStage) -> None:
    """A repository that is tracked under its old and its new name has the same ids twice; each name gets its rows."""
    stage = set_stage(repositories=["demo/payments", "demo/billing"])
    stage.world.rename("demo/payments", "demo/billing")
    stage.sync()
    stage.assert_all_true()
    assert len(stage.stored("demo/payments")) == len(stage.stored("demo/billing")) > 20


def test_new_pull_requests_appear_on_the_next_look(stage: Stage) -> None:
    """A pull request that was opened after the sync is in the newest month after the next run."""
    stage.sync()
    stage.time.sleep(600)
    beside = next(iter(stage.world.repositories["demo/payments"]))
    opened = open_new(stage.world, beside, random.Random(3))
    stage.time.sleep(5)
    stage.ingest(stage.months[0])
    assert opened.number in stage.stored("demo/payments")
    stage.assert_all_true()
