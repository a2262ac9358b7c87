"""A batch in Groq's words, read without trust."""

import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, strategies

from historical_sync.classification.batches import (
    TYPICAL_TOKENS,
    batch_line,
    by_custom_id,
    content_hash,
    custom_id,
    digest,
    fitting,
    is_model_gone,
    read_results,
    read_state,
)
from historical_sync.classification.groq_replies import refusal
from historical_sync_tests.factories import at, make_commit, make_file, make_pull_request, make_review


@pytest.mark.parametrize("raw", [None, {}, [], "x", {"id": ""}, {"id": 5}, {"id": None, "status": "completed"}])
def test_what_is_no_batch_is_none(raw: Any) -> None:
    """An answer without an id is not taken for a batch."""
    assert read_state(raw) is None


@pytest.mark.parametrize("empty", [{}, None, "", [], 0, False])
def test_a_file_id_is_text_or_nothing(empty: Any) -> None:
    """Groq gives `{}` for an error file that does not exist (tidyverse/ellmer#927)."""
    state = read_state({"id": "b", "status": "completed", "output_file_id": empty, "error_file_id": empty})
    assert state is not None
    assert (state.output_file_id, state.error_file_id) == (None, None)


@pytest.mark.parametrize("status", ["validating", "in_progress", "finalizing", "cancelling", "queued", "", None, 7])
def test_only_four_statuses_are_ends(status: Any) -> None:
    """An unknown status is one that has not ended."""
    state = read_state({"id": "b", "status": status})
    assert state is not None
    assert not state.has_ended


@pytest.mark.parametrize("status", ["completed", "failed", "expired", "cancelled", "COMPLETED"])
def test_expired_is_an_end(status: str) -> None:
    """The original asked an expired batch for ever."""
    state = read_state({"id": "b", "status": status})
    assert state is not None
    assert state.has_ended


@pytest.mark.parametrize("wrap", [lambda errors: errors, lambda errors: {"object": "list", "data": errors}])
def test_errors_come_as_a_list_or_an_object(wrap: Any) -> None:
    """Groq's page shows a list, the SDK an object with one."""
    raw = wrap([{"code": "invalid_method", "message": "no", "line": 4}, {"message": "x", "line": None}, "noise"])
    state = read_state({"id": "b", "status": "failed", "errors": raw})
    assert state is not None
    assert [(error.code, error.line) for error in state.errors] == [("invalid_method", 4), ("", None)]


JSON = strategies.recursive(
    strategies.none() | strategies.booleans() | strategies.floats() | strategies.text() | strategies.integers(),
    lambda inner: strategies.lists(inner, max_size=4) | strategies.dictionaries(strategies.text(), inner, max_size=4),
    max_leaves=10,
)
FIELDS = ("status", "output_file_id", "error_file_id", "errors", "request_counts", "created_at", "metadata")


@given(strategies.dictionaries(strategies.sampled_from(FIELDS), JSON))
def test_any_batch_object_is_read(fields: dict[str, Any]) -> None:
    """Whatever stands in the fields, the state is one."""
    assert read_state({"id": "b", **fields}) is not None


def line(name: str, body: Any, status: int = 200, error: Any = None) -> bytes:
    response = {"status_code": status, "request_id": "r", "body": body}
    return json.dumps({"id": "x", "custom_id": name, "response": response, "error": error}).encode() + b"\n"


def body(content: str | None, finish: str = "stop", **message: Any) -> dict[str, Any]:
    usage = {"prompt_tokens": 100, "completion_tokens": 20}
    choice = {"index": 0, "finish_reason": finish, "message": {"role": "assistant", "content": content, **message}}
    return {"choices": [choice], "usage": usage}


def test_lines_are_read_from_both_files_in_any_order() -> None:
    """Texts, errors, refusals, cut-off answers; unreadable lines are counted; tokens are billed either way."""
    output = line("b", body("B")) + line("a", body("A")) + line("cut", body('{"a', "length")) + b'{"custom_id": "half'
    errors = (
        line("e", {"error": {"code": "json_validate_failed", "message": "bad", "failed_generation": "{"}}, 400)
        + line("f", None, 500)
        + line("r", body("", refusal="I cannot"))
        + json.dumps(
            {"custom_id": "g", "response": None, "error": {"code": "batch_expired", "message": "late"}}
        ).encode()
        + b"\r\n\n"
    )
    results = read_results(output, errors)
    found = {one.custom_id: one for one in results.lines}
    assert results.unreadable == 1
    assert (found["a"].text, found["a"].input_tokens, found["a"].output_tokens) == ("A", 100, 20)
    assert found["cut"].error == "cut off at the token limit"
    assert found["cut"].text is not None
    assert (found["e"].text, found["e"].code) == (None, "json_validate_failed")
    assert "HTTP 500" in str(found["f"].error)
    assert "I cannot" in str(found["r"].error)
    assert found["g"].code == "batch_expired"


@pytest.mark.parametrize(
    "content", [{"ai": {}}, [{"type": "text", "text": '{"ai":'}, {"type": "text", "text": " {}}"}]]
)
def test_an_answer_may_come_in_parts_or_parsed(content: Any) -> None:
    """A message's content is text, by rights; parts of text and ready JSON are understood."""
    (one,) = read_results(line("a", body(content))).lines
    assert json.loads(str(one.text)) == {"ai": {}}


