"""Points and streams that all processes share."""

import socket
import subprocess
import time
from datetime import timedelta

import pytest

from historical_sync.github.answers import Allowance
from historical_sync.github.budget import NotYet, Stream
from historical_sync.warehouse.budgets import STREAM_LEASE, TURN, SharedBudget
from historical_sync.warehouse.postgres import Warehouse
from historical_sync_tests.factories import add_team, at

NOW = at("2025-04-10T12:00")
RESET = NOW + timedelta(minutes=30)


@pytest.fixture
def budget(warehouse: Warehouse) -> SharedBudget:
    with warehouse.transaction() as tx:
        add_team(tx)
    return SharedBudget(warehouse, "acme")


def take(budget: SharedBudget, *identities: str, now: object = NOW) -> Stream:
    found = budget.acquire(identities, now)  # type: ignore[arg-type]
    assert isinstance(found, Stream), found
    return found


def give_back(budget: SharedBudget, stream: Stream, allowance: Allowance | None) -> None:
    """End a request, and the turn with it."""
    budget.release(stream, allowance, NOW)
    budget.rest()


def test_one_stream_an_identity(budget: SharedBudget, warehouse: Warehouse) -> None:
    """A second process is told to ask again soon; when the stream is given back it gets it."""
    stream = take(budget, "ada")
    other = SharedBudget(warehouse, "acme")
    waiting = other.acquire(["ada"], NOW)
    assert isinstance(waiting, NotYet)
    assert not waiting.is_limit
    give_back(budget, stream, None)
    assert take(other, "ada").identity == "ada"


def test_who_waits_gets_the_next_turn(budget: SharedBudget, warehouse: Warehouse) -> None:
    """The one that had the stream last leaves it to the one that waits; who no longer waits is not waited for."""
    other = SharedBudget(warehouse, "acme")
    stream = take(budget, "ada")
    assert isinstance(other.acquire(["ada"], NOW), NotYet)
    give_back(budget, stream, None)
    assert isinstance(budget.acquire(["ada"], NOW), NotYet)
    stream = take(other, "ada")
    give_back(other, stream, None)
    take(budget, "ada", now=NOW + timedelta(seconds=2))


def test_quick_requests_share_a_turn(budget: SharedBudget, warehouse: Warehouse) -> None:
    """Within its turn a process keeps the stream from one request to the next; then who waits gets it."""
    other = SharedBudget(warehouse, "acme")
    stream = take(budget, "ada")
    budget.release(stream, Allowance(5000, 4000, RESET), NOW + timedelta(milliseconds=300))
    assert isinstance(other.acquire(["ada"], NOW + timedelta(milliseconds=400)), NotYet)
    assert take(budget, "ada", now=NOW + timedelta(milliseconds=500)) == stream
    budget.release(stream, Allowance(5000, 3999, RESET), NOW + TURN)
    assert take(other, "ada", now=NOW + TURN).identity == "ada"


def test_a_turn_ends_at_the_reserve(budget: SharedBudget) -> None:
    """What GitHub said last counts at once, not only at the end of the turn."""
    budget.release(take(budget, "ada"), Allowance(5000, 500, RESET), NOW)
    waiting = budget.acquire(["ada"], NOW)
    assert isinstance(waiting, NotYet)
    assert (waiting.until, waiting.is_limit) == (RESET, True)


def test_a_turn_ends_with_a_failure(budget: SharedBudget, warehouse: Warehouse) -> None:
    """Whose request failed may wait before it asks again; others need not."""
    budget.release(take(budget, "ada"), None, NOW, is_well=False)
    take(SharedBudget(warehouse, "acme"), "ada")


def test_a_stream_that_is_kept_and_not_used_goes_back(budget: SharedBudget, warehouse: Warehouse) -> None:
    """A process that does something else than asking holds no stream for longer than a turn."""
    budget.release(take(budget, "ada"), None, NOW)
    other = SharedBudget(warehouse, "acme")
    for _ in range(600):
        if isinstance(other.acquire(["ada"], NOW), Stream):
            return
        time.sleep(0.05)
    raise AssertionError("the stream never came back")


def test_a_stream_of_a_dead_holder_ends(budget: SharedBudget, warehouse: Warehouse) -> None:
    """Nobody gives it back; it is free when the lease is over, and the dead holder's release changes nothing then."""
    stream = take(budget, "ada")
    later = NOW + STREAM_LEASE + timedelta(seconds=1)
    other = SharedBudget(warehouse, "acme")
    take(other, "ada", now=later)
    give_back(budget, stream, None)
    assert isinstance(budget.acquire(["ada"], later), NotYet)


