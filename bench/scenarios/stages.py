"""What each stage costs the client: CPU seconds for 1,000 pull requests and peak memory, at several sizes.

Each stage runs in a process of its own. Linear means that ten times the pull requests cost ten times the CPU; flat that
they need no more memory. The sandbox and PostgreSQL are other processes and not in these numbers.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from bench.ground import NOW, RecordingSandbox, database, register, work
from bench.rows import Row, exponent
from historical_sync.sandbox import scenario

TITLE = "Every stage: CPU and memory"

STAGES = ("ingest", "tag", "classify", "publish")
CPU_SECONDS_FOR_1000 = 1.5
LINEAR = 1.05
FLAT = 1.1
MONTHS = 13


@dataclass(frozen=True)
class Size:
    """How large a history is, over thirteen months: `pull_requests` of each team."""

    pull_requests: int
    repositories: int = 3
    teams: int = 1


@dataclass(frozen=True)
class Plan:
    """What is compared: pull requests of one team, then repositories of equal size, then teams of equal size."""

    sizes: tuple[Size, ...]
    repositories: tuple[Size, ...]
    teams: tuple[Size, ...]


FULL = Plan(
    sizes=(Size(1_000), Size(5_000), Size(50_000)),
    repositories=(Size(500, 5), Size(5_000, 50)),
    teams=(Size(500), Size(500, teams=8)),
)
TINY = Plan(
    sizes=(Size(20, 1), Size(40, 1)), repositories=(Size(20, 1), Size(40, 2)), teams=(Size(20), Size(20, teams=2))
)

Costs = dict[str, dict[str, float]]
"""Stage → what the worker measured, summed over the teams (the peak is the greatest)."""


def run(rounds: int, quick: bool) -> list[Row]:
    """Pull requests at several sizes, then more repositories, then more teams."""
    plan = TINY if quick else FULL
    by_size = [costs_of(size, rounds if size == plan.sizes[0] else 1) for size in plan.sizes]
    by_repositories = [costs_of(size) for size in plan.repositories]
    by_teams = [costs_of(size) for size in plan.teams]
    return [
        *(row for size, costs in zip(plan.sizes, by_size, strict=True) for row in absolute(costs, size.pull_requests)),
        *growth("pull requests", [size.pull_requests for size in plan.sizes], by_size),
        growth("repositories", [size.repositories for size in plan.repositories], by_repositories)[-1],
        growth("teams", [size.teams for size in plan.teams], by_teams)[-1],
        *flatness(plan.sizes[0].pull_requests, by_size[0], plan.sizes[-1].pull_requests, by_size[-1]),
    ]


def costs_of(size: Size, rounds: int = 1) -> Costs:
    """All four stages of all teams, one after the other; of several rounds the middle one, by CPU of all stages."""
    return sorted((_measure(size) for _ in range(rounds)), key=total)[rounds // 2]


def _measure(size: Size) -> Costs:
    world = scenario.scale(size.pull_requests, size.repositories, months=MONTHS - 0.1, now=NOW)
    teams = [f"bench-{number}" for number in range(size.teams)]
    with database() as url, RecordingSandbox(world) as sandbox:
        for team in teams:
            register(url, list(world.repositories), MONTHS, team)
        return {stage: _sum([work(sandbox, url, stage, MONTHS, team) for team in teams]) for stage in STAGES}


def _sum(measured: list[dict[str, float]]) -> dict[str, float]:
    return {
        "cpu_seconds": sum(one["cpu_seconds"] for one in measured),
        "wall_seconds": sum(one["wall_seconds"] for one in measured),
        "peak_mebibytes": max(one["peak_mebibytes"] for one in measured),
    }


def total(costs: Costs) -> float:
    """CPU seconds of all stages."""
    return sum(costs[stage]["cpu_seconds"] for stage in STAGES)


def absolute(costs: Costs, size: int) -> list[Row]:
    """CPU for 1,000 and peak memory of each stage at one size."""
    rows = [
        Row(f"{size:,} pull requests, {stage}", "CPU s for 1,000", (1000 * costs[stage]["cpu_seconds"] / size,))
        for stage in STAGES
    ]
    rows.append(
        Row(
            f"{size:,} pull requests, all stages",
            "CPU s for 1,000",
            (1000 * total(costs) / size,),
            most=CPU_SECONDS_FOR_1000,
        )
    )
    return rows


def growth(what: str, sizes: Sequence[int], costs: Sequence[Costs]) -> list[Row]:
    """The exponents with which CPU grows: of each stage, then of all of them."""
    shown = " → ".join(f"{size:,}" for size in sizes)
    rows = []
    for stage in STAGES:
        cpu = [one[stage]["cpu_seconds"] for one in costs]
        rows.append(Row(f"{shown} {what}, {stage}: exponent of CPU", "", (exponent(sizes, cpu),)))
    cpu = [total(one) for one in costs]
    rows.append(Row(f"{shown} {what}, all stages: exponent of CPU", "", (exponent(sizes, cpu),), most=LINEAR))
    return rows


def flatness(small: int, of_small: Costs, large: int, of_large: Costs) -> list[Row]:
    """Peak memory at the largest size beside that at the smallest."""
    return [
        Row(
            f"peak memory, {stage}, {large:,} pull requests",
            "MiB",
            (of_large[stage]["peak_mebibytes"],),
            (of_small[stage]["peak_mebibytes"],),
            f"{small:,}",
            FLAT,
        )
        for stage in STAGES
    ]
