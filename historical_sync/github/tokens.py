"""From a reference to tokens. A reference is what is stored and shown; the token itself is read when a request is made.

`env:NAME` is a variable, `file:PATH` the text of a file, `app:APP_ID:INSTALLATION_ID:KEYREF` a GitHub App's
installation, where KEYREF is an `env:` or `file:` reference to its private key. A team without a reference uses the
pool: GITHUB_TOKENS (several, separated by commas), else GITHUB_TOKEN.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from historical_sync.errors import ConfigurationError, TokenRefused

SHORTEST_SECRET = 16
HOW_TO_GIVE_ONE = "Set GITHUB_TOKEN, or give the team one of its own: `team add TEAM --token-ref env:NAME`."


@dataclass(frozen=True, slots=True)
class AppInstallation:
    """An installation of a GitHub App, and where its private key is."""

    app_id: str
    installation_id: str
    key_ref: str


def references(token_ref: str | None, environment: Mapping[str, str] | None = None) -> list[str]:
    """The references that a team's requests may use: its own, or those of the pool.

    Raises ConfigurationError when there is none.
    """
    if token_ref:
        return [token_ref]
    env = os.environ if environment is None else environment
    pool = _pool(env)
    if pool:
        return [f"env:GITHUB_TOKENS#{place}" for place in range(1, len(pool) + 1)]
    if env.get("GITHUB_TOKEN", "").strip():
        return ["env:GITHUB_TOKEN"]
    raise ConfigurationError("There is no GitHub token.", remedy=HOW_TO_GIVE_ONE)


def read_secret(reference: str, environment: Mapping[str, str] | None = None) -> str:
    """What an `env:` or `file:` reference points at, read now. Raises TokenRefused that names the reference."""
    env = os.environ if environment is None else environment
    kind, _, name = reference.partition(":")
    name, _, place = name.partition("#")
    if kind == "env" and place.isdigit():
        secret = dict(enumerate(_pool(env), start=1)).get(int(place), "")
    elif kind == "env":
        secret = env.get(name, "").strip()
    elif kind == "file":
        secret = _file(name, reference)
    else:
        raise TokenRefused("A token reference is env:NAME, file:PATH or app:…; this is none.", token_ref="")
    if not secret:
        raise TokenRefused(f"There is no token at {reference}.", token_ref=reference)
    return secret


def read_token(reference: str, environment: Mapping[str, str] | None = None) -> str:
    """The token of a reference. Raises TokenRefused where there is none, or a text that cannot be one."""
    token = read_secret(reference, environment)
    if not token.isascii() or not token.isprintable() or " " in token:
        raise TokenRefused(
            f"What is at {reference} is no token: one has no spaces, line breaks or letters outside ASCII.",
            token_ref=reference,
        )
    return token


def without_secret(body: bytes, secret: str) -> bytes:
    """An answer with the secret that was sent blotted out, should the server or a proxy repeat it in its message.

    Short words, which a pull request may hold and no service gives out as a token, are left alone.
    """
    return body.replace(secret.encode(), b"***") if len(secret) >= SHORTEST_SECRET else body


def app_installation(reference: str) -> AppInstallation | None:
    """The installation that an `app:` reference names; None for other references. Raises TokenRefused on a bad one."""
    if not reference.startswith("app:"):
        return None
    parts = reference.split(":", 3)
    if len(parts) != 4 or not all(parts):
        raise TokenRefused("A reference to an App is app:APP_ID:INSTALLATION_ID:KEYREF.", token_ref=reference)
    return AppInstallation(parts[1], parts[2], parts[3])


def digest(token: str) -> str:
    """A name for a token that does not give it away."""
    return hashlib.sha256(token.encode()).hexdigest()[:32]


def _pool(environment: Mapping[str, str]) -> list[str]:
    return [token for text in environment.get("GITHUB_TOKENS", "").split(",") if (token := text.strip())]


def _file(path: str, reference: str) -> str:
    try:
        return Path(path).read_text().strip()
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "not text"
        raise TokenRefused(f"The token at {reference} cannot be read: {reason}.", token_ref=reference) from error
