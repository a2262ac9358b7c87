"""Checks of stored trends: each is silent on sound data, and finds the fault it is for."""

from datetime import date

import pytest

from historical_sync.warehouse.postgres import Warehouse
from historical_sync.warehouse.trend_checks import CHECKS, Check, findings
from historical_sync_tests.factories import make_pull_request
from historical_sync_tests.trends.numbers import MARCH, complete, publish, store

APRIL = date(2025, 4, 1)
BY_NAME = {check.name: check for check in CHECKS}


@pytest.fixture
def sound(warehouse: Warehouse) -> Warehouse:
    """A team whose March is complete, classified and published."""
    store(warehouse, *(make_pull_request(number=number, additions=40 * number) for number in range(30)))
    with warehouse.transaction() as tx:
        complete(tx, "acme/api", MARCH)
        tx.execute(
            "insert into llm_classifications (team_id, repository, number, status, is_ai_assisted, confidence) "
            "select team_id, repository, number, 'classified', false, 0.9 from pull_requests"
        )
    publish(warehouse)
    return warehouse


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.name)
def test_sound_data_passes(sound: Warehouse, check: Check) -> None:
    """Nothing is reported where nothing is wrong."""
    with sound.transaction() as tx:
        assert findings(tx, check) == []


FAULTS = {
    "stored_is_expected": (
        "update repository_months set status = 'partial', expected = 7, stored = 5",
        "acme/api: 5 of 7 pull requests are stored (partial).",
    ),
    "trends_are_current": (
        "delete from pull_requests where number = 1",
        "29 merged pull requests are stored and 29 of them classified, published are 30 and 30: "
        "publish the month again.",
    ),
    "shares_are_shares": (
        "update monthly_trends set value = 1.2 where metric = 'revert_share' and repository = '*' and segment = '*'",
        "revert_share of * (*) is 1.2.",
    ),
    "segments_add_up": (
        "update monthly_trends set value = value - 1 where metric = 'pull_requests_merged' and repository = '*' "
        "and segment = 'size:xl'",
        "sizes of * add up to 29, not to 30.",
    ),
    "no_negative_duration": (
        "update monthly_trends set value = -2 where metric = 'pickup_time_hours_p50' and repository = '*' "
        "and segment = '*'",
        "pickup_time_hours_p50 of * (*) is -2 hours.",
    ),
    "mostly_classified": (
        "update monthly_trends set value = 0.5 where metric = 'classified_share' and repository = '*'",
        "50 % of 30 merged pull requests are classified.",
    ),
    "volume_is_steady": (
        "insert into monthly_trends select team_id, '2025-02-01', repository, metric, segment, 9, 9, unit, is_enough, "
        "is_complete, computed_at, is_open, repositories, repositories_complete from monthly_trends "
        "where metric = 'pull_requests_created'",
        "30 pull requests were created, 9 in the month before.",
    ),
}


@pytest.mark.parametrize("name", sorted(BY_NAME))
def test_each_check_finds_its_fault(sound: Warehouse, name: str) -> None:
    """A planted fault is named, with the month it is in; another month has no part in it."""
    fault, message = FAULTS[name]
    with sound.transaction() as tx:
        tx.execute(fault)
        found = findings(tx, BY_NAME[name], team_id="acme", month=MARCH)
        assert [(one.team_id, one.month, one.message) for one in found] == [("acme", MARCH, message)]
        assert findings(tx, BY_NAME[name], team_id="acme", month=APRIL) == []
        assert findings(tx, BY_NAME[name], team_id="nobody") == []


def test_a_late_classification_makes_trends_stale(sound: Warehouse) -> None:
    """Answers that came after the month was published are seen, until it is published again."""
    with sound.transaction() as tx:
        tx.execute("update llm_classifications set status = 'unclassified' where number < 4")
        (found,) = findings(tx, BY_NAME["trends_are_current"])
    assert "30 merged pull requests are stored and 26 of them classified" in found.message
    publish(sound)
    with sound.transaction() as tx:
        assert findings(tx, BY_NAME["trends_are_current"]) == []


def test_tools_that_do_not_add_up_to_the_ai_assisted_share_are_found(sound: Warehouse) -> None:
    """A stack of tools that is higher than the share it divides, which a chart would show as more than there is."""
    with sound.transaction() as tx:
        tx.execute(
            "insert into monthly_trends select team_id, month, repository, 'ai_made_with_share', 'made_with:claude', "
            "0.25, n, unit, is_enough, is_complete, computed_at, is_open, repositories, repositories_complete "
            "from monthly_trends where metric = 'ai_assisted_share' and repository = '*'"
        )
        (found,) = findings(tx, BY_NAME["segments_add_up"])
    assert found.message == "tools of * add up to 0.25, not to 0."


def test_repositories_add_up_to_their_team(sound: Warehouse) -> None:
    """A repository's count that does not reach the team's is found too."""
    with sound.transaction() as tx:
        tx.execute(
            "update monthly_trends set value = 3 where metric = 'pull_requests_merged' and repository = 'acme/api' "
            "and segment = '*'"
        )
        messages = [one.message for one in findings(tx, BY_NAME["segments_add_up"])]
    assert "repositories of * add up to 3, not to 30." in messages


@pytest.mark.parametrize(("before", "is_found"), [(9, True), (10, False), (11, False)])
def test_only_a_leap_is_an_anomaly(sound: Warehouse, before: int, is_found: bool) -> None:
    """From 9 to 30 is more than three times; from 10 it is not."""
    with sound.transaction() as tx:
        tx.execute(FAULTS["volume_is_steady"][0].replace("9, 9", f"{before}, {before}"))
        assert bool(findings(tx, BY_NAME["volume_is_steady"])) == is_found


def test_an_open_month_is_not_yet_unusual(sound: Warehouse) -> None:
    """A month that has only begun has fewer pull requests than the last, and that is no news."""
    with sound.transaction() as tx:
        tx.execute(FAULTS["volume_is_steady"][0].replace("9, 9", "900, 900"))
        assert findings(tx, BY_NAME["volume_is_steady"])
        tx.execute("update monthly_trends set is_open = true where month = '2025-03-01'")
        assert findings(tx, BY_NAME["volume_is_steady"]) == []
