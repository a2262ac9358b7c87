"""Dollars: estimated before, counted after, capped per team and month, and shown before anything is bought again."""

import json

import pytest
from click.testing import CliRunner

from historical_sync.classification.pricing import cost_usd, estimated_tokens
from historical_sync.classification.prompt import request_body
from historical_sync.cli.reclassify import reclassify
from historical_sync.errors import ConfigurationError
from historical_sync.settings import Settings
from historical_sync.warehouse.llm_costs import monthly_costs, spent_usd
from historical_sync.warehouse.llm_holds import holds
from historical_sync_tests.classification.conftest import Desk, one_pull_request, store


def test_a_batch_costs_half(settings: Settings) -> None:
    """1,000 pull requests at 1,500 tokens in and 400 out cost 11.6 cents as batches of gpt-oss-20b (Groq's list)."""
    assert cost_usd(settings, "openai/gpt-oss-20b", 1_500_000, 400_000, is_batch=True) == pytest.approx(0.11625)
    assert cost_usd(settings, "openai/gpt-oss-20b", 1_500_000, 400_000, is_batch=False) == pytest.approx(0.2325)


def test_an_unknown_price_is_not_zero(settings: Settings) -> None:
    """A model that is not in the table has no price, which is not the same as costing nothing."""
    assert cost_usd(settings, "new/model", 1, 1, is_batch=True) is None


def test_prices_are_a_setting() -> None:
    """HISTORICAL_SYNC_LLM_PRICES adds to the table and overrides it; what cannot be read is refused."""
    env = {"HISTORICAL_SYNC_LLM_PRICES": "new/model=1/2, openai/gpt-oss-20b=0.1/0.4"}
    prices = Settings.from_environment(env).llm_prices
    assert (prices["new/model"], prices["openai/gpt-oss-20b"]) == ((1.0, 2.0), (0.1, 0.4))
    assert "openai/gpt-oss-120b" in prices
    for wrong in ("model", "model=1", "model=1/x", "=1/2", "model=1/2/3", "model=-1/2"):
        with pytest.raises(ConfigurationError, match="HISTORICAL_SYNC_LLM_PRICES"):
            Settings.from_environment({"HISTORICAL_SYNC_LLM_PRICES": wrong})
    with pytest.raises(ConfigurationError, match="DISCOUNT"):
        Settings.from_environment({"HISTORICAL_SYNC_LLM_BATCH_DISCOUNT": "1.5"})


def test_an_estimate_is_not_too_low(desk: Desk) -> None:
    """What was reserved for a month is at least what the sandbox's tokens came to."""
    store(desk.warehouse, [one_pull_request(number) for number in range(1, 6)])
    desk.classify()
    with desk.warehouse.transaction() as tx:
        reserved = spent_usd(tx, "acme", now=desk.now)
    desk.settle()
    with desk.warehouse.transaction() as tx:
        spent = spent_usd(tx, "acme", now=desk.now)
        (april,) = monthly_costs(tx, "acme")
    assert 0 < spent <= reserved
    assert april["cost_usd"] == pytest.approx(spent)
    assert str(april["month"]) == "2025-04-01"


def test_the_cap_stops_submission_and_says_so(desk: Desk) -> None:
    """Below the cap batches go out; what would pass it stays queued with the reason."""
    desk.change_settings(llm_batch_size=1, llm_budget_usd=cost_of_one(desk) * 2.5)
    store(desk.warehouse, [one_pull_request(number) for number in range(1, 6)])
    summary = desk.classify()
    assert summary.requests_sent == 2
    assert summary.waiting_reason is not None
    assert "budget" in summary.waiting_reason
    assert "HISTORICAL_SYNC_LLM_BUDGET_USD" in summary.waiting_reason


def test_the_cap_is_of_a_calendar_month(desk: Desk) -> None:
    """What was spent in April does not count in May; until then nothing passes the cap."""
    store(desk.warehouse, [one_pull_request(1)])
    desk.classify()
    desk.settle()
    with desk.warehouse.transaction() as tx:
        desk.change_settings(llm_budget_usd=spent_usd(tx, "acme", now=desk.now) + cost_of_one(desk) * 0.9)
    store(desk.warehouse, [one_pull_request(2)])
    desk.classify()
    desk.settle(5)
    assert desk.statuses() == {1: "classified", 2: "pending"}
    desk.later(days=29)
    desk.settle()
    assert desk.statuses() == {1: "classified", 2: "classified"}


def test_a_raised_cap_lets_the_queue_go(desk: Desk) -> None:
    """Raising the cap is enough: the next look sends the queue, and nothing is said to wait any more."""
    desk.change_settings(llm_budget_usd=0.0)
    store(desk.warehouse, [one_pull_request(1)])
    assert desk.classify().requests_sent == 0
    desk.change_settings(llm_budget_usd=5.0)
    desk.later(seconds=1)
    desk.collect()
    assert desk.lines_sent() == 1
    desk.settle()
    assert desk.statuses() == {1: "classified"}
    with desk.warehouse.transaction() as tx:
        assert holds(tx) == {}


def test_the_cap_counts_what_is_in_flight(desk: Desk) -> None:
    """Batches that have not ended count with their estimate, so that many at once cannot pass the cap."""
    desk.sandbox.faults.add("batch_stuck")
    desk.change_settings(llm_batch_size=1, llm_budget_usd=cost_of_one(desk) * 3.5)
    store(desk.warehouse, [one_pull_request(number) for number in range(1, 9)])
    desk.classify()
    for _ in range(5):
        desk.later(minutes=20)
        desk.collect()
    assert desk.lines_sent() == 3


