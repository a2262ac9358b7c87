"""The sensors that take in what Groq answered and that report failed runs, tick by tick on Dagster's real instance."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import dagster as dg
import pytest

from historical_sync.definitions import defs
from historical_sync.orchestration import direct, internals, onboarding
from historical_sync.orchestration.partitions import TEAMS, key_of
from historical_sync.orchestration.sensors import report_failed_runs
from historical_sync.sandbox import scenario
from historical_sync.sandbox.server import Sandbox
from historical_sync.settings import Settings
from historical_sync.warehouse.registry import add_team, set_status
from historical_sync.window import months_wanted
from historical_sync_tests.orchestration.ticking import PipelineAt, requested, tick

NEWEST, BEFORE = months_wanted(datetime.now(UTC), 1)


@pytest.fixture
def empty_sandbox() -> Iterator[Sandbox]:
    """The demo team's repositories (the name is what `settings` asks for)."""
    with Sandbox(scenario.demo()) as running:
        yield running


@pytest.fixture
def pipeline(settings: Settings) -> PipelineAt:
    """A pipeline whose clock the test moves on."""
    return PipelineAt(settings, datetime.now(UTC))


@pytest.fixture
def loaded(empty_sandbox: Sandbox, settings: Settings, instance: dg.DagsterInstance, pipeline: PipelineAt) -> str:
    """Team acme with its newest month loaded and sent to Groq, and no answer taken in yet."""
    with pipeline.warehouse.transaction() as tx:
        add_team(tx, "acme", list(empty_sandbox.world.repositories), history_months=0)
    assert direct.run_month(settings, instance, "acme", NEWEST).status == "completed"
    return "acme"


def collect_until_asked(instance: dg.DagsterInstance, pipeline: PipelineAt) -> list[dg.RunRequest]:
    """Tick, with minutes between, until Groq has answered."""
    for _ in range(20):
        pipeline.time += timedelta(minutes=1)
        result = tick("collect_llm_batches", instance, pipeline)
        if isinstance(result, list):
            return result
    raise AssertionError(f"no batch ended: {result}")


def counts(pipeline: PipelineAt) -> dict[str, int]:
    with pipeline.warehouse.transaction() as tx:
        rows = tx.rows("select status, count(*)::int as n from llm_classifications group by 1")
    return {row["status"]: row["n"] for row in rows}


def test_answers_ask_for_their_month_once(loaded: str, instance: dg.DagsterInstance, pipeline: PipelineAt) -> None:
    """Ended batches give one run for their month, under one key however often it ticks, ahead of bulk work."""
    (first,) = collect_until_asked(instance, pipeline)
    assert first.partition_key == key_of("acme", NEWEST)
    assert first.tags[onboarding.CAUSE] == "classified"
    assert first.tags[internals.PRIORITY_TAG] == "600"
    assert instance.get_dynamic_partitions(TEAMS) == ["acme"]
    again = tick("collect_llm_batches", instance, pipeline)
    assert isinstance(again, list)
    assert [one.run_key for one in again] == [first.run_key], "the same answers are the same run"
    assert counts(pipeline).get("pending", 0) == 0


def test_the_run_that_takes_answers_in_ends_the_asking(
    loaded: str, instance: dg.DagsterInstance, pipeline: PipelineAt, empty_sandbox: Sandbox
) -> None:
    """Its job rebuilds the classified partition and the trends and asks Groq for nothing; the sensor is silent then."""
    (asked,) = collect_until_asked(instance, pipeline)
    lines = len(empty_sandbox.groq.tally.history)
    job = defs.resolve_job_def("classify_month_again")
    result = job.execute_in_process(
        instance=instance, partition_key=asked.partition_key, tags=asked.tags, resources={"pipeline": pipeline}
    )
    assert result.success
    built = {event.asset_key.to_user_string() for event in result.get_asset_materialization_events() if event.asset_key}
    assert built == {"llm_classified_pull_requests", "monthly_trends"}
    assert len(empty_sandbox.groq.tally.history) == lines
    silent = tick("collect_llm_batches", instance, pipeline)
    assert isinstance(silent, dg.SkipReason)
    assert "anything new" in str(silent.skip_message)


def test_a_month_in_flight_or_of_a_paused_team_waits(
    loaded: str, instance: dg.DagsterInstance, pipeline: PipelineAt
) -> None:
    """While a run has the month in hand no second one is asked for, nor for a paused team; afterwards it is."""
    (asked,) = collect_until_asked(instance, pipeline)
    run = instance.create_run_for_job(
        defs.resolve_job_def("sync_month"),
        tags={"dagster/partition": str(asked.partition_key)},
        status=dg.DagsterRunStatus.STARTED,
    )
    assert requested(tick("collect_llm_batches", instance, pipeline)) == []
    instance.report_run_canceled(run)
    with pipeline.warehouse.transaction() as tx:
        set_status(tx, "acme", "paused")
    waits = tick("collect_llm_batches", instance, pipeline)
    assert isinstance(waits, dg.SkipReason)
    assert "paused" in str(waits.skip_message)
    with pipeline.warehouse.transaction() as tx:
        set_status(tx, "acme", "active")
    assert requested(tick("collect_llm_batches", instance, pipeline)) == [asked.partition_key]


