"""The onboarding sensor, tick by tick, on Dagster's real instance in PostgreSQL."""

import os
import subprocess
import sys
from datetime import date, timedelta
from pathlib import Path

import dagster as dg
import pytest
from dagster._core.execution.backfill import BulkActionStatus

from historical_sync.definitions import defs
from historical_sync.errors import SchemaOutdated
from historical_sync.orchestration import onboarding, sensors
from historical_sync.orchestration.onboarding import backfill_id, next_attempt, plan, run_key
from historical_sync.orchestration.partitions import TEAMS, key_of, read_key
from historical_sync.orchestration.resources import Pipeline
from historical_sync.records import TeamMonth
from historical_sync.settings import Settings
from historical_sync.warehouse.operations import DueMonth, begin_attempt, end_attempt, mark_published
from historical_sync.warehouse.postgres import Transaction
from historical_sync.warehouse.registry import add_team, read_team, remove_repository, remove_team, set_status
from historical_sync.window import add_months, months_wanted
from historical_sync_tests.conftest import run_sql
from historical_sync_tests.factories import at
from historical_sync_tests.orchestration.ticking import PipelineAt, backfills, requested, tick

NOW = at("2025-12-25T10:00")
MONTHS = months_wanted(NOW, 12)
SYNC_MONTH = defs.resolve_job_def("sync_month")


@pytest.fixture
def still(settings: Settings) -> PipelineAt:
    """A pipeline on 2025-12-25 at ten."""
    return PipelineAt(settings, NOW)


def register(pipeline: PipelineAt, team_id: str = "acme", *, history_months: int = 12) -> None:
    with pipeline.warehouse.transaction() as tx:
        add_team(tx, team_id, [f"{team_id}/api"], history_months=history_months)
        tx.execute("update tracked_repositories set added_at = '2020-01-01Z'")


def due(months: int, *, asked: tuple[int, ...] = ()) -> list[DueMonth]:
    return [DueMonth("acme", 1, add_months(date(2025, 12, 1), -back), back, back in asked) for back in range(months)]


def test_a_new_team_gets_its_partition_its_newest_month_and_one_backfill(
    instance: dg.DagsterInstance, still: PipelineAt
) -> None:
    """One tick: its partition exists, the newest month is requested at once, the other twelve are one backfill."""
    register(still)
    result = tick("onboard_teams", instance, still)
    assert instance.get_dynamic_partitions(TEAMS) == ["acme"]
    assert requested(result) == ["2025-12-01|acme"]
    (one,) = backfills(instance)
    assert one.backfill_id == "acme-g1-1"
    assert one.title == "acme: 2025-11 back to 2024-12"
    assert one.partition_names == [key_of("acme", month) for month in MONTHS[1:]]
    assert one.job_name == "sync_month"


def test_a_second_tick_makes_no_second_backfill(instance: dg.DagsterInstance, still: PipelineAt) -> None:
    """However often it ticks: one backfill; the newest month is requested under the same key until it has a run."""
    register(still)
    results = [tick("onboard_teams", instance, still) for _ in range(3)]
    assert len(backfills(instance)) == 1
    keys = {
        one.run_key for result in results if isinstance(result, dg.SensorResult) for one in result.run_requests or ()
    }
    assert keys == {"acme:onboard:1:2025-12:1"}


def test_nothing_to_do_is_said_and_starts_nothing(instance: dg.DagsterInstance, still: PipelineAt) -> None:
    """Without a team, a tick says what it looked at; it makes no partition and no backfill."""
    result = tick("onboard_teams", instance, still)
    assert isinstance(result, dg.SkipReason)
    assert result.skip_message
    assert not instance.get_dynamic_partitions(TEAMS)


@pytest.mark.parametrize(
    ("step", "when"),
    [
        ("historical_sync.warehouse.operations.months_due", "before"),
        ("dagster.DagsterInstance.add_dynamic_partitions", "before"),
        ("historical_sync.warehouse.alerts.note_milestones", "before"),
        ("historical_sync.orchestration.onboarding.run_request", "before"),
        ("historical_sync.orchestration.internals.add_job_backfill", "before"),
        ("dagster.DagsterInstance.add_backfill", "before"),
        ("dagster.DagsterInstance.add_backfill", "after"),
    ],
)
def test_a_crash_between_any_two_steps_heals(
    instance: dg.DagsterInstance, still: PipelineAt, step: str, when: str
) -> None:
    """The process that evaluates the sensor dies before or after each step: the next tick does what is left, once."""
    register(still)
    assert die_in_tick(step, when) == -9
    tick("onboard_teams", instance, still)
    result = tick("onboard_teams", instance, still)
    assert requested(result) == ["2025-12-01|acme"]
    assert instance.get_dynamic_partitions(TEAMS) == ["acme"]
    (one,) = backfills(instance)
    assert one.partition_names == [key_of("acme", month) for month in MONTHS[1:]]
    with still.warehouse.transaction() as tx:
        assert tx.value("select count(*) from alerts where kind = 'onboarding_started'") == 1


