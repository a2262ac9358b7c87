"""Worlds to serve: the demo team's story, bulk histories of any size, and folders of recorded pull requests.

Every scenario takes the time it ends at; the same seed and the same day give the same answers.
"""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

from historical_sync.sandbox.corpus import load_folder
from historical_sync.sandbox.story.bulk import bulk_history
from historical_sync.sandbox.story.demo import DEMO_REPOSITORIES, demo_history
from historical_sync.sandbox.world import Clock, World, utc_now

__all__ = ["DEMO_REPOSITORIES", "demo", "empty", "from_folder", "scale"]


def empty(clock: Clock = utc_now) -> World:
    """A world without repositories, to be filled by a test."""
    return World(clock)


def demo(seed: int = 7, now: datetime | None = None, clock: Clock = utc_now) -> World:
    """The demo team: three repositories, about 600 pull requests over thirteen months that end at `now`."""
    return demo_history(World(clock), seed, now or clock())


def scale(
    pull_requests: int,
    repositories: int = 1,
    months: float = 13,
    seed: int = 7,
    now: datetime | None = None,
    clock: Clock = utc_now,
) -> World:
    """`pull_requests` plain ones spread over `repositories` (named `scale/repo-000`, …), quickly made."""
    return bulk_history(World(clock), pull_requests, repositories, months, seed, now or clock())


def from_folder(folder: Path, shift_to: datetime | None = None, clock: Clock = utc_now) -> World:
    """The JSONL records of a folder (plain or gzipped), their times moved so that the newest lies on `shift_to`."""
    return load_folder(World(clock), folder, shift_to)
