"""Evidence is replaced with the flags that follow from it, from the newest stored version, by one at a time."""

from datetime import date

from historical_sync.records import Evidence
from historical_sync.warehouse.evidence import PAGE_SIZE, Tagged, lock_page, read_evidence, replace_evidence
from historical_sync.warehouse.postgres import Transaction, Warehouse
from historical_sync.warehouse.pull_requests import upsert_pull_requests
from historical_sync_tests.factories import add_team, at, make_commit, make_pull_request

MARCH = date(2025, 3, 1)


def hit(signature_id: str = "claude.author.footer", position: int = 0) -> Evidence:
    return Evidence(signature_id, "body", position, "claude", "author", "exact", "Generated with Claude Code")


def tagged(number: int, *evidence: Evidence, **flags: bool) -> Tagged:
    return Tagged(
        repository="acme/api",
        number=number,
        evidence=evidence,
        **{"is_automation": False, "is_revert": False, "is_hotfix": False, **flags},
    )


def flags_of(tx: Transaction, number: int) -> dict[str, bool]:
    row = tx.row("select is_automation, is_revert, is_hotfix from pull_requests where number = %s", [number])
    assert row is not None
    return row


def test_evidence_is_replaced_and_flags_are_set(warehouse: Warehouse) -> None:
    """What a newer ruleset no longer finds is gone; other pull requests keep theirs; each row names its ruleset."""
    with warehouse.transaction() as tx:
        add_team(tx)
        upsert_pull_requests(tx, "acme", [make_pull_request(number=1), make_pull_request(number=2)])
        replace_evidence(tx, "acme", [tagged(1, hit(), hit(position=1)), tagged(2, hit())], "old")
        replace_evidence(tx, "acme", [tagged(1, hit("codex.author.task"), is_revert=True)], "new")
        assert read_evidence(tx, "acme", "acme/api", 1) == [hit("codex.author.task")]
        assert read_evidence(tx, "acme", "acme/api", 2) == [hit()]
        assert tx.value("select ruleset_version from ai_evidence where number = 1") == "new"
        assert flags_of(tx, 1) == {"is_automation": False, "is_revert": True, "is_hotfix": False}
        replace_evidence(tx, "acme", [tagged(1)], "newest")
        assert read_evidence(tx, "acme", "acme/api", 1) == []
        assert not flags_of(tx, 1)["is_revert"]


def test_a_month_is_read_in_pages_by_key(warehouse: Warehouse) -> None:
    """Every pull request of the month once, in the order of its key, with its lists; other months stay out."""
    count = PAGE_SIZE + 3
    inside = [make_pull_request(number=n, commits=(make_commit(),)) for n in range(1, count + 1)]
    outside = make_pull_request(number=count + 1, created_at=at("2025-01-01T00:00"), closed_at=None, merged_at=None)
    with warehouse.transaction() as tx:
        add_team(tx)
        upsert_pull_requests(tx, "acme", [*inside, outside])
    seen: list[int] = []
    after = ("", -1)
    while True:
        with warehouse.transaction() as tx:
            page = lock_page(tx, "acme", MARCH, after)
        if not page:
            break
        assert len(page) <= PAGE_SIZE
        assert all(one.commits for one in page)
        seen += [one.number for one in page]
        after = (page[-1].repository, page[-1].number)
    assert seen == list(range(1, count + 1))
