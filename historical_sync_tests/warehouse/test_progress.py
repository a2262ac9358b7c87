"""Progress as the tables tell it: three levels, a bar that never goes back, an honest time left."""

from datetime import datetime, timedelta
from typing import Any

import pytest

from historical_sync.progress import TeamProgress
from historical_sync.warehouse.index import Walk, save_walk
from historical_sync.warehouse.postgres import Transaction, Warehouse
from historical_sync.warehouse.progress import read_progress
from historical_sync.warehouse.pull_requests import upsert_pull_requests
from historical_sync.window import months_wanted
from historical_sync_tests.factories import add_team, at, make_pull_request

NOW = at("2025-12-25T12:00")
MONTHS = months_wanted(NOW, 12)


def set_month(tx: Transaction, repository: str, month: Any, status: str, expected: int, stored: int) -> None:
    tx.execute(
        """insert into repository_months (team_id, repository, month, status, expected, stored, completed_at)
        values ('acme', %s, %s, %s, %s, %s, case when %s = 'completed' then now() end)
        on conflict (team_id, repository, month) do update set status = excluded.status,
            expected = excluded.expected, stored = excluded.stored, completed_at = excluded.completed_at""",
        [repository, month, status, expected, stored, status],
    )


def set_repository(tx: Transaction, repository: str, **columns: Any) -> None:
    tx.execute(
        f"update tracked_repositories set {', '.join(f'{name} = %s' for name in columns)} where repository = %s",
        [*columns.values(), repository],
    )


def read(tx: Transaction, now: datetime = NOW) -> TeamProgress:
    (found,) = read_progress(tx, now=now, team_id="acme")
    return found


def test_a_team_that_has_not_begun_waits_for_thirteen_months(warehouse: Warehouse) -> None:
    """A new row in `teams` shows at once: thirteen months wanted, none complete, no time left to be told."""
    with warehouse.transaction() as tx:
        add_team(tx, "acme", "acme/api")
        progress = read(tx)
    assert (progress.state, progress.months_total, progress.months_complete) == ("waiting", 13, 0)
    assert (progress.percent, progress.eta_seconds) == (0, None)


def test_the_json_has_exactly_the_promised_shape(warehouse: Warehouse) -> None:
    """`status --json` is a contract: these keys and no others."""
    with warehouse.transaction() as tx:
        add_team(tx, "acme", "acme/api")
        set_repository(tx, "acme/api", sync_status="failed", sync_error="not found", sync_prs_total=7)
        found = read(tx).as_json()
    assert found == {
        "team_id": "acme",
        "months_total": 13,
        "months_complete": 0,
        "eta_seconds": None,
        "repositories": [
            {
                "repository": "acme/api",
                "sync_status": "failed",
                "sync_progress": 0,
                "sync_prs_total": 7,
                "sync_prs_completed": 0,
                "sync_error": "not found",
            }
        ],
        "llm": {
            "batches_total": 0,
            "batches_done": 0,
            "classified": 0,
            "pending": 0,
            "unclassified": 0,
            "cost_usd": 0.0,
        },
    }


def test_a_month_is_complete_when_every_repository_is(warehouse: Warehouse) -> None:
    """One repository's complete month is not the team's: both must have it."""
    with warehouse.transaction() as tx:
        add_team(tx, "acme", "acme/api", "acme/web")
        set_month(tx, "acme/api", MONTHS[0], "completed", 3, 3)
        assert read(tx).months_complete == 0
        set_month(tx, "acme/web", MONTHS[0], "completed", 0, 0)
        assert read(tx).months_complete == 1


def test_months_outside_the_window_do_not_count(warehouse: Warehouse) -> None:
    """A month that slid out of the window is kept in the tables but not in the count."""
    with warehouse.transaction() as tx:
        add_team(tx, "acme", "acme/api")
        set_month(tx, "acme/api", months_wanted(NOW, 13)[-1], "completed", 3, 3)
        progress = read(tx)
    assert (progress.months_complete, progress.repositories[0].months_complete) == (0, 0)


def test_a_complete_history_is_one_hundred_percent_and_done(warehouse: Warehouse) -> None:
    """All months complete: 100 %, no time left, and nobody need look again."""
    with warehouse.transaction() as tx:
        add_team(tx, "acme", "acme/api")
        set_repository(tx, "acme/api", sync_status="completed", sync_prs_total=13, sync_prs_completed=13)
        for month in MONTHS:
            set_month(tx, "acme/api", month, "completed", 1, 1)
        progress = read(tx)
    assert (progress.state, progress.percent, progress.eta_seconds) == ("complete", 100, 0)
    assert progress.is_settled


