"""What is due: everything wanted and not done, whatever made it so, and nothing else."""

from datetime import date, datetime, timedelta
from typing import Any

import pytest

from historical_sync.warehouse import operations, registry
from historical_sync.warehouse.operations import MOST_ATTEMPTS, DueMonth, months_due, retry_delay
from historical_sync.warehouse.postgres import Transaction, Warehouse
from historical_sync.warehouse.registry import remove_repository, remove_team, set_status
from historical_sync.window import add_months, first_of_month, months_wanted
from historical_sync_tests.factories import at

NOW = at("2025-12-25T10:00")
FIRST = date(2024, 1, 1)


def add_team(tx: Transaction, team_id: str, repositories: list[str], **values: Any) -> None:
    """A team whose repositories were registered long before any attempt."""
    registry.add_team(tx, team_id, repositories, **values)
    tx.execute("update tracked_repositories set added_at = '2020-01-01Z' where repository = any(%s)", [repositories])


def due(tx: Transaction, now: datetime = NOW, first_month: date = FIRST) -> list[DueMonth]:
    return months_due(tx, now=now, first_month=first_month)


def due_months(tx: Transaction, now: datetime = NOW, first_month: date = FIRST) -> list[date]:
    return [one.month for one in due(tx, now, first_month)]


def load(tx: Transaction, month: date, *repositories: str, now: datetime = NOW, status: str = "completed") -> None:
    """What a run leaves behind: its attempt, the repositories' months, and published trends."""
    operations.begin_attempt(tx, "acme", month, "run", now=now)
    for repository in repositories or ("acme/api",):
        tx.execute(
            """
            insert into repository_months (team_id, repository, month, expected, stored, status, completed_at)
            values ('acme', %s, %s, 1, 1, %s, %s)
            on conflict (team_id, repository, month) do update
            set status = excluded.status, completed_at = excluded.completed_at
            """,
            [repository, month, status, now if status == "completed" else None],
        )
    operations.mark_published(tx, "acme", month, now=now)


def load_all(tx: Transaction, *repositories: str, now: datetime = NOW, history_months: int = 12) -> None:
    for month in months_wanted(now, history_months):
        load(tx, month, *repositories, now=now)


def test_a_new_team_wants_its_whole_window_newest_first(warehouse: Warehouse) -> None:
    """On 2025-12-25 a team with twelve months of history is due from 2025-12 back to 2024-12: thirteen months."""
    with warehouse.transaction() as tx:
        add_team(tx, "acme", ["acme/api"])
        assert due_months(tx) == months_wanted(NOW, 12)
        assert (due_months(tx)[0], due_months(tx)[-1]) == (date(2025, 12, 1), date(2024, 12, 1))
        assert [one.months_back for one in due(tx)] == list(range(13))


def test_a_row_by_plain_sql_counts_the_same(warehouse: Warehouse) -> None:
    """A team inserted without the command is due like any other; one without repositories is not."""
    with warehouse.transaction() as tx:
        tx.execute("insert into teams (team_id) values ('acme'), ('empty')")
        tx.execute("insert into tracked_repositories (team_id, repository) values ('acme', 'acme/api')")
        assert {one.team_id for one in due(tx)} == {"acme"}
        assert len(due(tx)) == 13


def test_a_loaded_team_is_due_nothing(warehouse: Warehouse) -> None:
    """When every repository is complete for every month and its trends are published, nothing is due."""
    with warehouse.transaction() as tx:
        add_team(tx, "acme", ["acme/api"])
        load_all(tx)
        assert due(tx) == []
        assert operations.incomplete_months(tx, "acme", now=NOW, first_month=FIRST) == []


def test_a_month_without_published_trends_is_not_done(warehouse: Warehouse) -> None:
    """Rows alone do not make a month done: a run killed before its last step leaves it due, after its delay."""
    month = date(2025, 12, 1)
    with warehouse.transaction() as tx:
        add_team(tx, "acme", ["acme/api"], history_months=0)
        load(tx, month)
        tx.execute("update team_months set published_at = null, attempts = 1")
        assert not operations.is_month_done(tx, "acme", month)
        assert due_months(tx) == []
        assert due_months(tx, NOW + retry_delay(1)) == [month]


def test_a_reopened_month_is_due_until_it_is_published_again(warehouse: Warehouse) -> None:
    """A later completion than the last publication means that the trends are of older rows."""
    month = date(2025, 12, 1)
    later = NOW + timedelta(hours=1)
    with warehouse.transaction() as tx:
        add_team(tx, "acme", ["acme/api"], history_months=0)
        load(tx, month)
        tx.execute("update repository_months set completed_at = %s", [later])
        assert due_months(tx, later) == [month]
        operations.mark_published(tx, "acme", month, now=later)
        assert due_months(tx, later) == []


