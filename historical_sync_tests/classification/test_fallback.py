"""Calls one by one, where the plan has no batches: paced, stored at once, and never for ever."""

import json
from typing import Any

import httpx
import pytest

from historical_sync.classification import fallback, groq_replies
from historical_sync.classification.groq_client import GroqClient
from historical_sync.classification.rubric import answer_schema
from historical_sync.sandbox.wire import json_answer
from historical_sync.warehouse.llm_holds import holds
from historical_sync_tests.classification.conftest import Desk, one_pull_request, store


@pytest.fixture(autouse=True)
def _free_plan(desk: Desk) -> None:
    desk.sandbox.groq.has_batches = False


def calls(desk: Desk) -> int:
    return len(desk.sandbox.requests.of("chat"))


def test_the_same_pull_requests_are_asked_for_call_by_call(desk: Desk) -> None:
    """403 not_available_for_plan: everything is classified by single calls at the full price, each sent once."""
    store(desk.warehouse, [one_pull_request(number) for number in range(1, 30)])
    desk.classify()
    desk.settle()
    assert set(desk.statuses().values()) == {"classified"}
    assert calls(desk) == 29
    with desk.warehouse.transaction() as tx:
        assert tx.value("select sum(requests) from llm_batches where kind = 'chat'") == 29
        row = tx.row("select sum(cost_usd) as cost, sum(input_tokens) as tokens from llm_batches")
    assert row is not None
    assert float(row["cost"]) > float(row["tokens"]) * 0.075 / 1e6
    desk.assert_paid_once()
    desk.assert_balanced()


@pytest.mark.parametrize("kind", ["groq_429", "groq_503"])
def test_a_call_that_is_turned_away_is_no_attempt(desk: Desk, kind: str) -> None:
    """An outage in the middle keeps every answer before it; the call is made again later, with the first model."""
    store(desk.warehouse, [one_pull_request(number) for number in range(1, 8)])
    desk.sandbox.faults.add(kind, operation="chat", nth=4)
    desk.classify()
    desk.settle()
    rows = desk.rows()
    assert {row["status"] for row in rows.values()} == {"classified"}
    assert {row["attempts"] for row in rows.values()} == {1}
    assert calls(desk) == 8
    desk.assert_balanced()


@pytest.mark.parametrize("kind", ["groq_reset", "groq_cut", "groq_lost_answer", "groq_truncated", "groq_500"])
def test_a_call_whose_answer_is_lost_counts_as_sent(desk: Desk, kind: str) -> None:
    """It may have been billed: it is made once more, by the second model, and never a third time."""
    store(desk.warehouse, [one_pull_request(number) for number in range(1, 8)])
    desk.sandbox.faults.add(kind, operation="chat", nth=4)
    desk.classify()
    desk.settle()
    rows = desk.rows()
    assert {row["status"] for row in rows.values()} == {"classified"}
    assert sorted(int(str(row["attempts"])) for row in rows.values()) == [1] * 6 + [2]
    assert calls(desk) == 8
    desk.sandbox.faults.add(kind, operation="chat")
    store(desk.warehouse, [one_pull_request(8)])
    desk.classify()
    desk.settle()
    assert desk.rows()[8]["status"] == "unclassified"
    assert calls(desk) == 10
    desk.assert_balanced()


def test_an_outage_uses_up_nobodys_attempts(desk: Desk) -> None:
    """While Groq answers nothing at all for hours, only its list of models is asked for; then all is classified."""
    store(desk.warehouse, [one_pull_request(number) for number in range(1, 4)])
    desk.classify()
    desk.settle()
    sent = calls(desk)
    store(desk.warehouse, [one_pull_request(number) for number in range(4, 7)])
    desk.sandbox.faults.add("groq_reset")
    desk.classify()
    desk.settle(steps=10)
    assert calls(desk) <= sent + 1
    desk.sandbox.faults.clear()
    desk.settle()
    assert set(desk.statuses().values()) == {"classified"}
    assert sorted(int(str(row["attempts"])) for row in desk.rows().values()) in ([1] * 6, [1] * 5 + [2])


@pytest.mark.parametrize(("status", "most"), [(503, 5), (500, 1)])
@pytest.mark.parametrize("others", [0, 2])
def test_what_groq_always_fails_at_is_not_asked_for_ever(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, others: int, status: int, most: int
) -> None:
    """A pull request at which Groq's server fails each time ends as unclassified; the others are answered."""
    monkeypatch.setattr(fallback, "MOST_FAILURES", 5)
    store(desk.warehouse, [one_pull_request(number) for number in range(1, others + 2)])
    answer = desk.sandbox.groq.chat

    def fail_at_the_first(body: bytes, entry: Any) -> Any:
        is_first = b"Change number 1\\n" in body
        return json_answer({"error": {"message": "oops"}}, status) if is_first else answer(body, entry)

    monkeypatch.setattr(desk.sandbox.groq, "chat", fail_at_the_first)
    desk.classify()
    desk.settle()
    assert desk.statuses() == {1: "unclassified", **dict.fromkeys(range(2, others + 2), "classified")}
    assert calls(desk) == 2 * most + others
    desk.assert_balanced()


