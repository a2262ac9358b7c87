"""Groq's side, driven by the real `groq` SDK: files, batches through their life, single calls, refusals."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import groq
import pytest

from historical_sync.sandbox.groq.batches import Durations
from historical_sync.sandbox.groq.listing import Listing
from historical_sync.sandbox.server import Sandbox
from historical_sync.sandbox.world import World

SCHEMA = {
    "type": "object",
    "additionalProperties": False,
    "required": ["is_assisted", "tools", "evidence_quote", "confidence"],
    "properties": {
        "is_assisted": {"type": "boolean"},
        "tools": {"type": "array", "items": {"type": "string"}},
        "evidence_quote": {"type": "string"},
        "confidence": {"type": "number"},
    },
}
PROMPT = "Title: Fix the basket\n\nCo-Authored-By: Claude <noreply@anthropic.com>\n\nsrc/basket.py"
LIFE = Durations(10, 60, 10, 20)


class Clock:
    """Time that a test moves."""

    def __init__(self) -> None:
        self.now = datetime(2025, 6, 1, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now

    def pass_seconds(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def running(clock: Clock) -> Iterator[Sandbox]:
    """A sandbox whose batches take 80 seconds of a clock that the test moves."""
    with Sandbox(World(clock), batch_durations=LIFE) as sandbox:
        yield sandbox


@pytest.fixture
def client(running: Sandbox) -> groq.Groq:
    return groq.Groq(api_key="key", base_url=running.groq_url, max_retries=0, timeout=5)


def body(prompt: str = PROMPT, **changes: Any) -> dict[str, Any]:
    response_format = {"type": "json_schema", "json_schema": {"name": "answer", "strict": True, "schema": SCHEMA}}
    return {
        "model": "openai/gpt-oss-20b",
        "messages": [{"role": "system", "content": "Classify."}, {"role": "user", "content": prompt}],
        "response_format": response_format,
        **changes,
    }


def line(custom_id: str, **changes: Any) -> dict[str, Any]:
    return {"custom_id": custom_id, "method": "POST", "url": "/v1/chat/completions", "body": body(**changes)}


def upload(client: groq.Groq, lines: list[dict[str, Any]] | bytes) -> str:
    content = lines if isinstance(lines, bytes) else "\n".join(json.dumps(one) for one in lines).encode()
    stored = client.files.create(file=("batch.jsonl", content), purpose="batch")
    assert stored.id is not None
    return stored.id


def submit(client: groq.Groq, lines: list[dict[str, Any]] | bytes, **metadata: str) -> str:
    created = client.batches.create(
        completion_window="24h",
        endpoint="/v1/chat/completions",
        input_file_id=upload(client, lines),
        metadata=metadata or None,  # type: ignore[arg-type]
    )
    return created.id


def rows(client: groq.Groq, file_id: Any) -> list[dict[str, Any]]:
    return [json.loads(text) for text in client.files.content(file_id).text().splitlines()]


def test_a_batch_from_upload_to_results(client: groq.Groq, running: Sandbox, clock: Clock) -> None:
    """Statuses in their time, counts that grow, results for every line, and `error_file_id: {}` on success."""
    batch_id = submit(client, [line(f"pr-{index}") for index in range(40)], digest="d1")
    seen = []
    for _ in range(10):
        batch = client.batches.retrieve(batch_id)
        seen.append((batch.status, batch.request_counts and batch.request_counts.completed))
        clock.pass_seconds(10)
    statuses = [status for status, _ in seen]
    assert list(dict.fromkeys(statuses)) == ["validating", "in_progress", "finalizing", "completed"]
    assert [count for _, count in seen] == sorted(count or 0 for _, count in seen)
    batch = client.batches.retrieve(batch_id)
    assert batch.error_file_id == {}  # type: ignore[comparison-overlap]
    assert batch.metadata == {"digest": "d1"}
    found = rows(client, batch.output_file_id)
    assert {one["custom_id"] for one in found} == {f"pr-{index}" for index in range(40)}
    assert [one["custom_id"] for one in found] != [f"pr-{index}" for index in range(40)]
    answer = json.loads(found[0]["response"]["body"]["choices"][0]["message"]["content"])
    assert answer["is_assisted"] is True
    assert answer["tools"] == ["claude"]
    assert answer["evidence_quote"] in PROMPT
    assert running.groq.tally.answered["pr-0"] == 1


def test_results_repeat_from_the_seed(clock: Clock) -> None:
    """Same seed, same ids, same order of lines, same answers."""

    def results(seed: int) -> str:
        with Sandbox(World(clock), seed=seed) as sandbox:
            client = groq.Groq(api_key="k", base_url=sandbox.groq_url)
            batch = client.batches.retrieve(submit(client, [line(f"pr-{index}") for index in range(9)]))
            return client.files.content(str(batch.output_file_id)).text()

    assert results(1) == results(1) != results(2)


def test_input_that_is_no_batch_fails_with_its_lines(client: groq.Groq, clock: Clock) -> None:
    """Invalid JSON, a missing field, a second use of an id, another URL: status failed, errors with line numbers."""
    bad = [
        json.dumps(line("a")),
        "{not json",
        json.dumps({"custom_id": "b"}),
        json.dumps(line("a")),
        json.dumps({**line("c"), "url": "/v1/embeddings"}),
    ]
    batch_id = submit(client, "\n".join(bad).encode())
    clock.pass_seconds(20)
    batch = client.batches.retrieve(batch_id)
    assert batch.status == "failed"
    assert batch.errors is not None
    told = {one.line: one.code for one in batch.errors.data or []}
    assert told == {
        2: "invalid_json_line",
        3: "missing_required_parameter",
        4: "duplicate_custom_id",
        5: "invalid_url",
    }


def test_more_than_fifty_thousand_lines_are_too_many(client: groq.Groq, clock: Clock) -> None:
    """The limit, by count of lines."""
    text = b"\n".join(
        b'{"custom_id":"%d","method":"POST","url":"/v1/chat/completions","body":{}}' % index for index in range(50_001)
    )
    batch_id = submit(client, text)
    clock.pass_seconds(20)
    batch = client.batches.retrieve(batch_id)
    assert batch.status == "failed"
    assert batch.errors is not None
    assert (batch.errors.data or [])[0].code == "too_many_requests"


@pytest.mark.parametrize(
    ("fault", "status", "has_output", "has_errors"),
    [
        ("batch_failed", "failed", False, False),
        ("batch_expired", "expired", True, True),
        ("batch_cancelled", "cancelled", True, True),
        ("batch_all_failed", "completed", False, True),
        ("batch_stuck", "in_progress", False, False),
    ],
)
def test_batches_end_in_every_way(
    client: groq.Groq, running: Sandbox, clock: Clock, fault: str, status: str, has_output: bool, has_errors: bool
) -> None:
    """The ending, and which files it leaves; what an unfinished batch answered counts, the rest does not."""
    running.faults.add(fault, nth=1)
    batch_id = submit(client, [line(f"pr-{index}") for index in range(10)])
    clock.pass_seconds(1000)
    batch = client.batches.retrieve(batch_id)
    assert batch.status == status
    assert isinstance(batch.output_file_id, str) == has_output
    assert isinstance(batch.error_file_id, str) == has_errors
    done = rows(client, batch.output_file_id) if has_output else []
    assert {one["custom_id"] for one in done} == set(running.groq.tally.answered)
    if status in {"expired", "cancelled"}:
        assert 0 < len(done) < 10


def test_a_batch_can_be_cancelled(client: groq.Groq, running: Sandbox, clock: Clock) -> None:
    """cancelling for a while, then cancelled with what was done; an ended batch cannot be cancelled."""
    batch_id = submit(client, [line(f"pr-{index}") for index in range(4)])
    clock.pass_seconds(30)
    assert client.batches.cancel(batch_id).status == "cancelling"
    clock.pass_seconds(30)
    batch = client.batches.retrieve(batch_id)
    assert batch.status == "cancelled"
    assert {one["custom_id"] for one in rows(client, batch.output_file_id)} == set(running.groq.tally.answered)
    assert len(running.groq.tally.answered) == 2
    with pytest.raises(groq.BadRequestError):
        client.batches.cancel(batch_id)


@pytest.mark.parametrize(
    ("fault", "code"),
    [("line_500", 500), ("line_429", 429), ("line_validate_failed", 400), ("line_too_long", None)],
)
def test_failed_lines_are_in_the_error_file(
    client: groq.Groq, running: Sandbox, clock: Clock, fault: str, code: int | None
) -> None:
    """One line fails, the others succeed, and counts say so."""
    running.faults.add(fault, nth=2)
    batch_id = submit(client, [line("a"), line("b"), line("c")])
    clock.pass_seconds(100)
    batch = client.batches.retrieve(batch_id)
    assert isinstance(batch.error_file_id, str)
    (failed,) = rows(client, batch.error_file_id)
    assert failed["custom_id"] == "b"
    assert {one["custom_id"] for one in rows(client, batch.output_file_id)} == {"a", "c"}
    assert batch.request_counts is not None
    assert (batch.request_counts.completed, batch.request_counts.failed) == (2, 1)
    if code is None:
        assert failed["response"] is None
        assert failed["error"]["code"]
    else:
        assert failed["response"]["status_code"] == code
    if fault == "line_validate_failed":
        assert failed["response"]["body"]["error"]["code"] == "json_validate_failed"
        assert failed["response"]["body"]["error"]["failed_generation"]


def contents(client: groq.Groq, batch_id: str) -> list[str]:
    found = rows(client, client.batches.retrieve(batch_id).output_file_id)
    return [one["response"]["body"]["choices"][0]["message"]["content"] for one in found]


@pytest.mark.parametrize("fault", ["line_truncated", "line_refusal", "line_not_json"])
def test_spoilt_answers_are_no_json(client: groq.Groq, running: Sandbox, clock: Clock, fault: str) -> None:
    """Status 200 and a text that is not the answer: it counts as not answered."""
    running.faults.add(fault)
    batch_id = submit(client, [line("a")])
    clock.pass_seconds(100)
    with pytest.raises(json.JSONDecodeError):
        json.loads(contents(client, batch_id)[0])
    assert running.groq.tally.answered == {}


@pytest.mark.parametrize(
    ("fault", "field", "value"),
    [
        ("line_confidence_percent", "confidence", 95),
        ("line_confidence_negative", "confidence", -1),
        ("line_contradiction", "is_assisted", False),
    ],
)
def test_senseless_answers_are_whole_json(
    client: groq.Groq, running: Sandbox, clock: Clock, fault: str, field: str, value: Any
) -> None:
    """The shape holds and the sense does not."""
    running.faults.add(fault)
    batch_id = submit(client, [line("a")])
    clock.pass_seconds(100)
    answer = json.loads(contents(client, batch_id)[0])
    assert answer[field] == value
    assert set(answer) == set(SCHEMA["properties"])  # type: ignore[call-overload]


def test_an_invented_quote_is_not_in_the_prompt(client: groq.Groq, running: Sandbox, clock: Clock) -> None:
    """A positive that only a look at the text can refute."""
    running.faults.add("line_invented_quote")
    batch_id = submit(client, [line("a", prompt="Title: Plain work")])
    clock.pass_seconds(100)
    answer = json.loads(contents(client, batch_id)[0])
    assert answer["is_assisted"] is True
    assert answer["evidence_quote"] not in "Title: Plain work"


def test_lines_can_be_missing_double_or_nobodys(client: groq.Groq, running: Sandbox, clock: Clock) -> None:
    """What the output holds need not be what was sent."""
    running.faults.add("line_missing", nth=1)
    running.faults.add("line_duplicate", nth=2)
    running.faults.add("line_stranger", nth=2)
    batch_id = submit(client, [line(name) for name in "abcd"])
    clock.pass_seconds(100)
    found = [one["custom_id"] for one in rows(client, client.batches.retrieve(batch_id).output_file_id)]
    assert "a" not in found
    assert len(found) - len(set(found)) == 1
    assert any(one.startswith("nobody-sent-") for one in found)


def test_a_lost_answer_leaves_its_batch(client: groq.Groq, running: Sandbox) -> None:
    """The connection breaks, the batch exists: only the list knows its id, by its metadata."""
    file_id = upload(client, [line("a")])
    running.faults.add("groq_lost_answer", operation="batches.create", nth=1)
    with pytest.raises(groq.APIConnectionError):
        client.batches.create(
            completion_window="24h", endpoint="/v1/chat/completions", input_file_id=file_id, metadata={"digest": "d9"}
        )
    listed = client.batches.list()
    assert [one.metadata for one in listed.data] == [{"digest": "d9"}]


@pytest.mark.parametrize("style", ["cursor", "after"])
def test_batches_are_listed_newest_first_page_by_page(client: groq.Groq, running: Sandbox, style: str) -> None:
    """Both documented ways to page, through the SDK's extra_query."""
    made = [submit(client, [line("a")]) for _ in range(5)]
    running.groq.listing = Listing(page_size=2, style=style)
    found: list[str] = []
    query: dict[str, Any] = {}
    for _ in range(3):
        page = client.batches.list(extra_query=query)
        found += [one.id for one in page.data]
        more = page.model_extra or {}
        query = {"cursor": more["paging"]["next_cursor"]} if style == "cursor" else {"after": found[-1]}
    assert found == made[::-1]
    assert [one.id for one in client.batches.list(extra_query={"id": [made[1]]}).data] == [made[1]]


