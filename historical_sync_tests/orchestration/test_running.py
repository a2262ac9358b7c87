"""The job, the refresh, the collection, a retry and a removal: in this process, on the sandbox, recorded in Dagster."""

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import dagster as dg
import psutil
import psycopg2
import pytest

from historical_sync.errors import ConfigurationError, OutsideWindow
from historical_sync.orchestration import direct, offboarding, reconcile, retry
from historical_sync.orchestration.partitions import TEAMS, key_of
from historical_sync.orchestration.resources import Pipeline
from historical_sync.orchestration.worker import BEAT_SECONDS
from historical_sync.sandbox import scenario
from historical_sync.sandbox.server import Sandbox
from historical_sync.settings import Settings
from historical_sync.warehouse import operations
from historical_sync.warehouse.registry import add_team, rows_of_team, set_status
from historical_sync.warehouse.workers import RunWorker
from historical_sync.window import add_months, months_wanted
from historical_sync_tests.orchestration.ticking import PipelineAt, requested, tick

NOW = datetime.now(UTC)
NEWEST, BEFORE = months_wanted(NOW, 1)


@pytest.fixture
def empty_sandbox() -> Iterator[Sandbox]:
    """The demo team's repositories (the name is what `settings` asks for)."""
    with Sandbox(scenario.demo()) as running:
        yield running


@pytest.fixture
def repositories(empty_sandbox: Sandbox, pipeline: Pipeline) -> list[str]:
    """Team acme is registered with all of them, and a month of history."""
    names = list(empty_sandbox.world.repositories)
    with pipeline.warehouse.transaction() as tx:
        add_team(tx, "acme", names, history_months=1)
    return names


def materializations(instance: dg.DagsterInstance, asset: str) -> list[dg.AssetMaterialization]:
    found = instance.fetch_materializations(dg.AssetKey(asset), limit=50).records
    return [record.asset_materialization for record in found if record.asset_materialization]


def test_a_month_runs_here_and_now_and_is_recorded(
    settings: Settings,
    instance: dg.DagsterInstance,
    pipeline: Pipeline,
    repositories: list[str],
    empty_sandbox: Sandbox,
) -> None:
    """One run of four steps, with numbers, tables and links as metadata; a second one fetches and pays for nothing."""
    outcome = direct.run_month(settings, instance, "acme", NEWEST)
    assert (outcome.status, outcome.error) == ("completed", None)
    assert outcome.pull_requests > 0
    (raw,) = materializations(instance, "raw_pull_requests")
    assert raw.partition == key_of("acme", NEWEST)
    assert raw.metadata["pull requests"].value == outcome.pull_requests
    assert {row["repository"] for row in (r.data for r in raw.metadata["repositories"].records)} == set(repositories)
    assert raw.metadata["progress page"].value.endswith("/teams/acme/progress")
    (trends,) = materializations(instance, "monthly_trends")
    assert isinstance(trends.metadata["pull_requests_merged"].value, float)
    direct.collect(settings, instance, "acme", wait_seconds=20)
    classified = materializations(instance, "llm_classified_pull_requests")
    assert max(one.metadata["classified"].value for one in classified) == outcome.pull_requests, "Dagster is told"
    hydrated = empty_sandbox.requests.hydrated
    again = direct.run_month(settings, instance, "acme", NEWEST)
    assert (again.status, again.pull_requests) == ("completed", outcome.pull_requests)
    assert empty_sandbox.requests.hydrated == hydrated, "nothing is fetched twice"
    assert max(empty_sandbox.groq.tally.sent.values()) == 1, "nothing is paid for twice"


