"""What moves in the world between two answers: scheduled by the number of the request, or at random from a seed."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from datetime import timedelta

from historical_sync.sandbox.world import ChangedFile, Commit, PullRequest, Review, World, stamp

Change = Callable[[World], object]


class Changes:
    """Changes that are due after the nth GraphQL answer, and a random stir after any."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.answers = 0
        self.made = 0
        self._due: dict[int, list[Change]] = {}
        self._stir: Callable[[], None] | None = None

    def after(self, answers: int, change: Change) -> None:
        """Make `change(world)` once this many further GraphQL answers were computed."""
        self._due.setdefault(self.answers + answers, []).append(change)

    def at_random(
        self,
        probability: float,
        seed: int = 0,
        kinds: Sequence[str] = ("update", "merge", "open", "grow"),
        times: int | None = None,
        repository: str | None = None,
    ) -> None:
        """After each answer, with this probability, change a pull request in one of these ways (see `WAYS`)."""
        chance = random.Random(seed)
        left = [times]

        def stir() -> None:
            if (left[0] is not None and left[0] <= 0) or chance.random() >= probability:
                return
            if left[0] is not None:
                left[0] -= 1
            if change_something(self.world, chance, chance.choice(list(kinds)), repository) is not None:
                self.made += 1

        self._stir = stir

    def stop(self) -> None:
        """No more changes."""
        self._due.clear()
        self._stir = None

    def answered(self) -> None:
        """An answer was computed: make what is due."""
        self.answers += 1
        for change in self._due.pop(self.answers, []):
            change(self.world)
            self.made += 1
        if self._stir is not None:
            self._stir()


def change_something(world: World, chance: random.Random, way: str, repository: str | None = None) -> object:
    """Change one pull request of the world in this way; None when there is none that it suits."""
    rows = [
        one
        for one in world.pull_requests()
        if (repository is None or one.repository.full_name == repository) and _suits(one, way)
    ]
    if not rows:
        return None
    rows.sort(key=lambda one: one.database_id)
    return WAYS[way](world, chance.choice(rows), chance)


def _suits(one: PullRequest, way: str) -> bool:
    return way not in {"merge", "close"} or one.state == "OPEN"


def update(world: World, one: PullRequest, chance: random.Random) -> PullRequest:
    """Somebody edits the title."""
    one.title = f"{one.title} ({chance.randrange(1000)})"
    return world.touch(one)


def merge(world: World, one: PullRequest, chance: random.Random) -> PullRequest:
    """An open pull request is merged."""
    one.state, one.merged_at = "MERGED", stamp(world.clock())
    one.closed_at, one.merged_by = one.merged_at, one.author
    return world.touch(one)


def close(world: World, one: PullRequest, chance: random.Random) -> PullRequest:
    """An open pull request is closed unmerged."""
    one.state, one.closed_at = "CLOSED", stamp(world.clock())
    return world.touch(one)


def grow(world: World, one: PullRequest, chance: random.Random) -> PullRequest:
    """A push and a review: commits, files and reviews grow."""
    now = stamp(world.clock())
    one.commits = [*one.commits, Commit(f"{chance.randrange(16**40):040x}", "One more thing", now, now)]
    one.files = [*one.files, ChangedFile(f"added/{chance.randrange(10**6)}.py", 3, 0, "ADDED")]
    one.reviews = [*one.reviews, Review(world.next_database_id(), one.author, "COMMENTED", now, "Thanks")]
    one.additions += 3
    return world.touch(one)


def open_new(world: World, beside: PullRequest, chance: random.Random) -> PullRequest:
    """A new pull request is opened in the same repository."""
    now = world.clock()
    number = max(beside.repository.pull_requests) + 1
    return world.add(
        PullRequest(
            beside.repository,
            number,
            world.next_database_id(),
            f"Opened while you looked, {number}",
            "",
            beside.author,
            "OPEN",
            False,
            stamp(now),
            stamp(now),
            commits=[Commit(f"{chance.randrange(16**40):040x}", "Start", stamp(now - timedelta(hours=1)), stamp(now))],
            files=[ChangedFile("new.py", 1, 0, "ADDED")],
            additions=1,
        )
    )


def delete(world: World, one: PullRequest, chance: random.Random) -> PullRequest:
    """A pull request disappears, as when GitHub's staff remove one."""
    world.remove(one)
    return one


WAYS: dict[str, Callable[[World, PullRequest, random.Random], PullRequest]] = {
    "update": update,
    "merge": merge,
    "close": close,
    "grow": grow,
    "open": open_new,
    "delete": delete,
}
"""How a pull request may change."""
