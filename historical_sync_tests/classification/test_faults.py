"""Groq misbehaves in every way it is known to: no line is lost, paid for twice, or stored as something it is not."""

import json
import random
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings, strategies

from historical_sync.classification import groq_client
from historical_sync.classification.groq_client import GroqClient
from historical_sync.sandbox.faults import BATCH_KINDS, LINE_KINDS
from historical_sync.sandbox.server import Sandbox
from historical_sync.sandbox.wire import Answer, json_answer
from historical_sync.settings import Settings
from historical_sync.warehouse.llm_holds import holds
from historical_sync.warehouse.postgres import Warehouse
from historical_sync_tests.classification.conftest import NOW, Desk, Hands, one_pull_request, store

HARMLESS = {"line_duplicate", "line_stranger"}
MENDED = {
    "line_unknown_enum": "unknown usage_type",
    "line_confidence_percent": "confidence in percent",
    "line_contradiction": "tools without use",
    "line_foreign_languages": "language without a file",
}
LINE_FAULTS_THAT_COST_AN_ANSWER = sorted(set(LINE_KINDS) - HARMLESS - set(MENDED))
BAD_ENDS = [
    *("batch_failed", "batch_failed_line", "batch_expired", "batch_cancelled", "batch_cancelling"),
    *("batch_all_failed", "output_gone"),
]


@pytest.mark.parametrize("kind", LINE_FAULTS_THAT_COST_AN_ANSWER)
def test_a_spoilt_line_is_sent_once_more_to_the_second_model(desk: Desk, kind: str) -> None:
    """What came back unusable for one line goes once more, to the second model; the others are kept."""
    store(desk.warehouse, [one_pull_request(number) for number in range(1, 6)])
    desk.sandbox.faults.add(kind, nth=2)
    desk.classify()
    desk.settle()
    rows = desk.rows()
    assert set(desk.statuses().values()) == {"classified"}
    assert sorted(str(row["model"]) for row in rows.values()) == ["openai/gpt-oss-120b"] + ["openai/gpt-oss-20b"] * 4
    assert sorted(int(str(row["attempts"])) for row in rows.values()) == [1, 1, 1, 1, 2]
    assert desk.lines_sent() == 6
    desk.assert_paid_once()
    desk.assert_balanced()


@pytest.mark.parametrize("kind", LINE_FAULTS_THAT_COST_AN_ANSWER)
def test_twice_spoilt_is_unclassified_never_negative(desk: Desk, kind: str) -> None:
    """A line that fails twice ends as unclassified with its reason, and no later run sends it again."""
    store(desk.warehouse, [one_pull_request(1)])
    desk.sandbox.faults.add(kind)
    desk.classify()
    desk.settle()
    row = desk.rows()[1]
    assert (row["status"], row["is_ai_assisted"], row["attempts"]) == ("unclassified", None, 2)
    assert row["error"]
    desk.sandbox.faults.clear()
    assert desk.classify().requests_sent == 0
    desk.settle(2)
    assert desk.lines_sent() == 2
    desk.assert_paid_once()
    desk.assert_balanced()


@pytest.mark.parametrize(("kind", "unknown"), [("line_duplicate", 0), ("line_stranger", 2)])
def test_doubled_lines_and_strangers_are_harmless(desk: Desk, kind: str, unknown: int) -> None:
    """An answer that comes twice is stored and paid once; one under an id that nobody sent is ignored, and counted."""
    store(desk.warehouse, [one_pull_request(1), one_pull_request(2)])
    store(desk.warehouse, [one_pull_request(3), one_pull_request(4)], "plain")
    desk.classify(team_id="plain")
    desk.settle()
    desk.sandbox.faults.add(kind)
    desk.classify()
    desk.settle()
    assert set(desk.statuses().values()) == {"classified"}
    with desk.warehouse.transaction() as tx:
        assert tx.value("select sum(unknown_lines) from llm_batches") == unknown
        (costs,) = tx.rows("select count(*) as batches, count(distinct cost_usd) as different from llm_batches")
        assert costs == {"batches": 2, "different": 1}
    desk.assert_paid_once()
    desk.assert_balanced()


