"""Calls one by one, for plans without batches: paced by Groq's own limits, and each answer stored at once.

Claimed and counted like a batch, under an id of our own. A killed process leaves at most the one call in flight
unanswered; its pull request counts as sent once, and so does one whose answer is lost on the way: Groq may have
billed it, and nothing is bought more than twice.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import date, datetime

from historical_sync.classification.batches import content_hash
from historical_sync.classification.prompt import request_body
from historical_sync.classification.session import CHAT, Session
from historical_sync.classification.settlement import Usage, failed, judged, settle, undo
from historical_sync.classification.submission import claim, reserve_budget
from historical_sync.errors import BudgetExhausted, ClassificationError, GroqUnavailable
from historical_sync.records import TeamMonth
from historical_sync.warehouse import classifications, llm_holds, llm_ledger
from historical_sync.warehouse.llm_ledger import Intent, Request
from historical_sync.warehouse.postgres import Transaction

CALLS_PER_INTENT = 20
MOST_FAILURES = 100
"""After so many calls that Groq's server failed to answer, hours of them, the last counts as a failed attempt."""
OVERLOADED = 503
LONGEST_PAUSE_SECONDS = 5.0
"""A longer pause than this is not sat through: the rest is queued until it is over."""


def answer_month(session: Session, team_id: str, month: date, *, goes_on: Callable[[], bool]) -> set[TeamMonth]:
    """Ask for what is queued for a (team, month) call by call, while `goes_on`; returns the months that changed."""
    changed: set[TeamMonth] = set()
    for attempts, is_suspect in ((0, False), (1, False), (1, True)):
        while goes_on() and not session.obstacle(team_id, attempts + 1) and _may_call(session, team_id):
            intent = claim(
                session, team_id, month, attempts=attempts, is_suspect=is_suspect, kind="chat", most=CALLS_PER_INTENT
            )
            if intent is None:
                break
            changed |= _work_off(session, intent, goes_on)
    return changed


def _may_call(session: Session, team_id: str) -> bool:
    """Whether calls are not held up. After trouble a question that costs nothing goes first, so that an outage uses up
    nobody's attempts.
    """
    if CHAT in session.holds():
        return False
    with session.warehouse.transaction() as tx:
        was_held = CHAT in llm_holds.holds(tx)
    error = _outage(session) if was_held else None
    if error is not None:
        session.hold_for(error, model=session.model(1), team_id=team_id, is_chat=True)
    return error is None


def _outage(session: Session) -> ClassificationError | None:
    """What keeps Groq from answering a question that costs nothing; None when it answers."""
    try:
        session.groq.models()
    except ClassificationError as error:
        return error
    return None


def close_interrupted(session: Session, intent: Intent) -> set[TeamMonth]:
    """End an intent whose process is gone: what was never sent is queued again, what was in flight counts as sent."""
    with session.warehouse.transaction() as guard:
        if not guard.try_lock("llm_intent", intent.intent_id):
            return set()
        with session.warehouse.transaction() as tx:
            current = llm_ledger.read_intent(tx, intent.intent_id)
        if current is None or current.state == "finished":
            return set()
        if current.batch_id is None:
            undo(session, current)
            return set()
        return _close(session, current)


def _work_off(session: Session, intent: Intent, goes_on: Callable[[], bool]) -> set[TeamMonth]:
    with session.warehouse.transaction() as guard:
        if not guard.try_lock("llm_intent", intent.intent_id):
            return set()
        try:
            intent = _begin(session, intent)
        except BudgetExhausted as error:
            undo(session, intent)
            session.hold_for(error, model=intent.model, team_id=intent.team_id)
            return set()
        changed: set[TeamMonth] = set()
        for request in _requests(session, intent):
            if not goes_on():
                break
            try:
                changed |= _ask(session, intent, request)
            except ClassificationError as error:
                changed |= _unanswered(session, intent, request, error)
                session.hold_for(error, model=intent.model, team_id=intent.team_id, is_chat=True)
                break
        return changed | _close(session, intent)


def _requests(session: Session, intent: Intent) -> list[Request]:
    with session.warehouse.transaction() as tx:
        return llm_ledger.read_requests(tx, intent.intent_id)


