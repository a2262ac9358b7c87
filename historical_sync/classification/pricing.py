"""Tokens into dollars, before a batch is sent (estimated) and after (counted). Prices are a setting."""

from __future__ import annotations

from historical_sync.settings import Settings

BYTES_PER_TOKEN = 3.6
"""Cautious: English text and code have about 4, Chinese one character of 3. An estimate may be high, but not low."""
EXPECTED_ANSWER_TOKENS = 700
"""An answer has about 400; with low effort reasoning takes up to 300 more."""
TOKENS_PER_MILLION = 1_000_000


def cost_usd(settings: Settings, model: str, input_tokens: int, output_tokens: int, *, is_batch: bool) -> float | None:
    """Dollars for these tokens; None when the price table has no price for the model, which is not the same as 0."""
    prices = settings.llm_prices.get(model)
    if prices is None:
        return None
    full = (input_tokens * prices[0] + output_tokens * prices[1]) / TOKENS_PER_MILLION
    return full * (1 - settings.llm_batch_discount) if is_batch else full


def estimated_tokens(request_bytes: int, requests: int) -> tuple[int, int]:
    """Input and output tokens that requests of this size will take, rather too many than too few."""
    return round(request_bytes / BYTES_PER_TOKEN), requests * EXPECTED_ANSWER_TOKENS


def estimated_cost_usd(
    settings: Settings, model: str, request_bytes: int, requests: int, *, is_batch: bool
) -> float | None:
    """Dollars that requests of this size will cost; None without a price for the model."""
    input_tokens, output_tokens = estimated_tokens(request_bytes, requests)
    return cost_usd(settings, model, input_tokens, output_tokens, is_batch=is_batch)


def no_price(model: str) -> str:
    """What is said when a model has no price."""
    return f"The price table has no price for {model}: add it to HISTORICAL_SYNC_LLM_PRICES ({model}=INPUT/OUTPUT)."