@pytest.mark.parametrize(("kind", "rule"), sorted(MENDED.items()))
def test_what_is_off_but_clear_is_mended_and_counted(desk: Desk, kind: str, rule: str) -> None:
    """An answer with unknown words, a percentage, idle tools or foreign languages is mended, not bought again."""
    store(desk.warehouse, [one_pull_request(1)])
    desk.sandbox.faults.add(kind)
    desk.classify()
    desk.settle()
    assert desk.statuses() == {1: "classified"}
    assert rule in desk.classify().mended
    assert desk.lines_sent() == 1
    with desk.warehouse.transaction() as tx:
        assert tx.value("select sum(mended) from llm_batches") == 1


@pytest.mark.parametrize("kind", BAD_ENDS)
def test_a_batch_that_ends_badly_is_made_good(desk: Desk, kind: str) -> None:
    """A batch that fails, expires, is cancelled or loses its output: what it answered is kept, the rest goes again."""
    store(desk.warehouse, [one_pull_request(number) for number in range(1, 9)])
    desk.sandbox.faults.add(kind, times=1)
    desk.classify()
    desk.settle()
    assert set(desk.statuses().values()) == {"classified"}
    desk.assert_paid_once()
    desk.assert_balanced()


@pytest.mark.parametrize("kind", BAD_ENDS)
def test_a_batch_that_always_ends_badly_is_not_tried_for_ever(desk: Desk, kind: str) -> None:
    """Two bad batches, and what has no answer is unclassified."""
    store(desk.warehouse, [one_pull_request(number) for number in range(1, 5)])
    desk.sandbox.faults.add(kind)
    desk.classify()
    desk.settle()
    assert desk.open_work() == 0
    assert set(desk.statuses().values()) <= {"classified", "unclassified"}
    assert "unclassified" in desk.statuses().values()
    desk.assert_paid_once()
    desk.assert_balanced()


def test_a_batch_that_never_ends_is_cancelled_and_made_good(desk: Desk) -> None:
    """A batch that stays in progress for days is cancelled; what it did answer by then is kept."""
    store(desk.warehouse, [one_pull_request(number) for number in range(1, 5)])
    desk.sandbox.faults.add("batch_stuck", times=1)
    desk.classify()
    desk.settle(steps=20, hours=6)
    assert set(desk.statuses().values()) == {"classified"}
    assert desk.lines_sent() == 6  # the cancelled batch answered half of its four lines
    desk.assert_balanced()


def test_a_forgotten_batch_is_looked_for_a_while_and_then_made_good(desk: Desk) -> None:
    """A batch that Groq no longer knows is not given up at the first 404."""
    store(desk.warehouse, [one_pull_request(1)])
    desk.classify()
    desk.sandbox.groq.batches.clear()
    desk.later(minutes=5)
    desk.collect()
    assert desk.lines_sent() == 1
    desk.settle()
    assert desk.statuses() == {1: "classified"}
    with desk.warehouse.transaction() as tx:
        assert tx.value("select count(*) from llm_batches where status = 'lost'") == 1
    desk.assert_balanced()


OUTAGES = [
    *("groq_401", "groq_429", "groq_500", "groq_503"),
    *("groq_lost_answer", "groq_reset", "groq_cut", "groq_truncated"),
]


@pytest.mark.parametrize("operation", ["files.create", "batches.create", "batches.retrieve", "files.content"])
@pytest.mark.parametrize("kind", OUTAGES)
def test_trouble_at_any_step_only_delays(desk: Desk, kind: str, operation: str) -> None:
    """An outage at any step is remembered as a hold, and the work goes on by itself; no line is sent twice for it."""
    store(desk.warehouse, [one_pull_request(number) for number in range(1, 4)])
    fault = desk.sandbox.faults.add(kind, operation=operation, times=4)
    desk.classify()
    desk.settle()
    assert fault.struck
    assert set(desk.statuses().values()) == {"classified"}
    assert desk.lines_sent() == 3
    with desk.warehouse.transaction() as tx:
        assert not [one for one in holds(tx).values() if one.is_active(desk.now)]
    desk.assert_balanced()