def test_an_outage_of_groq_fails_no_tick(
    empty_sandbox: Sandbox, settings: Settings, instance: dg.DagsterInstance, pipeline: PipelineAt
) -> None:
    """With Groq away the month is complete and its work queued; ticks skip, and lose and double nothing."""
    empty_sandbox.faults.add("groq_503")
    with pipeline.warehouse.transaction() as tx:
        add_team(tx, "acme", list(empty_sandbox.world.repositories), history_months=0)
    assert direct.run_month(settings, instance, "acme", NEWEST).status == "completed"
    queued = counts(pipeline)
    assert queued["pending"] > 0
    assert isinstance(tick("collect_llm_batches", instance, pipeline), dg.SkipReason)
    assert counts(pipeline) == queued


def report(instance: dg.DagsterInstance, pipeline: PipelineAt, run: dg.DagsterRun) -> None:
    """Evaluate the sensor for a run that has failed, as the daemon does."""
    (record,) = instance.get_records_for_run(run.run_id, of_type=dg.DagsterEventType.RUN_FAILURE).records
    event = record.event_log_entry.dagster_event
    assert event is not None
    context: Any = dg.build_run_status_sensor_context(
        sensor_name="report_failed_runs",
        dagster_event=event,
        dagster_instance=instance,
        dagster_run=run,
        resources={"pipeline": pipeline},
    )
    report_failed_runs(context.for_run_failure())


def told(pipeline: PipelineAt) -> list[dict[str, Any]]:
    with pipeline.warehouse.transaction() as tx:
        rows = tx.rows("select team_id, payload from alerts where kind = 'failure' order by alert_id")
    return [{"team_id": row["team_id"], **row["payload"]} for row in rows]


def test_a_failed_run_is_told_with_its_cause(
    settings: Settings, instance: dg.DagsterInstance, pipeline: PipelineAt, empty_sandbox: Sandbox
) -> None:
    """Team, month, repository, cause and remedy; once, although the sensor may see the run twice."""
    with pipeline.warehouse.transaction() as tx:
        add_team(tx, "bad", ["nobody/nothing"], history_months=0)
    assert direct.run_month(settings, instance, "bad", NEWEST).status == "failed"
    (run,) = instance.get_runs()
    for _ in range(2):
        report(instance, pipeline, run)
    (alert,) = told(pipeline)
    assert (alert["team_id"], alert["repository"], alert["month"]) == ("bad", "nobody/nothing", f"{NEWEST:%Y-%m}")
    assert "nobody/nothing" in alert["cause"]
    assert "retry" in alert["what_to_do"]


def test_a_run_without_a_repository_s_cause_is_told_by_its_own(
    settings: Settings, instance: dg.DagsterInstance, pipeline: PipelineAt, empty_sandbox: Sandbox
) -> None:
    """A token that cannot be resolved fails before any repository: the run's own words go into the alert."""
    with pipeline.warehouse.transaction() as tx:
        add_team(tx, "bad", list(empty_sandbox.world.repositories), history_months=0, token_ref="env:NO_SUCH_TOKEN")
    direct.run_month(settings, instance, "bad", NEWEST)
    (run,) = instance.get_runs()
    report(instance, pipeline, run)
    assert told(pipeline)
    assert any("NO_SUCH_TOKEN" in one["cause"] for one in told(pipeline)), told(pipeline)


def test_a_run_that_dagster_runs_again_is_no_news(instance: dg.DagsterInstance, pipeline: PipelineAt) -> None:
    """A killed process is retried by Dagster: nothing is told until the last attempt failed. Nor of others' jobs."""
    with pipeline.warehouse.transaction() as tx:
        add_team(tx, "acme", ["acme/api"], history_months=0)
    job = defs.resolve_job_def("sync_month")
    team = {onboarding.TEAM: "acme", "dagster/partition/month": f"{NEWEST:%Y-%m-%d}"}
    for tags in ({**team, "dagster/will_retry": "true"}, {"some": "other run"}):
        run = instance.create_run_for_job(job, tags=tags, status=dg.DagsterRunStatus.STARTED)
        internals.fail_run(instance, run, "Its process 17 is gone.")
        report(instance, pipeline, run)
        assert told(pipeline) == []
    last = instance.create_run_for_job(job, tags=team, status=dg.DagsterRunStatus.STARTED)
    internals.fail_run(instance, last, "Its process 17 is gone.")
    instance.add_run_tags(last.run_id, {"dagster/will_retry": "false"})
    report(instance, pipeline, last)
    (alert,) = told(pipeline)
    assert (alert["team_id"], alert["repository"]) == ("acme", None)
    assert "Its process 17 is gone." in alert["cause"]


def test_teams_are_compared_once_a_tick(instance: dg.DagsterInstance, pipeline: PipelineAt) -> None:
    """The sensor computes the benchmarks of the months that are marked, whatever marked them, and starts no run."""
    with pipeline.warehouse.transaction() as tx:
        tx.execute("insert into benchmark_months (month, is_stale) values ('2025-03-01', true), ('2025-02-01', false)")
    first, second = (tick("compare_teams", instance, pipeline) for _ in range(2))
    assert isinstance(first, dg.SkipReason)
    assert isinstance(second, dg.SkipReason)
    assert first.skip_message == "Benchmarks of 1 months were computed anew; 0 wait."
    assert second.skip_message == "Benchmarks of 0 months were computed anew; 0 wait."