def test_a_clock_that_is_behind_cannot_make_a_month_due_for_ever(warehouse: Warehouse) -> None:
    """A completion stamped by a machine whose clock runs ahead counts as published by the publication that saw it."""
    month = date(2025, 12, 1)
    with warehouse.transaction() as tx:
        add_team(tx, "acme", ["acme/api"], history_months=0)
        load(tx, month)
        tx.execute("update repository_months set completed_at = %s", [NOW + timedelta(minutes=5)])
        operations.mark_published(tx, "acme", month, now=NOW)
        assert due(tx, NOW + timedelta(days=1)) == []


def test_a_failed_month_waits_longer_each_time_and_then_for_a_person(warehouse: Warehouse) -> None:
    """Attempts come after 1, 4, 16, 64 minutes and then up to six hours; after the last, only asking makes it due."""
    month, now = date(2025, 12, 1), NOW
    waits = []
    with warehouse.transaction() as tx:
        add_team(tx, "acme", ["acme/api"], history_months=0)
        for attempt in range(1, MOST_ATTEMPTS + 1):
            assert due_months(tx, now) == [month]
            assert operations.begin_attempt(tx, "acme", month, f"run{attempt}", now=now) == attempt
            operations.end_attempt(tx, "acme", month, "GitHub was down.", now=now)
            waits.append(retry_delay(attempt))
            assert due(tx, now + waits[-1] - timedelta(seconds=1)) == []
            now += waits[-1]
        assert [wait.total_seconds() / 60 for wait in waits] == [1, 4, 16, 64, 256, 360]
        assert due(tx, now + timedelta(days=5)) == [], "six failures in a row are enough"
        operations.ask(tx, "acme", [month], now=now)
        assert [(one.month, one.is_asked) for one in due(tx, now)] == [(month, True)]
        assert operations.begin_attempt(tx, "acme", month, "again", now=now) == 1


def test_success_forgives_earlier_failures(warehouse: Warehouse) -> None:
    """A month that failed five times and then came out is at its first attempt when it is reopened."""
    month = date(2025, 12, 1)
    with warehouse.transaction() as tx:
        add_team(tx, "acme", ["acme/api"], history_months=0)
        for attempt in range(5):
            operations.begin_attempt(tx, "acme", month, f"run{attempt}", now=NOW)
        load(tx, month)
        assert tx.value("select attempts from team_months") == 0


def test_asking_for_a_month_that_is_done_starts_nothing(warehouse: Warehouse) -> None:
    """A retry runs only what is failed or partial."""
    with warehouse.transaction() as tx:
        add_team(tx, "acme", ["acme/api"])
        load_all(tx)
        load(tx, date(2025, 3, 1), status="partial")
        operations.ask(tx, "acme", months_wanted(NOW, 12), now=NOW + timedelta(seconds=1))
        assert [(one.month, one.is_asked) for one in due(tx)] == [(date(2025, 3, 1), True)]


def test_a_repository_added_later_makes_all_months_due_at_once(warehouse: Warehouse) -> None:
    """Neither the delay nor the number of attempts of a month holds up a repository that was not part of them."""
    with warehouse.transaction() as tx:
        add_team(tx, "acme", ["acme/api"])
        load_all(tx)
        load(tx, date(2025, 11, 1), status="failed")
        tx.execute("update team_months set attempts = %s where month = '2025-11-01'", [MOST_ATTEMPTS])
        assert due(tx, NOW + timedelta(days=6)) == []
        add_team(tx, "acme", ["acme/web"])
        tx.execute("update tracked_repositories set added_at = %s where repository = 'acme/web'", [NOW + timedelta(1)])
        assert len(due(tx, NOW + timedelta(days=1))) == 13
        assert operations.begin_attempt(tx, "acme", date(2025, 11, 1), "new", now=NOW + timedelta(days=1)) == 1


def test_taking_a_repository_away_leaves_the_rest_done(warehouse: Warehouse) -> None:
    """When the repository that failed is no longer tracked, its months are complete without it."""
    with warehouse.transaction() as tx:
        add_team(tx, "acme", ["acme/api", "acme/gone"])
        load_all(tx)
        for month in months_wanted(NOW, 12):
            load(tx, month, "acme/gone", status="failed")
        assert len(operations.incomplete_months(tx, "acme", now=NOW, first_month=FIRST)) == 13
        remove_repository(tx, "acme", "acme/gone")
        assert operations.incomplete_months(tx, "acme", now=NOW, first_month=FIRST) == []


def test_a_longer_history_makes_only_the_older_months_due(warehouse: Warehouse) -> None:
    """Raising history_months from 12 to 15 adds three months and touches no other."""
    with warehouse.transaction() as tx:
        add_team(tx, "acme", ["acme/api"])
        load_all(tx)
        add_team(tx, "acme", [], history_months=15)
        assert due_months(tx) == [date(2024, 11, 1), date(2024, 10, 1), date(2024, 9, 1)]