def test_an_outage_is_pending_with_its_reason_and_heals_alone(desk: Desk) -> None:
    """While Groq is down work is shown as pending with the reason; when it is back, collecting alone finishes it."""
    store(desk.warehouse, [one_pull_request(1)])
    desk.sandbox.faults.add("groq_503")
    summary = desk.classify()
    assert (summary.pending, summary.classified) == (1, 0)
    assert "503" in str(summary.waiting_reason)
    desk.later(hours=3)
    assert desk.collect() == frozenset()
    desk.sandbox.faults.clear()
    assert desk.settle()
    assert desk.statuses() == {1: "classified"}
    assert desk.classify().waiting_reason is None


def test_retry_after_is_obeyed(desk: Desk) -> None:
    """After a 429 nothing is sent before the time that Groq named."""
    store(desk.warehouse, [one_pull_request(1)])
    desk.sandbox.faults.add("groq_429", times=1, retry_after=600)
    desk.classify()
    asked = len(desk.sandbox.requests)
    desk.later(seconds=590)
    desk.collect()
    assert len(desk.sandbox.requests) == asked
    desk.later(seconds=20)
    desk.collect()
    assert desk.lines_sent() == 1


def test_a_lost_id_is_found_on_a_later_page_of_the_list(desk: Desk) -> None:
    """The batch whose creation was not answered is found by listing, however many came after it."""
    desk.change_settings(llm_batch_size=1)
    store(desk.warehouse, [one_pull_request(1)])
    desk.sandbox.faults.add("groq_lost_answer", operation="batches.create", times=1)
    desk.classify()
    other = next(iter(desk.sandbox.groq.files))
    for _ in range(230):
        desk.groq.create_batch(other_file(desk, other), {})
    desk.settle()
    assert desk.statuses() == {1: "classified"}
    assert desk.lines_sent() == 231
    assert max(desk.sandbox.groq.tally.sent.values()) == 230


def other_file(desk: Desk, _: str) -> str:
    """A batch file of somebody else."""
    known = [one.id for one in desk.sandbox.groq.files.values() if one.filename == "other.jsonl"]
    body = b'{"custom_id":"other","method":"POST","url":"/v1/chat/completions","body":{"model":"openai/gpt-oss-20b",'
    return (
        known[0] if known else desk.groq.upload("other.jsonl", body + b'"messages":[{"role":"user","content":"x"}]}}\n')
    )


def test_a_retired_model_is_a_clear_error_and_keeps_the_queue(desk: Desk) -> None:
    """A retired model is named; its lines wait without being sent again, and go out under another model."""
    desk.change_settings(groq_model="llama-3.3-70b-versatile", groq_second_model="llama-3.3-70b-versatile")
    store(desk.warehouse, [one_pull_request(number) for number in range(1, 4)])
    desk.classify()
    desk.settle(10)
    assert set(desk.statuses().values()) == {"pending"}
    reason = str(desk.classify().waiting_reason)
    assert "llama-3.3-70b-versatile" in reason
    assert "GROQ_MODEL" in reason
    assert desk.lines_sent() == 3
    desk.change_settings(groq_model="openai/gpt-oss-20b", groq_second_model="openai/gpt-oss-120b")
    desk.settle()
    assert set(desk.statuses().values()) == {"classified"}
    assert desk.lines_sent() == 6
    desk.assert_balanced()


@pytest.mark.parametrize("kind", ["groq_404_model", "groq_model_decommissioned"])
def test_a_model_refused_at_the_door_is_the_same(desk: Desk, kind: str) -> None:
    """When Groq refuses the model as the batch is created, nothing counts as sent and the queue stays."""
    store(desk.warehouse, [one_pull_request(1)])
    desk.sandbox.faults.add(kind, operation="batches.create")
    desk.classify()
    desk.settle(5)
    assert desk.statuses() == {1: "pending"}
    assert desk.lines_sent() == 0
    assert desk.rows()[1]["attempts"] == 0
    assert desk.rows()[1]["intent_id"] is None