@pytest.mark.parametrize(
    ("fault", "error"),
    [
        ("groq_401", groq.AuthenticationError),
        ("groq_403", groq.PermissionDeniedError),
        ("groq_404", groq.NotFoundError),
        ("groq_429", groq.RateLimitError),
        ("groq_500", groq.InternalServerError),
        ("groq_503", groq.InternalServerError),
        ("groq_reset", groq.APIConnectionError),
        ("groq_model_decommissioned", groq.BadRequestError),
    ],
)
def test_the_sdk_sees_its_own_errors(client: groq.Groq, running: Sandbox, fault: str, error: type[Exception]) -> None:
    """Each refusal is the SDK's exception for it, and nothing was done."""
    running.faults.add(fault, nth=1, operation="files.create")
    with pytest.raises(error):
        upload(client, [line("a")])
    assert not running.groq.files
    assert upload(client, [line("a")])


def test_a_plan_without_batches_still_answers_single_calls(client: groq.Groq, running: Sandbox) -> None:
    """403 not_available_for_plan for batches; chat completions work and are counted by their text."""
    running.groq.has_batches = False
    with pytest.raises(groq.PermissionDeniedError) as refused:
        submit(client, [line("a")])
    assert refused.value.body["error"]["code"] == "not_available_for_plan"  # type: ignore[index]
    for _ in range(2):
        done = client.chat.completions.create(**body())
        assert json.loads(done.choices[0].message.content or "")["is_assisted"] is True
        assert done.usage is not None
        assert done.usage.total_tokens == done.usage.prompt_tokens + done.usage.completion_tokens > 0
    assert list(running.groq.tally.sent_texts.values()) == [2]
    assert len(running.groq.tally.sent_after_answer()) == 1


