"""Sending: pull requests are claimed, then their file is uploaded, then the batch is created, then its id is stored.

Each step is committed before the next is tried, and the one step that cannot be repeated blindly, creating the batch,
is preceded by looking for it whenever somebody may have come this far before. While a process works on an intent it
holds an advisory lock on it, which the database drops with the process.
"""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from datetime import date, timedelta

from historical_sync.classification.batches import (
    MOST_BYTES,
    BatchState,
    batch_line,
    content_hash,
    custom_id,
    digest,
    fitting,
)
from historical_sync.classification.collection import KEPT_FOR, may_turn_up, postpone
from historical_sync.classification.groq_replies import (
    CONCERNS_EVERY_REQUEST,
    MODEL_GONE,
    PLAN_WITHOUT_BATCHES,
    NotFound,
)
from historical_sync.classification.pricing import estimated_cost_usd, no_price
from historical_sync.classification.prompt import prompt_version, request_body
from historical_sync.classification.session import BATCHES, SERVICE, Session
from historical_sync.classification.settlement import give_up, undo
from historical_sync.errors import BudgetExhausted, ClassificationError, GroqRefused, GroqUnavailable
from historical_sync.records import PullRequest
from historical_sync.warehouse import classifications, llm_costs, llm_holds, llm_ledger
from historical_sync.warehouse.llm_ledger import Intent, Request
from historical_sync.warehouse.postgres import Transaction

FIRST_POLL_SECONDS = 2.0
LISTED_WITHIN = timedelta(minutes=3)
"""A batch may be created without being listed at once: it is looked for so long before another is created."""
MOST_REFUSALS = 3
"""After so many refusals of one intent by Groq its pull requests are put back, as after a failed batch."""


def submit_month(session: Session, team_id: str, month: date) -> int:
    """Send what is queued for a (team, month) as batches; returns how many lines went out.

    Stops where a hold forbids it. Whatever goes wrong stays in the ledger and is tried again later.
    """
    sent = 0
    for attempts, is_suspect in ((0, False), (1, False), (1, True)):
        while not session.obstacle(team_id, attempts + 1) and BATCHES not in session.holds():
            intent = claim(session, team_id, month, attempts=attempts, is_suspect=is_suspect, kind="batch")
            if intent is None:
                break
            sent += advance(session, intent.intent_id)
    return sent


def claim(
    session: Session, team_id: str, month: date, *, attempts: int, is_suspect: bool, kind: str, most: int | None = None
) -> Intent | None:
    """Claim queued pull requests for a new intent, in one transaction; None when there are none."""
    intent_id, now, version = uuid.uuid4().hex, session.now, prompt_version()
    model = session.model(attempts + 1)
    with session.warehouse.transaction() as tx:
        rows = classifications.claim_rows(
            tx,
            team_id,
            month,
            intent_id,
            attempts=attempts,
            is_suspect=is_suspect,
            most=most or session.settings.llm_batch_size,
            now=now,
        )
        if not rows:
            return None
        requests = [
            Request(custom_id(team_id, repository, number, content, version), repository, number, content, None, None)
            for repository, number, content in rows
        ]
        intent = Intent(
            intent_id=intent_id,
            team_id=team_id,
            month=month,
            kind=kind,
            digest=digest(model, version, attempts + 1, (one.custom_id for one in requests)),
            attempt=attempts + 1,
            model=model,
            prompt_version=version,
            state="claimed",
            input_file_id=None,
            batch_id=None,
            claimed_at=now,
            next_attempt_at=now,
            tries=0,
        )
        llm_ledger.add_intent(tx, intent, requests)
    return intent


