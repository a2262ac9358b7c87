"""What happens to a pull request and when: working hours, drafts, waiting, rounds of review, the end.

Durations are lognormal with heavy tails. Over the story's year people pick up faster, so that a trend is to be seen.
"""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from datetime import datetime, timedelta

WEEKDAY_WEIGHTS = (1.0, 1.1, 1.1, 1.0, 0.8, 0.12, 0.08)
HOUR_WEIGHTS = {7: 1, 8: 3, 9: 6, 10: 8, 11: 7, 12: 3, 13: 5, 14: 8, 15: 8, 16: 7, 17: 4, 18: 2, 20: 1, 22: 1}


STALLED_SHARE = 0.03
"""Pull requests that are opened and then forgotten."""


def working_moment(chance: random.Random, day: datetime, utc_offset_hours: int) -> datetime:
    """A moment of this day (UTC) in somebody's working hours."""
    hour = chance.choices(list(HOUR_WEIGHTS), list(HOUR_WEIGHTS.values()))[0]
    local = day.replace(hour=hour, minute=chance.randrange(60), second=chance.randrange(60))
    return local - timedelta(hours=utc_offset_hours)


def working_day(chance: random.Random, first: datetime, days: int) -> datetime:
    """A day of the `days` from `first`, rarely at a weekend."""
    candidates = [first + timedelta(days=offset) for offset in range(days)]
    return chance.choices(candidates, [WEEKDAY_WEIGHTS[day.weekday()] for day in candidates])[0]


@dataclass
class Round:
    """One look of a human reviewer: an index into the team, the verdict, the moment."""

    reviewer: int
    state: str
    at: datetime


@dataclass
class Life:
    """The course of one pull request: `closed_at` None when nobody ends it, `is_draft` when it never left draft."""

    created_at: datetime
    first_commit_at: datetime
    ready_at: datetime | None = None
    drafted_at: datetime | None = None
    rounds: list[Round] = field(default_factory=list)
    closed_at: datetime | None = None
    is_merged: bool = False
    is_draft: bool = False


@dataclass(frozen=True)
class Habits:
    """What shapes a life: how far into the year (0 to 1), how heavy the change, whether AI or a bot wrote it."""

    progress: float
    lines: int
    is_ai: bool
    is_automation: bool


def live(chance: random.Random, created_at: datetime, habits: Habits, team_size: int) -> Life:
    """The life of a pull request that is opened at `created_at`, as if the story never ended."""
    coding_hours = chance.lognormvariate(1.6, 1.2) * (0.5 if habits.is_ai else 1)
    life = Life(created_at, created_at - timedelta(hours=min(coding_hours, 400)))
    if chance.random() < STALLED_SHARE:
        life.is_draft = chance.random() < 0.4
        return life
    opened_at = _draft(chance, life, habits)
    if chance.random() < (0.3 if habits.is_automation else 0.1):
        _finish_unreviewed(chance, life, opened_at, habits)
        return life
    pickup_hours = chance.lognormvariate(2.7 - 1.0 * habits.progress, 1.0)
    moment = opened_at + timedelta(hours=pickup_hours)
    rounds = 1 + (chance.random() < 0.35) + (chance.random() < 0.12) + (habits.lines > 500)
    for index in range(rounds):
        is_last = index == rounds - 1
        life.rounds.append(Round(chance.randrange(team_size), _verdict(chance, is_last), moment))
        moment += timedelta(hours=chance.lognormvariate(1.3, 1.1) * (0.8 if habits.is_ai else 1))
    life.closed_at = moment + timedelta(hours=_tail(chance))
    life.is_merged = chance.random() > (0.15 if habits.is_ai else 0.07)
    return life


def _draft(chance: random.Random, life: Life, habits: Habits) -> datetime:
    """When it is open for review: later than created for one in six, which begin as drafts."""
    if habits.is_automation or chance.random() > 0.17:
        return life.created_at
    life.ready_at = life.created_at + timedelta(hours=chance.lognormvariate(2.5, 1.0))
    if chance.random() < 0.2:
        life.drafted_at = life.ready_at
        life.ready_at += timedelta(hours=chance.lognormvariate(2.0, 0.8))
    return life.ready_at


def _finish_unreviewed(chance: random.Random, life: Life, opened_at: datetime, habits: Habits) -> None:
    life.closed_at = opened_at + timedelta(hours=chance.lognormvariate(0.8, 1.5))
    life.is_merged = chance.random() > (0.3 if habits.is_automation else 0.25)


def _verdict(chance: random.Random, is_last: bool) -> str:
    if is_last:
        return "APPROVED" if chance.random() < 0.93 else "COMMENTED"
    return "CHANGES_REQUESTED" if chance.random() < 0.6 else "COMMENTED"


def _tail(chance: random.Random) -> float:
    """Hours from the last review to the end: short, but for one in twenty-five that lies for weeks."""
    hours = chance.lognormvariate(0.6, 1.2)
    return hours + (chance.uniform(200, 1500) if chance.random() < 0.04 else 0)
