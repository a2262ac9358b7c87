"""Pull requests go in and come back as they were."""

from datetime import date

from historical_sync.warehouse.postgres import Warehouse
from historical_sync.warehouse.pull_requests import read_month, upsert_pull_requests
from historical_sync_tests.factories import add_team, at, make_commit, make_file, make_pull_request, make_review


def test_what_is_stored_comes_back(warehouse: Warehouse) -> None:
    """A pull request with its lists reads back equal, in both months that it belongs to."""
    one = make_pull_request(
        created_at=at("2025-02-27T12:00"),
        labels=["bug"],
        commits=(make_commit(), make_commit(oid="b")),
        reviews=(make_review(reviewer_login=None),),
        files=(make_file(),),
    )
    with warehouse.transaction() as tx:
        add_team(tx)
        assert upsert_pull_requests(tx, "acme", [one]) == 1
        assert list(read_month(tx, "acme", date(2025, 2, 1))) == [one]
        assert list(read_month(tx, "acme", date(2025, 3, 1))) == [one]
        assert list(read_month(tx, "acme", date(2025, 4, 1))) == []


def test_an_older_answer_never_overwrites(warehouse: Warehouse) -> None:
    """Answers may come in the wrong order: the newer `updated_at` stays, lists included."""
    newer = make_pull_request(title="New", updated_at=at("2025-03-05T00:00"), files=(make_file(path="new"),))
    older = make_pull_request(title="Old", updated_at=at("2025-03-04T00:00"), files=(make_file(path="old"),))
    with warehouse.transaction() as tx:
        add_team(tx)
        upsert_pull_requests(tx, "acme", [newer])
        assert upsert_pull_requests(tx, "acme", [older]) == 0
        assert list(read_month(tx, "acme", date(2025, 3, 1))) == [newer]
