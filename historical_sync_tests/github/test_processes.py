"""Processes that die, and processes that work on the same team at once: real ones, on a real database."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

import pytest

from historical_sync.github.walk import Walker
from historical_sync.sandbox import scenario
from historical_sync.sandbox.github.pace import Pace
from historical_sync.sandbox.server import Sandbox
from historical_sync.warehouse.postgres import Warehouse
from historical_sync.warehouse.registry import add_team, tracked_repositories
from historical_sync_tests.github.stage import Stage, Time

PROGRAM = """
import sys
from datetime import date, datetime
from historical_sync.github.ingestion import connect, ingest_month
from historical_sync.settings import Settings
from historical_sync.warehouse.postgres import Warehouse
from historical_sync.warehouse.registry import read_team

settings = Settings.from_environment()
warehouse = Warehouse(settings.database_url)
with warehouse.transaction() as tx:
    team = read_team(tx, "acme")
now = datetime.fromisoformat(sys.argv[1])
for month in sys.argv[2:]:
    done = ingest_month(
        warehouse, connect(settings, warehouse, team), team, date.fromisoformat(month), now=now,
        on_event=lambda line: print(line, flush=True),
    )
    print("done", month, [one.status for one in done.repositories], flush=True)
"""


class CountingSandbox(Sandbox):
    """Notes how many requests were under way at once."""

    most_at_once = 0
    at_once = 0

    def app(self) -> Any:
        inner = super().app()

        async def counting(scope: Any, receive: Any, send: Any) -> None:
            self.at_once += 1
            self.most_at_once = max(self.most_at_once, self.at_once)
            try:
                await inner(scope, receive, send)
            finally:
                self.at_once -= 1

        return counting


class RealTime(Time):
    """The wall's clock: several processes must agree on it."""

    def now(self) -> datetime:
        return datetime.now(UTC)

    def sleep(self, seconds: float) -> None:
        time.sleep(seconds)


@pytest.fixture
def real_stage(warehouse: Warehouse, database_url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Stage]:
    """Six hundred pull requests of two repositories in three months, at 20 ms an answer."""
    now = datetime.now(UTC)
    world = scenario.scale(600, 2, months=3, now=now)
    with CountingSandbox(world, latency=Pace(base_seconds=0.02)) as sandbox:
        monkeypatch.setenv("GITHUB_TOKEN", "token-one")
        monkeypatch.setenv("GITHUB_API_URL", sandbox.github_url)
        monkeypatch.setenv("HISTORICAL_SYNC_DATABASE_URL", database_url)
        with warehouse.transaction() as tx:
            add_team(tx, "acme", list(world.repositories), history_months=3)
        yield Stage(warehouse, sandbox, RealTime(), ["env:GITHUB_TOKEN"], now=now)


@contextmanager
def running(stage: Stage, *months: object) -> Iterator[subprocess.Popen[str]]:
    """Another process that ingests these months; it is gone at the end of the block."""
    process = subprocess.Popen(
        [sys.executable, "-c", PROGRAM, stage.now.isoformat(), *(str(month) for month in months)],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env=dict(os.environ),
    )
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def read_until(process: subprocess.Popen[str], words: str, times: int = 1) -> None:
    """Read the process's lines until one holds `words` for the given time."""
    assert process.stdout is not None
    seen = []
    for line in process.stdout:
        seen.append(line)
        times -= words in line
        if times == 0:
            return
    raise AssertionError("".join(seen))


@pytest.mark.parametrize(("words", "times"), [("read down", 1), ("read down", 3), ("fetched", 1), ("fetched", 4)])
def test_a_killed_run_costs_a_page(real_stage: Stage, words: str, times: int) -> None:
    """Killed in the walk or among the hydrations, the next run goes on where it was and fetches nothing twice but what
    was on its way: one page that was not yet committed and one that was not yet answered."""
    months = real_stage.months[:2]
    with running(real_stage, *months) as process:
        read_until(process, words, times)
        process.send_signal(signal.SIGKILL)
        process.wait()
    for month in months:
        real_stage.ingest(month)
    real_stage.assert_true_or_told()
    assert {status for found in real_stage.statuses().values() for status in found} == {"completed"}
    hydrated = real_stage.sandbox.requests.hydrated
    stored = real_stage.rows("select count(*)::int as n from pull_requests")[0]["n"]
    assert hydrated - stored <= 2 * 21


