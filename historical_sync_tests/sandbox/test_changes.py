"""What moves between two answers: on time, seeded, and visible to the next query only."""

import random

import pytest

from historical_sync.sandbox.changes import WAYS, change_something
from historical_sync.sandbox.server import Sandbox
from historical_sync.sandbox.world import World
from historical_sync_tests.sandbox.conftest import post
from historical_sync_tests.sandbox.worlds import add_pull_request, numbered

NEWEST = """{ repository(owner: "acme", name: "api") {
    pullRequests(first: 1, orderBy: {field: UPDATED_AT, direction: DESC}) { totalCount nodes { number title } } } }"""


def newest(running: Sandbox) -> dict[str, object]:
    found: dict[str, object] = post(running, NEWEST).json()["data"]["repository"]["pullRequests"]
    return found


def test_a_change_is_made_after_the_nth_answer() -> None:
    """The second answer is the last that does not know it."""
    with Sandbox(numbered(5)) as running:
        running.changes.after(2, lambda world: world.touch(world.pull_request("acme/api", 2)))
        seen = [newest(running)["nodes"] for _ in range(3)]
        assert [one[0]["number"] for one in seen] == [5, 5, 2]  # type: ignore[index]
        assert running.changes.made == 1


@pytest.mark.parametrize("way", sorted(WAYS))
def test_each_way_moves_one_pull_request(way: str) -> None:
    """Whatever changes, the order by update knows, and the world stays whole."""
    world = numbered(4)
    add_pull_request(world, world.repositories["acme/api"], 5, state="OPEN", merged_at=None, closed_at=None)
    before = {one.number: one.updated_at for one in world.pull_requests()}
    changed = change_something(world, random.Random(3), way)
    assert changed is not None
    after = {one.number: one.updated_at for one in world.pull_requests()}
    assert len(set(before.items()) ^ set(after.items())) >= 1
    assert len(after) == {"open": 6, "delete": 4}.get(way, 5)


def test_a_merge_needs_an_open_pull_request() -> None:
    """The near miss: nothing is open, nothing is merged."""
    assert change_something(numbered(3), random.Random(1), "merge") is None


def test_the_stir_is_seeded_and_ends() -> None:
    """Same seed, same world afterwards; `times` bounds it."""

    def stirred(seed: int) -> list[tuple[int, str]]:
        world = numbered(10)
        sandbox = Sandbox(world)
        sandbox.changes.at_random(0.5, seed, times=4)
        for _ in range(40):
            sandbox.changes.answered()
        assert sandbox.changes.made == 4
        return [(one.number, one.title) for one in world.pull_requests()]

    assert stirred(1) == stirred(1) != stirred(2)


def test_the_stir_keeps_to_its_repository() -> None:
    """Other repositories stay as they are."""
    world: World = numbered(3)
    quiet = world.add_repository("acme/quiet")
    add_pull_request(world, quiet, 1)
    sandbox = Sandbox(world)
    sandbox.changes.at_random(1.0, 5, kinds=("update", "grow"), repository="acme/api")
    for _ in range(20):
        sandbox.changes.answered()
    assert world.pull_request("acme/quiet", 1).title == "Change 1"