@pytest.mark.parametrize(
    ("changes", "error", "words"),
    [
        ({"model": "llama-3.3-70b-versatile"}, groq.BadRequestError, "decommissioned"),
        ({"model": "nobody/knows"}, groq.NotFoundError, "does not exist"),
        ({"model": "qwen/qwen3.6-27b"}, groq.BadRequestError, "strict"),
        ({"messages": []}, groq.BadRequestError, "messages"),
    ],
)
def test_requests_that_groq_refuses(
    client: groq.Groq, changes: dict[str, Any], error: type[Exception], words: str
) -> None:
    """Retired and unknown models, strict mode where there is none, nothing to say."""
    with pytest.raises(error, match=words):
        client.chat.completions.create(**body(**changes))


def without(keyword: str) -> dict[str, Any]:
    return {key: value for key, value in SCHEMA.items() if key != keyword}


@pytest.mark.parametrize(
    ("schema", "words"),
    [
        (without("additionalProperties"), "additionalProperties:false"),
        ({**SCHEMA, "required": ["tools"]}, "required"),
        (
            {
                "type": "object",
                "additionalProperties": False,
                "required": ["tools"],
                "properties": {"tools": {"type": "array", "items": {"type": "string"}, "minItems": 1}},
            },
            "minItems is not supported",
        ),
    ],
)
def test_strict_mode_refuses_lax_schemas(client: groq.Groq, schema: dict[str, Any], words: str) -> None:
    """Every property required, no others, none of the keywords that Groq does not know; best effort takes all."""
    inner = {"name": "answer", "strict": True, "schema": schema}
    with pytest.raises(groq.BadRequestError, match=words):
        client.chat.completions.create(**body(response_format={"type": "json_schema", "json_schema": inner}))
    lax = {**inner, "strict": False}
    assert client.chat.completions.create(**body(response_format={"type": "json_schema", "json_schema": lax}))


