"""Tagging a stored month again: idempotent, from the newest version, and at once with a month that shares rows."""

import multiprocessing
import threading
from datetime import date

import pytest

from historical_sync.ai_usage.retagging import TaggingSummary, tag_month
from historical_sync.ai_usage.signatures import RULESET_VERSION
from historical_sync.warehouse.evidence import lock_page, read_evidence
from historical_sync.warehouse.postgres import Warehouse
from historical_sync.warehouse.pull_requests import upsert_pull_requests
from historical_sync_tests.factories import add_team, at, make_commit, make_pull_request, make_review

FEBRUARY, MARCH = date(2025, 2, 1), date(2025, 3, 1)
CLAUDE = "Fix\n\nCo-Authored-By: Claude <noreply@anthropic.com>"


def store(warehouse: Warehouse, *pull_requests: object) -> None:
    with warehouse.transaction() as tx:
        upsert_pull_requests(tx, "acme", pull_requests)  # type: ignore[arg-type]


@pytest.fixture
def stored(warehouse: Warehouse) -> Warehouse:
    """Four pull requests of March: by Claude, with a revert's title, by Dependabot, and reviewed by CodeRabbit."""
    with warehouse.transaction() as tx:
        add_team(tx)
    store(
        warehouse,
        make_pull_request(number=1, commits=(make_commit(message=CLAUDE),), body="AI-assisted: yes"),
        make_pull_request(number=2, title='Revert "Add the thing"', body="Reverts acme/api#1", head_ref="revert-1-x"),
        make_pull_request(number=3, author_login="dependabot", author_type="Bot"),
        make_pull_request(number=4, title="hotfix: pay again", reviews=(make_review(reviewer_login="coderabbitai"),)),
    )
    return warehouse


def test_a_month_is_tagged_and_summed_up(stored: Warehouse) -> None:
    """Evidence with its ruleset, the three flags, and what the asset shows: by tool, by role, by strength."""
    summary = tag_month(stored, "acme", MARCH)
    assert summary == TaggingSummary(
        pull_requests=4,
        with_author_evidence=1,
        automation=1,
        evidence_rows=4,
        by_tool={"claude": 1},
        by_role={"author": 1, "automation": 1, "reviewer": 1},
        by_strength={"exact": 1},
        ruleset_version=RULESET_VERSION,
    )
    with stored.transaction() as tx:
        rows = tx.rows("select number, is_automation, is_revert, is_hotfix from pull_requests order by number")
        assert [tuple(row.values()) for row in rows] == [
            (1, False, False, False),
            (2, False, True, False),
            (3, True, False, False),
            (4, False, False, True),
        ]
        assert set(tx.rows("select distinct ruleset_version from ai_evidence")[0].values()) == {RULESET_VERSION}


def test_tagging_again_changes_nothing(stored: Warehouse) -> None:
    """Idempotent: the same rows, the same summary, no row written twice."""
    first = tag_month(stored, "acme", MARCH)
    everything = "select * from ai_evidence order by repository, number, signature_id, source, position"
    with stored.transaction() as tx:
        before = tx.rows(everything)
    assert tag_month(stored, "acme", MARCH) == first
    with stored.transaction() as tx:
        assert tx.rows(everything) == before


def test_what_is_no_longer_said_is_no_longer_evidence(stored: Warehouse) -> None:
    """A newer version of the row without the trailer loses its evidence at the next tagging."""
    tag_month(stored, "acme", MARCH)
    store(stored, make_pull_request(number=1, updated_at=at("2025-03-09T00:00")))
    assert tag_month(stored, "acme", MARCH).with_author_evidence == 0
    with stored.transaction() as tx:
        assert read_evidence(tx, "acme", "acme/api", 1) == []


def test_an_empty_month_is_a_fact(stored: Warehouse) -> None:
    """No pull requests: a summary of zeros, and no error."""
    assert tag_month(stored, "acme", date(2024, 1, 1)).pull_requests == 0


def test_tagging_waits_for_a_writer_and_reads_what_it_wrote(stored: Warehouse) -> None:
    """While a newer version is being stored, tagging waits for its lock and never tags from the older one."""
    newer = make_pull_request(
        number=2, title="Add it", updated_at=at("2025-03-09T00:00"), body="Written with Claude Code."
    )
    done = threading.Event()

    def run() -> None:
        tag_month(stored, "acme", MARCH)
        done.set()

    with stored.transaction() as tx:
        upsert_pull_requests(tx, "acme", [newer])
        thread = threading.Thread(target=run)
        thread.start()
        assert not done.wait(0.5)
    thread.join(timeout=30)
    assert done.is_set()
    with stored.transaction() as tx:
        assert {hit.tool for hit in read_evidence(tx, "acme", "acme/api", 2)} == {"claude"}


def _tag_often(url: str, month: date) -> None:
    warehouse = Warehouse(url)
    for _ in range(4):
        tag_month(warehouse, "acme", month)
    warehouse.close()


def test_two_months_with_the_same_pull_requests_at_once(database_url: str, warehouse: Warehouse) -> None:
    """Two processes tag two months that share every row: no deadlock, no row twice, nothing lost."""
    shared = [
        make_pull_request(number=n, created_at=at("2025-02-20T00:00"), commits=(make_commit(message=CLAUDE),))
        for n in range(1, 61)
    ]
    with warehouse.transaction() as tx:
        add_team(tx)
    store(warehouse, *shared)
    spawn = multiprocessing.get_context("spawn")
    workers = [spawn.Process(target=_tag_often, args=(database_url, month)) for month in (FEBRUARY, MARCH)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(timeout=120)
    assert [worker.exitcode for worker in workers] == [0, 0]
    with warehouse.transaction() as tx:
        assert tx.value("select count(*) from ai_evidence") == 60


def test_a_page_at_a_time_is_held(stored: Warehouse) -> None:
    """The page's rows are locked until its transaction ends, and no others."""
    with stored.transaction() as tx:
        page = lock_page(tx, "acme", MARCH, ("acme/api", 2))
        assert [one.number for one in page] == [3, 4]
        with stored.transaction() as other:
            other.execute("set local lock_timeout = '200ms'")
            other.execute("update pull_requests set is_hotfix = false where number = 1")