def test_no_month_before_the_first_partition_is_due(warehouse: Warehouse) -> None:
    """SYNC_FIRST_MONTH cuts a long history off: there is no partition to put it in."""
    with warehouse.transaction() as tx:
        add_team(tx, "acme", ["acme/api"], history_months=240)
        assert due_months(tx, first_month=date(2025, 10, 1)) == [
            date(2025, 12, 1),
            date(2025, 11, 1),
            date(2025, 10, 1),
        ]


@pytest.mark.parametrize(
    ("before", "after", "opened"),
    [
        ("2025-10-31T23:59:59.999", "2025-11-01T00:00", "2025-11-01"),
        ("2025-12-31T23:59:59.999", "2026-01-01T00:00", "2026-01-01"),
        ("2024-02-28T23:59:59", "2024-02-29T00:00", None),
        ("2024-02-29T23:59:59.999", "2024-03-01T00:00", "2024-03-01"),
    ],
)
def test_a_new_calendar_month_appears_by_itself(
    warehouse: Warehouse, before: str, after: str, opened: str | None
) -> None:
    """At midnight UTC of the first day, over a year's end and after 29 February, exactly the new month is due."""
    with warehouse.transaction() as tx:
        add_team(tx, "acme", ["acme/api"])
        load_all(tx, now=at(before))
        assert due(tx, at(before), date(2020, 1, 1)) == []
        expected = [date.fromisoformat(opened)] if opened else []
        assert due_months(tx, at(after), date(2020, 1, 1)) == expected


@pytest.mark.parametrize("day", range(1, 32))
def test_the_window_is_the_calendar_s_on_every_day(warehouse: Warehouse, day: int) -> None:
    """The months that SQL wants are those of `window.months_wanted`, on the 31st as on the 1st."""
    now = at(f"2024-03-{day:02d}T12:00")
    with warehouse.transaction() as tx:
        add_team(tx, "acme", ["acme/api"])
        assert due_months(tx, now, date(2020, 1, 1)) == months_wanted(now, 12)
        assert due_months(tx, now, date(2020, 1, 1))[-1] == add_months(first_of_month(now), -12)


@pytest.mark.parametrize("status", ["paused", "offboarding"])
def test_a_team_that_is_not_active_is_due_nothing(warehouse: Warehouse, status: str) -> None:
    """Pausing and removing stop new work; resuming goes on with all that is missing."""
    with warehouse.transaction() as tx:
        add_team(tx, "acme", ["acme/api"])
        add_team(tx, "other", ["acme/api"])
        set_status(tx, "acme", status)
        assert {one.team_id for one in due(tx)} == {"other"}
        if status == "paused":
            set_status(tx, "acme", "active")
            assert {one.team_id for one in due(tx)} == {"acme", "other"}


def test_a_team_that_comes_back_starts_from_nothing(warehouse: Warehouse) -> None:
    """Removed and added again, a loaded team is due all its months, in its next generation."""
    with warehouse.transaction() as tx:
        add_team(tx, "acme", ["acme/api"])
        load_all(tx)
        remove_team(tx, "acme")
        add_team(tx, "acme", ["acme/api"])
        assert {(one.generation, len(due(tx))) for one in due(tx)} == {(2, 13)}


def test_a_stopped_attempt_does_not_count(warehouse: Warehouse) -> None:
    """A run that a pause ended leaves the month as if it had not been begun."""
    month = date(2025, 12, 1)
    with warehouse.transaction() as tx:
        add_team(tx, "acme", ["acme/api"], history_months=0)
        operations.begin_attempt(tx, "acme", month, "run", now=NOW)
        operations.forget_attempt(tx, "acme", month)
        assert due_months(tx) == [month]
        assert operations.begin_attempt(tx, "acme", month, "next", now=NOW) == 1


def test_a_run_that_never_began_counts_once(warehouse: Warehouse) -> None:
    """What cannot even start is not started again for ever; a run seen by its first step is not counted twice."""
    month = date(2025, 12, 1)
    with warehouse.transaction() as tx:
        add_team(tx, "acme", ["acme/api"], history_months=0)
        for _ in range(2):
            operations.count_unseen_attempt(tx, "acme", month, "dead", ended_at=NOW, error="It never began.")
        assert tx.row("select attempts, error from team_months") == {"attempts": 1, "error": "It never began."}
        assert due(tx) == []
        operations.begin_attempt(tx, "acme", month, "live", now=NOW)
        assert not operations.count_unseen_attempt(tx, "acme", month, "live", ended_at=NOW, error="")
        later = NOW + timedelta(minutes=1)
        operations.ask(tx, "acme", [month], now=later)
        assert not operations.count_unseen_attempt(tx, "acme", month, "dead", ended_at=NOW, error="")
        assert due_months(tx, later) == [month]
