"""Real processes are killed between every two steps: the next run asks no page twice but the one on the wire."""

import json
import multiprocessing
from collections.abc import Iterator
from datetime import UTC, datetime
from multiprocessing.context import ForkServerContext
from typing import Any

import pytest

from historical_sync.sandbox import scenario
from historical_sync.sandbox.server import Sandbox
from historical_sync.warehouse.postgres import Warehouse
from historical_sync.warehouse.registry import add_team
from historical_sync.window import months_wanted
from historical_sync_tests.github.dying import ingest_until_death
from historical_sync_tests.github.stage import HISTORY_MONTHS, Stage
from historical_sync_tests.github.test_processes import RealTime

MOST_STEPS = 400


class ListeningSandbox(Sandbox):
    """Keeps the bodies of the requests."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.bodies: list[dict[str, Any]] = []

    def app(self) -> Any:
        inner = super().app()

        async def listening(scope: Any, receive: Any, send: Any) -> None:
            parts: list[bytes] = []

            async def listen() -> Any:
                message = await receive()
                parts.append(message.get("body", b""))
                if not message.get("more_body"):
                    self.bodies.append(json.loads(b"".join(parts)))
                return message

            await inner(scope, listen, send)

        return listening


@pytest.fixture(scope="module")
def processes() -> ForkServerContext:
    """Processes that start fresh, without this one's threads and connections."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["historical_sync_tests.github.dying"])
    return context


@pytest.fixture
def stage(warehouse: Warehouse, monkeypatch: pytest.MonkeyPatch) -> Iterator[Stage]:
    """The demo team's world at this hour: long lists, ghosts and all."""
    now = datetime.now(UTC)
    monkeypatch.setenv("GITHUB_TOKEN", "token-one")
    with ListeningSandbox(scenario.demo(now=now)) as sandbox:
        yield Stage(warehouse, sandbox, RealTime(), ["env:GITHUB_TOKEN"], now=now)


def pages(bodies: list[dict[str, Any]]) -> list[frozenset[object]]:
    """What each request for pull requests, pages of lists or entries of the walk asked for."""
    found = []
    for body in bodies:
        variables = body["variables"]
        if "ids" in variables:
            found.append(frozenset(variables["ids"]))
        elif "query ListPages" in body["query"]:
            names = [line.split("PullRequest { id updatedAt ")[1].split("(")[0] for line in _aliases(body["query"])]
            found.append(frozenset((variables[f"id{i}"], name, variables[f"after{i}"]) for i, name in enumerate(names)))
        elif "query Walk" in body["query"] and variables["after"]:
            found.append(frozenset([(variables["owner"], variables["name"], variables["after"])]))
    return found


def _aliases(query: str) -> list[str]:
    return [line for line in query.splitlines() if line.strip().startswith("page")]


def asked_again(before: list[frozenset[object]], after: list[frozenset[object]]) -> list[set[object]]:
    """The pages that were asked before a kill and have something in common with what was asked after it."""
    again = set().union(*after)
    return [common for page in before if (common := set(page & again))]


def kill_and_heal(
    stage: Stage, processes: ForkServerContext, database_url: str, steps: int, only: str | None
) -> tuple[int | None, list[set[object]]]:
    """Kill a process after its n-th step and run again; how it ended, and which of its pages were asked again.

    Two months of ninety pull requests with a dozen long lists; afterwards the tables equal the truth.
    """
    assert isinstance(stage.sandbox, ListeningSandbox)
    newest, *_, old = months_wanted(stage.now, HISTORY_MONTHS)
    months = [newest, old]
    stage.team_id = f"team{steps}"
    with stage.warehouse.transaction() as tx:
        add_team(tx, stage.team_id, list(stage.world.repositories), history_months=HISTORY_MONTHS)
    stage.sandbox.bodies.clear()
    arguments = (database_url, stage.sandbox.github_url, stage.team_id, months, stage.now, steps, only)
    process = processes.Process(target=ingest_until_death, args=arguments)
    process.start()
    process.join(120)
    assert process.exitcode in (0, -9), process.exitcode
    before = pages(list(stage.sandbox.bodies))
    stage.sandbox.bodies.clear()
    for month in months:
        stage.ingest(month)
    assert {one for month in months for found in stage.statuses(month).values() for one in found} == {"completed"}
    stage.assert_true_or_told()
    assert stage.rows("select answer_id from unwritten_answers where team_id = %s", stage.team_id) == []
    return process.exitcode, asked_again(before, pages(stage.sandbox.bodies))


def test_killed_with_an_answer_in_hand_that_page_is_asked_again(
    processes: ForkServerContext, stage: Stage, database_url: str
) -> None:
    """Killed after each answer before anything is made of it: that page is asked for again, and nothing else."""
    lost = 0
    for steps in range(1, MOST_STEPS):
        code, again = kill_and_heal(stage, processes, database_url, steps, "answer")
        assert len(again) <= 1, (steps, again)
        lost += len(again)
        if code == 0:
            break
    assert steps > 12
    assert lost >= 6


@pytest.mark.parametrize("stride", [9, pytest.param(1, marks=pytest.mark.soak)])
def test_killed_anywhere_one_page_at_most_is_asked_again(
    processes: ForkServerContext, stage: Stage, database_url: str, stride: int
) -> None:
    """Killed after any step (each commit, and before and after each request): at most one page is asked for again."""
    for steps in range(3, MOST_STEPS, stride):
        code, again = kill_and_heal(stage, processes, database_url, steps, None)
        assert len(again) <= 1, (steps, again)
        if code == 0:
            break
    assert steps > 90