def test_a_poisoned_line_does_not_take_the_others_with_it(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file that fails validation for one line: that line goes apart, so that the others are answered."""
    store(desk.warehouse, [one_pull_request(number) for number in range(1, 6)])
    take = desk.sandbox.groq.create_file

    def with_a_bad_line(content_type: str, body: bytes) -> Answer:
        third = b'{"custom_id":"acme:acme/api:3:'
        start = body.find(third)
        method = body.find(b'"method":"POST"', start)
        return take(content_type, body if start < 0 else body[:method] + b'"method":"GET" ' + body[method + 15 :])

    monkeypatch.setattr(desk.sandbox.groq, "create_file", with_a_bad_line)
    desk.classify()
    desk.settle()
    assert desk.statuses() == {number: "unclassified" if number == 3 else "classified" for number in range(1, 6)}
    assert "invalid_url" in str(desk.rows()[3]["error"])
    desk.assert_balanced()


MISFORTUNES = sorted(set(LINE_KINDS) | set(BATCH_KINDS) - {"batch_stuck"} | set(OUTAGES) - {"groq_401"})


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(seed=strategies.integers(0, 10_000))
def test_whatever_goes_wrong_the_books_balance(
    warehouse: Warehouse, groq: GroqClient, settings: Settings, sandbox: Sandbox, clock: Hands, seed: int
) -> None:
    """A seeded mix of every fault: each line is settled, none is sent again after a valid answer, none thrice."""
    chance = random.Random(seed)
    team = f"team-{seed}-{chance.randrange(10**6)}"
    sandbox.reset()
    sandbox.groq.tally.history.clear()
    clock.now = NOW
    sandbox.faults.random.seed(seed)
    desk = Desk(warehouse, groq, settings, sandbox, clock)
    with warehouse.transaction() as tx:
        tx.execute("truncate llm_holds")
        tx.execute("delete from teams")
    desk.change_settings(llm_batch_size=chance.choice([1, 3, 7, 100]))
    sandbox.groq.has_batches = chance.random() > 0.2
    store(warehouse, [one_pull_request(number) for number in range(1, chance.randrange(2, 25))], team)
    for kind in chance.sample(MISFORTUNES, 5):
        sandbox.faults.add(kind, probability=chance.choice([0.1, 0.3, 0.6]), times=chance.choice([2, 5, 20]))
    desk.classify(team_id=team)
    desk.settle(60)
    assert desk.open_work() == 0
    assert set(desk.statuses().values()) <= {"classified", "unclassified"}
    if sandbox.groq.has_batches:  # the answer to a single call may be lost on the way
        desk.assert_paid_once()
    else:
        desk.assert_sent_twice_at_most()
    books = desk.balance(team)
    assert books.is_balanced, books
    assert books.classified == sum(1 for status in desk.statuses().values() if status == "classified")


def test_a_model_that_comes_back_is_used_again(desk: Desk) -> None:
    """A model that Groq refused is looked for in its list, which sends nothing; when it is there, work goes on."""
    desk.sandbox.faults.add("groq_404_model", operation="batches.create", times=1)
    store(desk.warehouse, [one_pull_request(1)])
    desk.classify()
    desk.later(minutes=50)
    desk.collect()
    assert desk.lines_sent() == 0
    desk.settle()
    assert desk.statuses() == {1: "classified"}
    assert desk.lines_sent() == 1


def test_a_listed_model_that_is_always_refused_waits_for_a_person(desk: Desk) -> None:
    """Where the list says yes and the batch says no, three refusals are enough."""
    fault = desk.sandbox.faults.add("groq_404_model", operation="batches.create")
    store(desk.warehouse, [one_pull_request(1)])
    desk.classify()
    desk.settle(steps=60, hours=1)
    assert fault.struck == 3
    assert desk.statuses() == {1: "pending"}
    assert "GROQ_MODEL" in str(desk.classify().waiting_reason)


def test_a_key_without_permission_for_batches_falls_back(desk: Desk) -> None:
    """Any 403 on files or batches means calls one by one, not only the plan's."""
    desk.sandbox.faults.add("groq_403")
    store(desk.warehouse, [one_pull_request(1)])
    desk.classify()
    desk.settle()
    assert desk.statuses() == {1: "classified"}
    assert len(desk.sandbox.requests.of("chat")) == 1


@pytest.mark.parametrize("kind", ["groq_lost_answer", "groq_lost_silence"])
def test_a_batch_that_is_listed_late_is_not_created_again(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    """A list that does not show the batch yet is no proof that there is none."""
    monkeypatch.setattr(groq_client, "READ_TIMEOUT_SECONDS", 0.3)
    store(desk.warehouse, [one_pull_request(1)])
    desk.sandbox.groq.listing.lag_seconds = 100
    desk.sandbox.faults.add(kind, operation="batches.create", times=1)
    desk.classify()
    desk.settle(seconds=20)
    assert desk.statuses() == {1: "classified"}
    assert desk.lines_sent() == 1


def test_a_creation_that_was_turned_away_is_repeated_at_once(desk: Desk) -> None:
    """After a 429 there is no batch to look for."""
    store(desk.warehouse, [one_pull_request(1)])
    desk.sandbox.faults.add("groq_429", operation="batches.create", times=1)
    desk.classify()
    desk.settle(steps=2, seconds=10)
    assert desk.statuses() == {1: "classified"}
    assert desk.lines_sent() == 1


@pytest.mark.parametrize("operation", ["batches.list", "files.content"])
def test_what_cannot_be_had_for_thirty_days_goes_once_more(desk: Desk, operation: str) -> None:
    """Groq never lists its batches again, or never gives a file: after the time it keeps results nobody waits."""
    store(desk.warehouse, [one_pull_request(1), one_pull_request(2)])
    desk.sandbox.faults.add("groq_lost_answer", operation="batches.create", times=operation == "batches.list")
    desk.sandbox.faults.add("groq_500", operation=operation)
    desk.classify()
    desk.settle(steps=29, days=1)
    assert set(desk.statuses().values()) == {"pending"}
    assert desk.lines_sent() == 2
    desk.later(days=2)
    desk.collect()
    desk.sandbox.faults.clear()
    desk.settle()
    assert set(desk.statuses().values()) == {"classified"}
    assert desk.lines_sent() == 4
    desk.assert_balanced()


def test_a_file_at_which_groq_fails_holds_up_no_other(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """A batch that Groq can never create is tried with growing pauses; other months and teams go on between."""
    store(desk.warehouse, [one_pull_request(1)])
    store(desk.warehouse, [one_pull_request(2)], "other")
    create = desk.sandbox.groq.create_batch
    first: set[str] = set()

    def fail_at_the_first(body: bytes, *rest: Any) -> Any:
        file_id = json.loads(body)["input_file_id"]
        first.add(file_id) if not first else None
        return json_answer({"error": {"message": "oops"}}, 500) if file_id in first else create(body, *rest)

    monkeypatch.setattr(desk.sandbox.groq, "create_batch", fail_at_the_first)
    desk.classify()
    desk.classify(team_id="other")
    desk.settle(steps=10, minutes=2)
    assert desk.statuses() == {1: "pending", 2: "classified"}


@pytest.mark.parametrize("kind", ["groq_404", "groq_500", "groq_429", "groq_truncated", "groq_401"])
def test_a_list_that_cannot_be_had_is_not_an_empty_one(desk: Desk, kind: str) -> None:
    """While Groq does not list its batches, nobody knows whether the batch was created: it is not created again."""
    store(desk.warehouse, [one_pull_request(1)])
    desk.sandbox.faults.add("groq_lost_answer", operation="batches.create", times=1)
    desk.sandbox.faults.add(kind, operation="batches.list", times=9)
    desk.classify()
    desk.settle()
    assert desk.statuses() == {1: "classified"}
    assert len(desk.sandbox.requests.of("batches.create")) == 1