def test_a_run_in_the_background_of_a_script_leaves_signals_alone(
    settings: Settings, instance: dg.DagsterInstance, repositories: list[str]
) -> None:
    """Where SIGINT is ignored, as a script's shell does for `sync acme &`, SIGTERM ends the process afterwards."""
    in_background = {signal.SIGINT: signal.SIG_IGN, signal.SIGTERM: signal.SIG_DFL}
    before = {number: signal.signal(number, handler) for number, handler in in_background.items()}
    try:
        assert direct.run_month(settings, instance, "acme", NEWEST).status == "completed"
        assert {number: signal.getsignal(number) for number in in_background} == in_background
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def test_a_month_outside_the_window_is_refused(
    settings: Settings, instance: dg.DagsterInstance, repositories: list[str], pipeline: Pipeline
) -> None:
    """By the command with an error, and by a run from the UI with a failure that names the window."""
    old = add_months(NEWEST, -2)
    with pytest.raises(OutsideWindow, match="outside the history of team 'acme'"):
        direct.run_month(settings, instance, "acme", old)
    with pytest.raises(ConfigurationError, match="no team"):
        direct.run_month(settings, instance, "nobody", NEWEST)


def test_one_bad_repository_leaves_the_others_complete(
    settings: Settings, instance: dg.DagsterInstance, repositories: list[str], pipeline: Pipeline
) -> None:
    """The run succeeds, its check warns and lists the repository and its cause; the month waits for its turn."""
    with pipeline.warehouse.transaction() as tx:
        add_team(tx, "acme", ["nobody/nothing"])
    outcome = direct.run_month(settings, instance, "acme", NEWEST)
    assert outcome.status == "partial"
    assert "nobody/nothing" in (outcome.error or "")
    (raw,) = materializations(instance, "raw_pull_requests")
    (row,) = (record.data for record in raw.metadata["not complete"].records)
    assert row["repository"] == "nobody/nothing"
    assert row["cause"]
    with pipeline.warehouse.transaction() as tx:
        complete = tx.value("select count(*) from repository_months where status = 'completed'")
        assert complete == len(repositories)
        due = operations.months_due(tx, now=pipeline.now(), first_month=settings.first_month)
        assert NEWEST not in [one.month for one in due]


def test_when_every_repository_fails_the_run_fails_readably(
    settings: Settings, instance: dg.DagsterInstance, pipeline: Pipeline
) -> None:
    """All failed is a failed run: with a sentence, what to do, and an alert, not with a traceback of ours."""
    with pipeline.warehouse.transaction() as tx:
        add_team(tx, "bad", ["nobody/nothing", "nobody/more"], history_months=0)
    outcome = direct.run_month(settings, instance, "bad", NEWEST)
    assert outcome.status == "failed"
    assert outcome.error
    assert outcome.remedy
    assert instance.get_runs()[0].status == dg.DagsterRunStatus.FAILURE


def test_a_token_that_is_missing_is_named_by_its_reference(
    settings: Settings, instance: dg.DagsterInstance, pipeline: Pipeline, repositories: list[str]
) -> None:
    """A wrong token reference fails that team's run with the reference's name; the other team runs."""
    with pipeline.warehouse.transaction() as tx:
        add_team(tx, "bad", repositories, history_months=0, token_ref="env:NO_SUCH_TOKEN")
    outcome = direct.run_month(settings, instance, "bad", NEWEST)
    assert outcome.status == "failed"
    assert "NO_SUCH_TOKEN" in f"{outcome.error} {outcome.remedy}"
    assert direct.run_month(settings, instance, "acme", NEWEST).status == "completed"


def test_a_refresh_rebuilds_only_what_changed(
    settings: Settings,
    instance: dg.DagsterInstance,
    pipeline: Pipeline,
    repositories: list[str],
    empty_sandbox: Sandbox,
) -> None:
    """Nothing changed: nothing is rebuilt. One pull request of a month updated: that month's four assets are."""
    for month in (NEWEST, BEFORE):
        assert direct.run_month(settings, instance, "acme", month).status == "completed"
    assert direct.refresh(settings, instance, "acme") == []
    before = len(materializations(instance, "monthly_trends"))
    repository = empty_sandbox.world.repositories[repositories[0]]
    month = f"{BEFORE:%Y-%m}"
    changed = next(one for one in repository if one.created_at[:7] == month and (one.closed_at or "")[:7] == month)
    for times, title in enumerate(("A title that was changed", "A title that was mended"), start=1):
        changed.title = title
        empty_sandbox.world.touch(changed)
        assert [one.month for one in direct.refresh(settings, instance, "acme")] == [BEFORE]
        assert len(materializations(instance, "monthly_trends")) == before + times
    with pipeline.warehouse.transaction() as tx:
        assert tx.value("select count(*) from pull_requests where title = 'A title that was mended'") == 1


