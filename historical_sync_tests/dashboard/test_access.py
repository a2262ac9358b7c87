"""Signed links, tokens and the loopback exception: what opens a team's page, and what nearly does."""

import stat
from datetime import UTC, datetime
from pathlib import Path

import pytest

from historical_sync.dashboard import access
from historical_sync.errors import ConfigurationError
from historical_sync.records import Team
from historical_sync.settings import Settings

KEY = "k" * 32


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings.from_environment({"HISTORICAL_SYNC_HOME": str(tmp_path / "home")})


def make_team(team_id: str = "acme", generation: int = 1) -> Team:
    return Team(team_id, generation, None, "active", 12, None, datetime.now(UTC), None, None)


def token_of(link: str) -> str:
    return link.rpartition("/")[2]


def test_a_link_opens_its_team_until_it_expires(settings: Settings) -> None:
    """The grant in a link names the team and its generation, and ends when it says."""
    key = access.secret_key(settings, {})
    token = token_of(access.signed_link(settings, make_team(generation=3), valid_days=1))
    grant = access.read_grant(key, "link", token)
    assert grant is not None
    assert (grant.team_id, grant.generation) == ("acme", 3)
    assert access.read_grant(key, "link", token, now=grant.expires_at + 1) is None


def test_an_altered_or_foreign_token_opens_nothing(settings: Settings) -> None:
    """One changed character, another key, or a token made for another purpose is no grant."""
    key = access.secret_key(settings, {})
    token = token_of(access.signed_link(settings, make_team()))
    assert access.read_grant(key, "link", token[:-1] + ("a" if token[-1] != "a" else "b")) is None
    assert access.read_grant(KEY, "link", token) is None
    assert access.read_grant(key, "cookie", token) is None
    assert access.read_grant(key, "bearer", token) is None
    assert access.read_grant(key, "link", "") is None


def test_the_key_is_made_once_and_kept_for_its_owner(settings: Settings) -> None:
    """Without a variable the key lives in the home folder, readable by nobody else, and stays the same."""
    first = access.secret_key(settings, {})
    path = settings.home / "secret_key"
    assert access.secret_key(settings, {}) == first == path.read_text()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert list(settings.home.iterdir()) == [path]


def test_a_key_that_others_can_read_is_closed(settings: Settings) -> None:
    """A key file whose permissions were opened is closed again when it is read."""
    access.secret_key(settings, {})
    path = settings.home / "secret_key"
    path.chmod(0o644)
    access.secret_key(settings, {})
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_a_short_key_is_refused(settings: Settings) -> None:
    """A secret that can be guessed signs nothing; the message does not repeat it."""
    with pytest.raises(ConfigurationError) as caught:
        access.secret_key(settings, {access.SECRET_KEY_VARIABLE: "hunter2"})
    assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize(
    ("client", "version", "headers"),
    [
        ("127.0.0.1", "1.1", {"host": "127.0.0.1:3001"}),
        ("127.0.0.1", "1.1", {"host": "localhost:3001"}),
        ("127.0.0.9", "1.1", {"host": "LOCALHOST"}),
        ("::1", "1.1", {"host": "[::1]:3001"}),
        ("::ffff:127.0.0.1", "2", {"host": "localhost"}),
    ],
)
def test_this_machines_user_is_let_in(client: str, version: str, headers: dict[str, str]) -> None:
    """A browser on this machine that asks for a loopback name."""
    assert access.is_local(client, version, headers)


@pytest.mark.parametrize(
    ("client", "version", "headers"),
    [
        ("10.0.0.4", "1.1", {"host": "localhost:3001"}),  # another machine that calls us localhost
        ("127.0.0.1", "1.1", {"host": "evil.example:3001"}),  # DNS rebinding: a name that points here
        ("127.0.0.1", "1.1", {"host": "localhost.evil.example"}),
        ("127.0.0.1", "1.1", {"host": ""}),
        ("127.0.0.1", "1.1", {}),
        ("127.0.0.1", "1.1", {"host": "localhost", "x-forwarded-for": "127.0.0.1"}),  # a proxy on this machine
        ("127.0.0.1", "1.1", {"host": "localhost", "forwarded": "for=127.0.0.1"}),
        ("127.0.0.1", "1.1", {"host": "localhost", "via": "1.1 proxy"}),
        ("127.0.0.1", "1.0", {"host": "127.0.0.1:3001"}),  # nginx's default: no header, the upstream's own Host
        (None, "1.1", {"host": "localhost"}),
        ("unix", "1.1", {"host": "localhost"}),
    ],
)
def test_what_only_looks_local_is_not(client: str | None, version: str, headers: dict[str, str]) -> None:
    """A proxy, another machine or a rebound name is not this machine's user, whatever it claims."""
    assert not access.is_local(client, version, headers)


def test_the_administrators_token_must_be_set_and_whole() -> None:
    """Without a token set nobody is an administrator, not even with an empty one; nor with a part of it."""
    environment = {access.ADMIN_TOKEN_VARIABLE: "a-long-enough-secret"}
    assert access.is_administrator("Bearer a-long-enough-secret", environment)
    assert access.is_administrator("bearer a-long-enough-secret", environment)
    assert not access.is_administrator("Bearer a-long-enough-secre", environment)
    assert not access.is_administrator("Basic a-long-enough-secret", environment)
    assert not access.is_administrator("Bearer ", {})
    assert not access.is_administrator(None, {access.ADMIN_TOKEN_VARIABLE: ""})
    assert not access.is_administrator("Bearer short", {access.ADMIN_TOKEN_VARIABLE: "short"})