def advance(session: Session, intent_id: str) -> int:
    """Take an intent as far as a submitted batch; returns how many lines that sent.

    Nothing happens while another process works on it. Errors become holds, and the intent waits or is undone.
    """
    with session.warehouse.transaction() as guard:
        if not guard.try_lock("llm_intent", intent_id):
            return 0
        with session.warehouse.transaction() as tx:
            intent = llm_ledger.read_intent(tx, intent_id)
        if intent is None or intent.state not in ("claimed", "uploaded") or intent.kind != "batch":
            return 0
        try:
            return _step_by_step(session, intent)
        except ClassificationError as error:
            _remember(session, intent, error)
            return 0


def _step_by_step(session: Session, intent: Intent) -> int:
    if intent.input_file_id is not None:
        found = _find(session, intent, intent.input_file_id)
        if found is not None:
            session.report(f"Found batch {found.batch_id}, which was created before a crash or a time-out.")
            return _store_batch(session, intent, found.batch_id, found.status)
        if may_turn_up(session, intent, within=LISTED_WITHIN):
            return 0
        return _create(session, intent, intent.input_file_id)
    lines = _lines_to_send(session, intent)
    if not lines:
        return 0
    file_id = session.groq.upload(f"{intent.intent_id}.jsonl", b"".join(lines))
    with session.warehouse.transaction() as tx:
        llm_ledger.set_intent(tx, intent.intent_id, state="uploaded", input_file_id=file_id, tries=0)
    return _create(session, intent, file_id)


def _find(session: Session, intent: Intent, file_id: str) -> BatchState | None:
    """The batch that may have been created already. A list that Groq refuses is no "there is none"."""
    try:
        return session.groq.find_batch(intent.intent_id, file_id)
    except (NotFound, GroqRefused) as error:
        if getattr(error, "code", None) in CONCERNS_EVERY_REQUEST:
            raise
        raise GroqUnavailable(f"Groq's batches cannot be listed: {error}") from error


def _create(session: Session, intent: Intent, file_id: str) -> int:
    metadata = {"intent": intent.intent_id, "digest": intent.digest, "attempt": str(intent.attempt)}
    try:
        state = session.groq.create_batch(file_id, metadata)
    except GroqUnavailable as error:
        if not (error.may_have_arrived or error.is_failure):  # there is no batch to be looked for
            with session.warehouse.transaction() as tx:
                llm_ledger.set_intent(tx, intent.intent_id, state="claimed", input_file_id=None, troubled_since=None)
        raise
    return _store_batch(session, intent, state.batch_id, state.status)


def _store_batch(session: Session, intent: Intent, batch_id: str, status: str) -> int:
    now = session.now
    with session.warehouse.transaction() as tx:
        requests = len(llm_ledger.read_requests(tx, intent.intent_id))
        llm_ledger.add_batch(tx, intent, batch_id, status, requests, now=now)
        llm_ledger.set_intent(
            tx,
            intent.intent_id,
            state="submitted",
            batch_id=batch_id,
            tries=0,
            troubled_since=None,
            next_attempt_at=now + timedelta(seconds=FIRST_POLL_SECONDS),
        )
        llm_holds.release(tx, SERVICE)
    session.report(f"Submitted {requests} pull requests of {intent.month:%Y-%m} to {intent.model} as {batch_id}.")
    return requests


def _lines_to_send(session: Session, intent: Intent) -> list[bytes]:
    """The intent's lines by the pull requests' present content, as many as a file and the budget allow.

    The others go back to the queue. Raises BudgetExhausted when the cap is reached.
    """
    with session.warehouse.transaction() as tx:
        requests = llm_ledger.read_requests(tx, intent.intent_id)
        found = classifications.read_pull_requests(
            tx, intent.team_id, [(one.repository, one.number) for one in requests]
        )
        gone = [one for one in requests if (one.repository, one.number) not in found]
        here = [(one, found[key]) for one in requests if (key := (one.repository, one.number)) in found]
        names = _refresh_names(tx, intent, here)
        lines = [
            batch_line(name, request_body(pull_request, intent.model, intent.attempt))
            for name, (_, pull_request) in zip(names, here, strict=True)
        ]
        fit = fitting(lines, most_bytes=MOST_BYTES)
        left_out = [(name, one) for name, (one, _) in zip(names[fit:], here[fit:], strict=True)]
        classifications.release_rows(
            tx, intent.team_id, intent.intent_id, [(o.repository, o.number) for _, o in left_out]
        )
        llm_ledger.drop_requests(tx, intent.intent_id, [*(name for name, _ in left_out), *(o.custom_id for o in gone)])
        if not lines:
            llm_ledger.drop_intent(tx, intent.intent_id)
    reserve_budget(session, intent, sum(map(len, lines[:fit])), fit)
    return lines[:fit]