def _begin(session: Session, intent: Intent) -> Intent:
    """Reserve the budget and open the row that stands for the batch. Raises BudgetExhausted."""
    requests = _requests(session, intent)
    with session.warehouse.transaction() as tx:
        found = classifications.read_pull_requests(tx, intent.team_id, [(o.repository, o.number) for o in requests])
    size = sum(len(json.dumps(request_body(one, intent.model, intent.attempt))) for one in found.values())
    reserve_budget(session, intent, size, len(found))
    batch_id = f"chat_{intent.intent_id}"
    with session.warehouse.transaction() as tx:
        llm_ledger.add_batch(tx, intent, batch_id, "in_progress", 0, now=session.now)
        llm_ledger.set_intent(tx, intent.intent_id, state="submitted", batch_id=batch_id)
    return replace(intent, state="submitted", batch_id=batch_id)


def _ask(session: Session, intent: Intent, request: Request) -> set[TeamMonth]:
    """One call: noted before it is made, stored as soon as it is answered."""
    key = (request.repository, request.number)
    with session.warehouse.transaction() as tx:
        pull_request = classifications.read_pull_requests(tx, intent.team_id, [key]).get(key)
        if pull_request is None or content_hash(pull_request) != request.content_hash:
            return set()  # changed since it was claimed: released at the end, and queued by its new content
        llm_ledger.mark_sent(tx, intent.intent_id, request.custom_id, now=session.now)
        llm_ledger.add_to_batch(tx, intent.sent_as, requests=1)
    reply = session.groq.complete(request.custom_id, request_body(pull_request, intent.model, intent.attempt))
    settled = judged(intent, request, pull_request, [reply.result])
    changed = settle(session, intent, [(request, settled)], Usage.of([reply.result]))
    _pace(session, reply.pause_seconds)
    return changed


def _pace(session: Session, pause_seconds: float) -> None:
    """Wait until Groq's limits allow the next call, or note until when nothing is to be asked."""
    if pause_seconds <= LONGEST_PAUSE_SECONDS:
        time.sleep(pause_seconds)
        return
    with session.warehouse.transaction() as tx:
        llm_holds.hold(
            tx, CHAT, "paced", "Groq's rate limit is used up for now.", now=session.now, first_seconds=pause_seconds
        )


def _unanswered(session: Session, intent: Intent, request: Request, error: ClassificationError) -> set[TeamMonth]:
    """A call whose answer was lost counts as an attempt, since it may have been billed; so does one at which a server
    failed that is there otherwise. One that Groq turned away is none: its pull request goes to the queue's end, though
    not for ever.
    """
    is_attempt = _may_be_billed(session, error)
    with session.warehouse.transaction() as tx:
        if not is_attempt and isinstance(error, GroqUnavailable) and error.is_failure:
            failures = classifications.count_silence(tx, intent.team_id, (request.repository, request.number))
            is_attempt = failures >= MOST_FAILURES
        if not is_attempt:
            _unsend(tx, intent, request, now=session.now)
            return set()
    return settle(session, intent, [(request, failed(intent, request, str(error)))], Usage())


def _may_be_billed(session: Session, error: ClassificationError) -> bool:
    if not isinstance(error, GroqUnavailable):
        return False
    has_failed = error.is_failure and error.status != OVERLOADED
    return error.may_have_arrived or (has_failed and _outage(session) is None)


def _unsend(tx: Transaction, intent: Intent, request: Request, *, now: datetime) -> None:
    keys = [(request.repository, request.number)]
    classifications.release_rows(tx, intent.team_id, intent.intent_id, keys, next_attempt_at=now)
    llm_ledger.drop_requests(tx, intent.intent_id, [request.custom_id])
    llm_ledger.add_to_batch(tx, intent.sent_as, requests=-1)


def _close(session: Session, intent: Intent) -> set[TeamMonth]:
    """Release what was not sent and end the intent; what was sent and has no outcome was in flight when we died."""
    unsettled = [one for one in _requests(session, intent) if one.outcome is None]
    unsent = [one for one in unsettled if one.sent_at is None]
    with session.warehouse.transaction() as tx:
        keys = [(one.repository, one.number) for one in unsent]
        classifications.release_rows(tx, intent.team_id, intent.intent_id, keys)
        llm_ledger.drop_requests(tx, intent.intent_id, [one.custom_id for one in unsent])
    in_flight = [(one, failed(intent, one, "the process ended during the call")) for one in unsettled if one.sent_at]
    return settle(session, intent, in_flight, Usage(), batch={"status": "completed"})
