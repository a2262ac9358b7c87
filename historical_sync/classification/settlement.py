"""What becomes of each pull request of an intent, once and for all, in one transaction.

Every line that was sent ends as classified, unclassified or requeued, so that sent = classified + unclassified +
requeued holds for each batch. What failed is sent once more; then it is unclassified, with its reason, never "not AI".
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from historical_sync.classification.answers import Classification, RejectedAnswer, read_answer
from historical_sync.classification.batches import LineResult, is_model_gone
from historical_sync.classification.pricing import cost_usd
from historical_sync.classification.session import CHAT, SERVICE, Session
from historical_sync.records import PullRequest, TeamMonth, as_row
from historical_sync.warehouse import classifications, llm_holds, llm_ledger, llm_outcomes
from historical_sync.warehouse.llm_ledger import Intent, Request
from historical_sync.warehouse.llm_outcomes import Settled

MOST_ATTEMPTS = 2
"""A pull request's content is sent at most twice: once, and once more with the second model."""

NO_ANSWER = LineResult("", None, "Groq returned no line for it")


def judged(
    intent: Intent, request: Request, pull_request: PullRequest | None, results: Sequence[LineResult]
) -> Settled:
    """What becomes of a request, by the results that came under its custom id: the first usable one counts."""
    if pull_request is None:
        return _settled(intent, request, "unclassified", "the pull request is gone")
    reason = NO_ANSWER.error
    for result in results:
        try:
            answer = read_answer(result.text, pull_request) if result.text else None
        except RejectedAnswer as rejected:
            reason = result.error or rejected.reason
            continue
        if answer is not None:
            return _settled(intent, request, "classified", None, answer)
        reason = result.error
    if any(is_model_gone(result.code, result.error) for result in results):
        return failed(intent, request, reason or "", counts=False)
    return failed(intent, request, reason or "no reason given")


def failed(intent: Intent, request: Request, reason: str, *, counts: bool = True, is_suspect: bool = False) -> Settled:
    """A request without a usable answer: once more, or unclassified when it has had its attempts.

    `counts` is False where nobody tried to answer it: the model is gone. `is_suspect` sends it apart from the others.
    """
    if counts and intent.attempt >= MOST_ATTEMPTS:
        return _settled(intent, request, "unclassified", reason)
    attempts = intent.attempt if counts else intent.attempt - 1
    return Settled(
        request.repository, request.number, request.content_hash, "requeued", attempts, reason[:1000], is_suspect
    )


def _settled(
    intent: Intent, request: Request, outcome: str, error: str | None, answer: Classification | None = None
) -> Settled:
    return Settled(
        repository=request.repository,
        number=request.number,
        content_hash=request.content_hash,
        outcome=outcome,
        attempts=intent.attempt,
        error=error[:1000] if error else None,
        answer=_columns(answer) if answer else None,
    )


def _columns(answer: Classification) -> dict[str, Any]:
    columns = as_row(answer)
    columns["llm_summary"] = columns.pop("summary")
    return columns


@dataclass(frozen=True, slots=True)
class Usage:
    """Tokens that were billed, whether or not their answers were usable."""

    input_tokens: int = 0
    output_tokens: int = 0

    @classmethod
    def of(cls, results: Sequence[LineResult]) -> Usage:
        """The sum over results."""
        return cls(sum(one.input_tokens for one in results), sum(one.output_tokens for one in results))


def settle(
    session: Session,
    intent: Intent,
    settled: Sequence[tuple[Request, Settled]],
    usage: Usage,
    *,
    batch: dict[str, Any] | None = None,
) -> set[TeamMonth]:
    """Write what became of these requests, what it cost and, with `batch`, that the batch has ended (its columns).

    Returns the months whose labels changed. Nothing happens when somebody else has settled the intent meanwhile.
    """
    now = session.now
    with session.warehouse.transaction() as tx:
        current = llm_ledger.read_intent(tx, intent.intent_id, for_update=True)
        if current is None or current.state == "finished":
            return set()
        outcomes = [one for _, one in settled]
        llm_outcomes.settle_rows(
            tx,
            intent.team_id,
            intent.intent_id,
            outcomes,
            model=intent.model,
            prompt_version=intent.prompt_version,
            batch_id=intent.batch_id,
            now=now,
        )
        if usage.output_tokens:  # usable or not, it is an answer: Groq is there
            llm_holds.release(tx, SERVICE if intent.kind == "batch" else CHAT)
        llm_ledger.settle_requests(tx, intent.intent_id, [(request.custom_id, one) for request, one in settled])
        if intent.batch_id is not None:
            llm_ledger.add_to_batch(tx, intent.batch_id, **_amounts(session, intent, outcomes, usage))
        if batch is not None:
            llm_ledger.set_intent(tx, intent.intent_id, state="finished")
            if intent.batch_id is not None:
                llm_ledger.set_batch(tx, intent.batch_id, finished_at=now, **batch)
        done = [(one.repository, one.number) for one in outcomes if one.outcome != "requeued"]
        return classifications.mark_changed(tx, intent.team_id, intent.month, done, now=now) if done else set()


def _amounts(session: Session, intent: Intent, outcomes: Sequence[Settled], usage: Usage) -> dict[str, Any]:
    succeeded = sum(1 for one in outcomes if one.outcome == "classified")
    return {
        "succeeded": succeeded,
        "failed": len(outcomes) - succeeded,
        "mended": sum(1 for one in outcomes if one.answer and one.answer["mended"]),
        "input_tokens": usage.input_tokens,
        "output_tokens": usage.output_tokens,
        "cost_usd": cost_usd(
            session.settings, intent.model, usage.input_tokens, usage.output_tokens, is_batch=intent.kind == "batch"
        ),
    }


def undo(session: Session, intent: Intent) -> None:
    """Take back an intent of which nothing was sent: its pull requests are queued again as they were."""
    with session.warehouse.transaction() as tx:
        classifications.release_rows(tx, intent.team_id, intent.intent_id)
        llm_ledger.drop_intent(tx, intent.intent_id)


def give_up(session: Session, intent: Intent, reason: str) -> set[TeamMonth]:
    """End an intent that Groq refused for good before there was a batch: counted as an attempt, so that it ends."""
    with session.warehouse.transaction() as tx:
        requests = llm_ledger.read_requests(tx, intent.intent_id)
    return settle(session, intent, [(one, failed(intent, one, reason)) for one in requests], Usage(), batch={})
