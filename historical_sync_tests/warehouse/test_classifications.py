"""The ledger's tables: claims, the queue, the books, the holds, and what people are shown."""

from datetime import date, datetime, timedelta
from typing import Any

import pytest

from historical_sync.records import TeamMonth
from historical_sync.warehouse import classifications, llm_holds, llm_ledger, llm_outcomes
from historical_sync.warehouse.llm_ledger import Intent, Request
from historical_sync.warehouse.llm_outcomes import Settled
from historical_sync.warehouse.postgres import Transaction, Warehouse
from historical_sync.warehouse.pull_requests import upsert_pull_requests
from historical_sync_tests.factories import add_team, at, make_pull_request

MARCH = date(2025, 3, 1)
NOW = at("2025-04-02T09:00")
KEYS = [("acme/api", 1), ("acme/api", 2), ("acme/api", 3)]
ANSWER: dict[str, Any] = {
    "is_ai_assisted": True,
    "tools": ["claude"],
    "usage_type": "assisted",
    "confidence": 0.9,
    "evidence_quote": "with Claude",
    "summary_title": "T",
    "summary_type": "feature",
    "llm_summary": {"tech": {"languages": ["Python\u2028"]}},
    "mended": ["confidence in percent"],
}


@pytest.fixture
def filled(warehouse: Warehouse) -> Warehouse:
    """A team with three queued pull requests."""
    with warehouse.transaction() as tx:
        add_team(tx)
        upsert_pull_requests(tx, "acme", [make_pull_request(number=number) for _, number in KEYS])
        queue(tx)
    return warehouse


def queue(tx: Transaction, content: str = "h1", *, are_closed: bool = True, now: datetime = NOW) -> int:
    hashes = dict.fromkeys(KEYS, content)
    return classifications.queue(tx, "acme", MARCH, hashes, are_closed=are_closed, now=now)


def claim(tx: Transaction, name: str, most: int = 10) -> list[tuple[str, int, str]]:
    return classifications.claim_rows(
        tx, "acme", MARCH, name, attempts=0, is_suspect=False, most=most, now=NOW + timedelta(seconds=1)
    )


def intent(name: str, **changes: Any) -> Intent:
    values: dict[str, Any] = {
        "intent_id": name,
        "team_id": "acme",
        "month": MARCH,
        "kind": "batch",
        "digest": "d",
        "attempt": 1,
        "model": "m",
        "prompt_version": "p",
        "state": "claimed",
        "input_file_id": None,
        "batch_id": None,
        "claimed_at": NOW,
        "next_attempt_at": NOW,
        "tries": 0,
    }
    return Intent(**{**values, **changes})


def settle(tx: Transaction, name: str, outcome: str, number: int, content: str = "h1", **changes: Any) -> None:
    answer = ANSWER if outcome == "classified" else None
    one = Settled("acme/api", number, content, outcome, 1, "why" if answer is None else None, answer=answer, **changes)
    llm_outcomes.settle_rows(tx, "acme", name, [one], model="m", prompt_version="p", batch_id="b", now=NOW)


def row(tx: Transaction, number: int) -> dict[str, Any]:
    found = tx.row("select * from llm_classifications where number = %s", [number])
    assert found is not None
    return found


def test_who_claims_at_the_same_time_gets_others(filled: Warehouse) -> None:
    """Rows that another transaction is claiming are passed over without waiting."""
    with filled.transaction() as one, filled.transaction() as other:
        first = claim(one, "i1", most=2)
        second = claim(other, "i2")
        assert [number for _, number, _ in first] == [1, 2]
        assert [number for _, number, _ in second] == [3]
    with filled.transaction() as tx:
        assert claim(tx, "i3") == []


def test_the_queue_takes_new_content_once(filled: Warehouse) -> None:
    """The same content is queued once; what is in flight or answered only by new content, and only when closed."""
    with filled.transaction() as tx:
        assert queue(tx) == 0
        assert queue(tx, "h2", are_closed=False) == 3  # nothing was sent yet: the newest content will be
        claim(tx, "i1", most=2)
        assert queue(tx, "h3") == 1
        settle(tx, "i1", "classified", 1, "h2")
        settle(tx, "i1", "unclassified", 2, "h2")
        assert queue(tx, "h2") == 1  # the third, which waits with h3
        assert queue(tx, "h4", are_closed=False) == 1
        assert queue(tx, "h4") == 2
        assert [row(tx, number)["status"] for number in (1, 2, 3)] == ["classified", "pending", "pending"]


