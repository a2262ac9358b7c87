"""A token stays ours, whatever the server repeats and whatever stands where a token should."""

import traceback

import pytest

from historical_sync.errors import ConfigurationError, GitHubError, TokenRefused
from historical_sync.github import queries
from historical_sync.github.tokens import read_token
from historical_sync.github.transport import Transport
from historical_sync_tests.end_to_end.planting import Echo

TOKEN = "ghp_planted0123456789ABCDEFGHIJ"


def told(ref: str, api_url: str) -> str:
    """Everything that an attempt to ask tells, down to the last chained exception."""
    try:
        _, answer = Transport(api_url).ask(ref, queries.IDENTITY, {})
    except (GitHubError, ConfigurationError) as error:
        return "".join(traceback.format_exception(error)) + error.remedy
    return repr(answer)


@pytest.mark.parametrize("status", [200, 401, 403, 404, 422, 429, 500, 502])
def test_a_server_that_repeats_the_token(status: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever the status, the message that quotes our header is told without the token in it."""
    monkeypatch.setenv("GITHUB_TOKEN", TOKEN)
    with Echo(status) as echo:
        said = told("env:GITHUB_TOKEN", echo.url)
        assert echo.requests == 1
    assert TOKEN not in said
    assert "planted" not in said
    if status not in (404,):
        assert "Bearer ***" in said, "the rest of the message is still told"


@pytest.mark.parametrize("text", [f"{TOKEN}\nsecond line", f"{TOKEN} and more", f"{TOKEN}…", f"user:{TOKEN}\x7f"])
def test_what_cannot_be_a_token_is_refused_unread(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A text that no header takes is refused by its reference; the library that would quote it never sees it."""
    monkeypatch.setenv("GITHUB_TOKEN", text)
    with pytest.raises(TokenRefused, match="env:GITHUB_TOKEN"):
        read_token("env:GITHUB_TOKEN")
    with Echo() as echo:
        assert "planted" not in told("env:GITHUB_TOKEN", echo.url)
        assert echo.requests == 0


def test_nobody_at_the_other_end(monkeypatch: pytest.MonkeyPatch) -> None:
    """A connection that fails is told by the kind of failure, without the library's own chain of messages."""
    monkeypatch.setenv("GITHUB_TOKEN", TOKEN)
    with Echo() as echo:
        url = echo.url
    said = told("env:GITHUB_TOKEN", url)
    assert "connection to GitHub failed" in said
    assert "planted" not in said
