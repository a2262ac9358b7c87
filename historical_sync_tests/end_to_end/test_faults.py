"""kill -9 of each process in the middle of each stage, with fsync on, and Groq away: all finishes by itself."""

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import dagster as dg
import psycopg2
import pytest

from historical_sync.orchestration import onboarding
from historical_sync.orchestration.home import open_instance
from historical_sync.sandbox import scenario
from historical_sync.sandbox.server import Sandbox
from historical_sync.sandbox.world import moment
from historical_sync.warehouse.registry import add_team, set_status
from historical_sync.window import as_instant, months_wanted
from historical_sync_tests.end_to_end.installation import DAEMON, WEBSERVER, Installation

pytestmark = [pytest.mark.daemon, pytest.mark.timeout(2400), pytest.mark.xdist_group("daemon")]

HISTORY_MONTHS = 1
PATIENCE_SECONDS = 1200.0
"""Far more than anything here takes, for machines that do much else: half a minute to two on a quiet one."""
STAGES = {
    "ingest": "lock table historical_sync.pull_requests in share row exclusive mode",
    "tag": "lock table historical_sync.ai_evidence in share row exclusive mode",
    "classify": "lock table historical_sync.llm_intents in share row exclusive mode",
    "publish": "lock table historical_sync.monthly_trends in share row exclusive mode",
}
"""A stage → what makes it wait in its middle, so that it can be killed there and not somewhere near it."""
WAITERS = "select count(*) from pg_stat_activity where wait_event_type = 'Lock' and state = 'active'"


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    """The demo team's repositories."""
    with Sandbox(scenario.demo()) as running:
        yield running


@pytest.fixture(scope="module")
def installation(sandbox: Sandbox) -> Iterator[Installation]:
    """A machine with nothing running but PostgreSQL, for all tests: each has a team of its own, so that what went
    before is history, as on a real machine. Not under pytest's folder, which only its own user may enter.
    """
    made = Installation(
        Path(tempfile.mkdtemp(prefix="hs_machine_")),
        {
            "GITHUB_API_URL": sandbox.github_url,
            "GROQ_BASE_URL": sandbox.groq_url,
            "GITHUB_TOKEN": "planted-github-token",
            "GROQ_API_KEY": "planted-groq-key",
        },
    )
    try:
        yield made
    finally:
        made.stop()
        shutil.rmtree(made.folder)


def register(installation: Installation, sandbox: Sandbox, team_id: str, months: int = HISTORY_MONTHS) -> None:
    with installation.warehouse.transaction() as tx:
        add_team(tx, team_id, list(sandbox.world.repositories), history_months=months)


@contextmanager
def held_up(installation: Installation, stage: str) -> Iterator[None]:
    """Let the runs come as far as the middle of a stage, and no further."""
    connection = psycopg2.connect(installation.postgres.url())
    with connection.cursor() as cursor:
        cursor.execute(STAGES[stage])
    try:
        yield
    finally:
        connection.close()


def wait_for_waiter(installation: Installation) -> None:
    installation.wait_until(
        lambda: installation.value(WAITERS) > 0, seconds=PATIENCE_SECONDS, what="A run in the middle of its stage"
    )


def is_loaded(installation: Installation, team_id: str) -> bool:
    return bool(installation.value("select onboarded_at is not null from teams where team_id = %s", [team_id]))


def finish(installation: Installation, team_id: str) -> None:
    """Wait for the whole history, for the LLM's answers to be in, and for Dagster to have nothing in hand."""

    def is_over() -> bool:
        installation.restart_what_died()
        pending = installation.value("select count(*) from llm_classifications where status = 'pending'")
        changed = installation.value("select count(*) from llm_changed_months")
        done = is_loaded(installation, team_id) and not pending and not changed
        return done and not installation.unfinished_runs()

    installation.wait_until(is_over, seconds=PATIENCE_SECONDS, what=f"The history of {team_id}")


