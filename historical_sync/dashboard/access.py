"""Who may see which team: signed links, cookies and bearer tokens, and the loopback exception. Reads no database.

Each grant names a team and its generation, so a team that is removed and added again is not opened by an old link; the
caller compares the generation with the table's. A grant for one team is never looked at for another.
"""

from __future__ import annotations

import hashlib
import hmac
import ipaddress
import os
import secrets
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from itsdangerous import BadSignature, URLSafeSerializer

from historical_sync.errors import ConfigurationError
from historical_sync.records import Team
from historical_sync.settings import Settings

SECRET_KEY_VARIABLE = "HISTORICAL_SYNC_SECRET_KEY"  # noqa: S105 - a variable's name
ADMIN_TOKEN_VARIABLE = "HISTORICAL_SYNC_ADMIN_TOKEN"  # noqa: S105 - a variable's name
LEAST_SECRET_LENGTH = 16
SECONDS_PER_DAY = 86_400

LOOPBACK_NAMES = {"localhost", "127.0.0.1", "[::1]"}
PROXY_HEADERS = ("forwarded", "x-forwarded-for", "x-forwarded-host", "x-forwarded-proto", "x-real-ip", "via")
"""What a proxy adds: a request that carries one did not start on this machine, whatever its address says."""


@dataclass(frozen=True, slots=True)
class Grant:
    """The right to read one team's data until `expires_at` (seconds since 1970)."""

    team_id: str
    generation: int
    expires_at: int


def signed_link(settings: Settings, team: Team, *, base_url: str | None = None, valid_days: float = 30) -> str:
    """The address that opens the team's page for whoever has it, until it expires."""
    token = _sign(secret_key(settings), "link", _grant(team, valid_days))
    return f"{base_url or base_address(settings)}/open/{token}"


def bearer_token(settings: Settings, team: Team, *, valid_days: float = 365) -> str:
    """A token for programs that read the team's data: `Authorization: Bearer …`."""
    return _sign(secret_key(settings), "bearer", _grant(team, valid_days))


def cookie_value(key: str, grant: Grant) -> str:
    """What the browser keeps of a link it opened."""
    return _sign(key, "cookie", grant)


def cookie_name(team_id: str) -> str:
    """One cookie a team, so that two teams' links work side by side."""
    return f"historical_sync_{team_id}"


def read_grant(key: str, purpose: str, token: str, *, now: float | None = None) -> Grant | None:
    """The grant in a token made for this `purpose` (`link`, `cookie`, `bearer`); None if forged, altered or expired."""
    try:
        team_id, generation, expires_at = _serializer(key, purpose).loads(token)
    except (BadSignature, ValueError, TypeError):
        return None
    grant = Grant(team_id, generation, expires_at)
    return grant if grant.expires_at > (time.time() if now is None else now) else None


def expiry(grant: Grant) -> datetime:
    """When the right ends, in UTC."""
    return datetime.fromtimestamp(grant.expires_at, UTC)


def secret_key(settings: Settings, environment: Mapping[str, str] | None = None) -> str:
    """The key that signs: HISTORICAL_SYNC_SECRET_KEY, or one made once and kept in the home folder for its owner."""
    env = os.environ if environment is None else environment
    given = env.get(SECRET_KEY_VARIABLE, "")
    if given and len(given) < LEAST_SECRET_LENGTH:
        raise ConfigurationError(
            f"{SECRET_KEY_VARIABLE} is too short; it takes at least {LEAST_SECRET_LENGTH} characters."
        )
    return given or _kept_key(settings.home / "secret_key")


def _kept_key(path: Path) -> str:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        _write_once(path, secrets.token_urlsafe(32))
        if path.stat().st_mode & 0o077:
            path.chmod(0o600)
        return path.read_text(encoding="ascii")
    except OSError as error:
        raise ConfigurationError(
            f"The key that signs links cannot be kept in {path}: {error.strerror}.",
            remedy=f"Set HISTORICAL_SYNC_HOME to a writable folder, or set {SECRET_KEY_VARIABLE}.",
        ) from error


def _write_once(path: Path, key: str) -> None:
    """Whole or not at all, and never over a key that another process has just made."""
    if path.exists():
        return
    draft = path.with_name(f"{path.name}.{os.getpid()}.{secrets.token_hex(4)}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="ascii") as file:
        file.write(key)
    try:
        os.link(draft, path)
    except FileExistsError:
        return
    finally:
        draft.unlink()


def base_address(settings: Settings, *, port: int = 3001) -> str:
    """Where people reach the page: HISTORICAL_SYNC_PUBLIC_URL, or this machine."""
    return settings.public_url or settings.page_url or f"http://127.0.0.1:{port}"


def is_administrator(authorization: str | None, environment: Mapping[str, str] | None = None) -> bool:
    """Whether the header carries HISTORICAL_SYNC_ADMIN_TOKEN; never, where that is unset or too short."""
    wanted = (os.environ if environment is None else environment).get(ADMIN_TOKEN_VARIABLE, "")
    given = bearer_of(authorization) or ""
    return len(wanted) >= LEAST_SECRET_LENGTH and hmac.compare_digest(given.encode(), wanted.encode())


def bearer_of(authorization: str | None) -> str | None:
    """The token of an `Authorization: Bearer …` header; None if there is none."""
    scheme, _, token = (authorization or "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" and token.strip() else None


def is_local(client: str | None, http_version: str, headers: Mapping[str, str]) -> bool:
    """Whether a request comes from a person on this machine, as far as its connection can prove it.

    The peer is loopback; no proxy left its mark (nginx's default leaves none but HTTP/1.0); and the Host is a loopback
    name, which a web page that points its own name at this machine (DNS rebinding) cannot have.
    """
    if client is None or not _is_loopback(client) or http_version == "1.0":
        return False
    return host_name(headers.get("host", "")) in LOOPBACK_NAMES and not any(name in headers for name in PROXY_HEADERS)


def host_name(host: str) -> str:
    """The Host header without its port."""
    name = host.rpartition(":")[0] if ":" in host and not host.endswith("]") else host
    return name.lower()


def _is_loopback(client: str) -> bool:
    try:
        address = ipaddress.ip_address(client)
    except ValueError:
        return False
    mapped = getattr(address, "ipv4_mapped", None)
    return (mapped or address).is_loopback


def _grant(team: Team, valid_days: float) -> Grant:
    return Grant(team.team_id, team.generation, int(time.time() + valid_days * SECONDS_PER_DAY))


def _sign(key: str, purpose: str, grant: Grant) -> str:
    signed = _serializer(key, purpose).dumps([grant.team_id, grant.generation, grant.expires_at])
    return signed if isinstance(signed, str) else signed.decode("ascii")


def _serializer(key: str, purpose: str) -> URLSafeSerializer:
    return URLSafeSerializer(
        key,
        salt=f"historical_sync/{purpose}",
        signer_kwargs={"key_derivation": "hmac", "digest_method": hashlib.sha256},
    )
