"""Thirty onboardings really run by Dagster's daemon beside a thousand loaded teams: how many an hour and core.

The floor is a few teams of the same size, run alone in an installation that holds nothing else.
"""

from __future__ import annotations

import os
from contextlib import ExitStack
from dataclasses import dataclass

import dagster as dg

from bench.ground import LATENCY, RecordingSandbox
from bench.installation import OURS, Installation, cpu_seconds, wait_until
from bench.rows import Row, count
from bench.scenarios.thousand_teams import LONGEST_TICK_SECONDS, pages
from bench.seeding import Shape
from historical_sync.sandbox import scenario

TITLE = "Thirty teams beside a thousand"

PATIENCE_SECONDS = 3 * 3600.0
HELD_BACK = "update teams set onboarded_at = now(), refresh_hours = 168 where onboarded_at is not null"
"""The loaded teams were loaded just now: the sandbox does not know their repositories, so nothing of theirs is due."""


@dataclass(frozen=True)
class Load:
    """What is registered: so many teams, each with so many pull requests in all of its months and repositories."""

    teams: int
    months: int
    pull_requests: int
    repositories: int = 3


def run(rounds: int, quick: bool) -> list[Row]:
    """A few teams alone, then all of them beside the loaded ones. One round: it takes half an hour."""
    few, many = (Load(1, 2, 10), Load(2, 2, 10)) if quick else (Load(3, 4, 200), Load(30, 4, 200))
    loaded = 5 if quick else 1_000
    with Ground(Shape(1, 1, 1, has_trends=False)) as ground:
        alone = ground.onboard(few)
    with Ground(Shape(loaded, 3, 1, has_trends=False)) as ground:
        beside = ground.onboard(many)
        tick_seconds = ground.longest_tick()
        shown = pages(ground.machine, 3, "after them, ")
    cores = os.cpu_count() or 1
    what = f"{many.teams} teams of {many.months} months and {many.pull_requests} pull requests beside {loaded:,}"
    return [
        Row(f"{what}: from their rows to the last trends", "s", (beside.seconds,)),
        Row(f"{what}: the median team's first month is there after", "s", (beside.first_month_seconds,)),
        Row(f"{what}: onboardings an hour and core", "", (3600 * many.teams / beside.seconds / cores,)),
        Row(
            f"{what}: daemon, code server and runs, for a month of a team",
            "CPU s",
            (beside.cpu_seconds / many.teams / many.months,),
            (alone.cpu_seconds / few.teams / few.months,),
            f"{few.teams} alone",
        ),
        Row(f"{what}: the longest tick of a sensor", "s", (tick_seconds,), most=LONGEST_TICK_SECONDS),
        count(f"{what}: failed runs", beside.failed_runs, most=0),
        *shown,
    ]


@dataclass(frozen=True)
class Onboarded:
    """What it took until every month of every new team was published."""

    seconds: float
    first_month_seconds: float
    cpu_seconds: float
    failed_runs: int


class Ground:
    """An installation with loaded teams, a sandbox that knows nothing of them, and the daemon."""

    def __init__(self, shape: Shape) -> None:
        self._shape = shape
        self._stack = ExitStack()

    def __enter__(self) -> Ground:
        self._sandbox = self._stack.enter_context(RecordingSandbox(scenario.empty(), latency=LATENCY))
        urls = {"GITHUB_API_URL": self._sandbox.github_url, "GROQ_BASE_URL": self._sandbox.groq_url}
        self.machine = self._stack.enter_context(Installation(self._shape, **urls, GROQ_API_KEY="bench"))
        self._warehouse = self.machine.pipeline.warehouse
        with self._warehouse.transaction() as tx:
            tx.execute(HELD_BACK)
        self._daemon = self._stack.enter_context(self.machine.daemon(OURS))
        self.onboard(Load(1, 1, 5), name="warm-up")  # the code location is loaded when this is done
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def onboard(self, load: Load, name: str = "new") -> Onboarded:
        """Register these teams at once and wait for all their trends."""
        teams = [f"{name}-{number}" for number in range(load.teams)]
        before = cpu_seconds(self._daemon)
        for team in teams:
            self.machine.register(self._sandbox, team, load.pull_requests, load.months, load.repositories)
        seconds = wait_until(lambda: self.machine.published(teams) == load.teams * load.months, None, PATIENCE_SECONDS)
        with self._warehouse.transaction() as tx:
            first = tx.value(
                """
                select percentile_cont(0.5) within group (order by extract(epoch from m.published_at - t.created_at))
                from team_months m join teams t using (team_id)
                where team_id = any(%s) and month = date_trunc('month', t.created_at at time zone 'utc')
                """,
                [teams],
            )
        return Onboarded(seconds, float(first), cpu_seconds(self._daemon) - before, self._failed_runs())

    def longest_tick(self) -> float:
        """Seconds of the longest tick of any sensor or schedule so far."""
        instance = self.machine.instance
        return max(
            tick.end_timestamp - tick.timestamp
            for state in instance.all_instigator_state()
            for tick in instance.get_ticks(state.instigator_origin_id, state.selector_id)
            if tick.end_timestamp
        )

    def _failed_runs(self) -> int:
        return self.machine.instance.get_runs_count(dg.RunsFilter(statuses=[dg.DagsterRunStatus.FAILURE]))
