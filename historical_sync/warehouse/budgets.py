"""Points, streams and waits of GitHub identities, shared by all processes through the database.

Streams are leases: a row per (identity, slot) that expires by itself when its holder dies; on the holder's own machine
it ends as soon as somebody sees that the process is gone. A lease lasts for a turn of requests, so that quick ones need
no transaction each. All times are the callers'.
"""

from __future__ import annotations

import os
import socket
import threading
import uuid
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta

import psutil

from historical_sync.errors import WarehouseError
from historical_sync.github.answers import Allowance
from historical_sync.github.budget import NotYet, Stream
from historical_sync.warehouse.postgres import Transaction, Warehouse

TURN = timedelta(seconds=1)
"""For how long a process sends request after request on a stream before it lets others have it: half of what one page
of hydration takes at GitHub, so there each request is a turn, and only quick ones share one."""
STREAM_LEASE = timedelta(seconds=90)
"""Longer than a turn and any request that begins in it may take (connect and read time-outs of the client)."""
ASK_AGAIN = timedelta(milliseconds=50)
STILL_WAITING = timedelta(seconds=1)
"""How long somebody who asked for a busy stream counts as waiting for it."""
RESERVE_SHARE = 0.1
SAME_WINDOW = timedelta(seconds=90)
"""Two resets closer than this are the same one: GitHub's times wander by seconds."""


@dataclass(slots=True)
class _Turn:
    """A stream that this process holds, and what GitHub last said is left."""

    stream: Stream
    ends_at: datetime
    allowance: Allowance | None = None