def test_two_processes_at_once_walk_each_list_once(real_stage: Stage) -> None:
    """Two months of one team in two processes: who waited finds the other's frontier; both are complete."""
    first, second, *_ = real_stage.months
    with running(real_stage, first) as one, running(real_stage, second) as other:
        read_until(one, "done")
        read_until(other, "done")
    assert {status for found in real_stage.statuses().values() for status in found} == {"completed"}
    real_stage.assert_true_or_told()
    hydrated = real_stage.sandbox.requests.hydrated
    stored = real_stage.rows("select count(*)::int as n from pull_requests")[0]["n"]
    assert hydrated - stored <= 2 * 21


def test_no_two_requests_of_one_identity_at_once(real_stage: Stage) -> None:
    """The stream is shared through the database: two processes with one token never have two requests under way."""
    first, second, third, *_ = real_stage.months
    real_stage.ingest(third)  # so that the identity behind the token is known to both
    assert isinstance(real_stage.sandbox, CountingSandbox)
    real_stage.sandbox.most_at_once = 0
    with running(real_stage, first) as one, running(real_stage, second) as other:
        read_until(one, "done")
        read_until(other, "done")
    assert real_stage.sandbox.most_at_once == 1


def test_walks_of_several_repositories_run_at_once(warehouse: Warehouse, monkeypatch: pytest.MonkeyPatch) -> None:
    """With two tokens two lists are walked at the same time, and never more; with one, one after the other."""
    now = datetime.now(UTC)
    world = scenario.scale(900, 3, months=3, now=now)
    monkeypatch.setenv("ONE", "token-one")
    monkeypatch.setenv("TWO", "token-two")
    for team_id, tokens in (("two", ["env:ONE", "env:TWO"]), ("one", ["env:ONE"])):
        with CountingSandbox(world, latency=Pace(base_seconds=0.2)) as sandbox:
            with warehouse.transaction() as tx:
                add_team(tx, team_id, list(world.repositories), history_months=3)
            stage = Stage(warehouse, sandbox, RealTime(), tokens, team_id=team_id, now=now)
            walker = Walker(warehouse, client := stage.client(), team_id)
            with warehouse.transaction() as tx:
                repositories = tracked_repositories(tx, team_id)
            with client.at_work(None):
                list(walker.walk_all(repositories, stage.months[-1]))
            assert sandbox.most_at_once == len(tokens)


def test_a_dead_holder_of_a_stream_is_not_waited_for_long(real_stage: Stage) -> None:
    """A stream is a lease: one whose holder died is free when it ends."""
    with real_stage.warehouse.transaction() as tx:
        tx.execute(
            """
            insert into github_streams (identity, slot, holder, expires_at)
            values (%s, 0, 'a process that died', now() + interval '2 seconds')
            """,
            [real_stage.sandbox.github.identities.login_of("token-one")],
        )
    began = time.monotonic()
    real_stage.ingest(real_stage.months[0])
    assert time.monotonic() - began >= 1.5
    real_stage.assert_true_or_told()


def test_a_run_that_died_is_not_syncing_for_ever(real_stage: Stage) -> None:
    """After a kill the lease of the dead run ends; the next run settles the repositories' status."""
    with running(real_stage, real_stage.months[0]) as process:
        read_until(process, "fetched")
        process.send_signal(signal.SIGKILL)
        process.wait()
    assert {row["sync_status"] for row in real_stage.rows("select sync_status from tracked_repositories")} == {
        "syncing"
    }
    for month in real_stage.months:
        real_stage.ingest(month)
    assert {row["sync_status"] for row in real_stage.rows("select sync_status from tracked_repositories")} == {
        "completed"
    }
