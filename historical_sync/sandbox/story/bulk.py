"""Plain pull requests in any number: the index is made at once, each one's lists when they are first asked for.

Made for measurements: realistic sizes (files p50/75/90/99 of 3/7/19/109, a percent with more than 100), cheap to make,
and bounded in memory, since lists of pull requests that nobody looks at any more are dropped and made again from the
seed.
"""

from __future__ import annotations

import random
from collections import deque
from datetime import datetime, timedelta
from typing import Any

from historical_sync.sandbox.world import Account, ChangedFile, Commit, PullRequest, Repository, Review, World, stamp

KEPT_LISTS = 500
"""Pull requests whose lists are kept at a time."""
LISTS = ("commits", "reviews", "files", "labels", "assignees", "closing_issues", "events", "body")
PATHS = ("src/api", "src/core", "src/web", "tests/api", "tests/core", "docs", "deploy")
EXTENSIONS = ("py", "ts", "go", "md", "yaml", "sql")


class BulkPullRequest(PullRequest):
    """A pull request whose lists are made from its seed when they are asked for. To change a list, replace it."""

    __slots__ = ("cast", "made", "seed", "shelf")
    cast: list[Account]
    made: dict[str, Any]
    seed: int
    shelf: deque[BulkPullRequest]

    def __getattr__(self, name: str) -> Any:
        if name not in LISTS:
            raise AttributeError(name)
        self.made = _lists_of(self)
        for list_name, value in self.made.items():
            if not _has(self, list_name):
                setattr(self, list_name, value)
        self.shelf.append(self)
        if len(self.shelf) > KEPT_LISTS:
            _forget(self.shelf.popleft())
        return object.__getattribute__(self, name)


def _has(one: BulkPullRequest, name: str) -> bool:
    try:
        object.__getattribute__(one, name)
    except AttributeError:
        return False
    return True


def _forget(one: BulkPullRequest) -> None:
    """Drop the lists, unless one of them was replaced: that is a change, and changes are kept."""
    if all(getattr(one, name) is one.made[name] for name in LISTS):
        for name in LISTS:
            delattr(one, name)
    one.made = {}


def bulk_history(
    world: World,
    count: int,
    repositories: int,
    months: float,
    seed: int,
    now: datetime,
    name: str = "scale/repo",
) -> World:
    """Fill `world` with `count` pull requests over `repositories`, spread evenly over `months` that end at `now`.

    The repositories are called `name` with a dash and a number of three digits.
    """
    cast = [world.account(f"dev-{index:02}", name=f"Dev {index}") for index in range(24)]
    shelf: deque[BulkPullRequest] = deque()
    window_seconds = int(months * 30.4 * 86_400)
    for index in range(repositories):
        repository = world.add_repository(f"{name}-{index:03}")
        share = count // repositories + (1 if index < count % repositories else 0)
        for number in range(1, share + 1):
            chance = random.Random(f"{seed}/{index}/{number}")
            age = window_seconds * (share - number + chance.random()) / max(share, 1)
            world.add(_bulk_pull_request(world, repository, number, chance, now, age, cast, shelf))
    return world


def _bulk_pull_request(
    world: World,
    repository: Repository,
    number: int,
    chance: random.Random,
    now: datetime,
    age_seconds: float,
    cast: list[Account],
    shelf: deque[BulkPullRequest],
) -> BulkPullRequest:
    one = BulkPullRequest.__new__(BulkPullRequest)
    created = now - timedelta(seconds=age_seconds)
    closed = created + timedelta(hours=min(chance.lognormvariate(2.8, 1.4), 2000))
    is_open = closed >= now or chance.random() < 0.01
    is_merged = not is_open and chance.random() < 0.9
    one.repository, one.number, one.database_id = repository, number, world.next_database_id()
    one.seed = chance.randrange(2**48)
    one.shelf, one.cast = shelf, cast
    one.title = f"Change {number} of {repository.name}"
    one.author = chance.choice(cast)
    one.state = "OPEN" if is_open else "MERGED" if is_merged else "CLOSED"
    one.is_draft = False
    one.created_at = stamp(created)
    one.closed_at = None if is_open else stamp(closed)
    one.merged_at = one.closed_at if is_merged else None
    one.merged_by = chance.choice(cast) if is_merged else None
    one.updated_at = one.closed_at or one.created_at
    one.additions, one.deletions = int(chance.lognormvariate(4, 1.4)), int(chance.lognormvariate(3, 1.4))
    one.head_ref, one.base_ref, one.milestone = f"change-{number}", "main", None
    one.comment_count, one.stated_changed_files = chance.randrange(6), None
    return one


def _lists_of(one: BulkPullRequest) -> dict[str, Any]:
    chance = random.Random(one.seed)
    cast = one.cast
    file_count = max(1, min(3000, int(chance.lognormvariate(1.1, 1.35))))
    return {
        "files": [_file(chance, index) for index in range(file_count)],
        "commits": [_commit(one, chance, index) for index in range(max(1, int(chance.lognormvariate(0.8, 0.8))))],
        "reviews": [_review(one, chance, index, cast) for index in range(chance.choice((0, 1, 1, 1, 2, 3)))],
        "labels": ["bug"] if chance.random() < 0.2 else [],
        "assignees": [one.author] if chance.random() < 0.3 else [],
        "closing_issues": [chance.randrange(1, 500)] if chance.random() < 0.3 else [],
        "events": [],
        "body": "Makes the change that was asked for. " * chance.randrange(1, 30),
    }


def _file(chance: random.Random, index: int) -> ChangedFile:
    path = f"{chance.choice(PATHS)}/part_{index}.{chance.choice(EXTENSIONS)}"
    return ChangedFile(path, chance.randrange(80), chance.randrange(40))


def _commit(one: BulkPullRequest, chance: random.Random, index: int) -> Commit:
    author = chance.choice(one.cast)
    oid = f"{chance.randrange(16**40):040x}"
    return Commit(
        oid,
        f"Step {index + 1} of {one.title}",
        one.created_at,
        one.created_at,
        author.name,
        f"{author.login}@example.com",
        author,
    )


def _review(one: BulkPullRequest, chance: random.Random, index: int, cast: list[Account]) -> Review:
    state = chance.choice(("APPROVED", "APPROVED", "COMMENTED", "CHANGES_REQUESTED"))
    return Review(one.database_id * 100 + index, chance.choice(cast), state, one.updated_at, "")
