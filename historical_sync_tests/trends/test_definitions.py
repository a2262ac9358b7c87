"""Every definition's edge, with numbers worked out by hand."""

from datetime import date
from typing import Any

import pytest

from historical_sync.ai_usage.retagging import tag_month
from historical_sync.records import PullRequest
from historical_sync.warehouse.postgres import Warehouse
from historical_sync_tests.factories import at, make_pull_request, make_review
from historical_sync_tests.trends.numbers import number_of, publish, row, store, value

APRIL = date(2025, 4, 1)


def published(warehouse: Warehouse, *pull_requests: PullRequest) -> None:
    store(warehouse, *pull_requests)
    publish(warehouse)


def only(warehouse: Warehouse, metric: str, **changes: Any) -> float | None:
    """The metric's value in a month with this one pull request, created 1 March 12:00, merged 3 March 12:00."""
    published(warehouse, make_pull_request(**changes))
    return value(warehouse, metric)


def test_the_stages_of_one_pull_request(warehouse: Warehouse) -> None:
    """First commit 10:00, created 12:00, reviewed next day 10:00, merged a day and two hours later."""
    published(warehouse, make_pull_request(reviews=(make_review(submitted_at=at("2025-03-02T10:00")),)))
    stages = {
        "coding_time_hours_p50": 2.0,
        "pickup_time_hours_p50": 22.0,
        "review_time_hours_p50": 26.0,
        "cycle_time_hours_p50": 48.0,
        "lead_time_hours_p50": 50.0,
    }
    assert {name: value(warehouse, name) for name in stages} == stages


def test_quartiles_of_five(warehouse: Warehouse) -> None:
    """Cycle times of 1, 2, 4, 8 and 16 hours: p25 2, median 4, p75 8, p90 12.8 (between 8 and 16, linearly)."""
    created = at("2025-03-01T00:00")
    for number, merged in enumerate(("01", "02", "04", "08", "16"), start=1):
        moment = at(f"2025-03-01T{merged}:00")
        store(warehouse, make_pull_request(number=number, created_at=created, merged_at=moment, closed_at=moment))
    publish(warehouse)
    found = [value(warehouse, f"cycle_time_hours_{name}") for name in ("p25", "p50", "p75", "p90")]
    assert found == pytest.approx([2.0, 4.0, 8.0, 12.8])


def test_no_review_has_no_pickup_and_counts_as_unreviewed(warehouse: Warehouse) -> None:
    """Without a review there is no pickup, no review time and no round: null, not zero."""
    published(warehouse, make_pull_request())
    for metric in ("pickup_time_hours_p50", "review_time_hours_p50", "review_rounds_p50", "review_rounds_mean"):
        assert (value(warehouse, metric), number_of(warehouse, metric)) == (None, 0)
    assert value(warehouse, "unreviewed_share") == 1.0


@pytest.mark.parametrize(
    "review",
    [
        {"reviewer_login": "ada"},
        {"reviewer_login": "ADA"},
        {"reviewer_login": "coderabbitai", "reviewer_type": "Bot"},
        {"reviewer_login": "helper[bot]", "reviewer_type": "User"},
        {"state": "PENDING", "submitted_at": None},
        {"submitted_at": at("2025-03-03T12:01")},
    ],
    ids=["own", "own in capitals", "bot", "bot by name", "pending", "after the merge"],
)
def test_what_is_no_review_by_another_human(warehouse: Warehouse, review: dict[str, Any]) -> None:
    """The author's own, a bot's, an unsubmitted and a late review pick nothing up."""
    reviews = (make_review(**review),)
    assert only(warehouse, "unreviewed_share", reviews=reviews) == 1.0
    assert value(warehouse, "pickup_time_hours_p50") is None


