"""The index and the states derived from it: counts are the proof, and later changes reopen what was complete."""

from datetime import date, timedelta

from historical_sync.records import IndexEntry
from historical_sync.warehouse import index, repository_months
from historical_sync.warehouse.index import Walk
from historical_sync.warehouse.postgres import Transaction, Warehouse
from historical_sync.warehouse.pull_requests import mark_unread, upsert_pull_requests
from historical_sync.warehouse.repository_months import MonthResult
from historical_sync_tests.factories import add_team, at, make_pull_request

MARCH, APRIL = date(2025, 3, 1), date(2025, 4, 1)
NOW = at("2025-04-10T12:00")


def entry(number: int = 1, **changes: object) -> IndexEntry:
    values: dict[str, object] = {
        "number": number,
        "node_id": f"PR_{number}",
        "state": "OPEN",
        "created_at": at("2025-03-05T12:00"),
        "updated_at": at("2025-03-05T12:00"),
        "merged_at": None,
        "closed_at": None,
    }
    return IndexEntry(**{**values, **changes})  # type: ignore[arg-type]


def complete(tx: Transaction, *months: date) -> None:
    for month in months:
        repository_months.begin_month(tx, "acme", month, ["acme/api"], NOW)
        counts = repository_months.count_months(tx, "acme", [("acme/api", month)])
        repository_months.save_counts(tx, "acme", counts)
        result = MonthResult("acme/api", "completed", None, NOW)
        repository_months.save_results(tx, "acme", month, [result], NOW)


def status(tx: Transaction, month: date) -> str:
    found: str = tx.value("select status from repository_months where month = %s", [month])
    return found


def test_an_entry_belongs_to_the_months_it_was_created_and_closed_in(warehouse: Warehouse) -> None:
    """A page's rows change exactly those months; the same page again changes none."""
    one = entry(closed_at=at("2025-04-02T00:00"), updated_at=at("2025-04-02T00:00"), state="CLOSED")
    with warehouse.transaction() as tx:
        add_team(tx)
        changed = index.upsert_entries(tx, "acme", "acme/api", [one])
        assert changed == {("acme/api", MARCH), ("acme/api", APRIL)}
        assert index.upsert_entries(tx, "acme", "acme/api", [one]) == set()


def test_an_older_answer_never_overwrites_the_index(warehouse: Warehouse) -> None:
    """Pages may come in the wrong order, and hold one pull request twice: the newest version stays."""
    newer = entry(updated_at=at("2025-03-09T00:00"), state="CLOSED", closed_at=at("2025-03-09T00:00"))
    with warehouse.transaction() as tx:
        add_team(tx)
        index.upsert_entries(tx, "acme", "acme/api", [newer, entry()])
        assert index.upsert_entries(tx, "acme", "acme/api", [entry()]) == set()
        assert tx.value("select state from pull_request_index") == "CLOSED"


def test_a_change_within_the_same_second_is_news(warehouse: Warehouse) -> None:
    """GitHub's times are whole seconds: the same `updated_at` with another state is taken."""
    merged = entry(state="MERGED", merged_at=at("2025-03-05T12:00"), closed_at=at("2025-03-05T12:00"))
    with warehouse.transaction() as tx:
        add_team(tx)
        index.upsert_entries(tx, "acme", "acme/api", [entry()])
        assert index.upsert_entries(tx, "acme", "acme/api", [merged]) == {("acme/api", MARCH)}


