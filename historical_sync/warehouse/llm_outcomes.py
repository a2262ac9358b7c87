"""What becomes of a pull request that was sent: an answer, none for good, or another turn in the queue.

Only the intent that holds a row may write its outcome.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from historical_sync.warehouse.postgres import Transaction, as_rows_of


@dataclass(frozen=True, slots=True)
class Settled:
    """What became of one pull request of an intent.

    `outcome` is classified, unclassified or requeued. `attempts` is what counts from now on; `answer` holds the columns
    of a classification.
    """

    repository: str
    number: int
    content_hash: str
    outcome: str
    attempts: int
    error: str | None = None
    is_suspect: bool = False
    answer: dict[str, Any] | None = None


ANSWER_COLUMNS = (
    "is_ai_assisted",
    "tools",
    "usage_type",
    "confidence",
    "evidence_quote",
    "summary_title",
    "summary_type",
    "llm_summary",
    "mended",
)


def settle_rows(
    tx: Transaction,
    team_id: str,
    intent_id: str,
    settled: Sequence[Settled],
    *,
    model: str,
    prompt_version: str,
    batch_id: str | None,
    now: datetime,
) -> None:
    """Write what became of these pull requests, where the intent still has them."""
    common = {
        "team_id": team_id,
        "intent_id": intent_id,
        "model": model,
        "prompt_version": prompt_version,
        "batch_id": batch_id,
        "classified_at": now,
    }
    tx.execute_on(_rows(common, settled, "classified"), _STORE_ANSWERS)
    tx.execute_on(_rows(common, settled, "unclassified"), _STORE_FAILURES)
    tx.execute_on(_rows(common, settled, "requeued"), _REQUEUE)


def _rows(common: dict[str, Any], settled: Sequence[Settled], outcome: str) -> list[dict[str, Any]]:
    """What became of those with this outcome, by the columns of `llm_classifications`."""
    return [
        {
            **common,
            "repository": one.repository,
            "number": one.number,
            "content_hash": one.content_hash,
            "attempts": one.attempts,
            "error": one.error,
            "is_suspect": one.is_suspect,
            **(one.answer or {}),
        }
        for one in settled
        if one.outcome == outcome
    ]


_FROM_ROWS = f"""from {as_rows_of("llm_classifications")} w
    where c.team_id = w.team_id and c.repository = w.repository and c.number = w.number and c.intent_id = w.intent_id"""
_NO_LONGER_QUEUED = "queued_hash = null, queued_month = null, intent_id = null, next_attempt_at = null"

_STORE_ANSWERS = f"""
    update llm_classifications c set status = 'classified', {_NO_LONGER_QUEUED}, is_suspect = false,
        content_hash = w.content_hash, prompt_version = w.prompt_version, model = w.model, batch_id = w.batch_id,
        attempts = w.attempts, error = null, classified_at = w.classified_at,
        {", ".join(f"{name} = w.{name}" for name in ANSWER_COLUMNS)}
    {_FROM_ROWS}
"""

_WITHOUT_ANSWER = {
    "status": "'unclassified'",
    **dict.fromkeys(("is_ai_assisted", "usage_type", "confidence", "evidence_quote"), "null"),
    **dict.fromkeys(("summary_title", "summary_type", "llm_summary", "classified_at"), "null"),
    **dict.fromkeys(("tools", "mended"), "'{}'"),
    **{name: f"w.{name}" for name in ("prompt_version", "model", "batch_id")},
}
_OLDER_ANSWER_STANDS = "c.status = 'classified' and c.content_hash = w.content_hash"
_FORGOTTEN = ", ".join(
    f"{name} = case when {_OLDER_ANSWER_STANDS} then c.{name} else {value} end"
    for name, value in _WITHOUT_ANSWER.items()
)
_STORE_FAILURES = f"""
    update llm_classifications c set {_FORGOTTEN}, {_NO_LONGER_QUEUED}, is_suspect = false,
        content_hash = w.content_hash, attempts = w.attempts, error = w.error
    {_FROM_ROWS}
"""
"""Without an answer for this content: unclassified, unless an older answer to the same content stands."""

_REQUEUE = f"""
    update llm_classifications c set intent_id = null, next_attempt_at = w.classified_at, attempts = w.attempts,
        error = w.error, is_suspect = w.is_suspect, silences = 0
    {_FROM_ROWS}
"""