def test_an_unusable_answer_shows_that_groq_is_there(desk: Desk) -> None:
    """Pauses grow only while nothing is answered: a run of useless answers makes nobody wait longer."""
    store(desk.warehouse, [one_pull_request(number) for number in range(1, 8)])
    desk.sandbox.faults.add("line_truncated")
    for nth in (1, 3, 5, 7):
        desk.sandbox.faults.add("groq_503", operation="chat", nth=nth)
    desk.classify()
    for _ in range(4):
        desk.later(seconds=6)
        desk.collect()
    assert calls(desk) >= 8


@pytest.mark.parametrize("kind", ["groq_json_validate_failed", "line_refusal", "line_truncated", "line_invented_quote"])
def test_an_unusable_answer_goes_once_more_to_the_second_model(desk: Desk, kind: str) -> None:
    """What Groq says about one request concerns that request alone."""
    store(desk.warehouse, [one_pull_request(number) for number in range(1, 4)])
    desk.sandbox.faults.add(kind, nth=2)
    desk.classify()
    desk.settle()
    assert (
        sorted(str(row["model"]) for row in desk.rows().values())
        == ["openai/gpt-oss-120b"] + ["openai/gpt-oss-20b"] * 2
    )
    assert calls(desk) == 4
    desk.assert_paid_once()
    desk.assert_balanced()


def test_retry_after_holds_up_single_calls_alone(desk: Desk) -> None:
    """A 429 for calls is obeyed to the second and does not hold up anything else."""
    store(desk.warehouse, [one_pull_request(1)])
    desk.sandbox.faults.add("groq_429", operation="chat", times=1, retry_after=300)
    desk.classify()
    desk.later(seconds=290)
    desk.collect()
    assert calls(desk) == 1
    with desk.warehouse.transaction() as tx:
        assert [one.subject for one in holds(tx).values() if one.is_active(desk.now)] == ["batches", "chat"]
    desk.later(seconds=20)
    desk.collect()
    assert calls(desk) == 2
    assert desk.statuses() == {1: "classified"}


def test_a_pull_request_that_is_never_answered_neither_blocks_nor_costs_for_ever(desk: Desk) -> None:
    """Silence about one pull request lets the others go first, and ends as unclassified."""
    store(desk.warehouse, [one_pull_request(number) for number in range(1, 5)])
    answer = desk.sandbox.groq.chat

    def silent_about_the_first(body: bytes, entry: Any) -> Any:
        if b"Change number 1\\n" in body:
            entry.lines = 1
            return type(answer(body, entry))(breakage="reset")
        return answer(body, entry)

    desk.sandbox.groq.chat = silent_about_the_first  # type: ignore[method-assign]
    desk.classify()
    desk.settle()
    assert desk.statuses() == {1: "unclassified", 2: "classified", 3: "classified", 4: "classified"}
    assert calls(desk) == 3 + 2
    desk.assert_balanced()


def test_a_plan_that_gains_batches_uses_them_again(desk: Desk) -> None:
    """After a day batches are tried again."""
    store(desk.warehouse, [one_pull_request(1)])
    desk.classify()
    desk.settle()
    desk.sandbox.groq.has_batches = True
    desk.later(days=1, hours=1)
    store(desk.warehouse, [one_pull_request(2)])
    desk.classify()
    desk.settle()
    assert calls(desk) == 1
    assert set(desk.statuses().values()) == {"classified"}


def test_calls_are_paced_by_the_limits_that_groq_tells(monkeypatch: pytest.MonkeyPatch) -> None:
    """When the headers say that no call or not enough tokens are left, the reply says how long to wait."""
    monkeypatch.setenv("GROQ_API_KEY", "gsk_for_tests")
    headers = {"x-ratelimit-remaining-requests": "9", "x-ratelimit-remaining-tokens": "100"}
    headers |= {"x-ratelimit-reset-requests": "2m59.56s", "x-ratelimit-reset-tokens": "7.66s"}
    assert groq_replies.pause_seconds(httpx.Headers(headers), 2_000) == pytest.approx(7.66)
    assert groq_replies.pause_seconds(httpx.Headers(headers), 50) == 0
    assert groq_replies.pause_seconds(
        httpx.Headers({**headers, "x-ratelimit-remaining-requests": "0"}), 1
    ) == pytest.approx(179.56)
    assert groq_replies.pause_seconds(httpx.Headers({}), 2_000) == 0
    assert groq_replies.seconds("1h2m3s") == 3723
    assert groq_replies.seconds("120ms") == pytest.approx(0.12)


def test_every_request_carries_the_strict_schema(desk: Desk, groq: GroqClient) -> None:
    """What the sandbox's strict mode checks is what is sent."""
    seen: list[dict[str, Any]] = []
    desk.sandbox.groq.answers = lambda request: seen.append(request)  # type: ignore[func-returns-value]
    store(desk.warehouse, [one_pull_request(1)])
    desk.classify()
    desk.settle()
    assert seen[0]["response_format"]["json_schema"]["schema"] == json.loads(json.dumps(answer_schema()))
