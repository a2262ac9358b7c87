"""The ledger from end to end: what is queued, sent and settled, and that nothing is paid for twice."""

from dataclasses import replace
from datetime import date

import pytest

from historical_sync.classification import ledger
from historical_sync.classification.batches import content_hash
from historical_sync.classification.ledger import classify_month, collect
from historical_sync.records import TeamMonth
from historical_sync.settings import Settings
from historical_sync.trends.publication import publish_month
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
    """A pull request of two months changes both: each stays noted until its own trends are computed again."""
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
    publish_month(desk.warehouse, "acme", date(2025, 2, 1), now=desk.clock.now)
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


def test_waiting_ends_with_the_batches_and_shows_progress(desk: Desk) -> None:
    """With time to wait the month comes back classified, and what is known meanwhile is shown after every look."""
    desk.change_settings(llm_batch_size=2)
    store(desk.warehouse, [one_pull_request(number) for number in range(1, 6)])
    seen: list[tuple[int, int]] = []
    summary = classify_month(
        desk.warehouse,
        desk.groq,
        "acme",
        MARCH,
        desk.settings,
        now=desk.now,
        wait_seconds=30,
        on_progress=lambda one: seen.append((one.batches_done, one.batches_total)),
    )
    assert (summary.classified, summary.pending) == (5, 0)
    assert seen[0] == (0, 3)
    assert seen[-1] == (3, 3)


def test_waiting_is_not_for_what_only_a_person_can_mend(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """A used-up budget, a gone model or a missing key end the waiting at once."""
    monkeypatch.setattr(ledger.time, "sleep", lambda _: pytest.fail("it waited"))
    store(desk.warehouse, [one_pull_request(1)])
    desk.change_settings(llm_budget_usd=0.0, llm_wait_seconds=60)
    for groq in (desk.groq, None):
        summary = classify_month(desk.warehouse, groq, "acme", MARCH, desk.settings, now=desk.now)
        assert summary.pending == 1


def test_content_that_changed_before_it_was_sent_is_sent_as_it_is(desk: Desk) -> None:
    """Between claiming and sending a pull request may change: the hash that is stored is of what was sent."""
    store(desk.warehouse, [one_pull_request(1)])
    desk.sandbox.faults.add("groq_503", operation="files.create", times=1)
    desk.classify()
    changed = one_pull_request(1, body="Another text", updated_at=at("2025-03-20T00:00"))
    store(desk.warehouse, [changed])
    desk.settle()
    assert desk.rows()[1]["content_hash"] == content_hash(changed)
    assert desk.classify().requests_sent == 0
    assert desk.lines_sent() == 1


@pytest.mark.parametrize("is_sent", [False, True])
def test_a_deleted_pull_request_leaves_the_books_in_order(desk: Desk, is_sent: bool) -> None:
    """A pull request that is deleted before or while it is in flight is accounted for, and the others are answered."""
    if not is_sent:
        desk.sandbox.faults.add("groq_503", operation="files.create", times=1)
    store(desk.warehouse, [one_pull_request(number) for number in (1, 2, 3)])
    desk.classify()
    with desk.warehouse.transaction() as tx:
        tx.execute("delete from pull_requests where number = 2")
    desk.settle()
    assert desk.statuses() == {1: "classified", 3: "classified"}
    assert desk.balance().sent == (3 if is_sent else 2)
    desk.assert_balanced()


def test_a_team_that_is_removed_in_flight_stops_nobody(desk: Desk) -> None:
    """Another team's batches are collected although one team and its ledger are gone."""
    for team in ("acme", "other"):
        store(desk.warehouse, [one_pull_request(1)], team)
        desk.classify(team_id=team)
    with desk.warehouse.transaction() as tx:
        tx.execute("delete from teams where team_id = 'acme'")
    assert desk.settle() == {TeamMonth("other", MARCH)}
    assert desk.statuses() == {1: "classified"}


def test_a_team_that_is_stopped_stops_the_pass(desk: Desk) -> None:
    """What the listener raises ends the pass between two transactions, and the next one goes on."""
    desk.change_settings(llm_batch_size=1)
    store(desk.warehouse, [one_pull_request(1), one_pull_request(2)])

    def stop(_: str) -> None:
        raise TimeoutError

    with pytest.raises(TimeoutError):
        classify_month(
            desk.warehouse, desk.groq, "acme", MARCH, desk.settings, now=desk.now, wait_seconds=0, on_event=stop
        )
    assert desk.lines_sent() == 1
    desk.settle()
    assert set(desk.statuses().values()) == {"classified"}
    assert desk.lines_sent() == 2


def test_nothing_due_asks_nobody(desk: Desk) -> None:
    """Collecting with nothing to do sends no request to Groq."""
    store(desk.warehouse, [one_pull_request(1)])
    desk.classify()
    desk.settle()
    asked = len(desk.sandbox.requests)
    assert desk.collect() == frozenset()
    assert len(desk.sandbox.requests) == asked


def test_what_a_model_says_of_review_and_brainstorming_is_no_assistance(desk: Desk) -> None:
    """The verdict follows from the usage type, and is stored with it."""
    reviewed = {"is_assisted": False, "usage_type": "reviewed", "tools": ["CodeRabbit"], "confidence": 0.9}
    tech = {"languages": [], "frameworks": [], "categories": []}
    summary = {"title": "t", "description": "d", "type": "chore"}
    health = {"review_friction": "low", "scope": "small", "risk_level": "low", "insights": []}
    desk.sandbox.groq.answers = lambda _: {
        "ai": {**reviewed, "evidence_quote": ""},
        "tech": tech,
        "summary": summary,
        "health": health,
    }
    store(desk.warehouse, [one_pull_request(1)])
    desk.classify()
    desk.settle()
    row = desk.rows()[1]
    assert (row["is_ai_assisted"], row["usage_type"], row["tools"]) == (False, "reviewed", ["coderabbit"])