@pytest.mark.parametrize(
    "review",
    [
        {"state": "COMMENTED"},
        {"state": "DISMISSED"},
        {"state": "CHANGES_REQUESTED"},
        {"reviewer_login": None, "reviewer_type": None},
        {"reviewer_login": "old-account", "reviewer_type": "Mannequin"},
        {"submitted_at": at("2025-03-03T12:00")},
    ],
    ids=["comment", "dismissed", "changes requested", "deleted account", "mannequin", "at the merge"],
)
def test_what_is_a_review_by_another_human(warehouse: Warehouse, review: dict[str, Any]) -> None:
    """Comments, dismissed reviews and those of deleted or imported accounts are reviews."""
    assert only(warehouse, "unreviewed_share", reviews=(make_review(**review),)) == 0.0


def test_a_tools_account_is_no_human_even_if_github_calls_it_a_user(warehouse: Warehouse) -> None:
    """Cursor's agent reviews from an ordinary account: tagging knows it, and its review picks nothing up."""
    store(warehouse, make_pull_request(reviews=(make_review(reviewer_login="cursoragent"),)))
    publish(warehouse)
    assert value(warehouse, "unreviewed_share") == 0.0
    tag_month(warehouse, "acme", date(2025, 3, 1))
    publish(warehouse)
    assert value(warehouse, "unreviewed_share") == 1.0
    assert value(warehouse, "ai_reviewed_share") == 1.0


def test_two_deleted_accounts_may_be_the_same_person(warehouse: Warehouse) -> None:
    """Author and reviewer both deleted: nobody can say that it was somebody else."""
    reviews = (make_review(reviewer_login=None, reviewer_type=None),)
    assert only(warehouse, "unreviewed_share", author_login=None, reviews=reviews) == 1.0


def test_the_first_human_review_ends_the_pickup(warehouse: Warehouse) -> None:
    """A bot came after one minute and the author after an hour; the human came after five."""
    reviews = (
        make_review(review_id="1", reviewer_login="bot", reviewer_type="Bot", submitted_at=at("2025-03-01T12:01")),
        make_review(review_id="2", reviewer_login="ada", state="COMMENTED", submitted_at=at("2025-03-01T13:00")),
        make_review(review_id="3", reviewer_login="grace", submitted_at=at("2025-03-01T17:00")),
        make_review(review_id="4", reviewer_login="linus", submitted_at=at("2025-03-01T19:00")),
    )
    assert only(warehouse, "pickup_time_hours_p50", reviews=reviews) == 5.0


def test_pickup_counts_from_ready(warehouse: Warehouse) -> None:
    """A draft for six hours: the reviewer who came ten hours after the creation kept it waiting for four."""
    reviews = (make_review(submitted_at=at("2025-03-01T22:00")),)
    assert only(warehouse, "pickup_time_hours_p50", ready_at=at("2025-03-01T18:00"), reviews=reviews) == 4.0


def test_a_review_of_the_draft_is_a_review_but_no_pickup(warehouse: Warehouse) -> None:
    """Reviewed only while it was a draft: it is not unreviewed, and it never waited."""
    reviews = (make_review(submitted_at=at("2025-03-01T15:00")),)
    assert only(warehouse, "unreviewed_share", ready_at=at("2025-03-01T18:00"), reviews=reviews) == 0.0
    assert value(warehouse, "pickup_time_hours_p50") is None
    assert value(warehouse, "review_time_hours_p50") is None


def test_a_review_before_and_after_ready(warehouse: Warehouse) -> None:
    """The review of the draft does not count for the wait; the next one, an hour after ready, does."""
    reviews = (
        make_review(review_id="1", submitted_at=at("2025-03-01T15:00")),
        make_review(review_id="2", submitted_at=at("2025-03-01T19:00")),
    )
    assert only(warehouse, "pickup_time_hours_p50", ready_at=at("2025-03-01T18:00"), reviews=reviews) == 1.0


@pytest.mark.parametrize(
    ("first_commit_at", "hours", "n"),
    [("2025-03-01T10:00", 2.0, 1), ("2025-03-01T12:00", 0.0, 1), ("2025-03-01T12:01", None, 0), (None, None, 0)],
)
def test_coding_time(warehouse: Warehouse, first_commit_at: str | None, hours: float | None, n: int) -> None:
    """Negative coding time (rebased, or opened before its commit) and an unknown commit are null, not zero."""
    moment = at(first_commit_at) if first_commit_at else None
    assert only(warehouse, "coding_time_hours_p50", first_commit_at=moment) == hours
    assert number_of(warehouse, "coding_time_hours_p50") == n