def test_wanted_is_what_the_index_has_newer(warehouse: Warehouse) -> None:
    """No row, an older one, a partial one, one read in the second of its update are wanted; one as new is not."""
    with warehouse.transaction() as tx:
        add_team(tx)
        index.upsert_entries(tx, "acme", "acme/api", [entry(number) for number in range(1, 6)])
        same = {"created_at": at("2025-03-05T12:00"), "updated_at": at("2025-03-05T12:00"), "closed_at": None}
        rows = [
            make_pull_request(number=1, **same),
            make_pull_request(number=2, **{**same, "updated_at": at("2025-03-05T11:00")}),
            make_pull_request(number=3, **same, is_partial=True, partial_reason="files: 502"),
            make_pull_request(number=4, **same, is_settled=False),
        ]
        upsert_pull_requests(tx, "acme", rows)
        arguments = {"after": ("", -1), "limit": 10}
        wanted = index.wanted_in_month(tx, "acme", MARCH, ["acme/api"], **arguments, with_partial=True)  # type: ignore[arg-type]
        assert [one.number for one in wanted] == [2, 3, 4, 5]
        stale = index.wanted_in_month(tx, "acme", MARCH, ["acme/api"], **arguments, with_partial=False)  # type: ignore[arg-type]
        assert [one.number for one in stale] == [2, 5]
        assert index.wanted_in_month(tx, "acme", APRIL, ["acme/api"], **arguments, with_partial=True) == []  # type: ignore[arg-type]


def test_counts_reopen_a_completed_month(warehouse: Warehouse) -> None:
    """A newer index entry reopens the month that was complete; the row that follows lets it be completed again."""
    row = make_pull_request(created_at=at("2025-03-05T12:00"), updated_at=at("2025-03-05T12:00"), closed_at=None)
    with warehouse.transaction() as tx:
        add_team(tx)
        index.upsert_entries(tx, "acme", "acme/api", [entry()])
        upsert_pull_requests(tx, "acme", [row])
        complete(tx, MARCH, APRIL)
        changed = index.upsert_entries(tx, "acme", "acme/api", [entry(updated_at=at("2025-03-06T00:00"))])
        repository_months.reopen(tx, "acme", changed)
        assert (status(tx, MARCH), status(tx, APRIL)) == ("pending", "completed")


def test_hydration_that_saw_more_tells_the_index(warehouse: Warehouse) -> None:
    """A pull request that was merged since the walk moves into the month of its merge, and that month is reopened."""
    with warehouse.transaction() as tx:
        add_team(tx)
        index.upsert_entries(tx, "acme", "acme/api", [entry()])
        complete(tx, APRIL)
        merged = make_pull_request(
            created_at=at("2025-03-05T12:00"),
            updated_at=at("2025-04-02T00:00"),
            merged_at=at("2025-04-02T00:00"),
            closed_at=at("2025-04-02T00:00"),
        )
        upsert_pull_requests(tx, "acme", [merged])
        changed = index.follow_hydration(tx, "acme", [merged])
        assert changed == {("acme/api", MARCH), ("acme/api", APRIL)}
        counts = repository_months.count_months(tx, "acme", changed)
        assert [(one.month, one.expected, one.stored) for one in counts] == [(MARCH, 1, 1), (APRIL, 1, 1)]


def test_a_partial_answer_never_replaces_a_whole_one(warehouse: Warehouse) -> None:
    """Of the same version the whole one stays; a whole one replaces a partial one; a newer partial one is taken."""
    whole = make_pull_request()
    partial = make_pull_request(is_partial=True, partial_reason="files: 502")
    with warehouse.transaction() as tx:
        add_team(tx)
        upsert_pull_requests(tx, "acme", [partial])
        assert upsert_pull_requests(tx, "acme", [whole]) == 1
        assert upsert_pull_requests(tx, "acme", [partial]) == 0
        newer = make_pull_request(is_partial=True, partial_reason="x", updated_at=whole.updated_at + timedelta(days=1))
        assert upsert_pull_requests(tx, "acme", [newer]) == 1


