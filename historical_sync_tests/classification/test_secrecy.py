"""The key stays ours, whatever Groq or a proxy repeats and whatever stands where the key should."""

import traceback
from collections.abc import Callable

import pytest

from historical_sync.classification.groq_client import GroqClient
from historical_sync.errors import ClassificationError
from historical_sync_tests.end_to_end.planting import Echo

KEY = "gsk_planted0123456789ABCDEFGHIJ"

CALLS: dict[str, Callable[[GroqClient], object]] = {
    "upload": lambda groq: groq.upload("a.jsonl", b"{}\n"),
    "create": lambda groq: groq.create_batch("file_1", {"intent": "i"}),
    "retrieve": lambda groq: groq.retrieve_batch("batch_1"),
    "list": lambda groq: list(groq.batches()),
    "download": lambda groq: groq.download("file_1"),
    "complete": lambda groq: groq.complete("a", {"model": "m", "messages": [{"role": "user", "content": "?"}]}),
    "models": lambda groq: groq.models(),
}


def told(call: str, base_url: str) -> str:
    """Everything that a call tells: its result, or its error down to the last chained exception."""
    try:
        return repr(CALLS[call](GroqClient(base_url)))
    except ClassificationError as error:
        return "".join(traceback.format_exception(error)) + error.remedy


@pytest.mark.parametrize("status", [400, 401, 403, 404])
@pytest.mark.parametrize("call", CALLS)
def test_a_server_that_repeats_the_key(call: str, status: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever was asked and whatever the status: the message that quotes our header is told without the key."""
    monkeypatch.setenv("GROQ_API_KEY", KEY)
    with Echo(status) as echo:
        said = told(call, echo.url)
        assert echo.requests >= 1
    assert "planted" not in said
    assert "refused" in said


@pytest.mark.parametrize("status", [429, 500])
def test_a_server_in_trouble_that_repeats_the_key(status: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """The same where waiting helps."""
    monkeypatch.setenv("GROQ_API_KEY", KEY)
    with Echo(status) as echo:
        assert "planted" not in told("create", echo.url)


@pytest.mark.parametrize("text", [f"{KEY}\nsecond line", f"{KEY} and more", f"{KEY}…"])
def test_what_cannot_be_a_key_is_refused_unsent(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A text that no header takes is refused by the variable's name; the library that would quote it never sees it."""
    monkeypatch.setenv("GROQ_API_KEY", text)
    with Echo() as echo:
        said = told("models", echo.url)
        assert echo.requests == 0
    assert "GROQ_API_KEY holds no key" in said
    assert "planted" not in said


def test_nobody_at_the_other_end(monkeypatch: pytest.MonkeyPatch) -> None:
    """A connection that fails is told without the key."""
    monkeypatch.setenv("GROQ_API_KEY", KEY)
    with Echo() as echo:
        url = echo.url
    said = told("create", url)
    assert "cannot be reached" in said
    assert "planted" not in said
