"""How Groq lists batches, page by page, in either of the documented ways."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass
class Listing:
    """How batches are listed: rows a page at most, and how the next page is named.

    `style` is `cursor` (Groq's page of 2026: `paging.next_cursor`), `after` (OpenAI's: `has_more`,
    `last_id`) or `both`.
    A batch is listed `lag_seconds` after it was created: read by its id it is there at once.
    `has_plain_errors` gives a failed batch's errors as a list, else as `{"data": […]}`; both have been documented.
    """

    page_size: int = 100
    style: str = "both"
    lag_seconds: float = 0.0
    has_plain_errors: bool = False

    def shows(self, created_at: float, now: float) -> bool:
        """Whether a batch of that time is listed at `now`."""
        return not self.lag_seconds or created_at + self.lag_seconds <= now

    def paging(self, page: list[dict[str, Any]], has_more: bool) -> dict[str, Any]:
        """What follows the rows of a page."""
        last = page[-1]["id"] if page else None
        found: dict[str, Any] = {}
        if self.style in {"cursor", "both"}:
            found["paging"] = {"next_cursor": f"cursor_{last}" if has_more else None}
        if self.style in {"after", "both"}:
            found |= {"has_more": has_more, "first_id": page[0]["id"] if page else None, "last_id": last}
        return found
