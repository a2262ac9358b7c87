"""The order of work: a person first, then newer months; refreshes spread over the teams and the hours."""

from datetime import date, timedelta
from typing import Any, cast

import dagster as dg
import pytest
from dagster._core.remote_origin import RemoteRepositoryOrigin

from historical_sync.definitions import defs
from historical_sync.orchestration.internals import SubmitRunContext
from historical_sync.orchestration.queue import (
    ASKED_BY_A_PERSON,
    REFRESH,
    MonthFirstRunCoordinator,
    month_priority,
    priority_of,
)
from historical_sync.warehouse.postgres import Warehouse
from historical_sync.warehouse.refreshes import begin_refresh, last_slot, refreshes_due
from historical_sync.warehouse.registry import add_team, set_status
from historical_sync_tests.factories import at
from historical_sync_tests.orchestration.ticking import LOCATION

TODAY = date(2025, 12, 25)
MONTH = "dagster/partition/month"


def test_newer_months_go_first_over_a_year_s_end() -> None:
    """Priorities fall month by month, also from January to December."""
    months = [date(2026, 1, 1), date(2025, 12, 1), date(2025, 11, 1), date(2024, 12, 1)]
    priorities = [month_priority(month, date(2026, 1, 5)) for month in months]
    assert priorities == sorted(priorities, reverse=True)
    assert len(set(priorities)) == 4


def test_a_backfill_from_the_ui_goes_newest_first() -> None:
    """Its runs come without a priority, oldest first, and get one by their month."""
    older, newer = ({MONTH: month, "dagster/backfill": "abc"} for month in ("2025-02-01", "2025-11-01"))
    assert (priority_of(older, TODAY) or 0) < (priority_of(newer, TODAY) or 0)


def test_the_queue_of_a_backfill_by_hand(instance: dg.DagsterInstance) -> None:
    """The coordinator that dagster.yaml names gives the runs of a backfill from the UI their place: newest first."""
    coordinator = instance.run_coordinator
    assert isinstance(coordinator, MonthFirstRunCoordinator)
    for month in ("2025-02-01", "2025-03-01", "2025-04-01"):  # the order in which Dagster submits them
        run = instance.create_run_for_job(
            defs.resolve_job_def("sync_month"),
            tags={MONTH: month, "dagster/backfill": "by-hand"},
            remote_job_origin=RemoteRepositoryOrigin(LOCATION, "__repository__").get_job_origin("sync_month"),
        )
        coordinator.submit_run(SubmitRunContext(run, cast(Any, None)))
    queued = instance.get_runs(dg.RunsFilter(statuses=[dg.DagsterRunStatus.QUEUED]))
    in_turn = sorted(queued, key=lambda run: int(run.tags["dagster/priority"]), reverse=True)
    assert [run.tags[MONTH] for run in in_turn] == ["2025-04-01", "2025-03-01", "2025-02-01"]


def test_a_run_that_a_person_launches_goes_before_bulk_work() -> None:
    """A single run from the UI belongs to no backfill, sensor or schedule."""
    assert priority_of({MONTH: "2025-02-01"}, TODAY) == ASKED_BY_A_PERSON
    assert ASKED_BY_A_PERSON > month_priority(TODAY, TODAY) > REFRESH


@pytest.mark.parametrize(
    "tags", [{"dagster/priority": "7", MONTH: "2025-02-01"}, {}, {MONTH: "soon", "dagster/backfill": "abc"}]
)
def test_what_has_a_priority_or_no_month_keeps_what_it_has(tags: dict[str, str]) -> None:
    """A priority that somebody gave stays; a run of another job is none of ours."""
    assert priority_of(tags, TODAY) is None


def test_refreshes_are_spread_over_the_teams() -> None:
    """A thousand teams fall due all over the six hours: in no tenth of them more than 15 percent."""
    now = at("2025-12-25T10:00")
    ages = [(now - last_slot(f"team-{number}", 6, now)) / timedelta(hours=6) for number in range(1000)]
    assert all(0 <= age < 1 for age in ages)
    tenths = [sum(1 for age in ages if int(age * 10) == tenth) for tenth in range(10)]
    assert max(tenths) < 150
    assert min(tenths) > 50


@pytest.mark.parametrize("hours", [1, 6, 168])
def test_a_team_falls_due_every_interval_and_never_earlier(hours: int) -> None:
    """Over a month's end, a year's end and 29 February the moments are exactly one interval apart."""
    for start in ("2024-02-28T20:00", "2025-10-31T20:00", "2025-12-31T20:00"):
        first = last_slot("acme", hours, at(start))
        for step in range(1, 4):
            assert last_slot("acme", hours, first + timedelta(hours=hours * step)) == first + timedelta(
                hours=hours * step
            )
            just_before = first + timedelta(hours=hours * step, microseconds=-1)
            assert last_slot("acme", hours, just_before) == first + timedelta(hours=hours * (step - 1))


def test_only_loaded_active_teams_are_refreshed_once_an_interval(warehouse: Warehouse) -> None:
    """A team still loading, or paused, is not refreshed; one that was waits for its next moment."""
    now = at("2025-12-25T10:00")
    with warehouse.transaction() as tx:
        for team_id in ("loaded", "loading", "paused", "daily"):
            add_team(tx, team_id, ["acme/api"])
        tx.execute("update teams set onboarded_at = '2025-01-01Z' where team_id <> 'loading'")
        tx.execute("update teams set refresh_hours = 24 where team_id = 'daily'")
        set_status(tx, "paused", "paused")
        assert {one.team_id for one in refreshes_due(tx, now=now)} == {"loaded", "daily"}
        for one in refreshes_due(tx, now=now):
            begin_refresh(tx, one.team_id, now=now)
        assert refreshes_due(tx, now=now) == []
        assert {one.team_id for one in refreshes_due(tx, now=now + timedelta(hours=6))} >= {"loaded"}
        assert {one.team_id for one in refreshes_due(tx, now=now + timedelta(hours=24))} == {"loaded", "daily"}


def test_a_team_loaded_after_its_moment_waits_for_the_next(warehouse: Warehouse) -> None:
    """What was just loaded is fresh."""
    now = at("2025-12-25T10:00")
    with warehouse.transaction() as tx:
        add_team(tx, "acme", ["acme/api"])
        tx.execute("update teams set onboarded_at = %s", [now])
        assert refreshes_due(tx, now=now) == []
        assert len(refreshes_due(tx, now=now + timedelta(hours=6))) == 1
