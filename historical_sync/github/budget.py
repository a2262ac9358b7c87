"""What the client must know of budgets and streams: a small interface. `warehouse.budgets` keeps it in the database.

A budget belongs to a GitHub identity (two tokens of one user share one). A stream is the right to have one request
under way: GitHub allows about one busy stream per identity (60 s of its CPU per minute). Both are shared by all
processes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from historical_sync.github.answers import Allowance


@dataclass(frozen=True, slots=True)
class Stream:
    """The right to have one request under way for `identity`, until it is given back or expires."""

    identity: str
    slot: int
    holder: str


@dataclass(frozen=True, slots=True)
class NotYet:
    """No identity may send now. `until` is when it is worth asking again; `reason` says what for."""

    until: datetime
    reason: str
    is_limit: bool
    """True for a limit or a reserve; False when other requests merely hold all the streams."""


class Budget(Protocol):
    """Points and streams of GitHub identities. All times are the caller's clock, aware and UTC."""

    def identity_of(self, token_digest: str) -> str | None:
        """The identity behind a token that was seen before (by the digest of the token), else None."""

    def remember_identity(self, token_digest: str, identity: str) -> None:
        """Note whose token this is."""

    def acquire(self, identities: Sequence[str], now: datetime) -> Stream | NotYet:
        """Take a stream of the identity with the most points left above the reserve, or say when to ask again."""

    def release(self, stream: Stream, allowance: Allowance | None, now: datetime, *, is_well: bool = True) -> None:
        """The request is over, with what GitHub said is left; `is_well` unless it failed.

        The stream may be kept for the next request of this process, for a turn; `rest` ends that.
        """

    def rest(self) -> None:
        """Give back every stream that is kept and not in use: no request is about to follow."""

    def block(self, identity: str, until: datetime, reason: str) -> None:
        """GitHub limits this identity: nobody sends for it before `until`."""

    def wait_begins(self, reason: str, until: datetime) -> None:
        """Show that work stands still until then."""

    def wait_ends(self) -> None:
        """Show that it goes on."""