def test_a_history_is_not_complete_before_its_repositories_are(warehouse: Warehouse) -> None:
    """All months stored while a repository still syncs: 99 %, not 100; a later refresh does not take 100 % back."""
    with warehouse.transaction() as tx:
        add_team(tx, "acme", "acme/api")
        set_repository(tx, "acme/api", sync_status="syncing", sync_prs_total=13, sync_prs_completed=12)
        for month in MONTHS:
            set_month(tx, "acme/api", month, "completed", 1, 1)
        assert (read(tx).state, read(tx).percent <= 99) == ("loading", True)
        set_repository(tx, "acme/api", sync_status="completed", sync_prs_completed=13)
        assert (read(tx).state, read(tx).percent) == ("complete", 100)
        set_repository(tx, "acme/api", sync_status="syncing")
        assert (read(tx).state, read(tx).percent) == ("complete", 100)


def test_a_history_with_an_unfinished_batch_is_complete_but_not_settled(warehouse: Warehouse) -> None:
    """History complete does not wait for the LLM; the page still follows the batch that is out."""
    with warehouse.transaction() as tx:
        add_team(tx, "acme", "acme/api")
        set_repository(tx, "acme/api", sync_status="completed")
        for month in MONTHS:
            set_month(tx, "acme/api", month, "completed", 1, 1)
        tx.execute(
            """insert into llm_batches (batch_id, team_id, month, status, digest, model, prompt_version)
            values ('b1', 'acme', '2025-12-01', 'in_progress', 'd', 'm', 'p')"""
        )
        progress = read(tx)
    assert (progress.state, progress.is_settled) == ("complete", False)


def test_the_bar_never_goes_back_when_the_total_grows(warehouse: Warehouse) -> None:
    """A walk that finds more pull requests than estimated lowers the measured share, not the bar."""
    with warehouse.transaction() as tx:
        add_team(tx, "acme", "acme/api")
        set_repository(tx, "acme/api", sync_status="syncing", sync_prs_total=500, sync_prs_completed=400)
        before = read(tx).percent
    with warehouse.transaction() as tx:
        set_repository(tx, "acme/api", sync_prs_total=5000)
        after = read(tx).percent
    assert before == after > 50


def test_the_bar_stays_below_one_hundred_until_the_history_is_complete(warehouse: Warehouse) -> None:
    """More stored than expected (a total that is behind) is not 100 %, let alone more."""
    with warehouse.transaction() as tx:
        add_team(tx, "acme", "acme/api")
        set_repository(tx, "acme/api", sync_status="syncing", sync_prs_total=10, sync_prs_completed=99_999)
        assert read(tx).percent <= 99


def test_a_longer_history_is_a_new_load_with_a_new_bar(warehouse: Warehouse) -> None:
    """Raising history_months starts a bar of its own: the old 100 % says nothing about the new months."""
    with warehouse.transaction() as tx:
        add_team(tx, "acme", "acme/api")
        set_repository(tx, "acme/api", sync_status="completed")
        for month in MONTHS:
            set_month(tx, "acme/api", month, "completed", 1, 1)
        assert read(tx).percent == 100
        tx.execute("update teams set history_months = 24")
        assert 0 < read(tx).percent < 100


def test_failed_repositories_leave_the_history_incomplete_not_loading(warehouse: Warehouse) -> None:
    """When all that is left has failed, the state says so and the page stops asking; one untried month keeps it on."""
    with warehouse.transaction() as tx:
        add_team(tx, "acme", "acme/api")
        set_repository(tx, "acme/api", sync_status="failed", sync_error="not found")
        for month in MONTHS[:-1]:
            set_month(tx, "acme/api", month, "failed", 0, 0)
        assert read(tx).state == "loading"
        set_month(tx, "acme/api", MONTHS[-1], "partial", 2, 1)
        progress = read(tx)
    assert (progress.state, progress.is_settled) == ("incomplete", True)


def fetch(tx: Transaction, count: int, *, seconds_each: float, until: datetime) -> None:
    upsert_pull_requests(tx, "acme", [make_pull_request(number=number) for number in range(1, count + 1)])
    tx.execute(
        "update pull_requests set fetched_at = %s - make_interval(secs => (%s - number) * %s)",
        [until, count, seconds_each],
    )