def test_a_negative_coding_time_still_has_a_lead_time(warehouse: Warehouse) -> None:
    """Opened first, committed later: the lead time runs from the commit, and is shorter than the cycle time."""
    assert only(warehouse, "lead_time_hours_p50", first_commit_at=at("2025-03-02T12:00")) == 24.0


def test_a_commit_from_the_future_has_no_lead_time(warehouse: Warehouse) -> None:
    """A laptop whose clock is a week ahead authors its commit after the merge: null, never negative."""
    assert only(warehouse, "lead_time_hours_p50", first_commit_at=at("2025-03-10T12:00")) is None


def test_merged_in_another_month(warehouse: Warehouse) -> None:
    """Created in March, merged in April: March counts its creation, April its merge and its times."""
    store(warehouse, make_pull_request(merged_at=at("2025-04-01T00:00"), closed_at=at("2025-04-01T00:00")))
    publish(warehouse)
    publish(warehouse, APRIL)
    assert [value(warehouse, "pull_requests_created", month=month) for month in (date(2025, 3, 1), APRIL)] == [1, 0]
    assert [value(warehouse, "pull_requests_merged", month=month) for month in (date(2025, 3, 1), APRIL)] == [0, 1]
    assert value(warehouse, "cycle_time_hours_p50") is None
    assert value(warehouse, "cycle_time_hours_p50", month=APRIL) == 30.5 * 24
    assert [value(warehouse, "active_authors", month=month) for month in (date(2025, 3, 1), APRIL)] == [1, 1]


def test_the_last_instant_belongs_to_the_month(warehouse: Warehouse) -> None:
    """One second before midnight UTC is March, midnight is April."""
    last, first = at("2025-03-31T23:59:59"), at("2025-04-01T00:00")
    store(
        warehouse,
        make_pull_request(number=1, merged_at=last, closed_at=last),
        make_pull_request(number=2, merged_at=first, closed_at=first),
    )
    publish(warehouse)
    assert value(warehouse, "pull_requests_merged") == 1


def test_reopened_and_merged_later(warehouse: Warehouse) -> None:
    """Closed in March, reopened, merged in April: GitHub keeps the last close, so March has no unmerged close."""
    store(warehouse, make_pull_request(merged_at=at("2025-04-05"), closed_at=at("2025-04-05")))
    publish(warehouse)
    publish(warehouse, APRIL)
    assert value(warehouse, "pull_requests_closed_unmerged") == 0
    assert value(warehouse, "pull_requests_merged", month=APRIL) == 1


def test_closed_without_merge(warehouse: Warehouse) -> None:
    """A closed pull request counts where it was closed, and in no time metric."""
    published(warehouse, make_pull_request(state="CLOSED", merged_at=None))
    assert value(warehouse, "pull_requests_closed_unmerged") == 1
    assert value(warehouse, "pull_requests_merged") == 0
    assert value(warehouse, "cycle_time_hours_p50") is None


@pytest.mark.parametrize(
    ("changes", "waiting"),
    [
        ({}, 1),
        ({"is_draft": True}, 0),
        ({"reviews": (make_review(),)}, 0),
        ({"reviews": (make_review(reviewer_type="Bot"),)}, 1),
    ],
    ids=["ready", "draft", "reviewed", "reviewed by a bot"],
)
def test_drafts_never_wait(warehouse: Warehouse, changes: dict[str, Any], waiting: int) -> None:
    """Waiting is: open, ready and without a review by another human."""
    still_open = {"state": "OPEN", "merged_at": None, "closed_at": None}
    assert only(warehouse, "waiting_for_review", **still_open, **changes) == waiting


