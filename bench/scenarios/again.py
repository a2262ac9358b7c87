"""Once it is loaded: a rerun of everything unchanged, and a refresh after one pull request in a hundred changed.

The floor is a bare loop of the same requests; where there are next to none, the first load. What was asked and sent is
counted by the sandbox.
"""

from __future__ import annotations

import random

from bench.ground import LATENCY, NOW, RecordingSandbox, bare_loop, database, register, work
from bench.rows import Row, count
from historical_sync.sandbox import scenario
from historical_sync.sandbox.changes import update

TITLE = "A rerun and a refresh"

MONTHS = 13
STAGES = ("ingest", "tag", "classify", "publish")


def run(rounds: int, quick: bool) -> list[Row]:
    """One team of thirteen months, loaded, run again, changed, refreshed; refreshed again each round."""
    pull_requests, repositories = (40, 2) if quick else (2_000, 5)
    world = scenario.scale(pull_requests, repositories, months=MONTHS - 0.1, now=NOW)
    with database() as url, RecordingSandbox(world, latency=LATENCY) as sandbox:
        register(url, list(world.repositories), MONTHS)

        def do(*stages: str) -> tuple[float, list[bytes], int]:
            """Wall seconds of these stages, the requests they sent to GitHub, the lines they sent to Groq."""
            bodies, lines = len(sandbox.bodies), sum(sandbox.groq.tally.sent.values())
            seconds = sum(work(sandbox, url, stage, MONTHS)["wall_seconds"] for stage in stages)
            return seconds, sandbox.bodies[bodies:], sum(sandbox.groq.tally.sent.values()) - lines

        loaded, first, _ = do(*STAGES)
        reruns = [do(*STAGES) for _ in range(rounds)]
        refreshes, floors = [], []
        for number in range(rounds):
            changed = change(sandbox, number)
            refreshes.append(do("refresh"))
            floors.append(bare_loop(sandbox, refreshes[-1][1]))
    what = f"{pull_requests:,} pull requests of {repositories} repositories, {MONTHS} months"
    return [
        count(f"{what}: requests of the first load", len(first)),
        count("rerun of all months unchanged: requests", max(len(sent) for _, sent, _ in reruns)),
        count("rerun of all months unchanged: lines to Groq", max(lines for _, _, lines in reruns), most=0),
        Row("rerun of all months unchanged", "s", tuple(one for one, _, _ in reruns), (loaded,), "first load"),
        count(f"refresh after {changed} changes: requests", max(len(sent) for _, sent, _ in refreshes)),
        count(f"refresh after {changed} changes: lines to Groq", max(lines for _, _, lines in refreshes)),
        Row(
            f"refresh after {changed} changes, every stage of every month touched",
            "s",
            tuple(seconds for seconds, _, _ in refreshes),
            tuple(floors),
            "bare loop",
        ),
    ]


def change(sandbox: RecordingSandbox, seed: int) -> int:
    """Edit the title of one pull request in a hundred, all over the history; how many."""
    chance = random.Random(seed)
    with sandbox.world.lock:
        rows = sorted(sandbox.world.pull_requests(), key=lambda one: one.database_id)
        chosen = chance.sample(rows, max(1, len(rows) // 100))
        for one in chosen:
            update(sandbox.world, one, chance)
    return len(chosen)