class SharedBudget:
    """`github.budget.Budget` in the database, for one team's client. Threads share it."""

    def __init__(
        self, warehouse: Warehouse, team_id: str, *, streams: int = 1, reserve_share: float = RESERVE_SHARE
    ) -> None:
        self._warehouse = warehouse
        self._team_id = team_id
        self._streams = streams
        self._reserve_share = reserve_share
        self._holder = f"{socket.gethostname()}:{os.getpid()}:{uuid.uuid4().hex[:8]}"
        self._guard = threading.Lock()
        self._turns: dict[Stream, _Turn] = {}
        self._idle: list[Stream] = []
        self._end_of_turn: threading.Timer | None = None

    def identity_of(self, token_digest: str) -> str | None:
        """The identity behind a token that any process has seen before."""
        with self._warehouse.transaction() as tx:
            identity: str | None = tx.value(
                "select identity from github_identities where token_digest = %s", [token_digest]
            )
            return identity

    def remember_identity(self, token_digest: str, identity: str) -> None:
        """Note whose token this is."""
        with self._warehouse.transaction() as tx:
            tx.execute(
                """
                insert into github_identities (token_digest, identity) values (%s, %s)
                on conflict (token_digest) do update set identity = excluded.identity, seen_at = now()
                """,
                [token_digest, identity],
            )

    def acquire(self, identities: Sequence[str], now: datetime) -> Stream | NotYet:
        """Take a stream of the identity with the most points above the reserve, or say when to ask again."""
        if (kept := self._take_kept(identities, now)) is not None:
            return kept
        with self._warehouse.transaction() as tx:
            obstacles = []
            for identity, obstacle in _by_points_left(tx, identities, now, self._reserve_share):
                if obstacle is None and (slot := self._take_turn(tx, identity, now)) is not None:
                    stream = Stream(identity, slot, self._holder)
                    self._turns[stream] = _Turn(stream, now + TURN)
                    return stream
                obstacles.append(obstacle or NotYet(now + ASK_AGAIN, "all streams are busy", is_limit=False))
            return min(obstacles, key=lambda one: one.until)

    def release(self, stream: Stream, allowance: Allowance | None, now: datetime, *, is_well: bool = True) -> None:
        """The request is over; within its turn the stream is kept for the next one."""
        turn = self._turns.get(stream) or _Turn(stream, now)
        turn.allowance = allowance or turn.allowance
        if is_well and now < turn.ends_at:
            self._keep(stream)
        else:
            self._give_back([turn])

    def rest(self) -> None:
        """Give back every stream that is kept and not in use."""
        with self._guard:
            kept, self._idle = self._idle, []
            if self._end_of_turn is not None:
                self._end_of_turn.cancel()
                self._end_of_turn = None
        self._give_back([self._turns[stream] for stream in kept])

    def _keep(self, stream: Stream) -> None:
        """Keep a stream for the next request; if none comes within a turn, others may have it."""
        with self._guard:
            self._idle.append(stream)
            if self._end_of_turn is None:
                self._end_of_turn = threading.Timer(TURN.total_seconds(), self._rest_quietly)
                self._end_of_turn.daemon = True
                self._end_of_turn.start()

    def _rest_quietly(self) -> None:
        """Without the database nobody else can take the stream either; its lease ends by itself."""
        with suppress(WarehouseError):
            self.rest()

    def _take_kept(self, identities: Sequence[str], now: datetime) -> Stream | None:
        """A stream whose turn is not over, unless its identity is at its reserve; the others are given back."""
        with self._guard:
            kept, self._idle = self._idle, []
            good = [one for one in kept if self._may_go_on(self._turns[one], identities, now)]
            self._idle = good[1:]
        self._give_back([self._turns[stream] for stream in kept if stream not in good])
        return good[0] if good else None

    def _may_go_on(self, turn: _Turn, identities: Sequence[str], now: datetime) -> bool:
        if turn.stream.identity not in identities or now >= turn.ends_at:
            return False
        told = turn.allowance
        return told is None or not _is_at_reserve(told.limit, told.remaining, told.resets_at, now, self._reserve_share)

    def _give_back(self, turns: Sequence[_Turn]) -> None:
        """End these turns: the streams are free, and what GitHub said is left is known to all."""
        if not turns:
            return
        with self._warehouse.transaction() as tx:
            for turn in sorted(turns, key=lambda one: (one.stream.identity, one.stream.slot)):
                stream = turn.stream
                self._turns.pop(stream, None)
                tx.execute(
                    "delete from github_streams where identity = %s and slot = %s and holder = %s",
                    [stream.identity, stream.slot, stream.holder],
                )
                tx.execute(
                    """
                    insert into github_budgets (identity, last_holder) values (%s, %s)
                    on conflict (identity) do update set last_holder = excluded.last_holder
                    """,
                    [stream.identity, stream.holder],
                )
                if turn.allowance is not None:
                    _note_allowance(tx, stream.identity, turn.allowance)

    def block(self, identity: str, until: datetime, reason: str) -> None:
        """Nobody sends for this identity before `until`."""
        with self._warehouse.transaction() as tx:
            tx.execute(
                """
                insert into github_budgets as old (identity, blocked_until, blocked_reason) values (%s, %s, %s)
                on conflict (identity) do update set blocked_reason = excluded.blocked_reason,
                    blocked_until = greatest(old.blocked_until, excluded.blocked_until)
                """,
                [identity, until, reason],
            )

    def wait_begins(self, reason: str, until: datetime) -> None:
        """Show that this team's work stands still until then."""
        with self._warehouse.transaction() as tx:
            tx.execute(
                """
                insert into github_waits (team_id, holder, reason, resume_at) values (%s, %s, %s, %s)
                on conflict (team_id, holder) do update set reason = excluded.reason, resume_at = excluded.resume_at
                """,
                [self._team_id, self._holder, reason, until],
            )

    def wait_ends(self) -> None:
        """Show that it goes on."""
        with self._warehouse.transaction() as tx:
            tx.execute("delete from github_waits where team_id = %s and holder = %s", [self._team_id, self._holder])

    def _take_turn(self, tx: Transaction, identity: str, now: datetime) -> int | None:
        """Take a slot, unless all are taken, or it was ours last and somebody else waits; who waits, queues."""
        if not self._must_yield(tx, identity, now) and (slot := self._free_slot(tx, identity, now)) is not None:
            tx.execute(
                "delete from github_stream_queue where identity = %s and (holder = %s or asked_at < %s)",
                [identity, self._holder, now - STILL_WAITING],
            )
            return slot
        tx.execute(
            """
            insert into github_stream_queue (identity, holder, asked_at) values (%s, %s, %s)
            on conflict (identity, holder) do update set asked_at = excluded.asked_at
            """,
            [identity, self._holder, now],
        )
        return None

    def _must_yield(self, tx: Transaction, identity: str, now: datetime) -> bool:
        return bool(
            tx.value(
                """
                select exists (
                    select from github_budgets b join github_stream_queue q using (identity)
                    where b.identity = %(identity)s and b.last_holder = %(holder)s
                        and q.holder <> %(holder)s and q.asked_at >= %(since)s
                )
                """,
                {"identity": identity, "holder": self._holder, "since": now - STILL_WAITING},
            )
        )

    def _free_slot(self, tx: Transaction, identity: str, now: datetime) -> int | None:
        slot = self._take_slot(tx, identity, now)
        if slot is None and _end_leases_of_the_dead(tx, identity):
            slot = self._take_slot(tx, identity, now)
        return slot

    def _take_slot(self, tx: Transaction, identity: str, now: datetime) -> int | None:
        for slot in range(self._streams):
            taken = tx.execute(
                """
                insert into github_streams as old (identity, slot, holder, expires_at)
                values (%(identity)s, %(slot)s, %(holder)s, %(expires_at)s)
                on conflict (identity, slot) do update set holder = excluded.holder, expires_at = excluded.expires_at
                where old.expires_at < %(now)s
                """,
                {
                    "identity": identity,
                    "slot": slot,
                    "holder": self._holder,
                    "expires_at": now + STREAM_LEASE,
                    "now": now,
                },
            )
            if taken:
                return slot
        return None