def test_the_cap_holds_for_single_calls(desk: Desk) -> None:
    """Calls one by one are under the same cap."""
    desk.sandbox.groq.has_batches = False
    desk.change_settings(llm_budget_usd=0.0)
    store(desk.warehouse, [one_pull_request(1)])
    desk.classify()
    desk.settle(3)
    assert desk.sandbox.requests.of("chat") == []
    assert desk.statuses() == {1: "pending"}


def test_without_a_price_a_cap_cannot_be_kept(desk: Desk) -> None:
    """A cap and a model without a price: nothing is sent, and the message names the setting."""
    desk.change_settings(llm_prices={}, llm_budget_usd=1.0)
    store(desk.warehouse, [one_pull_request(1)])
    summary = desk.classify()
    assert summary.requests_sent == 0
    assert "HISTORICAL_SYNC_LLM_PRICES" in str(summary.waiting_reason)


def test_without_a_price_and_cap_it_is_sent_and_said(desk: Desk) -> None:
    """Without a cap the model is used; its cost is unknown, not 0, and the summary names it."""
    desk.change_settings(llm_prices={})
    store(desk.warehouse, [one_pull_request(1)])
    desk.classify()
    desk.settle()
    summary = desk.classify()
    assert summary.classified == 1
    assert summary.unpriced_models == ("openai/gpt-oss-20b",)
    with desk.warehouse.transaction() as tx:
        assert tx.value("select cost_usd from llm_batches") is None


def cost_of_one(desk: Desk) -> float:
    """The estimated dollars of one pull request."""
    size = len(json.dumps(request_body(one_pull_request(1), desk.settings.groq_model)))
    cost = cost_usd(desk.settings, desk.settings.groq_model, *estimated_tokens(size, 1), is_batch=True)
    assert cost is not None
    return cost


# --- reclassify


def run_reclassify(desk: Desk, database_url: str, *arguments: str, model: str = "openai/gpt-oss-120b") -> str:
    env = {
        "HISTORICAL_SYNC_DATABASE_URL": database_url,
        "GROQ_BASE_URL": desk.sandbox.groq_url,
        "GROQ_API_KEY": "gsk_for_tests",
        "GROQ_MODEL": model,
        "GROQ_SECOND_MODEL": model,
    }
    result = CliRunner().invoke(reclassify, ["acme", *arguments], env=env, catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result.output


def test_reclassify_shows_the_price_first(desk: Desk, database_url: str) -> None:
    """A dry run names pull requests, tokens and dollars, and sends nothing."""
    store(desk.warehouse, [one_pull_request(1), one_pull_request(2)])
    desk.classify()
    desk.settle()
    shown = run_reclassify(desk, database_url, "--dry-run")
    assert "2 pull requests with openai/gpt-oss-120b" in shown
    assert "tokens" in shown
    assert "$0.0" in shown
    assert desk.lines_sent() == 2
    assert "nothing to ask again" in run_reclassify(desk, database_url, "--dry-run", model="openai/gpt-oss-20b")


def test_reclassify_keeps_the_old_answers_until_the_new_ones_come(desk: Desk, database_url: str) -> None:
    """A new model classifies again only by this command; meanwhile the labels stand."""
    store(desk.warehouse, [one_pull_request(1), one_pull_request(2)])
    desk.classify()
    desk.settle()
    desk.change_settings(groq_model="openai/gpt-oss-120b")
    assert desk.classify().requests_sent == 0
    desk.clock.now = desk.clock.now.replace(year=2030)  # the command goes by the machine's clock
    assert "2 pull requests are queued" in run_reclassify(desk, database_url, "--yes")
    assert set(desk.statuses().values()) == {"classified"}
    assert {row["model"] for row in desk.rows().values()} == {"openai/gpt-oss-20b"}
    desk.settle()
    assert {row["model"] for row in desk.rows().values()} == {"openai/gpt-oss-120b"}
    assert desk.lines_sent() == 4


def test_a_failed_reclassification_keeps_the_old_answer(desk: Desk, database_url: str) -> None:
    """When the new model has no usable answer to the same content, the answer that was paid for stays."""
    store(desk.warehouse, [one_pull_request(1)])
    desk.classify()
    desk.settle()
    desk.sandbox.faults.add("line_refusal")
    desk.clock.now = desk.clock.now.replace(year=2030)
    run_reclassify(desk, database_url, "--yes")
    desk.settle()
    row = desk.rows()[1]
    assert (row["status"], row["model"], row["is_ai_assisted"]) == ("classified", "openai/gpt-oss-20b", False)
    assert row["error"]
    assert desk.open_work() == 0


def test_reclassify_of_one_month(desk: Desk, database_url: str) -> None:
    """--month takes only the pull requests that were closed in it; an unreadable month is refused."""
    store(desk.warehouse, [one_pull_request(1)])
    desk.classify()
    desk.settle()
    assert "nothing to ask again" in run_reclassify(desk, database_url, "--dry-run", "--month", "2025-04")
    assert "1 pull requests" in run_reclassify(desk, database_url, "--dry-run", "--month", "2025-03")
    result = CliRunner().invoke(reclassify, ["acme", "--month", "March"])
    assert result.exit_code == 2