def _refresh_names(tx: Transaction, intent: Intent, here: Sequence[tuple[Request, PullRequest]]) -> list[str]:
    """Custom ids by the present content: it may have changed between claiming and sending."""
    names, renamed = [], []
    for request, pull_request in here:
        content = content_hash(pull_request)
        name = custom_id(intent.team_id, request.repository, request.number, content, intent.prompt_version)
        names.append(name)
        if name != request.custom_id:
            renamed.append((request.custom_id, name, content))
    llm_ledger.rename_requests(tx, intent.intent_id, renamed)
    return names


def reserve_budget(session: Session, intent: Intent, request_bytes: int, requests: int) -> None:
    """Put the estimated cost of an intent on the team's account for this calendar month.

    Raises BudgetExhausted when the cap would be passed, or cannot be kept because the model has no price.
    """
    cap = session.settings.llm_budget_usd
    cost = estimated_cost_usd(session.settings, intent.model, request_bytes, requests, is_batch=intent.kind == "batch")
    with session.warehouse.transaction() as tx:
        tx.lock("llm_budget", intent.team_id)
        if cap is not None and cost is None:
            raise BudgetExhausted(
                no_price(intent.model), remedy="Until then the cap cannot be kept, so nothing is sent."
            )
        llm_ledger.set_intent(tx, intent.intent_id, estimated_cost_usd=None)
        spent = llm_costs.spent_usd(tx, intent.team_id, now=session.now)
        if cap is not None and cost is not None and spent + cost > cap:
            raise BudgetExhausted(
                f"The LLM budget of team {intent.team_id} is used up: {spent:.4f} of {cap:.4f} dollars in "
                f"{session.now:%Y-%m}, and the next {requests} pull requests would cost about {cost:.4f}."
            )
        llm_ledger.set_intent(tx, intent.intent_id, estimated_cost_usd=cost)
        llm_holds.release(tx, f"budget:{intent.team_id}")


def _remember(session: Session, intent: Intent, error: ClassificationError) -> None:
    """Hold up what the error concerns, and leave the intent where the next pass can take it up."""
    if isinstance(error, BudgetExhausted) or getattr(error, "code", None) in (PLAN_WITHOUT_BATCHES, MODEL_GONE):
        undo(session, intent)
    elif (_is_about_this_intent(error) and intent.tries + 1 >= MOST_REFUSALS) or _is_past_hope(session, intent):
        give_up(session, intent, str(error))
    else:
        if _is_about_this_intent(error):
            with session.warehouse.transaction() as tx:
                llm_ledger.set_intent(tx, intent.intent_id, state="claimed", input_file_id=None)
        postpone(session, intent)
    session.hold_for(error, model=intent.model, team_id=intent.team_id)


def _is_past_hope(session: Session, intent: Intent) -> bool:
    """Whether a batch that may have been created could not be looked for until Groq would have deleted its results."""
    return intent.input_file_id is not None and session.now - intent.claimed_at > KEPT_FOR


def _is_about_this_intent(error: ClassificationError) -> bool:
    """Whether Groq refused what was sent (so that there is no batch, and the file is sent anew), not who sent it."""
    return isinstance(error, NotFound) or (isinstance(error, GroqRefused) and error.code not in CONCERNS_EVERY_REQUEST)
