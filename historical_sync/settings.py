"""Every setting, its variable, its default and what it means. Read once where a process starts, then passed on.

Secrets are not held here: a `TokenRef` such as `env:GITHUB_TOKEN` is, and is resolved when a request is made.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from urllib.parse import urlsplit

from historical_sync.errors import ConfigurationError

GROQ_DEFAULT_MODEL = "openai/gpt-oss-20b"
GROQ_DEFAULT_SECOND_MODEL = "openai/gpt-oss-120b"
GROQ_PRICES_USD = {
    "openai/gpt-oss-20b": (0.075, 0.30),
    "openai/gpt-oss-120b": (0.15, 0.60),
    "openai/gpt-oss-safeguard-20b": (0.075, 0.30),
    "qwen/qwen3.6-27b": (0.60, 3.00),
}
"""Model → dollars per million input and output tokens, without discount (Groq, August 2026)."""
GROQ_BATCH_DISCOUNT = 0.5
"""Batches cost half; the discount does not add up with that for cached tokens (Groq, 2026)."""


@dataclass(frozen=True, slots=True)
class Settings:
    """The settings of one process. See README.md for the table of variables."""

    home: Path
    database_url: str | None
    """None means the embedded server under `home`."""
    github_api_url: str
    groq_base_url: str | None
    groq_model: str
    groq_second_model: str
    history_months: int
    first_month: date
    llm_batch_size: int
    llm_wait_seconds: float
    llm_budget_usd: float | None
    github_reserve_percent: int = 10
    """Share of GitHub's points that is left for the customer's own use."""
    github_streams: int = 1
    """Requests that one GitHub identity may have under way; GitHub allows about one busy stream."""
    public_url: str | None = None
    """The address under which people reach the page; None means that only this machine does."""
    page_url: str | None = None
    """Where the page is on this machine, for links that lead to it; None means port 3001."""
    llm_prices: Mapping[str, tuple[float, float]] = field(default_factory=lambda: dict(GROQ_PRICES_USD))
    """Model → dollars per million input and output tokens, before the discount for batches."""
    llm_batch_discount: float = GROQ_BATCH_DISCOUNT
    """The part of the price that batches do not pay, 0 to 1."""

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] | None = None) -> Settings:
        """Read the settings. Raises ConfigurationError that names the variable and what it may hold."""
        env = os.environ if environment is None else environment
        return cls(
            home=Path(env.get("HISTORICAL_SYNC_HOME") or ".historical_sync").expanduser().absolute(),
            database_url=env.get("HISTORICAL_SYNC_DATABASE_URL") or None,
            github_api_url=(env.get("GITHUB_API_URL") or "https://api.github.com").rstrip("/"),
            groq_base_url=env.get("GROQ_BASE_URL") or None,
            groq_model=env.get("GROQ_MODEL") or GROQ_DEFAULT_MODEL,
            groq_second_model=env.get("GROQ_SECOND_MODEL") or GROQ_DEFAULT_SECOND_MODEL,
            history_months=_whole(env, "SYNC_HISTORY_MONTHS", 12, least=0, most=240),
            first_month=_month(env, "SYNC_FIRST_MONTH", date(2024, 1, 1)),
            llm_batch_size=_whole(env, "SYNC_LLM_BATCH_SIZE", 100, least=1, most=50_000),
            llm_wait_seconds=_number(env, "HISTORICAL_SYNC_LLM_WAIT_SECONDS", 0.0) or 0.0,
            llm_budget_usd=_number(env, "HISTORICAL_SYNC_LLM_BUDGET_USD", None),
            github_reserve_percent=_whole(env, "SYNC_GITHUB_RESERVE_PERCENT", 10, least=0, most=90),
            github_streams=_whole(env, "SYNC_GITHUB_STREAMS", 1, least=1, most=10),
            public_url=_address(env, "HISTORICAL_SYNC_PUBLIC_URL"),
            page_url=_address(env, "HISTORICAL_SYNC_PAGE_URL"),
            llm_prices=GROQ_PRICES_USD | _prices(env, "HISTORICAL_SYNC_LLM_PRICES"),
            llm_batch_discount=_share(env, "HISTORICAL_SYNC_LLM_BATCH_DISCOUNT", GROQ_BATCH_DISCOUNT),
        )

    @property
    def github_web_url(self) -> str | None:
        """Where people look at a repository; None where the API is an imitation that has no pages."""
        parts = urlsplit(self.github_api_url)
        if parts.hostname == "api.github.com":
            return "https://github.com"
        return f"{parts.scheme}://{parts.netloc}" if parts.path.startswith("/api/v3") else None


def _whole(env: Mapping[str, str], name: str, default: int, *, least: int, most: int) -> int:
    text = env.get(name, "").strip()
    if not text:
        return default
    if not text.lstrip("-").isdigit() or not least <= int(text) <= most:
        raise ConfigurationError(f"{name} is {text!r}; it takes a whole number from {least} to {most}.")
    return int(text)


def _number(env: Mapping[str, str], name: str, default: float | None) -> float | None:
    text = env.get(name, "").strip()
    if not text:
        return default
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not 0 <= value < float("inf"):
        raise ConfigurationError(f"{name} is {text!r}; it takes a number of at least 0.")
    return value


def _address(env: Mapping[str, str], name: str) -> str | None:
    text = env.get(name, "").strip().rstrip("/")
    if text and not text.startswith(("http://", "https://")):
        raise ConfigurationError(f"{name} is {text!r}; it takes an address such as https://metrics.example.com.")
    return text or None


def _month(env: Mapping[str, str], name: str, default: date) -> date:
    text = env.get(name, "").strip()
    if not text:
        return default
    try:
        return date.fromisoformat(f"{text}-01")
    except ValueError as error:
        raise ConfigurationError(f"{name} is {text!r}; it takes a month such as 2024-01.") from error


def _share(env: Mapping[str, str], name: str, default: float) -> float:
    value = _number(env, name, default)
    if value is None or value > 1:
        raise ConfigurationError(f"{name} is {env.get(name)!r}; it takes a share from 0 to 1, such as 0.5.")
    return value


def _prices(env: Mapping[str, str], name: str) -> dict[str, tuple[float, float]]:
    """Prices from text such as `openai/gpt-oss-20b=0.075/0.30, other=1/2`."""
    prices = {}
    for entry in filter(None, (part.strip() for part in env.get(name, "").split(","))):
        model, _, price = entry.rpartition("=")
        amounts = [_number({name: text}, name, None) for text in price.split("/")]
        if not model or len(amounts) != 2 or amounts[0] is None or amounts[1] is None:
            raise ConfigurationError(
                f"{name} holds {entry!r}; an entry is MODEL=INPUT/OUTPUT in dollars per million tokens."
            )
        prices[model.strip()] = (amounts[0], amounts[1])
    return prices
