"""From what is due and what is in flight to what to start: plain runs and one backfill a team. Starts nothing itself.

Level-triggered: each decision follows from the tables and from Dagster's unfinished work as they are now, so a second
tick, or one after a crash between any two steps, decides only what is still missing.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta

import dagster as dg

from historical_sync.errors import ConfigurationError
from historical_sync.orchestration import internals
from historical_sync.orchestration.partitions import PARTITION_TAG, key_of, read_key
from historical_sync.records import TeamMonth
from historical_sync.warehouse.operations import DueMonth

TEAM = "historical_sync/team"
GENERATION = "historical_sync/generation"
ATTEMPT = "historical_sync/attempt"
CAUSE = "historical_sync/cause"

FIRST_WEEK_DAYS = 7
"""While the open month has fewer days than that, the month before it is what a new team wants to see first."""

LONGEST_BACKFILL_ID = 32
RETRY_WINDOW = timedelta(minutes=2)
"""Dagster retries a failed run within seconds; a promise older than this is not waited for."""


@dataclass(frozen=True)
class TeamPlan:
    """What to start for one team: `at_once` as runs of their own, `in_bulk` as one backfill, both newest first."""

    team_id: str
    generation: int
    at_once: tuple[DueMonth, ...]
    in_bulk: tuple[DueMonth, ...]


@dataclass(frozen=True)
class InFlight:
    """What Dagster has in hand: (team, month)s, teams that a refresh is walking over, and how many open backfills."""

    months: frozenset[TeamMonth]
    teams: frozenset[str]
    backfills: int = 0

    def __contains__(self, one: TeamMonth) -> bool:
        return one in self.months or one.team_id in self.teams

    def __len__(self) -> int:
        return len(self.months) + len(self.teams)


def in_flight(instance: dg.DagsterInstance, now: datetime) -> InFlight:
    """What is queued, at work, about to be retried, or in a backfill and not yet submitted.

    Backfills are read before runs: one that submits a partition meanwhile is then seen twice, never missed.
    """
    backfills = internals.open_backfills(instance)
    keys = [key for backfill in backfills for key in backfill.unsubmitted]
    retried = internals.runs_about_to_be_retried(instance, now - RETRY_WINDOW)
    unfinished = [record.dagster_run for record in internals.unfinished_runs(instance)]
    keys += [run.tags[PARTITION_TAG] for run in (*retried, *unfinished) if PARTITION_TAG in run.tags]
    refreshing = [run for run in unfinished if run.job_name == "refresh_team" and run.status in internals.BUSY]
    teams = frozenset(run.tags[TEAM] for run in refreshing if TEAM in run.tags)
    return InFlight(frozenset(_readable(keys)), teams, len(backfills))


def _readable(keys: Iterable[str]) -> Iterable[TeamMonth]:
    for key in keys:
        try:
            yield read_key(key)
        except ConfigurationError:
            continue  # a partition of some other job in the same Dagster


def plan(ready: Iterable[DueMonth], today: date) -> list[TeamPlan]:
    """Divide what is to start into runs at once and one backfill a team."""
    by_team: dict[tuple[str, int], list[DueMonth]] = defaultdict(list)
    for one in ready:
        by_team[one.team_id, one.generation].append(one)
    return [_plan_team(team_id, generation, months, today) for (team_id, generation), months in by_team.items()]


def _plan_team(team_id: str, generation: int, months: list[DueMonth], today: date) -> TeamPlan:
    newest_back = 1 if today.day <= FIRST_WEEK_DAYS else 0
    ordered = sorted(months, key=lambda one: one.months_back)
    at_once = [one for one in ordered if one.is_asked or one.months_back <= newest_back]
    others = [one for one in ordered if one not in at_once]
    if len(others) == 1:  # a backfill of one month says no more than its run
        at_once, others = at_once + others, []
    return TeamPlan(team_id, generation, tuple(at_once), tuple(others))


def identity(team_id: str, generation: int) -> dict[str, str]:
    """The tags that tell one life of a team from another."""
    return {TEAM: team_id, GENERATION: str(generation)}


def next_attempt(before: Iterable[Mapping[str, str]]) -> int:
    """One more than the highest attempt that the tags of these runs or backfills name; 1 where there is none."""
    return 1 + max((int(tags[ATTEMPT]) for tags in before if tags.get(ATTEMPT, "").isdigit()), default=0)


def run_key(team_id: str, generation: int, month: date, attempt: int) -> str:
    """What makes a requested run unique: its cause, not its time. The team first, since the UI cuts long keys."""
    return f"{team_id}:onboard:{generation}:{month:%Y-%m}:{attempt}"


def backfill_id(team_id: str, generation: int, attempt: int) -> str:
    """An id of at most 32 characters, the team first (the Backfills page shows eight); long names end in a digest."""
    ending = f"-g{generation}-{attempt}"
    room = LONGEST_BACKFILL_ID - len(ending)
    if len(team_id) > room:
        digest = hashlib.sha256(team_id.encode()).hexdigest()[:8]
        team_id = f"{team_id[: room - 9]}-{digest}"
    return f"{team_id}{ending}"


def ended_badly(record: internals.RunRecord, one: DueMonth) -> bool:
    """Whether this newest run of a month belongs to this life of the team and ended without success."""
    run = record.dagster_run
    is_this_life = run.tags.get(GENERATION, str(one.generation)) == str(one.generation)
    return is_this_life and run.status in (dg.DagsterRunStatus.FAILURE, dg.DagsterRunStatus.CANCELED)


def run_request(one: DueMonth, attempt: int, priority: int) -> dg.RunRequest:
    """The run of one month."""
    return dg.RunRequest(
        run_key=run_key(one.team_id, one.generation, one.month, attempt),
        job_name="sync_month",
        partition_key=key_of(one.team_id, one.month),
        tags={
            **identity(one.team_id, one.generation),
            ATTEMPT: str(attempt),
            CAUSE: "asked" if one.is_asked else "wanted",
            internals.PRIORITY_TAG: str(priority),
        },
    )
