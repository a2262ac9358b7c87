"""thin"""

from __future__ import annotations

import random
from datetime import datetime, timedelta

from historical_sync.sandbox.world import ChangedFile, Commit, PullRequest, Review, World, stamp

DEMO_REPOSITORIES = ("demo/storefront", "demo/payments", "demo/platform")


def demo_history(world: World, seed: int, now: datetime) -> World:
    now = now.replace(hour=0, minute=0, second=0, microsecond=0)
    people = [world.account(f"person-{index}", name=f"Person {index}") for index in range(12)]
    for full_name, count in zip(DEMO_REPOSITORIES, (300, 180, 120), strict=True):
        repository = world.add_repository(full_name)
        for number in range(1, count + 1):
            chance = random.Random(f"{seed}/{full_name}/{number}")
            created = now - timedelta(days=390 * (count - number + chance.random()) / count, hours=1)
            closed = created + timedelta(hours=chance.lognormvariate(2.8, 1.2))
            is_open = closed >= now
            author = chance.choice(people)
            is_ai = chance.random() < 0.3
            message = "Add the thing" + ("\n\nCo-Authored-By: Claude <noreply@anthropic.com>" if is_ai else "")
            end = None if is_open else stamp(closed)
            world.add(
                PullRequest(
                    repository,
                    number,
                    world.next_database_id(),
                    f"Change {number}",
                    "It was missing.",
                    author,
                    "OPEN" if is_open else "MERGED",
                    False,
                    stamp(created),
                    end or stamp(created),
                    end,
                    end,
                    None if is_open else chance.choice(people),
                    chance.randrange(300),
                    chance.randrange(100),
                    commits=[
                        Commit(
                            f"{chance.randrange(16**40):040x}",
                            message,
                            stamp(created),
                            stamp(created),
                            author.name,
                            f"{author.login}@demo.example",
                            author,
                        )
                    ],
                    reviews=[]
                    if is_open
                    else [Review(world.next_database_id(), chance.choice(people), "APPROVED", end)],
                    files=[ChangedFile("src/thing.py", 10, 2)],
                )
            )
    return world
