"""How long the imitation of GitHub takes to answer, and what it finds too heavy."""

from __future__ import annotations

from dataclasses import dataclass

from historical_sync.sandbox.github.cost import Price


@dataclass
class Pace:
    """How long GitHub takes, and what it refuses as too heavy.

    The measured figures are about 90 ms a pull request with nested lists and 10 ms without, and a page of 100 with
    lists refused (docs/sandbox.md). `largest_hydration` None refuses none; `refusal` is the kind of fault with which
    larger pages are met.
    """

    base_seconds: float = 0.0
    per_hydrated_seconds: float = 0.0
    per_row_seconds: float = 0.0
    largest_hydration: int | None = 75
    refusal: str = "resource_limits"

    def is_too_heavy(self, price: Price) -> bool:
        """Whether this query asks for more pull requests with lists than GitHub manages."""
        return self.largest_hydration is not None and price.hydrated > self.largest_hydration

    def seconds(self, price: Price) -> float:
        """How long this query takes."""
        plain = price.pull_requests - price.hydrated
        return self.base_seconds + price.hydrated * self.per_hydrated_seconds + plain * self.per_row_seconds


REAL_PACE = Pace(base_seconds=0.25, per_hydrated_seconds=0.092, per_row_seconds=0.010)