def test_too_few_tokens_cut_the_answer_off(client: groq.Groq) -> None:
    """finish_reason length."""
    done = client.chat.completions.create(**body(max_completion_tokens=4))
    assert done.choices[0].finish_reason == "length"


def test_files_can_be_read_listed_and_deleted(client: groq.Groq) -> None:
    """What is uploaded comes back byte for byte; what is deleted is not found."""
    content = b'{"a": "\xc3\xa9\\r\\n"}\r\n--boundary--\n'
    file_id = upload(client, content)
    assert client.files.content(file_id).read() == content
    assert client.files.info(file_id).bytes == len(content)
    assert [one.id for one in client.files.list().data] == [file_id]
    client.files.delete(file_id)
    with pytest.raises(groq.NotFoundError):
        client.files.content(file_id)


def test_answers_may_be_dictated(client: groq.Groq, running: Sandbox) -> None:
    """`answers` gives the value for a request; None leaves it to the reader."""
    dictated = {"is_assisted": False, "tools": [], "evidence_quote": "", "confidence": 0.4}
    running.groq.answers = lambda request: dictated if "basket" in request["messages"][1]["content"] else None
    first = client.chat.completions.create(**body())
    second = client.chat.completions.create(**body(prompt="Title: Made with Cursor in an hour"))
    assert json.loads(first.choices[0].message.content or "") == dictated
    assert json.loads(second.choices[0].message.content or "")["tools"] == ["cursor"]


def test_only_known_keys_are_let_in(running: Sandbox) -> None:
    """`keys` narrows who may call."""
    running.groq.keys = {"right"}
    with pytest.raises(groq.AuthenticationError) as refused:
        groq.Groq(api_key="wrong", base_url=running.groq_url, max_retries=0).models.list()
    assert refused.value.body["error"]["code"] == "invalid_api_key"  # type: ignore[index]
    assert groq.Groq(api_key="right", base_url=running.groq_url).models.list().data


def test_a_dial_turned_in_one_sandbox_leaves_the_others_alone(clock: Clock) -> None:
    """Paces and durations are each sandbox's own, and a batch keeps those it was created with."""
    one, other = Sandbox(World(clock)), Sandbox(World(clock))
    one.groq.durations.in_progress_seconds = 99
    one.github.pace.largest_hydration = 1
    assert other.groq.durations.in_progress_seconds == 0
    assert other.github.pace.largest_hydration != 1
    with one:
        client = groq.Groq(api_key="k", base_url=one.groq_url)
        batch_id = submit(client, [line("a")])
        one.groq.durations.in_progress_seconds = 0
        assert client.batches.retrieve(batch_id).status == "in_progress"