def test_a_paused_team_s_run_ends_as_cancelled(
    settings: Settings, instance: dg.DagsterInstance, pipeline: Pipeline, repositories: list[str]
) -> None:
    """A run that finds its team paused stops at a safe point: cancelled, not failed, and no attempt is counted."""
    with pipeline.warehouse.transaction() as tx:
        set_status(tx, "acme", "paused")
    outcome = direct.run_month(settings, instance, "acme", NEWEST)
    assert (outcome.status, outcome.error) == ("failed", "Team 'acme' is paused: the run stops here.")
    assert instance.get_runs()[0].status == dg.DagsterRunStatus.CANCELED
    offboarding.resume(settings, "acme")
    assert requested(tick("onboard_teams", instance, pipeline)) == [key_of("acme", NEWEST), key_of("acme", BEFORE)]


def test_a_pause_in_the_middle_of_a_page_stops_after_it(
    settings: Settings,
    instance: dg.DagsterInstance,
    pipeline: Pipeline,
    repositories: list[str],
    empty_sandbox: Sandbox,
    database_url: str,
) -> None:
    """The page in hand is stored whole and is the last; the run ends as cancelled, and no attempt is counted.

    After `resume` the month completes.
    """
    blocker = psycopg2.connect(database_url)
    with blocker.cursor() as cursor:
        cursor.execute("lock table historical_sync.pull_requests in share row exclusive mode")
    with ThreadPoolExecutor(1) as pool:
        running = pool.submit(direct.run_month, settings, instance, "acme", NEWEST)
        wait_for_a_page_to_be_stored(pipeline)
        offboarding.pause(settings, instance, "acme")
        threading.Event().wait(BEAT_SECONDS)  # the run looks so often whether its team still wants it
        asked = len(empty_sandbox.requests)
        blocker.close()
        outcome = running.result()
    assert outcome.error == "Team 'acme' is paused: the run stops here."
    assert instance.get_runs()[0].status == dg.DagsterRunStatus.CANCELED
    assert len(empty_sandbox.requests) - asked <= 1, "at most what was on its way"
    with pipeline.warehouse.transaction() as tx:
        assert 0 < tx.value("select count(*) from pull_requests") < pull_requests_of_the_newest_month(empty_sandbox)
        assert tx.value("select attempts from team_months") == 0
        assert (
            tx.rows(
                """
            select number from pull_requests p where not is_partial and commit_count <> (
                select count(*) from pull_request_commits c where (c.repository, c.number) = (p.repository, p.number)
            )
            """
            )
            == []
        )
    offboarding.resume(settings, "acme")
    assert direct.run_month(settings, instance, "acme", NEWEST).status == "completed"


def test_removal_in_the_middle_of_a_page_leaves_nothing(
    settings: Settings,
    instance: dg.DagsterInstance,
    pipeline: Pipeline,
    repositories: list[str],
    database_url: str,
) -> None:
    """A team removed while a run stores its rows: the run stops after its page, then all is deleted, counted."""
    blocker = psycopg2.connect(database_url)
    with blocker.cursor() as cursor:
        cursor.execute("lock table historical_sync.pull_requests in share row exclusive mode")
    with ThreadPoolExecutor(2) as pool:
        running = pool.submit(direct.run_month, settings, instance, "acme", NEWEST)
        wait_for_a_page_to_be_stored(pipeline)
        removal = pool.submit(offboarding.remove, settings, instance, "acme", patience_seconds=240)
        threading.Event().wait(BEAT_SECONDS)
        assert not removal.done(), "it waits for what is at work"
        blocker.close()
        assert "the run stops here" in (running.result().error or "")
        counts = removal.result()
    assert (counts["teams"], counts["runs"], counts["partitions"]) == (1, 1, 1)
    assert counts["pull_requests"] > 0
    with pipeline.warehouse.transaction() as tx:
        assert not any(rows_of_team(tx, "acme").values())
    assert instance.get_runs() == []
    assert offboarding.remove(settings, instance, "acme") == {}