def test_an_answer_is_stored_as_it_is(filled: Warehouse) -> None:
    """Text, lists and JSON; then the pull request is no longer in the queue."""
    with filled.transaction() as tx:
        claim(tx, "i1")
        settle(tx, "i1", "classified", 1)
        stored = row(tx, 1)
    assert stored["evidence_quote"] == "with Claude"
    assert stored["llm_summary"]["tech"]["languages"] == ["Python\u2028"]
    assert (stored["queued_hash"], stored["intent_id"], stored["content_hash"]) == (None, None, "h1")


def test_an_answer_for_another_intent_changes_nothing(filled: Warehouse) -> None:
    """Only the intent that holds a pull request may settle it."""
    with filled.transaction() as tx:
        claim(tx, "i1")
        settle(tx, "somebody", "classified", 1)
        assert row(tx, 1)["status"] == "pending"


def test_a_requeued_one_can_be_claimed_as_a_second_attempt(filled: Warehouse) -> None:
    """It is free again, with its attempt and its reason."""
    with filled.transaction() as tx:
        claim(tx, "i1")
        settle(tx, "i1", "requeued", 1)
        assert (row(tx, 1)["attempts"], row(tx, 1)["error"], row(tx, 1)["intent_id"]) == (1, "why", None)
        again = classifications.claim_rows(
            tx, "acme", MARCH, "i2", attempts=1, is_suspect=False, most=9, now=NOW + timedelta(seconds=1)
        )
    assert [number for _, number, _ in again] == [1]


def test_new_content_without_an_answer_loses_the_old_one(filled: Warehouse) -> None:
    """An answer about another content does not stay where the present one could not be classified."""
    with filled.transaction() as tx:
        claim(tx, "i1")
        settle(tx, "i1", "classified", 1)
        queue(tx, "h2")
        claim(tx, "i2")
        settle(tx, "i2", "unclassified", 1, "h2")
        stored = row(tx, 1)
    assert (stored["status"], stored["is_ai_assisted"], stored["llm_summary"]) == ("unclassified", None, None)
    assert (stored["tools"], stored["error"]) == ([], "why")


def test_the_books_balance_by_two_counts(filled: Warehouse) -> None:
    """What a batch was sent with is held against the outcomes of its lines; a line without one is found."""
    with filled.transaction() as tx:
        requests = [Request(f"c{number}", "acme/api", number, "h1", None, None) for _, number in KEYS]
        llm_ledger.add_intent(tx, intent("i1"), requests)
        llm_ledger.add_batch(tx, intent("i1"), "b1", "validating", 3, now=NOW)
        llm_ledger.set_intent(tx, "i1", batch_id="b1")
        assert llm_ledger.balance(tx, "acme").in_flight == 3
        outcomes = [("c1", "classified"), ("c2", "requeued")]
        settled = [(name, Settled("acme/api", 1, "h1", outcome, 1)) for name, outcome in outcomes]
        llm_ledger.settle_requests(tx, "i1", settled)
        llm_ledger.set_batch(tx, "b1", finished_at=NOW)
        assert llm_ledger.balance(tx, "acme").unbalanced == ["b1"]
        llm_ledger.settle_requests(tx, "i1", [("c3", Settled("acme/api", 3, "h1", "unclassified", 2))])
        books = llm_ledger.balance(tx, "acme", MARCH)
    assert books.is_balanced
    assert (books.sent, books.classified, books.unclassified, books.requeued) == (3, 1, 1, 1)


def test_a_hold_grows_and_obeys_groq(warehouse: Warehouse) -> None:
    """Doubled each time up to the most, never shorter than Groq's own word; without an end it stays."""
    with warehouse.transaction() as tx:
        spans = []
        for _ in range(6):
            llm_holds.hold(tx, "service", "x", "why", now=NOW, first_seconds=5, most_seconds=60)
            until = llm_holds.holds(tx)["service"].until
            assert until is not None
            spans.append((until - NOW).total_seconds())
        assert spans == [5, 10, 20, 40, 60, 60]
        llm_holds.hold(tx, "service", "x", "why", now=NOW, first_seconds=5, most_seconds=60, least_seconds=600)
        assert llm_holds.holds(tx)["service"].is_active(NOW + timedelta(seconds=599))
        assert not llm_holds.holds(tx)["service"].is_active(NOW + timedelta(seconds=601))
        llm_holds.hold(tx, "model:x", "gone", "why", now=NOW, first_seconds=None)
        assert llm_holds.holds(tx)["model:x"].is_active(at("2099-01-01T00:00"))
        llm_holds.release(tx, "model:x")
        assert list(llm_holds.holds(tx)) == ["service"]


