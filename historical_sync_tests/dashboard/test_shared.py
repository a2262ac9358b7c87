"""One answer for everybody who asks at the same time."""

import asyncio
import threading

import pytest

from historical_sync.dashboard.routes.shared import Shared


def test_readers_at_the_same_time_share_one_look() -> None:
    """Fifty ask at once: the work is done once, and all have its answer; other keys have their own."""
    done: list[str] = []

    async def everybody() -> list[str]:
        shared = Shared[str](seconds=60)
        asked = [shared.get(key, lambda key=key: done.append(key) or f"{key}!") for key in ["acme", "rival"] * 25]
        return await asyncio.gather(*asked)

    assert set(asyncio.run(everybody())) == {"acme!", "rival!"}
    assert sorted(done) == ["acme", "rival"]


def test_an_answer_is_good_for_its_time_and_an_error_for_none() -> None:
    """With no time to live it is asked for again; who comes after an error asks anew."""
    calls: list[int] = []

    def work() -> int:
        calls.append(len(calls))
        if len(calls) == 1:
            raise ValueError("the first fails")
        return len(calls)

    async def twice() -> list[int]:
        shared = Shared[int](seconds=0)
        with pytest.raises(ValueError, match="the first fails"):
            await shared.get("key", work)
        return [await shared.get("key", work), await shared.get("key", work)]

    assert asyncio.run(twice()) == [2, 3]


def test_a_reader_who_leaves_does_not_take_the_answer_from_the_others() -> None:
    """One of two gives up waiting; the other still gets it, from work that was done once."""
    goes_on = threading.Event()
    calls: list[int] = []

    def work() -> str:
        calls.append(1)
        goes_on.wait(30)
        return "here"

    async def both() -> str:
        shared = Shared[str](seconds=60)
        stays = asyncio.create_task(shared.get("key", work))
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(shared.get("key", work), 0.05)
        goes_on.set()
        return await stays

    assert asyncio.run(both()) == "here"
    assert len(calls) == 1
