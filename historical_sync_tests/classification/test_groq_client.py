"""The client against the sandbox: addresses, errors, lists, and a key that is never told."""

import logging
from typing import Any

import pytest

from historical_sync.classification import groq_client
from historical_sync.classification.groq_client import GroqClient, connect, inspect_key
from historical_sync.classification.groq_replies import NotFound
from historical_sync.errors import GroqRefused, GroqUnavailable
from historical_sync.sandbox.groq.listing import Listing
from historical_sync.sandbox.server import Sandbox
from historical_sync.settings import Settings

LINE = (
    b'{"custom_id":"one","method":"POST","url":"/v1/chat/completions","body":{"model":"openai/gpt-oss-20b",'
    b'"messages":[{"role":"user","content":"x"}]}}\n'
)


@pytest.mark.parametrize("ending", ["", "/", "/openai/v1", "/openai/v1/"])
def test_the_address_may_hold_the_path(sandbox: Sandbox, groq: GroqClient, ending: str) -> None:
    """GROQ_BASE_URL works with and without /openai/v1."""
    client = GroqClient(sandbox.groq_url + ending)
    state = client.create_batch(client.upload("a.jsonl", LINE), {"intent": "i"})
    assert client.retrieve_batch(state.batch_id).has_ended


def test_without_a_key_there_is_no_client(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    """connect() gives None without GROQ_API_KEY; a key that goes missing later is a clear refusal."""
    monkeypatch.delenv("GROQ_API_KEY", raising=False)
    assert connect(settings) is None
    assert inspect_key(settings) is None
    with pytest.raises(GroqRefused, match="GROQ_API_KEY is not set"):
        GroqClient(settings.groq_base_url).upload("a.jsonl", b"")


def test_the_key_is_read_at_each_call(sandbox: Sandbox, groq: GroqClient, monkeypatch: pytest.MonkeyPatch) -> None:
    """A new key is used without a new client."""
    sandbox.groq.keys = {"gsk_new"}
    with pytest.raises(GroqRefused):
        groq.upload("a.jsonl", LINE)
    monkeypatch.setenv("GROQ_API_KEY", "gsk_new")
    assert groq.upload("a.jsonl", LINE)


@pytest.mark.parametrize(
    ("kind", "error", "code"),
    [
        ("groq_401", GroqRefused, "invalid_api_key"),
        ("groq_403", GroqRefused, "not_available_for_plan"),
        ("groq_404", NotFound, None),
        ("groq_404_model", GroqRefused, "model_gone"),
        ("groq_model_decommissioned", GroqRefused, "model_gone"),
        ("groq_429", GroqUnavailable, None),
        ("groq_500", GroqUnavailable, None),
        ("groq_503", GroqUnavailable, None),
        ("groq_reset", GroqUnavailable, None),
        ("groq_lost_answer", GroqUnavailable, None),
        ("groq_cut", GroqUnavailable, None),
        ("groq_truncated", GroqUnavailable, None),
    ],
)
def test_errors_say_whether_waiting_helps(
    sandbox: Sandbox,
    groq: GroqClient,
    kind: str,
    error: type[Exception],
    code: str | None,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Each kind of trouble becomes our error with Groq's code, and nothing tells the key."""
    caplog.set_level(logging.DEBUG)
    file_id = groq.upload("a.jsonl", LINE)
    sandbox.faults.add(kind)
    with pytest.raises(error) as caught:
        groq.create_batch(file_id, {})
    assert getattr(caught.value, "code", None) == code
    told = f"{caught.value!r} {caught.value.__cause__!r} {vars(caught.value)} {caplog.text}"
    assert "gsk_for_tests" not in told


def test_creating_a_batch_is_never_repeated(sandbox: Sandbox, groq: GroqClient) -> None:
    """The SDK would send it again after a 500; here one call is one request."""
    file_id = groq.upload("a.jsonl", LINE)
    sandbox.faults.add("groq_500", operation="batches.create")
    with pytest.raises(GroqUnavailable):
        groq.create_batch(file_id, {})
    assert len(sandbox.requests.of("batches.create")) == 1


def test_reading_is_repeated_within_seconds(sandbox: Sandbox, groq: GroqClient) -> None:
    """A hiccup while asking for a batch is not worth a pause of the whole pass."""
    state = groq.create_batch(groq.upload("a.jsonl", LINE), {})
    sandbox.faults.add("groq_503", operation="batches.retrieve", times=2)
    assert groq.retrieve_batch(state.batch_id).batch_id == state.batch_id


@pytest.mark.parametrize("kind", ["groq_timeout", "groq_lost_silence"])
def test_no_answer_ever_is_a_time_out(
    sandbox: Sandbox, groq: GroqClient, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    """Every call has its own limit, and says that Groq may have done what was asked."""
    monkeypatch.setattr(groq_client, "READ_TIMEOUT_SECONDS", 0.3)
    file_id = groq.upload("a.jsonl", LINE)
    sandbox.faults.add(kind)
    with pytest.raises(GroqUnavailable) as caught:
        groq.create_batch(file_id, {})
    assert caught.value.is_timeout
    assert caught.value.may_have_arrived


def test_a_closed_port_cannot_have_billed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where nobody listens nothing arrives."""
    monkeypatch.setenv("GROQ_API_KEY", "gsk_for_tests")
    with pytest.raises(GroqUnavailable) as caught:
        GroqClient("http://127.0.0.1:9").upload("a.jsonl", LINE)
    assert not caught.value.may_have_arrived


@pytest.mark.parametrize("style", ["cursor", "after", "both"])
@pytest.mark.parametrize("forgets_metadata", [False, True])
def test_a_lost_batch_is_found_however_the_list_is_paged(
    sandbox: Sandbox, groq: GroqClient, style: str, forgets_metadata: bool
) -> None:
    """Groq pages by cursor, OpenAI by after; the input file names the batch even where metadata is lost."""
    sandbox.groq.listing = Listing(page_size=2, style=style)
    if forgets_metadata:
        sandbox.faults.add("batch_without_metadata")
    mine = groq.upload("mine.jsonl", LINE)
    created = groq.create_batch(mine, {"intent": "mine"})
    other = groq.upload("other.jsonl", LINE)
    for _ in range(7):
        groq.create_batch(other, {"intent": "other"})
    found = groq.find_batch("mine", mine)
    assert found is not None
    assert found.batch_id == created.batch_id
    assert groq.find_batch("nobody's", "file_unknown") is None
    assert len({state.batch_id for state in groq.batches()}) == 8


def test_a_list_that_ignores_the_page_ends(sandbox: Sandbox, groq: GroqClient, monkeypatch: pytest.MonkeyPatch) -> None:
    """A server that always gives the first page with a next cursor is not asked for ever."""
    groq.create_batch(groq.upload("a.jsonl", LINE), {})
    page = {"data": [{"id": "batch_1", "status": "completed"}], "paging": {"next_cursor": "again"}, "has_more": True}
    asked: list[Any] = []
    monkeypatch.setattr(groq, "_page", lambda query: asked.append(query) or page)
    assert len(list(groq.batches())) == 1
    assert len(asked) == 2


def test_what_a_key_can_do(sandbox: Sandbox, groq: GroqClient, settings: Settings) -> None:
    """Models and batches, without spending a token."""
    report = inspect_key(settings)
    assert report is not None
    assert "openai/gpt-oss-20b" in report.models
    assert report.has_batches is True
    sandbox.faults.add("groq_403")
    assert groq.has_batches() is False
    sandbox.faults.clear()
    sandbox.faults.add("groq_401")
    with pytest.raises(GroqRefused):
        inspect_key(settings)