def assert_intact(installation: Installation, sandbox: Sandbox, team_id: str, months: int = HISTORY_MONTHS) -> None:
    """What is stored is what GitHub has: no row lost, none double, each line paid once, no month complete too early."""
    wanted = months_wanted(datetime.now(UTC), months)
    start = as_instant(wanted[-1])
    real = {
        (name, one.number)
        for name, repository in sandbox.world.repositories.items()
        for one in repository
        if any(moment(at) >= start for at in (one.created_at, one.closed_at) if at)
    }
    rows = installation.rows("select repository, number from pull_requests where team_id = %s", [team_id])
    stored = [(row["repository"], row["number"]) for row in rows]
    assert real <= set(stored)
    assert len(stored) == len(set(stored))
    states = installation.rows("select status, expected, stored from repository_months where team_id = %s", [team_id])
    assert len(states) == len(wanted) * len(sandbox.world.repositories)
    assert all(row["status"] == "completed" and row["expected"] == row["stored"] for row in states)
    published = installation.value(
        "select count(distinct month) from monthly_trends where n > 0 and team_id = %s", [team_id]
    )
    assert published >= len(wanted)
    lines = sandbox.groq.tally.sent
    assert max(lines.values()) == 1, "a line with an answer was sent again"


VICTIMS = ("everything", "the run's process", "PostgreSQL", "the daemon", "the webserver")
ON_EVERY_CHANGE = {
    *((stage, "everything") for stage in STAGES),
    ("ingest", "the run's process"),
    ("publish", "the run's process"),
    ("ingest", "PostgreSQL"),
    ("classify", "the daemon"),
    ("tag", "the webserver"),
}
"""Every victim and every stage; the other combinations are their near relations and run under `make soak`."""
COMBINATIONS = [
    pytest.param(stage, victim, marks=() if (stage, victim) in ON_EVERY_CHANGE else pytest.mark.soak)
    for victim in VICTIMS
    for stage in STAGES
]


@pytest.mark.parametrize(("stage", "victim"), COMBINATIONS)
def test_a_kill_in_the_middle_of_a_stage_heals(
    installation: Installation, sandbox: Sandbox, stage: str, victim: str
) -> None:
    """Whatever is killed, wherever the work stood: the history completes, nothing is lost, doubled or paid twice."""
    team_id = f"{stage}-{victim.split()[-1].lower()}"
    installation.start_what_is_missing(DAEMON, *([WEBSERVER] if victim == "the webserver" else []))
    with held_up(installation, stage):
        register(installation, sandbox, team_id)
        wait_for_waiter(installation)
        strike(installation, victim)
    finish(installation, team_id)
    assert_intact(installation, sandbox, team_id)


def strike(installation: Installation, victim: str) -> None:
    """kill -9, and what a supervisor does next."""
    match victim:
        case "everything":
            installation.kill()
            installation.kill_postgres()
            installation.postgres.start()
            installation.start(DAEMON)
        case "the run's process":
            for run in installation.unfinished_runs():
                installation.kill_run_worker(run.run_id)
        case "PostgreSQL":
            installation.kill_postgres()
            installation.postgres.start()
        case "the daemon":
            installation.kill_alone("dagster-daemon")
            installation.start(DAEMON)
        case "the webserver":
            installation.kill("dagster-webserver")
            installation.start(WEBSERVER)


def test_groq_away_holds_nothing_up_and_all_is_classified_once_it_is_back(
    installation: Installation, sandbox: Sandbox
) -> None:
    """With Groq down an onboarding completes: trends by the signatures, every pull request queued, none sent.

    When it answers again the sensor sends the queue and takes the answers in: nobody touches anything.
    """
    installation.start_what_is_missing(DAEMON)
    sent = len(sandbox.groq.tally.history)
    sandbox.faults.add("groq_503")
    register(installation, sandbox, "groq-away")
    installation.wait_until(
        lambda: is_idle_and_loaded(installation, "groq-away"), seconds=PATIENCE_SECONDS, what="The history without Groq"
    )
    statuses = "select status, count(*) from llm_classifications where team_id = 'groq-away' group by status"
    stored = installation.value("select count(*) from pull_requests where team_id = 'groq-away'")
    assert installation.rows(statuses) == [{"status": "pending", "count": stored}]
    assert shown(installation, "max", "ai_assisted_share") > 0, "by the signatures"
    assert "503" in installation.value("select reason from llm_holds where subject = 'service'")
    assert len(sandbox.groq.tally.history) == sent

    sandbox.faults.clear()
    finish(installation, "groq-away")
    assert installation.rows(statuses) == [{"status": "classified", "count": stored}]
    assert shown(installation, "min", "classified_share") == 1
    assert_intact(installation, sandbox, "groq-away")


