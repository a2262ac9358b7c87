"""The ledger without Groq: what is queued, and that nothing is lost by waiting."""

from historical_sync.classification.ledger import classify_month, collect
from historical_sync.settings import Settings
from historical_sync.warehouse.postgres import Warehouse
from historical_sync_tests.classification.conftest import MARCH, NOW, one_pull_request, store


def test_without_a_key_everything_is_queued_and_says_so(warehouse: Warehouse, settings: Settings) -> None:
    """Without Groq every pull request is pending, with or without a body, and the summary names the missing key."""
    store(warehouse, [one_pull_request(1), one_pull_request(2, body="")])
    summary = classify_month(warehouse, None, "acme", MARCH, settings, now=NOW)
    assert (summary.pull_requests, summary.pending, summary.requests_sent) == (2, 2, 0)
    assert summary.waiting_reason is not None
    assert "GROQ_API_KEY" in summary.waiting_reason
    assert collect(warehouse, None, settings, now=NOW) == frozenset()