def test_automation_is_left_out_by_its_flag(warehouse: Warehouse) -> None:
    """A dependency bot's merge is counted apart; an AI agent's account is an author like any other."""
    store(
        warehouse,
        make_pull_request(number=1, author_login="dependabot", author_type="Bot"),
        make_pull_request(number=2, author_login="devin-ai-integration", author_type="Bot"),
        make_pull_request(number=3),
    )
    with warehouse.transaction() as tx:
        tx.execute("update pull_requests set is_automation = true where number = 1")
    publish(warehouse)
    assert value(warehouse, "pull_requests_merged") == 2
    assert value(warehouse, "automation_merged") == 1
    assert value(warehouse, "active_authors") == 2


def test_authors_are_counted_once(warehouse: Warehouse) -> None:
    """Logins are compared without case; a deleted account is nobody in particular."""
    logins = ["ada", "Ada", "grace", None, None]
    published(warehouse, *(make_pull_request(number=n, author_login=login) for n, login in enumerate(logins)))
    assert (value(warehouse, "active_authors"), number_of(warehouse, "active_authors")) == (2, 3)


def test_rounds_are_requests_for_change(warehouse: Warehouse) -> None:
    """Two requests and an approval are two rounds; a bot's request and the author's own comment are none."""
    reviews = (
        make_review(review_id="1", state="CHANGES_REQUESTED"),
        make_review(review_id="2", state="CHANGES_REQUESTED", reviewer_login="linus"),
        make_review(review_id="3", state="CHANGES_REQUESTED", reviewer_type="Bot"),
        make_review(review_id="4", state="COMMENTED", reviewer_login="ada"),
        make_review(review_id="5"),
    )
    published(warehouse, make_pull_request(reviews=reviews), make_pull_request(number=2))
    assert (value(warehouse, "review_rounds_mean"), number_of(warehouse, "review_rounds_mean")) == (2.0, 1)


@pytest.mark.parametrize(
    ("additions", "deletions", "bucket"),
    [
        (0, 0, "xs"),
        (10, 0, "xs"),
        (10, 1, "s"),
        (0, 50, "s"),
        (51, 0, "m"),
        (100, 100, "m"),
        (201, 0, "l"),
        (500, 0, "l"),
        (501, 0, "xl"),
    ],
)
def test_sizes(warehouse: Warehouse, additions: int, deletions: int, bucket: str) -> None:
    """XS to 10 lines, S to 50, M to 200, L to 500, XL above; added and deleted lines together."""
    published(warehouse, make_pull_request(additions=additions, deletions=deletions))
    assert value(warehouse, "size_share", segment=f"size:{bucket}") == 1.0
    assert value(warehouse, "size_lines_p50") == additions + deletions


def test_five_are_enough_and_four_are_not(warehouse: Warehouse) -> None:
    """Below n = 5 a value is stored, and marked as too few."""
    store(warehouse, *(make_pull_request(number=number) for number in range(4)))
    publish(warehouse)
    few = row(warehouse, "cycle_time_hours_p50")
    assert (few["value"], few["n"], few["is_enough"]) == (48.0, 4, False)
    store(warehouse, make_pull_request(number=4))
    publish(warehouse)
    assert row(warehouse, "cycle_time_hours_p50")["is_enough"]


def test_a_month_without_pull_requests_is_a_gap(warehouse: Warehouse) -> None:
    """Nothing happened: counts are zero, everything else is null with n = 0, and no row is missing."""
    store(warehouse, make_pull_request())
    publish(warehouse, APRIL)
    assert (value(warehouse, "pull_requests_merged", month=APRIL), value(warehouse, "active_authors", month=APRIL)) == (
        0,
        0,
    )
    for metric in ("cycle_time_hours_p50", "ai_assisted_share", "size_lines_p90"):
        gap = row(warehouse, metric, month=APRIL)
        assert (gap["value"], gap["n"], gap["is_enough"]) == (None, 0, False)


def test_each_repository_has_its_own_values(warehouse: Warehouse) -> None:
    """Two repositories and their team: 1 and 2 merged, 3 together."""
    numbers = [("acme/api", 1), ("acme/web", 2), ("acme/web", 3)]
    published(warehouse, *(make_pull_request(repository=name, number=number) for name, number in numbers))
    merged = [value(warehouse, "pull_requests_merged", repository=name) for name in ("acme/api", "acme/web", "*")]
    assert merged == [1, 2, 3]