def is_idle_and_loaded(installation: Installation, team_id: str) -> bool:
    """Whether the history is complete and Dagster has nothing in hand, whatever the LLM still owes."""
    return is_loaded(installation, team_id) and not installation.unfinished_runs()


def shown(installation: Installation, aggregate: str, metric: str) -> float:
    """The largest or smallest value of a metric that the trends of the team without Groq show."""
    values = "team_id = 'groq-away' and metric = %s and segment = '*' and n > 0"
    return float(installation.value(f"select {aggregate}(value) from monthly_trends where {values}", [metric]) or 0)


@pytest.mark.soak
def test_everything_killed_while_the_daemon_submits_the_backfill(installation: Installation, sandbox: Sandbox) -> None:
    """Killed with some of the backfill's runs made and others not: every month gets its run, none gets two."""
    installation.start_what_is_missing(DAEMON)
    register(installation, sandbox, "bulk", months=5)
    installation.wait_until(
        lambda: [run for run in runs_of(installation, "bulk") if "dagster/backfill" in run.tags],
        seconds=PATIENCE_SECONDS,
        what="The backfill's first run",
    )
    strike(installation, "everything")
    finish(installation, "bulk")
    assert succeeded_once(installation, "bulk") == 6


def runs_of(installation: Installation, team_id: str) -> list[dg.DagsterRun]:
    return installation.runs(**{"dagster/partition/team": team_id})


def succeeded_once(installation: Installation, team_id: str) -> int:
    """How many months have a run that succeeded; fails when one has two."""
    done = [run.tags["dagster/partition"] for run in runs_of(installation, team_id) if run.is_success]
    assert len(done) == len(set(done))
    return len(done)


@pytest.mark.soak
def test_two_daemons_at_once_do_no_harm(installation: Installation, sandbox: Sandbox) -> None:
    """Somebody starts a second daemon by mistake: every month completes, no row is doubled and no line paid twice."""
    installation.start_what_is_missing(DAEMON)
    installation.start_beside("second-daemon", DAEMON)
    try:
        register(installation, sandbox, "watched-twice", months=3)
        finish(installation, "watched-twice")
    finally:
        installation.kill("second-daemon")
    assert_intact(installation, sandbox, "watched-twice", months=3)
    with open_instance(installation.settings) as instance:
        ids = [one.backfill_id for one in instance.get_backfills() if one.tags.get(onboarding.TEAM) == "watched-twice"]
    assert ids == ["watched-twice-g1-1"]


@pytest.mark.soak
def test_a_month_that_cannot_be_loaded_is_tried_again_and_stops_no_other(
    installation: Installation, sandbox: Sandbox
) -> None:
    """An unknown repository fails its team's months with cause and remedy; another team is complete meanwhile."""
    installation.start_what_is_missing(DAEMON)
    with installation.warehouse.transaction() as tx:
        add_team(tx, "bad", ["nobody/nothing"], history_months=0)
    register(installation, sandbox, "good")
    installation.wait_until(
        lambda: is_loaded(installation, "good"), seconds=PATIENCE_SECONDS, what="The history of good"
    )
    installation.wait_until(
        lambda: installation.value("select error from team_months where team_id = 'bad'"),
        seconds=PATIENCE_SECONDS,
        what="The failure of bad",
    )
    assert installation.value("select error from team_months where team_id = 'bad'")
    assert installation.value("select sync_status from tracked_repositories where team_id = 'bad'") == "failed"
    alert = installation.value("select payload from alerts where team_id = 'bad' and kind = 'failure'")
    assert alert["repository"] == "nobody/nothing"
    assert alert["what_to_do"]
    waits = installation.value("select next_attempt_at - attempted_at from team_months where team_id = 'bad'")
    assert waits >= timedelta(minutes=1)
    with installation.warehouse.transaction() as tx:
        set_status(tx, "bad", "paused")