def die_in_tick(step: str, when: str) -> int:
    """Evaluate the sensor in a process of its own that is killed in front of or behind a step; its exit status."""
    code = f"""
import os, pydoc, signal
from datetime import datetime, UTC
from historical_sync.orchestration.home import open_instance
from historical_sync.settings import Settings
from historical_sync_tests.orchestration.ticking import PipelineAt, tick

owner, name = {step!r}.rsplit(".", 1)
owner = pydoc.locate(owner)
work = getattr(owner, name)

def last_step(*args, **kwargs):
    if {when == "after"}:
        work(*args, **kwargs)
    os.kill(os.getpid(), signal.SIGKILL)

setattr(owner, name, last_step)
settings = Settings.from_environment()
with open_instance(settings) as instance:
    tick("onboard_teams", instance, PipelineAt(settings, datetime(2025, 12, 25, 10, tzinfo=UTC)))
"""
    root = Path(__file__).parent.parent.parent
    finished = subprocess.run([sys.executable, "-c", code], cwd=root, env=dict(os.environ), check=False)
    return finished.returncode


def test_a_backfill_cancelled_by_hand_heals(instance: dg.DagsterInstance, still: PipelineAt) -> None:
    """While it is being cancelled nothing is started; once it is cancelled, what it left is a new backfill."""
    register(still)
    tick("onboard_teams", instance, still)
    (first,) = backfills(instance)
    instance.update_backfill(first.with_status(BulkActionStatus.CANCELING))
    tick("onboard_teams", instance, still)
    assert len(backfills(instance)) == 1
    instance.update_backfill(first.with_status(BulkActionStatus.CANCELED))
    still.time += timedelta(seconds=1)
    tick("onboard_teams", instance, still)
    assert [one.backfill_id for one in backfills(instance)] == ["acme-g1-1", "acme-g1-2"]
    assert backfills(instance)[1].partition_names == first.partition_names


def test_a_failed_backfill_counts_as_nothing(instance: dg.DagsterInstance, still: PipelineAt) -> None:
    """What a month's state is, the tables say: a backfill that is marked as failed is followed by another."""
    register(still)
    tick("onboard_teams", instance, still)
    (first,) = backfills(instance)
    instance.update_backfill(first.with_status(BulkActionStatus.FAILED))
    still.time += timedelta(seconds=1)
    tick("onboard_teams", instance, still)
    assert len(backfills(instance)) == 2