def test_disagreements_are_exact_evidence_against_a_confident_no(filled: Warehouse) -> None:
    """A mention, a reviewer's mark, an unsure verdict or a yes is no disagreement."""
    with filled.transaction() as tx:
        claim(tx, "i1")
        for number, confidence, strength, role in (
            (1, 0.9, "exact", "author"),
            (2, 0.9, "mention", "author"),
            (3, 0.4, "exact", "author"),
        ):
            settle(tx, "i1", "classified", number)
            tx.execute(
                "update llm_classifications set is_ai_assisted = false, confidence = %s where number = %s",
                [confidence, number],
            )
            tx.execute(
                "insert into ai_evidence values ('acme', 'acme/api', %s, 's', 'body', 0, 'claude', %s, %s, 'q', 'v')",
                [number, role, strength],
            )
        assert [one["number"] for one in classifications.disagreements(tx, "acme", MARCH)] == [1]


def test_a_pull_request_that_was_never_queued_is_pending(warehouse: Warehouse) -> None:
    """What has no row yet counts as pending, so that the four numbers always add up."""
    with warehouse.transaction() as tx:
        add_team(tx)
        upsert_pull_requests(tx, "acme", [make_pull_request(number=1)])
        counts = classifications.month_counts(tx, "acme", MARCH)
    assert counts == {"pull_requests": 1, "classified": 0, "unclassified": 0, "pending": 1, "again": 0}


def test_nothing_due_is_one_cheap_no(filled: Warehouse) -> None:
    """There is work while something due is queued, and none when all is claimed and not yet due."""
    with filled.transaction() as tx:
        assert llm_ledger.work_waiting(tx, now=NOW)
        assert not llm_ledger.work_waiting(tx, now=NOW - timedelta(hours=1))
        claim(tx, "i1")
        assert not llm_ledger.work_waiting(tx, now=NOW + timedelta(hours=1))
        llm_ledger.add_intent(tx, intent("i1", next_attempt_at=NOW + timedelta(minutes=5)), [])
        assert not llm_ledger.work_waiting(tx, now=NOW)
        assert llm_ledger.work_waiting(tx, now=NOW + timedelta(minutes=6))
        assert not llm_ledger.work_waiting(tx, now=NOW + timedelta(minutes=6), team_id="other")


def test_paused_teams_send_nothing(filled: Warehouse) -> None:
    """Queued work of a team that is not active waits."""
    with filled.transaction() as tx:
        assert list(classifications.queued_months(tx, now=NOW)) == [TeamMonth("acme", MARCH)]
        tx.execute("update teams set status = 'paused'")
        assert list(classifications.queued_months(tx, now=NOW)) == []


def test_a_removed_team_leaves_nothing(filled: Warehouse) -> None:
    """Everything of the ledger goes with its team."""
    with filled.transaction() as tx:
        claim(tx, "i1")
        llm_ledger.add_intent(tx, intent("i1"), [Request("c1", "acme/api", 1, "h1", None, None)])
        llm_ledger.add_batch(tx, intent("i1"), "b1", "validating", 1, now=NOW)
        classifications.mark_changed(tx, "acme", MARCH, KEYS, now=NOW)
        tx.execute("delete from teams")
        for table in ("llm_batches", "llm_classifications", "llm_intents", "llm_requests", "llm_changed_months"):
            assert tx.value(f"select count(*) from {table}") == 0


def test_only_what_was_fetched_since_is_digested(filled: Warehouse) -> None:
    """A rerun of an unchanged month reads no pull request; what changed in flight is read once its answer is there."""
    with filled.transaction() as tx:
        fetched = classifications.fetched_since_hashed(tx, "acme", MARCH)
        assert list(fetched) == KEYS
        classifications.note_hashed(tx, "acme", fetched)
        assert classifications.fetched_since_hashed(tx, "acme", MARCH) == {}
        llm_ledger.add_intent(tx, intent("i"), [])
        claim(tx, "i", most=1)
        tx.execute("update pull_requests set fetched_at = fetched_at + interval '1 minute' where number in (1, 2)")
        changed = classifications.fetched_since_hashed(tx, "acme", MARCH)
        assert list(changed) == KEYS[:2]
        classifications.note_hashed(tx, "acme", changed)
        assert list(classifications.fetched_since_hashed(tx, "acme", MARCH)) == KEYS[:1]