def test_one_of_which_nothing_is_read_is_a_partial_row(warehouse: Warehouse) -> None:
    """The bare row holds what the index knows; a row that is there keeps its text and is marked."""
    with warehouse.transaction() as tx:
        add_team(tx)
        index.upsert_entries(tx, "acme", "acme/api", [entry(1), entry(2)])
        upsert_pull_requests(tx, "acme", [make_pull_request(number=2, title="Kept")])
        for number in (1, 2):
            mark_unread(tx, "acme", "acme/api", number, "502")
        rows = tx.rows("select number, title, is_partial, partial_reason from pull_requests order by number")
        assert [(row["title"], row["is_partial"], row["partial_reason"]) for row in rows] == [
            ("", True, "502"),
            ("Kept", True, "502"),
        ]


def test_a_walk_has_passed_only_what_is_strictly_newer_than_its_frontier() -> None:
    """Several pull requests may share the frontier's second: there the walk must go on, unless it is at its end."""
    frontier = at("2025-03-01T00:00")
    walk = Walk("history", frontier=frontier)
    assert not walk.has_passed(frontier)
    assert walk.has_passed(frontier + timedelta(seconds=1))
    assert Walk("history", is_at_end=True).has_passed(frontier)
    assert not Walk("history").has_passed(frontier)


def test_a_repository_is_completed_only_when_all_its_months_are(warehouse: Warehouse) -> None:
    """With a month missing: pending when nothing runs, syncing while a run lives, failed with a failure."""
    wanted = [APRIL, MARCH]

    def settled(tx: Transaction) -> tuple[str, int, str | None]:
        repository_months.settle(tx, "acme", ["acme/api"], wanted, NOW, NOW)
        row = tx.row("select sync_status, sync_progress, sync_error from tracked_repositories")
        assert row is not None
        return row["sync_status"], row["sync_progress"], row["sync_error"]

    with warehouse.transaction() as tx:
        add_team(tx)
        complete(tx, APRIL)
        assert settled(tx)[0] == "pending"
        repository_months.keep_alive(tx, "acme", MARCH, "somebody", NOW)
        assert settled(tx)[0] == "syncing"
        repository_months.end_month(tx, "acme", MARCH, "somebody", NOW)
        repository_months.begin_month(tx, "acme", MARCH, ["acme/api"], NOW)
        failed = MonthResult("acme/api", "failed", "not found", None, "Check the name.")
        repository_months.save_results(tx, "acme", MARCH, [failed], NOW)
        assert settled(tx)[0] == "failed"
        assert settled(tx)[2] == "2025-03 is failed: not found"
        assert tx.value("select sync_remedy from tracked_repositories") == "Check the name."
        complete(tx, MARCH)
        assert settled(tx) == ("completed", 100, None)


def test_months_that_failed_for_one_cause_are_told_together(warehouse: Warehouse) -> None:
    """Thirteen months of one repository that is gone are one sentence; another cause is another."""
    months = [date(2025, month, 1) for month in range(1, 5)]
    with warehouse.transaction() as tx:
        add_team(tx)
        for month in months:
            repository_months.begin_month(tx, "acme", month, ["acme/api"], NOW)
            status, error, remedy = ("partial", "one is null", None) if month == MARCH else ("failed", "gone", "Look.")
            result = MonthResult("acme/api", status, error, None, remedy)
            repository_months.save_results(tx, "acme", month, [result], NOW)
        repository_months.settle(tx, "acme", ["acme/api"], months, NOW, NOW)
        row = tx.row("select sync_error, sync_remedy from tracked_repositories")
    assert row == {
        "sync_error": "2025-01 to 2025-04, 3 months, are failed: gone; 2025-03 is partial: one is null",
        "sync_remedy": "Look.",
    }


def test_a_run_that_died_is_not_alive_for_ever(warehouse: Warehouse) -> None:
    """A lease without a sign of life ends by itself."""
    with warehouse.transaction() as tx:
        add_team(tx)
        repository_months.keep_alive(tx, "acme", MARCH, "dead", NOW - repository_months.LEASE - timedelta(seconds=1))
        repository_months.settle(tx, "acme", ["acme/api"], [MARCH], NOW, NOW)
        assert tx.value("select sync_status from tracked_repositories") == "pending"