def test_a_hundred_teams_at_once(
    instance: dg.DagsterInstance, still: PipelineAt, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A hundred new rows: a tick gives each its partition, its newest month and its backfill; the next adds nothing."""
    monkeypatch.setattr(sensors, "TICK_SECONDS", 3600.0)  # on a very busy machine it would be several ticks
    with still.warehouse.transaction() as tx:
        tx.execute("insert into teams (team_id) select 'team-' || n from generate_series(1, 100) n")
        tx.execute("insert into tracked_repositories (team_id, repository) select team_id, 'o/r' from teams")
    result = tick("onboard_teams", instance, still)
    assert len(requested(result)) == 100
    assert len(instance.get_dynamic_partitions(TEAMS)) == 100
    assert len(backfills(instance)) == 100
    assert len({one.backfill_id for one in backfills(instance)}) == 100
    tick("onboard_teams", instance, still)
    assert len(backfills(instance)) == 100


def test_a_tick_stops_in_time_and_the_next_goes_on(
    instance: dg.DagsterInstance, still: PipelineAt, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Dagster throws a tick of a minute away: one that is out of time returns what it has, at least one team."""
    monkeypatch.setattr(sensors, "TICK_SECONDS", 0.0)
    for team_id in ("a", "b", "c"):
        register(still, team_id)
    asked: list[str] = []
    for _ in range(3):
        result = tick("onboard_teams", instance, still)
        assert isinstance(result, dg.SensorResult)
        for one in result.run_requests or ():
            tags = {**one.tags, "dagster/partition": str(one.partition_key)}
            instance.create_run_for_job(SYNC_MONTH, tags=tags, status=dg.DagsterRunStatus.STARTED)
        asked += requested(result)
    assert asked == ["2025-12-01|a", "2025-12-01|b", "2025-12-01|c"]
    assert len(backfills(instance)) == 3


def test_many_teams_do_not_fill_the_queue(
    instance: dg.DagsterInstance, still: PipelineAt, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With as many backfills open as there may be, further teams get their newest month; the rest when one is over."""
    monkeypatch.setattr(sensors, "MOST_OPEN_BACKFILLS", 1)
    for team_id in ("a", "b"):
        register(still, team_id)
    assert requested(tick("onboard_teams", instance, still)) == ["2025-12-01|a", "2025-12-01|b"]
    (first,) = backfills(instance)
    instance.update_backfill(first.with_status(BulkActionStatus.COMPLETED_SUCCESS))
    with still.warehouse.transaction() as tx:
        set_status(tx, "a", "paused")
    still.time += timedelta(seconds=1)
    tick("onboard_teams", instance, still)
    assert [one.tags[onboarding.TEAM] for one in backfills(instance)] == ["a", "b"]


def test_a_repository_added_to_a_loaded_team_opens_its_months(instance: dg.DagsterInstance, still: PipelineAt) -> None:
    """Every month is started again for the new repository; once it is taken away again, nothing is."""
    register(still, history_months=3)
    load(still)
    assert isinstance(tick("onboard_teams", instance, still), dg.SkipReason)
    with still.warehouse.transaction() as tx:
        add_team(tx, "acme", ["acme/web"])
    assert requested(tick("onboard_teams", instance, still)) == ["2025-12-01|acme"]
    (one,) = backfills(instance)
    assert one.partition_names == [key_of("acme", month) for month in MONTHS[1:4]]
    instance.update_backfill(one.with_status(BulkActionStatus.COMPLETED_SUCCESS))
    with still.warehouse.transaction() as tx:
        remove_repository(tx, "acme", "acme/web")
    assert isinstance(tick("onboard_teams", instance, still), dg.SkipReason)


def test_a_longer_history_opens_only_what_it_adds(instance: dg.DagsterInstance, still: PipelineAt) -> None:
    """`history_months` raised from 3 to 6: the three older months are one backfill, nothing else is touched."""
    register(still, history_months=3)
    load(still)
    with still.warehouse.transaction() as tx:
        add_team(tx, "acme", [], history_months=6)
    assert requested(tick("onboard_teams", instance, still)) == []
    (one,) = backfills(instance)
    assert one.partition_names == [key_of("acme", month) for month in MONTHS[4:7]]


@pytest.mark.parametrize(
    ("before", "after", "opened"),
    [
        ("2025-12-31T23:59", "2026-01-01T00:00", "2026-01-01"),
        ("2024-02-29T23:59", "2024-03-01T00:00", "2024-03-01"),
        ("2025-02-28T23:59", "2025-03-01T00:00", "2025-03-01"),
        ("2024-02-28T23:59", "2024-02-29T00:00", None),
    ],
)
def test_a_month_that_begins_opens_by_itself(
    instance: dg.DagsterInstance, settings: Settings, before: str, after: str, opened: str | None
) -> None:
    """Over a month's end, a year's end and 29 February: the new month and no other is started, at its first minute."""
    pipeline = PipelineAt(settings, at(before))
    register(pipeline, history_months=1)
    load(pipeline)
    assert requested(tick("onboard_teams", instance, pipeline)) == []
    pipeline.time = at(after)
    assert requested(tick("onboard_teams", instance, pipeline)) == ([f"{opened}|acme"] if opened else [])
    assert backfills(instance) == []


def load(pipeline: PipelineAt) -> None:
    """Everything that team acme wants is complete and published."""
    with pipeline.warehouse.transaction() as tx:
        tx.execute(
            """
            insert into repository_months (team_id, repository, month, expected, stored, status, completed_at)
            select 'acme', 'acme/api', month, 1, 1, 'completed', %s from unnest(%s::date[]) month
            """,
            [pipeline.time, months_wanted(pipeline.time, team_history(tx))],
        )
        for month in months_wanted(pipeline.time, team_history(tx)):
            mark_published(tx, "acme", month, now=pipeline.time)


def team_history(tx: Transaction) -> int:
    return read_team(tx, "acme").history_months


def test_a_team_that_comes_back_is_onboarded_anew(instance: dg.DagsterInstance, still: PipelineAt) -> None:
    """Removed and added again, a team gets a backfill and run keys of its next generation."""
    register(still)
    tick("onboard_teams", instance, still)
    (first,) = backfills(instance)
    instance.update_backfill(first.with_status(BulkActionStatus.COMPLETED_SUCCESS))
    with still.warehouse.transaction() as tx:
        remove_team(tx, "acme")
    register(still)
    still.time += timedelta(seconds=1)
    result = tick("onboard_teams", instance, still)
    assert isinstance(result, dg.SensorResult)
    assert [one.run_key for one in result.run_requests or ()] == ["acme:onboard:2:2025-12:1"]
    assert [one.backfill_id for one in backfills(instance)] == ["acme-g1-1", "acme-g2-1"]


def test_another_version_s_schema_is_left_alone(
    instance: dg.DagsterInstance, still: PipelineAt, database_url: str
) -> None:
    """An upgrade came while this process lives: its ticks start nothing and say why; a run's process reads nothing."""
    register(still)
    run_sql(database_url, "update historical_sync.alembic_version set version_num = '9999'")
    with pytest.raises(SchemaOutdated, match="is at 9999"):
        tick("onboard_teams", instance, still)
    assert instance.get_dynamic_partitions(TEAMS) == []
    assert backfills(instance) == []
    with pytest.raises(SchemaOutdated):
        _ = Pipeline(still.settings).warehouse


def test_a_paused_team_is_left_alone_and_others_are_not(instance: dg.DagsterInstance, still: PipelineAt) -> None:
    """Pausing one team starts nothing for it; the other team is onboarded in the same tick."""
    register(still, "acme")
    register(still, "other")
    with still.warehouse.transaction() as tx:
        set_status(tx, "acme", "paused")
    assert requested(tick("onboard_teams", instance, still)) == ["2025-12-01|other"]


def test_a_bad_row_stops_no_other_team(instance: dg.DagsterInstance, still: PipelineAt) -> None:
    """A team whose month fails again and again waits; a team that is added then is onboarded at once."""
    register(still, "bad", history_months=0)
    with still.warehouse.transaction() as tx:
        begin_attempt(tx, "bad", date(2025, 12, 1), "run", now=NOW)
        end_attempt(tx, "bad", date(2025, 12, 1), "No such repository.", now=NOW)
    register(still, "good", history_months=0)
    assert requested(tick("onboard_teams", instance, still)) == ["2025-12-01|good"]


def test_in_the_first_week_the_month_before_goes_at_once_too() -> None:
    """Until the 7th the open month holds little, so the one before it does not wait for the backfill."""
    for day, at_once in ((1, 2), (7, 2), (8, 1), (31, 1)):
        (one,) = plan(due(13), date(2025, 12, day))
        assert len(one.at_once) == at_once
        assert len(one.at_once) + len(one.in_bulk) == 13


def test_what_a_person_asks_for_is_not_put_into_a_backfill() -> None:
    """Asked months are runs of their own, so that their priority counts; the rest stays in bulk."""
    (one,) = plan(due(13, asked=(5, 9)), date(2025, 12, 25))
    assert [month.months_back for month in one.at_once] == [0, 5, 9]
    assert len(one.in_bulk) == 10


def test_a_single_older_month_is_a_plain_run() -> None:
    """A backfill of one month would say no more than its run."""
    (one,) = plan(due(13)[4:5], date(2025, 12, 25))
    assert (len(one.at_once), one.in_bulk) == (1, ())


@pytest.mark.parametrize("team_id", ["a", "acme", "a" * 40, "a-team_with-a-very-long-name-indeed-0123"])
def test_backfill_ids_are_short_unique_and_begin_with_the_team(team_id: str) -> None:
    """At most 32 characters, the team first, and different for teams that share their first 30 letters."""
    one = backfill_id(team_id, 12, 345)
    assert len(one) <= 32
    assert one.startswith(team_id[:8])
    assert one != backfill_id(team_id[:-1] + "b", 12, 345)
    assert one != backfill_id(team_id, 12, 346)


def test_attempts_count_on_from_the_highest_there_was() -> None:
    """A run by hand in between, which has no attempt, does not bring back a key that is already used."""
    assert next_attempt([]) == 1
    assert next_attempt([{onboarding.ATTEMPT: "3"}, {}, {onboarding.ATTEMPT: "1"}]) == 4
    assert run_key("acme", 2, date(2025, 3, 1), 4) == "acme:onboard:2:2025-03:4"


def test_partition_keys_read_back() -> None:
    """A key names month and team in Dagster's order and reads back as both."""
    assert read_key(key_of("acme", date(2025, 3, 1))) == TeamMonth("acme", date(2025, 3, 1))
    for wrong in ("acme", "acme|2025-03-01", "2025-03-01|"):
        with pytest.raises(Exception, match="no partition"):
            read_key(wrong)
