"""Classification as the rest of the program sees it: classify a month, collect what has ended, balance the books.

A pull request's content is paid for once. Nothing here waits for Groq unless it is told to: what cannot be sent now is
queued with its reason, and `collect` sends it later without anybody's help.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from historical_sync.classification.batches import content_hash
from historical_sync.classification.collection import collect_intents
from historical_sync.classification.fallback import answer_month, close_interrupted
from historical_sync.classification.groq_client import GroqClient
from historical_sync.classification.groq_replies import MISSING_KEY
from historical_sync.classification.session import BATCHES, SERVICE, Session, Stopwatch, silent
from historical_sync.classification.submission import advance, submit_month
from historical_sync.errors import ClassificationError
from historical_sync.records import TeamMonth
from historical_sync.settings import Settings
from historical_sync.warehouse import classifications, llm_costs, llm_holds, llm_ledger
from historical_sync.warehouse.classifications import Key
from historical_sync.warehouse.llm_ledger import Intent
from historical_sync.warehouse.postgres import Transaction, Warehouse
from historical_sync.warehouse.pull_requests import PAGE_SIZE

COLLECT_SECONDS = 20.0
"""How long one `collect` goes on: a sensor's tick is killed after 60 seconds."""
WAIT_STEP_SECONDS = 0.5
MOST_WAIT_STEP_SECONDS = 5.0


@dataclass(frozen=True, slots=True)
class ClassificationSummary:
    """Where a (team, month) stands. Tokens and dollars are of all its batches so far; `requests_sent` of this call.

    `waiting_reason` says why pull requests are still queued, if they are. Batches of models without a price are not in
    `cost_usd` but in `unpriced_models`. `mended` counts answers by the rule that mended them.
    """

    pull_requests: int
    classified: int
    pending: int
    unclassified: int
    batches_total: int
    batches_done: int
    requests_sent: int
    input_tokens: int
    output_tokens: int
    cost_usd: float
    waiting_reason: str | None
    unpriced_models: tuple[str, ...]
    mended: dict[str, int]


def classify_month(
    warehouse: Warehouse,
    groq: GroqClient | None,
    team_id: str,
    month: date,
    settings: Settings,
    *,
    now: datetime,
    wait_seconds: float | None = None,
    on_event: Callable[[str], None] | None = None,
    on_progress: Callable[[ClassificationSummary], None] | None = None,
) -> ClassificationSummary:
    """Queue the month's new and changed pull requests and submit them; wait for them only as long as told.

    `wait_seconds` None is the setting HISTORICAL_SYNC_LLM_WAIT_SECONDS. Trouble with Groq is no error here: the work is
    queued and the summary says why. Raises WarehouseError.
    """
    watch = Stopwatch(now)
    with warehouse.transaction() as tx:
        _queue(tx, team_id, month, now=now)
    sent = 0
    goes_on = _for_seconds(settings.llm_wait_seconds if wait_seconds is None else wait_seconds)
    pause = WAIT_STEP_SECONDS
    while True:
        done = _work(warehouse, groq, settings, watch.now, on_event, team_id=team_id, month=month)
        sent += done.sent
        summary = summarize(warehouse, team_id, month, now=watch.now, requests_sent=sent)
        if on_progress is not None:
            on_progress(summary)
        if not goes_on() or not is_worth_waiting(warehouse, team_id, now=watch.now, month=month):
            break
        time.sleep(pause)
        pause = min(pause * 1.5, MOST_WAIT_STEP_SECONDS)
    return summary


def is_worth_waiting(warehouse: Warehouse, team_id: str, *, now: datetime, month: date | None = None) -> bool:
    """Whether collecting again within minutes may bring something: a batch is open, or queued work is held up by
    nothing, or by trouble that passes. A missing key, a gone model and a used-up budget do not.
    """
    with warehouse.transaction() as tx:
        if any(month in (None, one.month) for one in llm_ledger.months_in_flight(tx, team_id)):
            return True
        queued = list(classifications.queued_months(tx, now=now, team_id=team_id))
        known = llm_holds.holds(tx).values()
    lasting = any(
        one.is_active(now) and (one.code == MISSING_KEY or one.is_of_a_model or one.subject == f"budget:{team_id}")
        for one in known
    )
    return not lasting and any(month in (None, one.month) for one in queued)


def collect(
    warehouse: Warehouse,
    groq: GroqClient | None,
    settings: Settings,
    *,
    now: datetime,
    team_id: str | None = None,
    on_event: Callable[[str], None] | None = None,
    for_seconds: float = COLLECT_SECONDS,
) -> frozenset[TeamMonth]:
    """Settle batches that ended, take up what a crash left, send what was queued; returns the months that changed.

    One query when there is nothing to do. Months whose trends do not know of their new answers yet stay in
    `warehouse.classifications.changed_months`, also those of earlier calls.
    """
    with warehouse.transaction() as tx:
        if not llm_ledger.work_waiting(tx, now=now, team_id=team_id):
            return frozenset()
    done = _work(warehouse, groq, settings, now, on_event, team_id=team_id, for_seconds=for_seconds)
    return frozenset(done.changed)