@pytest.fixture
def loading(warehouse: Warehouse) -> Warehouse:
    """A team with 100 pull requests expected and 20 fetched, half a second each."""
    with warehouse.transaction() as tx:
        add_team(tx, "acme", "acme/api")
        set_repository(tx, "acme/api", sync_status="syncing", sync_prs_total=100, sync_prs_completed=20)
        for month in MONTHS:
            set_month(tx, "acme/api", month, "pending", 0, 0)
        fetch(tx, 20, seconds_each=0.5, until=NOW)
    return warehouse


def test_the_time_left_follows_the_measured_rate(loading: Warehouse) -> None:
    """Eighty left at half a second each are forty seconds."""
    with loading.transaction() as tx:
        assert read(tx).eta_seconds == 40


def test_a_wait_for_github_is_added_to_the_time_left(loading: Warehouse) -> None:
    """Waiting until the limit resets is part of the time left, and is shown with its hour."""
    with loading.transaction() as tx:
        tx.execute(
            "insert into github_waits (team_id, holder, reason, resume_at) values ('acme', 'h', 'hourly limit', %s)",
            [NOW + timedelta(minutes=10)],
        )
        progress = read(tx)
    assert progress.wait is not None
    assert (progress.eta_seconds, progress.wait.resume_at) == (640, NOW + timedelta(minutes=10))


def test_a_wait_that_is_over_is_no_wait(loading: Warehouse) -> None:
    """A row left behind by a wait that has ended is not shown."""
    with loading.transaction() as tx:
        tx.execute(
            "insert into github_waits (team_id, holder, reason, resume_at) values ('acme', 'h', 'limit', %s)", [NOW]
        )
        assert read(tx).wait is None


def test_without_news_nobody_knows_the_time_left(loading: Warehouse) -> None:
    """Ten minutes without a pull request: the old rate is no promise."""
    with loading.transaction() as tx:
        assert read(tx, NOW + timedelta(minutes=10)).eta_seconds is None


def test_a_page_of_the_list_is_news(loading: Warehouse) -> None:
    """A long walk fetches no pull request and completes no month, and the load is under way all the same."""
    later = NOW + timedelta(minutes=10)
    with loading.transaction() as tx:
        tx.execute("update teams set created_at = %s", [NOW])
        assert read(tx, later).stalled_since == NOW
        save_walk(tx, "acme", "acme/api", Walk("history", walked_at=later - timedelta(seconds=3)))
        assert read(tx, later).stalled_since is None


def test_the_estimate_comes_from_recent_activity_until_the_index_is_complete(warehouse: Warehouse) -> None:
    """Sixty pull requests in six months make 130 expected in thirteen, until every month has its count."""
    with warehouse.transaction() as tx:
        add_team(tx, "acme", "acme/api")
        set_repository(tx, "acme/api", sync_status="syncing", recent_prs=60, sync_prs_total=15, sync_prs_completed=9)
        progress = read(tx)
        assert (progress.prs_expected, progress.is_total_known) == (130, False)
        for month in MONTHS:
            set_month(tx, "acme/api", month, "pending", 1, 0)
        progress = read(tx)
    assert (progress.prs_expected, progress.is_total_known) == (15, True)


def test_each_team_reads_its_own_rows(warehouse: Warehouse) -> None:
    """Two teams with the same repository do not share counts."""
    with warehouse.transaction() as tx:
        add_team(tx, "acme", "acme/api")
        add_team(tx, "zoo", "acme/api", "zoo/web")
        set_month(tx, "acme/api", MONTHS[0], "completed", 3, 3)
        found = {one.team_id: one for one in read_progress(tx, now=NOW)}
    assert (found["acme"].months_complete, found["zoo"].months_complete) == (1, 0)
    assert [one.repository for one in found["zoo"].repositories] == ["acme/api", "zoo/web"]


def test_months_before_the_first_partition_are_not_waited_for(warehouse: Warehouse) -> None:
    """Where SYNC_FIRST_MONTH cuts the window, the cut months are no part of the total."""
    with warehouse.transaction() as tx:
        add_team(tx, "acme", "acme/api")
        (found,) = read_progress(tx, now=NOW, team_id="acme", first_month=MONTHS[3])
    assert found.months_total == 4


def test_an_unknown_team_is_an_empty_list(warehouse: Warehouse) -> None:
    """Reading an unknown team gives nothing rather than somebody else's rows."""
    with warehouse.transaction() as tx:
        add_team(tx, "acme", "acme/api")
        assert read_progress(tx, now=NOW, team_id="acm") == []
