"""Real processes are killed between every two steps, and run at once: no line is paid for twice, none is lost."""

import multiprocessing
from datetime import date
from multiprocessing.context import ForkServerContext, ForkServerProcess

import pytest

from historical_sync_tests.classification.conftest import MARCH, NOW, Desk, one_pull_request, store
from historical_sync_tests.classification.dying import classify_until_death
from historical_sync_tests.factories import at

FEBRUARY = date(2025, 2, 1)
MOST_STEPS = 200


@pytest.fixture(scope="module")
def processes() -> ForkServerContext:
    """Processes that start fresh, without this one's threads and connections."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["historical_sync_tests.classification.dying", "groq"])
    return context


def start(
    processes: ForkServerContext, desk: Desk, database_url: str, team: str, month: date = MARCH, steps: int = 10**9
) -> ForkServerProcess:
    arguments = (database_url, desk.sandbox.groq_url, team, month, NOW, steps, desk.settings.llm_batch_size)
    process = processes.Process(target=classify_until_death, args=arguments)
    process.start()
    return process


def kill_after_each_step(processes: ForkServerContext, desk: Desk, database_url: str, *, lines: int) -> int:
    """Kill one process after step 1, one after step 2, … until one lives; heal each; returns how many died."""
    for steps in range(1, MOST_STEPS):
        team = f"team{steps}"
        store(desk.warehouse, [one_pull_request(number) for number in range(1, lines + 1)], team)
        process = start(processes, desk, database_url, team, steps=steps)
        process.join(60)
        assert process.exitcode in (0, -9), process.exitcode
        before = dict(desk.sandbox.groq.tally.sent)
        desk.clock.now = NOW
        desk.classify(team_id=team)
        desk.settle()
        with desk.warehouse.transaction() as tx:
            statuses = tx.rows("select status from llm_classifications where team_id = %s", [team])
        assert [row["status"] for row in statuses] == ["classified"] * lines, (steps, statuses)
        books = desk.balance(team)
        assert books.is_balanced, (steps, books)
        assert books.classified == lines
        if process.exitcode == 0:
            assert desk.sandbox.groq.tally.sent == before, "a finished process left something to send"
            return steps - 1
    raise AssertionError("no process ever finished")


def test_killed_between_any_two_steps_nothing_is_sent_again(
    processes: ForkServerContext, desk: Desk, database_url: str
) -> None:
    """Wherever a process dies, the next one goes on: every line is sent exactly once, and answered."""
    desk.change_settings(llm_batch_size=2)
    died = kill_after_each_step(processes, desk, database_url, lines=3)
    assert died > 20
    assert set(desk.sandbox.groq.tally.sent.values()) == {1}


def test_killed_between_single_calls_at_most_the_one_in_flight_is_sent_again(
    processes: ForkServerContext, desk: Desk, database_url: str
) -> None:
    """In the fallback a kill costs at most the one call that was in flight."""
    desk.sandbox.groq.has_batches = False
    died = kill_after_each_step(processes, desk, database_url, lines=3)
    assert died > 20
    assert len(desk.sandbox.requests.of("chat")) <= (died + 1) * 3 + died


def test_two_processes_at_once_share_the_work(processes: ForkServerContext, desk: Desk, database_url: str) -> None:
    """Two runs of a month and one of a month that shares its pull requests: every line is sent exactly once."""
    desk.change_settings(llm_batch_size=2)
    store(desk.warehouse, [one_pull_request(number, created_at=at("2025-02-20T10:00")) for number in range(1, 31)])
    running = [start(processes, desk, database_url, "acme", month) for month in (MARCH, MARCH, FEBRUARY)]
    for process in running:
        process.join(120)
        assert process.exitcode == 0
    desk.settle()
    assert set(desk.statuses().values()) == {"classified"}
    assert len(desk.sandbox.groq.tally.sent) == 30
    assert set(desk.sandbox.groq.tally.sent.values()) == {1}
    desk.assert_balanced()


def test_one_of_two_processes_dies(processes: ForkServerContext, desk: Desk, database_url: str) -> None:
    """While one process dies at some step another works on the same month: still every line is sent exactly once."""
    desk.change_settings(llm_batch_size=2)
    for steps in (5, 9, 13, 17, 21, 25):
        team = f"pair{steps}"
        store(desk.warehouse, [one_pull_request(number) for number in range(1, 9)], team)
        running = [start(processes, desk, database_url, team, steps=count) for count in (steps, 10**9)]
        for process in running:
            process.join(120)
        desk.clock.now = NOW
        desk.settle()
        assert desk.balance(team).is_balanced
        assert desk.balance(team).classified == 8
    assert set(desk.sandbox.groq.tally.sent.values()) == {1}