def test_what_groq_says_can_be_stored() -> None:
    """NUL and lone surrogates in messages and refusals do not reach the ledger, which could not hold them."""
    said = {"code": "bad\0", "message": "no\0 \ud800"}
    results = read_results(line("e", {"error": said}, 400), line("r", body("", refusal="I\0 cannot")))
    assert [one.error for one in results.lines] == ["HTTP 400 bad: no \ufffd", "refused: I cannot"]
    state = read_state({"id": "b", "errors": {"data": [said]}})
    assert state is not None
    assert (state.errors[0].code, state.errors[0].message) == ("bad", "no \ufffd")
    assert "no \ufffd" in str(refusal(400, "/", {"error": said}, {}))


@given(strategies.lists(strategies.binary(max_size=60) | JSON.map(lambda value: json.dumps(value).encode())))
def test_any_file_is_read(rows: list[bytes]) -> None:
    """No content of a file breaks the reading."""
    results = read_results(b"\n".join(rows))
    assert all(one.custom_id for one in results.lines)


@given(JSON)
def test_any_response_is_read(value: Any) -> None:
    """Nor does any shape of a response: it has a text, or an error that says why not."""
    results = read_results(json.dumps({"custom_id": "a", "response": {"status_code": 200, "body": value}}).encode())
    assert all(one.text is not None or one.error for one in results.lines)


def test_a_doubled_line_loses_to_nothing_readable() -> None:
    """Of two results under one id, the one with a text comes first, whatever the order of the files."""
    both = by_custom_id(read_results(line("a", None, 500), line("a", body("A"))).lines)
    assert [one.text for one in both["a"]] == ["A", None]


def test_a_line_is_one_line() -> None:
    """Line ends and separators in the text stay inside their line."""
    one = batch_line("a:1", {"text": "a\nb\u2028c\u0085d"})
    assert one.count(b"\n") == 1
    assert json.loads(one)["body"]["text"] == "a\nb\u2028c\u0085d"


def test_a_file_keeps_both_limits() -> None:
    """50,000 lines and 100 MB: what does not fit is left for the next file, and one line always goes."""
    lines = [b"x" * 10] * 10
    assert fitting(lines, most_lines=4) == 4
    assert fitting(lines, most_bytes=35) == 3
    assert fitting(lines, most_bytes=5) == 1
    assert fitting(lines) == 10
    assert fitting([]) == 0


ONE = make_pull_request(commits=(make_commit(),), files=(make_file(), make_file(path="b")))


@pytest.mark.parametrize(
    "changes",
    [
        {"reviews": (make_review(),), "review_count": 1},
        {"labels": ["x"], "milestone": "v1", "assignees": ["ada"]},
        {"updated_at": at("2030-01-01T00:00"), "comment_count": 9},
        {"state": "CLOSED", "merged_at": None},
        {"files": (make_file(path="b"), make_file())},
        {"commits": (make_commit(oid="rebased", committed_at=at("2025-03-09T00:00")),)},
    ],
)
def test_what_is_not_content_costs_nothing(changes: dict[str, Any]) -> None:
    """Reviews, labels, times, the order of files, a rebase: the hash stays."""
    assert content_hash(replace(ONE, **changes)) == content_hash(ONE)


@pytest.mark.parametrize(
    "changes",
    [
        {"title": "Other"},
        {"body": "Other"},
        {"commits": (make_commit(message="Other"),)},
        {"commits": (make_commit(author_email="claude@example.com"),)},
        {"files": (make_file(),)},
    ],
)
def test_what_is_content_is_asked_again(changes: dict[str, Any]) -> None:
    """Title, body, commits and files: the hash changes."""
    assert content_hash(replace(ONE, **changes)) != content_hash(ONE)


def test_ids_can_be_made_again() -> None:
    """The custom id follows from the pull request, its content and the prompt; the digest from the ids in any order."""
    one = custom_id("acme", "acme/api", 7, "c" * 64, "p.s")
    assert one == "acme:acme/api:7:cccccccccccc:p.s"
    assert digest("m", "p", 1, ["a", "b"]) == digest("m", "p", 1, ["b", "a"])
    assert len({digest("m", "p", attempt, ["a"]) for attempt in (1, 2)}) == 2


@pytest.mark.parametrize(
    ("code", "message", "is_gone"),
    [
        ("model_decommissioned", "", True),
        ("model_not_found", "", True),
        (None, "The model `x` has been decommissioned and is no longer supported.", True),
        ("invalid_request_error", "The model `x` does not exist or you do not have access to it.", True),
        ("json_validate_failed", "The model did not return JSON", False),
        ("rate_limit_exceeded", "Rate limit reached for model `x`", False),
        (None, "This parameter is no longer supported", False),
        (None, None, False),
    ],
)
def test_a_gone_model_is_told_from_a_bad_line(code: str | None, message: str | None, is_gone: bool) -> None:
    """By Groq's code, or by its words about a model."""
    assert is_model_gone(code, message) is is_gone


def test_an_answer_without_its_usage_is_not_free() -> None:
    """It was billed, so it counts as a typical one; what was refused counts as nothing."""
    answer = body('{"ai": 1}')
    del answer["usage"]
    (told,) = read_results(line("a", answer)).lines
    assert (told.input_tokens, told.output_tokens) == TYPICAL_TOKENS
    (refused,) = read_results(line("a", {"error": {"message": "no"}}, 400)).lines
    assert (refused.input_tokens, refused.output_tokens) == (0, 0)