def _end_leases_of_the_dead(tx: Transaction, identity: str) -> bool:
    """End the leases whose holder was a process of this machine that is gone; says whether there were any."""
    holders = [row["holder"] for row in tx.rows("select holder from github_streams where identity = %s", [identity])]
    dead = [holder for holder in holders if _is_gone(holder)]
    ended = dead and tx.execute("delete from github_streams where identity = %s and holder = any(%s)", [identity, dead])
    return bool(ended)


def _is_gone(holder: str) -> bool:
    host, pid, *_ = [*holder.split(":"), ""]
    return host == socket.gethostname() and pid.isdigit() and not psutil.pid_exists(int(pid))


def _by_points_left(
    tx: Transaction, identities: Sequence[str], now: datetime, reserve_share: float
) -> list[tuple[str, NotYet | None]]:
    """The identities, most points left first, each with what stands in its way."""
    known = {
        row["identity"]: row
        for row in tx.rows("select * from github_budgets where identity = any(%s)", [list(identities)])
    }

    def points_left(identity: str) -> int:
        row = known.get(identity)
        is_known = row is not None and row["points_limit"] and row["resets_at"] > now
        return int(row["points_remaining"]) if row is not None and is_known else 1_000_000

    ranked = sorted(dict.fromkeys(identities), key=points_left, reverse=True)
    return [(identity, _obstacle(known.get(identity), now, reserve_share)) for identity in ranked]


def _obstacle(row: dict[str, object] | None, now: datetime, reserve_share: float) -> NotYet | None:
    if row is None:
        return None
    blocked_until, resets_at = row["blocked_until"], row["resets_at"]
    if isinstance(blocked_until, datetime) and blocked_until > now:
        return NotYet(blocked_until, str(row["blocked_reason"]), is_limit=True)
    limit, remaining = row["points_limit"], row["points_remaining"]
    if not isinstance(limit, int) or not isinstance(remaining, int):
        return None
    if isinstance(resets_at, datetime) and _is_at_reserve(limit, remaining, resets_at, now, reserve_share):
        reason = f"{remaining} of {limit} points are left, which is the reserve for your own use"
        return NotYet(resets_at, reason, is_limit=True)
    return None


def _is_at_reserve(limit: int, remaining: int, resets_at: datetime, now: datetime, reserve_share: float) -> bool:
    """Whether only the customer's reserve is left until the reset; a limit of 0 is none."""
    return limit > 0 and resets_at > now and remaining <= limit * reserve_share


def _note_allowance(tx: Transaction, identity: str, allowance: Allowance) -> None:
    """Answers may come in the wrong order: within one window the least counts, and an older window never."""
    tx.execute(
        """
        insert into github_budgets as old (identity, points_limit, points_remaining, resets_at)
        values (%(identity)s, %(limit)s, %(remaining)s, %(resets_at)s)
        on conflict (identity) do update set points_limit = excluded.points_limit,
            points_remaining = case when old.resets_at is null or excluded.resets_at > old.resets_at + %(same)s
                then excluded.points_remaining else least(old.points_remaining, excluded.points_remaining) end,
            resets_at = greatest(old.resets_at, excluded.resets_at)
        where old.resets_at is null or excluded.resets_at > old.resets_at - %(same)s
        """,
        {
            "identity": identity,
            "limit": allowance.limit,
            "remaining": allowance.remaining,
            "resets_at": allowance.resets_at,
            "same": SAME_WINDOW,
        },
    )