@pytest.mark.parametrize(("host", "is_free"), [(socket.gethostname(), True), ("another-machine", False)])
def test_a_process_that_is_gone_is_not_waited_for(
    budget: SharedBudget, warehouse: Warehouse, host: str, is_free: bool
) -> None:
    """A lease of this machine ends with its process; another machine's processes cannot be seen from here."""
    take(budget, "ada")
    ended = subprocess.Popen(["true"])
    ended.wait()
    with warehouse.transaction() as tx:
        tx.execute("update github_streams set holder = %s", [f"{host}:{ended.pid}:c0ffee"])
    assert isinstance(SharedBudget(warehouse, "acme").acquire(["ada"], NOW), Stream) == is_free


def test_the_identity_with_most_points_goes_first(budget: SharedBudget) -> None:
    """And one at its reserve waits for its reset, while the other goes on."""
    give_back(budget, take(budget, "ada"), Allowance(5000, 3000, RESET))
    give_back(budget, take(budget, "bob"), Allowance(5000, 4000, RESET))
    first = take(budget, "ada", "bob")
    assert first.identity == "bob"
    give_back(budget, first, Allowance(5000, 500, RESET))
    assert take(budget, "ada", "bob").identity == "ada"


def test_the_reserve_waits_for_the_reset(budget: SharedBudget) -> None:
    """At a tenth of the limit nothing is sent until the window ends; a point above it is."""
    give_back(budget, take(budget, "ada"), Allowance(5000, 501, RESET))
    stream = take(budget, "ada")
    give_back(budget, stream, Allowance(5000, 500, RESET))
    waiting = budget.acquire(["ada"], NOW)
    assert isinstance(waiting, NotYet)
    assert (waiting.until, waiting.is_limit) == (RESET, True)
    assert isinstance(budget.acquire(["ada"], RESET + timedelta(seconds=1)), Stream)


def test_answers_in_the_wrong_order_do_not_give_points_back(budget: SharedBudget) -> None:
    """Within a window the least counts; a later window replaces it; an earlier one is ignored."""
    give_back(budget, take(budget, "ada"), Allowance(5000, 400, RESET))
    for late in (
        Allowance(5000, 4000, RESET + timedelta(seconds=1)),
        Allowance(5000, 4999, RESET - timedelta(hours=1)),
    ):
        give_back(budget, Stream("ada", 9, "x"), late)
        assert isinstance(budget.acquire(["ada"], NOW), NotYet)
    give_back(budget, Stream("ada", 9, "x"), Allowance(5000, 4900, RESET + timedelta(hours=1)))
    assert isinstance(budget.acquire(["ada"], NOW), Stream)


def test_a_server_without_limits_has_no_reserve(budget: SharedBudget) -> None:
    """0 of 0 means switched off."""
    give_back(budget, take(budget, "ada"), Allowance(0, 0, RESET))
    assert isinstance(budget.acquire(["ada"], NOW), Stream)


def test_a_blocked_identity_waits_and_says_why(budget: SharedBudget, warehouse: Warehouse) -> None:
    """After a secondary limit every process leaves the identity alone; a shorter block does not shorten it."""
    budget.block("ada", NOW + timedelta(seconds=90), "secondary limit")
    budget.block("ada", NOW + timedelta(seconds=30), "secondary limit")
    waiting = SharedBudget(warehouse, "acme").acquire(["ada"], NOW)
    assert isinstance(waiting, NotYet)
    assert (waiting.until, waiting.reason) == (NOW + timedelta(seconds=90), "secondary limit")
    assert isinstance(budget.acquire(["ada", "bob"], NOW), Stream)


def test_a_wait_is_seen_while_it_lasts(budget: SharedBudget, warehouse: Warehouse) -> None:
    """The table of waits says why and until when, and is empty afterwards."""
    budget.wait_begins("secondary limit", RESET)
    budget.wait_begins("still the secondary limit", RESET)
    with warehouse.transaction() as tx:
        assert [row["resume_at"] for row in tx.rows("select * from github_waits")] == [RESET]
    budget.wait_ends()
    with warehouse.transaction() as tx:
        assert tx.rows("select * from github_waits") == []


def test_an_identity_is_remembered_by_the_tokens_digest(budget: SharedBudget, warehouse: Warehouse) -> None:
    """Another process need not ask whose token it is."""
    budget.remember_identity("d1", "ada")
    assert SharedBudget(warehouse, "acme").identity_of("d1") == "ada"
    assert budget.identity_of("d2") is None
