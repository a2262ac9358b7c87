"""The ledger from end to end: what is queued, sent and settled, and that nothing is paid for twice."""

from dataclasses import replace
from datetime import date

from historical_sync.classification.ledger import classify_month, collect
from historical_sync.records import TeamMonth
from historical_sync.settings import Settings
from historical_sync.warehouse.classifications import changed_months
from historical_sync.warehouse.postgres import Warehouse
from historical_sync_tests.classification.conftest import MARCH, NOW, Desk, one_pull_request, store
from historical_sync_tests.factories import at, make_commit, make_review


def test_without_a_key_everything_is_queued_and_says_so(warehouse: Warehouse, settings: Settings) -> None:
    """Without Groq every pull request is pending, with or without a body, and the summary names the missing key."""
    store(warehouse, [one_pull_request(1), one_pull_request(2, body="")])
    summary = classify_month(warehouse, None, "acme", MARCH, settings, now=NOW)
    assert (summary.pull_requests, summary.pending, summary.requests_sent) == (2, 2, 0)
    assert summary.waiting_reason is not None
    assert "GROQ_API_KEY" in summary.waiting_reason
    assert collect(warehouse, None, settings, now=NOW) == frozenset()


def test_a_month_is_classified(desk: Desk) -> None:
    """Submitting does not wait; collecting later stores every answer with its tokens, dollars, prompt and model."""
    signed = make_commit(message="Part\n\nCo-Authored-By: Claude <noreply@anthropic.com>")
    store(desk.warehouse, [one_pull_request(1), one_pull_request(2, body=""), one_pull_request(3, commits=(signed,))])
    first = desk.classify()
    assert (first.pending, first.requests_sent, first.batches_total, first.batches_done) == (3, 3, 1, 0)
    assert desk.settle() == {TeamMonth("acme", MARCH)}
    rows = desk.rows()
    assert {number: row["is_ai_assisted"] for number, row in rows.items()} == {1: False, 2: False, 3: True}
    assert rows[3]["tools"] == ["claude"]
    assert "noreply@anthropic.com" in str(rows[3]["evidence_quote"])
    assert {row["model"] for row in rows.values()} == {desk.settings.groq_model}
    last = desk.classify()
    assert (last.classified, last.pending, last.batches_done, last.requests_sent) == (3, 0, 1, 0)
    assert last.cost_usd > 0
    assert last.input_tokens > 1000
    assert last.waiting_reason is None
    desk.assert_paid_once()
    desk.assert_balanced()


def test_a_change_in_another_month_is_not_forgotten(desk: Desk) -> None:
    """A pull request of two months changes both: the one that did not ask stays noted until it is built again."""
    store(desk.warehouse, [one_pull_request(1, created_at=at("2025-02-20T10:00"))])
    with desk.warehouse.transaction() as tx:
        for month in (date(2025, 2, 1), MARCH):
            tx.execute(
                "insert into repository_months (team_id, repository, month) values ('acme', 'acme/api', %s)", [month]
            )
    desk.classify()
    both = {TeamMonth("acme", date(2025, 2, 1)), TeamMonth("acme", MARCH)}
    assert desk.settle() == both
    with desk.warehouse.transaction() as tx:
        assert set(changed_months(tx)) == both
    assert desk.classify(date(2025, 2, 1)).requests_sent == 0
    with desk.warehouse.transaction() as tx:
        assert set(changed_months(tx)) == {TeamMonth("acme", MARCH)}


def test_unchanged_is_free(desk: Desk) -> None:
    """Reviews, labels and times change nothing; a new body of a closed pull request is asked about once more."""
    one = one_pull_request(1)
    store(desk.warehouse, [one])
    desk.classify()
    desk.settle()
    later = replace(one, updated_at=at("2025-03-20T00:00"), reviews=(make_review(body="Nice"),), review_count=1)
    store(desk.warehouse, [replace(later, labels=["ready"], milestone="v2", comment_count=9)])
    assert desk.classify().requests_sent == 0
    store(desk.warehouse, [replace(later, updated_at=at("2025-03-21T00:00"), body="Now by Claude Code")])
    assert desk.classify().requests_sent == 1
    assert desk.statuses() == {1: "classified"}  # the old answer stands until the new one comes
    desk.settle()
    assert desk.lines_sent() == 2
    desk.assert_paid_once()


def test_an_open_pull_request_is_bought_once(desk: Desk) -> None:
    """An open pull request is classified when new, not again with every push, and once more when it is closed."""
    one = one_pull_request(1, state="OPEN", merged_at=None, closed_at=None)
    store(desk.warehouse, [one])
    assert desk.classify().requests_sent == 1
    desk.settle()
    pushed = replace(one, updated_at=at("2025-03-10T00:00"), body="Another text")
    store(desk.warehouse, [pushed])
    assert desk.classify().requests_sent == 0
    closed = replace(pushed, updated_at=at("2025-03-11T00:00"), state="CLOSED", closed_at=at("2025-03-11T00:00"))
    store(desk.warehouse, [closed])
    assert desk.classify().requests_sent == 1


def test_two_months_never_send_the_same_pull_request(desk: Desk) -> None:
    """A pull request that belongs to two months is sent by whichever comes first."""
    store(desk.warehouse, [one_pull_request(1, created_at=at("2025-02-20T10:00"))])
    assert desk.classify(date(2025, 2, 1)).requests_sent == 1
    assert desk.classify(MARCH).requests_sent == 0
    desk.settle()
    assert desk.lines_sent() == 1


def test_batches_hold_as_many_as_the_setting_says(desk: Desk) -> None:
    """SYNC_LLM_BATCH_SIZE splits a month, across repositories."""
    desk.change_settings(llm_batch_size=3)
    store(
        desk.warehouse,
        [one_pull_request(number, repository=f"acme/{'api' if number % 2 else 'web'}") for number in range(1, 8)],
    )
    summary = desk.classify()
    assert (summary.batches_total, summary.requests_sent) == (3, 7)
    desk.settle()
    assert desk.classify().classified == 7
    desk.assert_balanced()
