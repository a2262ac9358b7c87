"""The demo team's year: three repositories, some 600 pull requests, more and more of them written with AI.

The story ends at the first instant of the day it is asked for, so that it is the same all day long. It begins some
weeks before its thirteen calendar months, so that the earliest month too merges what was opened before it.
"""

from __future__ import annotations

import random
from datetime import datetime, timedelta

from historical_sync.sandbox.story.authorship import Author, choose_author
from historical_sync.sandbox.story.awkward import add_awkward_cases
from historical_sync.sandbox.story.composition import Scene, compose
from historical_sync.sandbox.story.lifecycle import working_day, working_moment
from historical_sync.sandbox.story.texts import CODEBASES
from historical_sync.sandbox.world import World

DEMO_REPOSITORIES = tuple(CODEBASES)
"""The repositories as the demo team registers them; GitHub spells the last one with a capital."""
SPELLINGS = {"demo/platform": "demo/Platform"}
PER_MONTH = {"demo/storefront": 19, "demo/payments": 12, "demo/platform": 8}
MONTHS = 13
GROWTH = 0.35
"""How many more pull requests a month has at the end of the year than at its start, as a share."""
PRELUDE_DAYS = 40
"""Days before the first month in which some of the pull requests are opened that end inside it."""


def demo_history(world: World, seed: int, now: datetime) -> World:
    """Fill `world` with the story that ends on the day of `now`."""
    ends_at = now.replace(hour=0, minute=0, second=0, microsecond=0)
    months = _months(ends_at)
    for name in DEMO_REPOSITORIES:
        repository = world.add_repository(SPELLINGS.get(name, name), is_private=name == "demo/payments")
        chance = random.Random(f"{seed}/{name}")
        scene = Scene(world, repository, CODEBASES[name], chance, months[0], ends_at)
        _write(scene, _openings(scene, months, PER_MONTH[name]))
        add_awkward_cases(world, repository, chance, ends_at)
    return world


def _months(ends_at: datetime) -> list[datetime]:
    """The first instants of the thirteen months, oldest first."""
    index = ends_at.year * 12 + ends_at.month - 1
    return [ends_at.replace(year=one // 12, month=one % 12 + 1, day=1) for one in range(index - MONTHS + 1, index + 1)]


def _openings(scene: Scene, months: list[datetime], per_month: int) -> list[tuple[datetime, Author]]:
    """When pull requests are opened and by whom, in order."""
    openings = []
    spans = [(months[0] - timedelta(days=PRELUDE_DAYS), PRELUDE_DAYS)]
    spans += [(first, (_next_month(first) - first).days) for first in months]
    for first, days in spans:
        progress = scene.progress(first)
        count = round(per_month * (1 + GROWTH * progress) * (0.5 if days > 31 else 1))
        for _ in range(count):
            author = choose_author(scene.chance, progress)
            day = working_day(scene.chance, first, days)
            opened = working_moment(scene.chance, day, author.utc_offset_hours)
            if opened < scene.ends_at:
                openings.append((opened, author))
    return sorted(openings, key=lambda opening: opening[0])


def _next_month(first: datetime) -> datetime:
    return (first + timedelta(days=32)).replace(day=1)


def _write(scene: Scene, openings: list[tuple[datetime, Author]]) -> None:
    number = 400
    for opened, author in openings:
        number += scene.chance.choice((1, 1, 1, 2, 3))  # issues take numbers, too
        scene.world.add(compose(scene, number, opened, author))
