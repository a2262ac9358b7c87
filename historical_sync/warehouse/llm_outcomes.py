"""What becomes of a pull request that was sent: an answer, none for good, or another turn in the queue.

Only the intent that holds a row may write its outcome.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import psycopg2.extras

from historical_sync.records import storable
from historical_sync.warehouse.postgres import Transaction


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
    common = (team_id, intent_id, model, prompt_version, batch_id, now)
    _store_answers(tx, common, [one for one in settled if one.outcome == "classified"])
    _store_failures(tx, common, [one for one in settled if one.outcome == "unclassified"])
    _requeue(tx, common, [one for one in settled if one.outcome == "requeued"])


_COMMON = "team_id, intent_id, model, prompt_version, batch_id, at, repository, number, content_hash, attempts, error"
_COMMON_TYPES = "(%s, %s, %s, %s, %s::text, %s::timestamptz, %s, %s::int, %s, %s::int, %s::text"
_SAME_ROW = """c.team_id = w.team_id and c.repository = w.repository and c.number = w.number
      and c.intent_id = w.intent_id"""
_NO_LONGER_QUEUED = "queued_hash = null, queued_month = null, intent_id = null, next_attempt_at = null"


def _values(common: tuple[Any, ...], one: Settled) -> tuple[Any, ...]:
    return (*common, one.repository, one.number, one.content_hash, one.attempts, one.error)


def _store_answers(tx: Transaction, common: tuple[Any, ...], settled: Sequence[Settled]) -> None:
    types = {"llm_summary": "%s::jsonb", "tools": "%s::text[]", "mended": "%s::text[]"}
    types |= {"is_ai_assisted": "%s::boolean", "confidence": "%s::float8"}
    tx.execute_values(
        f"""
        update llm_classifications c set status = 'classified', {_NO_LONGER_QUEUED}, is_suspect = false,
            content_hash = w.content_hash, prompt_version = w.prompt_version, model = w.model, batch_id = w.batch_id,
            attempts = w.attempts, error = null, classified_at = w.at,
            {", ".join(f"{name} = w.{name}" for name in ANSWER_COLUMNS)}
        from (values %s) as w ({_COMMON}, {", ".join(ANSWER_COLUMNS)})
        where {_SAME_ROW}
        """,
        [(*_values(common, one), *(_stored(one.answer or {}, name) for name in ANSWER_COLUMNS)) for one in settled],
        template=f"{_COMMON_TYPES}, {', '.join(types.get(name, '%s') for name in ANSWER_COLUMNS)})",
    )


def _stored(answer: dict[str, Any], name: str) -> Any:
    value = storable(answer[name])
    return psycopg2.extras.Json(value) if name == "llm_summary" else value


def _store_failures(tx: Transaction, common: tuple[Any, ...], settled: Sequence[Settled]) -> None:
    """Without an answer for this content: unclassified, unless an older answer to the same content stands."""
    forgotten = ", ".join(
        f"{name} = case when c.status = 'classified' and c.content_hash = w.content_hash then c.{name} else {empty} end"
        for name, empty in {
            "status": "'unclassified'",
            **dict.fromkeys(("is_ai_assisted", "usage_type", "confidence", "evidence_quote"), "null"),
            **dict.fromkeys(("summary_title", "summary_type", "llm_summary", "classified_at"), "null"),
            **dict.fromkeys(("tools", "mended"), "'{}'"),
            **{name: f"w.{name}" for name in ("prompt_version", "model", "batch_id")},
        }.items()
    )
    tx.execute_values(
        f"""
        update llm_classifications c set {forgotten}, {_NO_LONGER_QUEUED}, is_suspect = false,
            content_hash = w.content_hash, attempts = w.attempts, error = w.error
        from (values %s) as w ({_COMMON}) where {_SAME_ROW}
        """,
        [_values(common, one) for one in settled],
        template=f"{_COMMON_TYPES})",
    )


def _requeue(tx: Transaction, common: tuple[Any, ...], settled: Sequence[Settled]) -> None:
    tx.execute_values(
        f"""
        update llm_classifications c set intent_id = null, next_attempt_at = w.at, attempts = w.attempts,
            error = w.error, is_suspect = w.is_suspect, silences = 0
        from (values %s) as w ({_COMMON}, is_suspect) where {_SAME_ROW}
        """,
        [(*_values(common, one), one.is_suspect) for one in settled],
        template=f"{_COMMON_TYPES}, %s::boolean)",
    )