def summarize(
    warehouse: Warehouse, team_id: str, month: date, *, now: datetime, requests_sent: int = 0
) -> ClassificationSummary:
    """Where the (team, month) stands now."""
    with warehouse.transaction() as tx:
        counts = classifications.month_counts(tx, team_id, month)
        totals = llm_costs.batch_totals(tx, team_id, month)
        mended = classifications.mended_counts(tx, team_id, month)
        reason = waiting_reason(tx, team_id, now=now) if counts["pending"] or counts["again"] else None
    return ClassificationSummary(
        pull_requests=counts["pull_requests"],
        classified=counts["classified"],
        pending=counts["pending"],
        unclassified=counts["unclassified"],
        batches_total=totals.batches_total,
        batches_done=totals.batches_done,
        requests_sent=requests_sent,
        input_tokens=totals.input_tokens,
        output_tokens=totals.output_tokens,
        cost_usd=totals.cost_usd,
        waiting_reason=reason,
        unpriced_models=tuple(totals.unpriced_models),
        mended=mended,
    )


def waiting_reason(tx: Transaction, team_id: str, *, now: datetime) -> str | None:
    """Why the team's queued pull requests are not sent now; None when they only wait for their batches."""
    known = llm_holds.holds(tx)
    for subject, one in known.items():
        concerns = subject == f"budget:{team_id}" or not subject.startswith("budget:")
        if concerns and subject != BATCHES and one.is_active(now):
            return one.reason
    return None


def _for_seconds(seconds: float) -> Callable[[], bool]:
    end = time.monotonic() + seconds
    return lambda: time.monotonic() < end


def _queue(tx: Transaction, team_id: str, month: date, *, now: datetime) -> None:
    hashes: dict[bool, dict[Key, str]] = {True: {}, False: {}}
    fetched = classifications.fetched_since_hashed(tx, team_id, month)
    keys = list(fetched)
    for start in range(0, len(keys), PAGE_SIZE):
        for key, one in classifications.read_pull_requests(tx, team_id, keys[start : start + PAGE_SIZE]).items():
            hashes[one.state != "OPEN"][key] = content_hash(one)
    for are_closed, those in hashes.items():
        classifications.queue(tx, team_id, month, those, are_closed=are_closed, now=now)
    classifications.note_hashed(tx, team_id, fetched)


@dataclass(frozen=True, slots=True)
class _Done:
    changed: set[TeamMonth]
    sent: int


def _work(
    warehouse: Warehouse,
    groq: GroqClient | None,
    settings: Settings,
    now: datetime,
    on_event: Callable[[str], None] | None,
    *,
    team_id: str | None,
    month: date | None = None,
    for_seconds: float = COLLECT_SECONDS,
) -> _Done:
    """One pass: settle what ended, take up what was interrupted, then send what is queued."""
    if groq is None:
        _note_missing_key(warehouse, now)
        return _Done(set(), 0)
    session = Session(warehouse, groq, settings, Stopwatch(now), on_event or silent)
    session.release_missing_key()
    session.release_other_budgets()
    if SERVICE in session.holds():
        return _Done(set(), 0)
    try:
        session.look_for_refused_models()
    except ClassificationError as error:
        session.hold_for(error, model=settings.groq_model, team_id=team_id or "")
        return _Done(set(), 0)
    goes_on = _for_seconds(for_seconds)
    with warehouse.transaction() as tx:
        due = llm_ledger.open_intents(tx, now=now, team_id=team_id, month=month)
    changed = collect_intents(session, [one for one in due if one.is_batch_in_flight], goes_on=goes_on)
    resumed = _resume(session, [one for one in due if not one.is_batch_in_flight])
    sent = _send(session, team_id, month, goes_on)
    return _Done(changed | resumed.changed | sent.changed, resumed.sent + sent.sent)


def _resume(session: Session, intents: Sequence[Intent]) -> _Done:
    """Take up intents that another pass, perhaps of a process that died, left before they were submitted."""
    changed: set[TeamMonth] = set()
    sent = 0
    for intent in intents:
        if SERVICE in session.holds():
            break
        if intent.kind == "chat":
            changed |= close_interrupted(session, intent)
        else:
            sent += advance(session, intent.intent_id)
    return _Done(changed, sent)


def _send(session: Session, team_id: str | None, month: date | None, goes_on: Callable[[], bool]) -> _Done:
    changed: set[TeamMonth] = set()
    sent = 0
    with session.warehouse.transaction() as tx:
        months = list(classifications.queued_months(tx, now=session.now, team_id=team_id))
    for one in months:
        if not goes_on() or (month is not None and one.month != month):
            continue
        sent += submit_month(session, one.team_id, one.month)
        if BATCHES in session.holds():
            changed |= answer_month(session, one.team_id, one.month, goes_on=goes_on)
    return _Done(changed, sent)


def _note_missing_key(warehouse: Warehouse, now: datetime) -> None:
    """Say once why nothing is sent; the note holds nothing up when a key is there."""
    with warehouse.transaction() as tx:
        if SERVICE not in llm_holds.holds(tx):
            reason = "GROQ_API_KEY is not set: everything is queued."
            llm_holds.hold(tx, SERVICE, MISSING_KEY, reason, now=now, first_seconds=None)
