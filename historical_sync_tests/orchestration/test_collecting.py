"""The sensors that take in what Groq answered and that report failed runs, tick by tick on Dagster's real instance."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import dagster as dg
import pytest

from historical_sync.definitions import defs
from historical_sync.orchestration import direct, internals, onboarding
from historical_sync.orchestration.partitions import key_of
from historical_sync.orchestration.sensors import report_failed_runs
from historical_sync.sandbox import scenario
from historical_sync.sandbox.server import Sandbox
from historical_sync.settings import Settings
from historical_sync.warehouse.registry import add_team, set_status
from historical_sync.window import months_wanted
from historical_sync_tests.orchestration.ticking import PipelineAt, tick

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


def built(instance: dg.DagsterInstance, asset: str) -> int:
    """How often the asset was materialised."""
    return len(instance.fetch_materializations(dg.AssetKey(asset), limit=100).records)


def collect_until_taken_in(instance: dg.DagsterInstance, pipeline: PipelineAt) -> str:
    """Tick, with minutes between, until no answer is missing; what the last tick said."""
    for _ in range(20):
        pipeline.time += timedelta(minutes=1)
        said = tick("collect_llm_batches", instance, pipeline)
        assert isinstance(said, dg.SkipReason), "it starts no run"
        if not counts(pipeline).get("pending"):
            return str(said.skip_message)
    raise AssertionError(f"no batch ended: {said}")


def begin_run(instance: dg.DagsterInstance, pipeline: PipelineAt) -> dg.DagsterRun:
    """Put the newest month into the hands of a run."""
    return instance.create_run_for_job(
        defs.resolve_job_def("sync_month"),
        tags={"dagster/partition": key_of("acme", NEWEST)},
        status=dg.DagsterRunStatus.STARTED,
    )


def counts(pipeline: PipelineAt) -> dict[str, int]:
    with pipeline.warehouse.transaction() as tx:
        rows = tx.rows("select status, count(*)::int as n from llm_classifications group by 1")
    return {row["status"]: row["n"] for row in rows}


def test_answers_are_taken_in_without_a_run(
    loaded: str, instance: dg.DagsterInstance, pipeline: PipelineAt, empty_sandbox: Sandbox
) -> None:
    """Ended batches give their month new trends and a new classified partition, once, and Groq is asked for nothing."""
    runs = len(instance.get_runs())
    before = {asset: built(instance, asset) for asset in ("llm_classified_pull_requests", "monthly_trends")}
    said = collect_until_taken_in(instance, pipeline)
    assert said.startswith("1 months have their new answers; 0 follow with the next tick")
    assert classified_share(pipeline) == 1
    lines = len(empty_sandbox.groq.tally.history)
    silent = tick("collect_llm_batches", instance, pipeline)
    assert isinstance(silent, dg.SkipReason)
    assert "anything new" in str(silent.skip_message)
    assert len(empty_sandbox.groq.tally.history) == lines
    assert {asset: built(instance, asset) - count for asset, count in before.items()} == dict.fromkeys(before, 1)
    assert len(instance.get_runs()) == runs


def test_what_was_taken_in_is_told_in_the_month_s_partition(
    loaded: str, instance: dg.DagsterInstance, pipeline: PipelineAt
) -> None:
    """The partition's newest materialisation has the numbers of the answers, and its ledger is checked."""
    collect_until_taken_in(instance, pipeline)
    (record,) = instance.fetch_materializations(dg.AssetKey("llm_classified_pull_requests"), limit=1).records
    assert record.partition_key == key_of("acme", NEWEST)
    metadata = record.asset_materialization.metadata if record.asset_materialization else {}
    assert metadata["classified"].value == metadata["pull requests"].value == counts(pipeline)["classified"]
    checks = instance.event_log_storage.get_asset_check_execution_history(
        dg.AssetCheckKey(dg.AssetKey("llm_classified_pull_requests"), "ledger_is_balanced"), limit=1
    )
    evaluation = checks[0].event.dagster_event.asset_check_evaluation_data if checks[0].event else None
    assert evaluation
    assert evaluation.passed
    assert evaluation.metadata["partition"].value == record.partition_key


def test_later_answers_of_the_same_month_are_taken_in_too(
    loaded: str, instance: dg.DagsterInstance, pipeline: PipelineAt
) -> None:
    """A month whose answers come in several batches is built anew with each, and Dagster is told each time."""
    collect_until_taken_in(instance, pipeline)
    for number in (3, 4):
        with pipeline.warehouse.transaction() as tx:
            tx.execute("insert into llm_changed_months values ('acme', %s, now())", [NEWEST])
        said = tick("collect_llm_batches", instance, pipeline)
        assert isinstance(said, dg.SkipReason)
        assert str(said.skip_message).startswith("1 months have their new answers")
        assert built(instance, "monthly_trends") == number


def classified_share(pipeline: PipelineAt) -> float:
    """What the trends of the newest month say."""
    with pipeline.warehouse.transaction() as tx:
        share: float = tx.value(
            "select min(value) from monthly_trends where metric = 'classified_share' and segment = '*' and month = %s",
            [NEWEST],
        )
    return share


def test_a_month_in_flight_or_of_a_paused_team_waits(
    loaded: str, instance: dg.DagsterInstance, pipeline: PipelineAt
) -> None:
    """A month that a run has in hand is left alone, and so is a paused team's; afterwards its trends follow."""
    run = begin_run(instance, pipeline)
    waiting = "0 months have their new answers; 0 follow with the next tick, and 1 are in flight or of a paused team."
    assert collect_until_taken_in(instance, pipeline) == waiting
    assert classified_share(pipeline) < 1
    instance.report_run_canceled(run)
    with pipeline.warehouse.transaction() as tx:
        set_status(tx, "acme", "paused")
    paused = tick("collect_llm_batches", instance, pipeline)
    assert isinstance(paused, dg.SkipReason)
    assert paused.skip_message == waiting
    with pipeline.warehouse.transaction() as tx:
        set_status(tx, "acme", "active")
    tick("collect_llm_batches", instance, pipeline)
    assert classified_share(pipeline) == 1


def test_trends_that_fail_are_tried_again(loaded: str, instance: dg.DagsterInstance, pipeline: PipelineAt) -> None:
    """A month that the database refuses fails its tick by name and loses nothing: the next one takes the answers in."""
    with pipeline.warehouse.transaction() as tx:
        tx.execute("alter table monthly_trends add constraint refused check (computed_at < '2000-01-01') not valid")
    with pytest.raises(ExceptionGroup) as caught:
        collect_until_taken_in(instance, pipeline)
    assert "acme" in caught.value.exceptions[0].__notes__[0]
    assert classified_share(pipeline) < 1
    with pipeline.warehouse.transaction() as tx:
        tx.execute("alter table monthly_trends drop constraint refused")
    tick("collect_llm_batches", instance, pipeline)
    assert classified_share(pipeline) == 1


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