def wait_for_a_page_to_be_stored(pipeline: Pipeline) -> None:
    with pipeline.warehouse.transaction() as tx:
        while not tx.value("select count(*) from pg_locks where not granted and relation is not null"):
            tx.execute("select pg_sleep(0.05)")


def pull_requests_of_the_newest_month(sandbox: Sandbox) -> int:
    """How many pull requests belong to the newest month."""
    month = f"{NEWEST:%Y-%m}"
    return sum(
        month in (one.created_at[:7], (one.closed_at or "")[:7])
        for repository in sandbox.world.repositories.values()
        for one in repository
    )


def test_retry_asks_for_what_is_missing_and_for_nothing_else(
    settings: Settings, instance: dg.DagsterInstance, pipeline: Pipeline, repositories: list[str]
) -> None:
    """The month that is done is not asked for; the other becomes due at once, with a person's priority."""
    direct.run_month(settings, instance, "acme", NEWEST)
    assert retry.ask_again(pipeline, "acme") == [BEFORE]
    result = tick("onboard_teams", instance, pipeline)
    assert isinstance(result, dg.SensorResult)
    assert [(one.partition_key, one.tags["dagster/priority"]) for one in result.run_requests or ()] == [
        (key_of("acme", BEFORE), "1000")
    ]


def dagster_mentions(pipeline: Pipeline, team_id: str) -> int:
    """How many events and checks in Dagster's own tables are of a partition of the team, or say anything of one."""
    with pipeline.warehouse.transaction() as tx:
        counts = [
            tx.value(f"select count(*) from dagster.{table} t where to_jsonb(t)::text like %s", [f"%|{team_id}%"])
            for table in ("event_logs", "asset_event_tags", "asset_check_executions", "runs", "run_tags")
        ]
    return sum(counts)


def test_removal_leaves_nothing_and_can_be_repeated(
    settings: Settings, instance: dg.DagsterInstance, pipeline: Pipeline, repositories: list[str]
) -> None:
    """Rows, runs and partition of the team are gone, counted; the other team keeps its own; again is no error."""
    with pipeline.warehouse.transaction() as tx:
        add_team(tx, "other", repositories, history_months=0)
    for team_id in ("acme", "other"):
        direct.run_month(settings, instance, team_id, NEWEST)
    for _ in range(2):
        tick("collect_llm_batches", instance, PipelineAt(settings, datetime.now(UTC) + timedelta(minutes=5)))
    assert dagster_mentions(pipeline, "acme") > 0
    counts = offboarding.remove(settings, instance, "acme")
    assert dagster_mentions(pipeline, "acme") == 0
    assert dagster_mentions(pipeline, "other") > 0
    assert (counts["teams"], counts["partitions"], counts["runs"]) == (1, 1, 1)
    assert counts["pull_requests"] > 0
    assert instance.get_dynamic_partitions(TEAMS) == ["other"]
    assert {run.tags["dagster/partition/team"] for run in instance.get_runs()} == {"other"}
    with pipeline.warehouse.transaction() as tx:
        assert not any(rows_of_team(tx, "acme").values())
        assert rows_of_team(tx, "other")["pull_requests"] > 0
    assert offboarding.remove(settings, instance, "acme") == {}


def test_a_process_is_told_from_a_later_one_of_its_number() -> None:
    """Alive is only the very process that was noted: not a dead one, and not another that has its number."""
    child = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    started_at = psutil.Process(child.pid).create_time()
    noted = RunWorker("run", "acme", "host", child.pid, started_at, NOW)
    assert reconcile.is_alive(noted)
    assert not reconcile.is_alive(RunWorker("run", "acme", "host", child.pid, started_at - 60, NOW))
    child.kill()
    child.wait()
    assert not reconcile.is_alive(noted)
    assert reconcile.is_alive(RunWorker("run", None, "host", os.getpid(), psutil.Process().create_time(), NOW))
