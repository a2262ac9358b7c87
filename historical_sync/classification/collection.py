"""Collecting: a batch is asked for with growing pauses until it has ended, and then settled line by line.

Ended includes failed, expired, cancelled, and forgotten: whatever was answered is kept, the rest is sent once more.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import timedelta
from itertools import chain

from historical_sync.classification.batches import (
    BatchState,
    FileResults,
    LineResult,
    by_custom_id,
    is_model_gone,
    read_results,
)
from historical_sync.classification.groq_replies import MODEL_GONE, NotFound
from historical_sync.classification.session import SERVICE, Session
from historical_sync.classification.settlement import NO_ANSWER, Usage, failed, judged, settle
from historical_sync.errors import ClassificationError, GroqRefused
from historical_sync.records import PullRequest, TeamMonth
from historical_sync.warehouse import classifications, llm_holds, llm_ledger
from historical_sync.warehouse.llm_ledger import Intent, Request
from historical_sync.warehouse.llm_outcomes import Settled

POLL_SECONDS = 2.0
POLL_GROWTH = 1.6
MOST_POLL_SECONDS = 300.0
"""A batch may take seconds or a day: 2 s at first, 5 minutes after eleven polls."""

FORGOTTEN_AFTER = timedelta(minutes=1)
"""A batch or file that Groq does not know is asked for again for so long before it is taken for lost."""
KEPT_FOR = timedelta(days=30)
"""Groq keeps files for so long: what could not be read until then never will be."""
OVERDUE_AFTER = timedelta(days=3)
CANCELLED_WITHIN = timedelta(hours=1)
"""A batch has 24 hours, and cancelling takes ten minutes: one that goes on for days is cancelled, then given up."""
COMPLETED_WITHIN = timedelta(seconds=15)
"""A file with fewer lines than Groq's own count, or with a line cut off, is fetched again for so long."""
DOWNLOAD_TRIES = 3
DOWNLOAD_PAUSE_SECONDS = 0.3


def collect_intents(
    session: Session, intents: Sequence[Intent], *, goes_on: Callable[[], bool] = lambda: True
) -> set[TeamMonth]:
    """Ask for these submitted batches and settle those that have ended; returns the months that changed.

    Stops when Groq does not answer, and when `goes_on` says that time is over.
    """
    changed: set[TeamMonth] = set()
    for intent in intents:
        if not goes_on():
            break
        try:
            changed |= _poll(session, intent)
        except ClassificationError as error:
            if session.now - intent.claimed_at > KEPT_FOR:
                changed |= _settle_without_files(session, intent, f"its results could not be read in time: {error}")
                continue
            postpone(session, intent)
            session.hold_for(error, model=intent.model, team_id=intent.team_id)
            break
    return changed


def _poll(session: Session, intent: Intent) -> set[TeamMonth]:
    try:
        state = session.groq.retrieve_batch(intent.sent_as)
    except NotFound as error:
        if may_turn_up(session, intent):
            return set()
        return _settle_without_files(session, intent, f"Groq no longer knows the batch: {error}")
    if state.has_ended:
        return _settle_ended(session, intent, state)
    if session.now - intent.claimed_at > OVERDUE_AFTER:
        return _end_overdue(session, intent, state)
    with session.warehouse.transaction() as tx:
        llm_ledger.set_batch(tx, state.batch_id, status=state.status)
        llm_holds.release(tx, SERVICE)
    postpone(session, intent)
    return set()


def _end_overdue(session: Session, intent: Intent, state: BatchState) -> set[TeamMonth]:
    """Cancel a batch that never ends, and take what it has when that does not end it either."""
    if intent.troubled_since is None:
        session.groq.cancel(state.batch_id)
        session.report(f"Batch {state.batch_id} has been {state.status} for days: cancelled.")
    if may_turn_up(session, intent, within=CANCELLED_WITHIN):
        return set()
    return _settle_ended(session, intent, replace(state, status="lost"))


def may_turn_up(session: Session, intent: Intent, *, within: timedelta = FORGOTTEN_AFTER) -> bool:
    """Whether what Groq does not (yet) show is worth another look. The first look that fails is remembered."""
    if intent.troubled_since is not None and session.now - intent.troubled_since >= within:
        return False
    with session.warehouse.transaction() as tx:
        llm_ledger.set_intent(tx, intent.intent_id, troubled_since=intent.troubled_since or session.now)
    postpone(session, intent, most_seconds=within.total_seconds() / 4)
    return True


def postpone(session: Session, intent: Intent, *, most_seconds: float = MOST_POLL_SECONDS) -> None:
    """Take the intent's next step later, after pauses that grow."""
    pause = min(POLL_SECONDS * POLL_GROWTH ** min(intent.tries, 40), most_seconds)
    with session.warehouse.transaction() as tx:
        llm_ledger.set_intent(
            tx, intent.intent_id, tries=intent.tries + 1, next_attempt_at=session.now + timedelta(seconds=pause)
        )


def _requests(session: Session, intent: Intent) -> tuple[list[Request], dict[tuple[str, int], PullRequest]]:
    with session.warehouse.transaction() as tx:
        requests = llm_ledger.read_requests(tx, intent.intent_id)
        keys = [(one.repository, one.number) for one in requests]
        return requests, classifications.read_pull_requests(tx, intent.team_id, keys)


def _settle_without_files(session: Session, intent: Intent, reason: str) -> set[TeamMonth]:
    requests, _ = _requests(session, intent)
    settled = [(one, failed(intent, one, reason)) for one in requests]
    session.report(f"Batch {intent.batch_id}: {reason}.")
    return settle(session, intent, settled, Usage(), batch={"status": "lost", "error": reason[:1000]})


def _settle_ended(session: Session, intent: Intent, state: BatchState) -> set[TeamMonth]:
    requests, pull_requests = _requests(session, intent)
    try:
        files = _download(session, state)
    except NotFound as error:
        if may_turn_up(session, intent):
            return set()
        return _settle_without_files(session, intent, f"Groq no longer has the batch's files: {error}")
    if not _is_whole(files, state) and may_turn_up(session, intent, within=COMPLETED_WITHIN):
        return set()
    results = by_custom_id(files.lines)
    settled = [
        (one, _outcome(intent, state, index, one, pull_requests, results)) for index, one in enumerate(requests, 1)
    ]
    unknown = sum(len(lines) for name, lines in results.items() if name not in {one.custom_id for one in requests})
    trouble = _trouble(state, settled)
    changed = settle(
        session,
        intent,
        settled,
        Usage.of(_billed(requests, results)),
        batch={"status": state.status, "error": trouble, "unknown_lines": unknown + files.unreadable},
    )
    _hold_a_gone_model(session, intent, chain(files.lines, _as_lines(state)))
    _tell(session, state, settled)
    return changed


def _billed(requests: Sequence[Request], results: dict[str, list[LineResult]]) -> list[LineResult]:
    """What Groq charged for: each line once, however often its result is told, and nobody else's."""
    told = (results.get(one.custom_id, ()) for one in requests)
    return [max(lines, key=lambda line: line.input_tokens + line.output_tokens) for lines in told if lines]


def _outcome(
    intent: Intent,
    state: BatchState,
    line_number: int,
    request: Request,
    pull_requests: dict[tuple[str, int], PullRequest],
    results: dict[str, list[LineResult]],
) -> Settled:
    found = results.get(request.custom_id)
    if found:
        return judged(intent, request, pull_requests.get((request.repository, request.number)), found)
    if state.status == "failed":
        return _refused_with_its_file(intent, state, line_number, request)
    ended = "" if state.status == "completed" else f" (the batch is {state.status})"
    return failed(intent, request, f"{NO_ANSWER.error}{ended}")


def _refused_with_its_file(intent: Intent, state: BatchState, line_number: int, request: Request) -> Settled:
    """A file that failed validation: the lines it names go apart from the others, which are not to blame."""
    blamed = [error for error in state.errors if error.line == line_number]
    said = (blamed or state.errors)[:1]
    reason = f"Groq refused the batch: {said[0].code} {said[0].message}".strip() if said else "Groq refused the batch"
    gone = any(is_model_gone(error.code, error.message) for error in state.errors)
    return failed(intent, request, reason, counts=not gone, is_suspect=bool(blamed))


def _download(session: Session, state: BatchState) -> FileResults:
    """The results in the batch's files. A download that came short is repeated: its answers are paid for."""
    best = FileResults((), 0)
    for attempt in range(DOWNLOAD_TRIES):
        if attempt:
            time.sleep(DOWNLOAD_PAUSE_SECONDS)
        file_ids = filter(None, (state.output_file_id, state.error_file_id))
        found = read_results(*(session.groq.download(file_id) for file_id in file_ids))
        if len(found.lines) >= len(best.lines):
            best = found
        if _is_whole(found, state):
            break
    return best


def _is_whole(files: FileResults, state: BatchState) -> bool:
    """Whether the files hold as many readable lines as Groq says there are."""
    return not files.unreadable and len(files.lines) >= state.completed + state.failed


def _as_lines(state: BatchState) -> list[LineResult]:
    return [LineResult("", None, error.message, error.code) for error in state.errors]


def _hold_a_gone_model(session: Session, intent: Intent, lines: chain[LineResult]) -> None:
    said = next((line.error for line in lines if line.text is None and is_model_gone(line.code, line.error)), None)
    if said is not None:
        refusal = GroqRefused(
            f"The model {intent.model} cannot be used: {said}",
            code=MODEL_GONE,
            remedy="Set GROQ_MODEL and GROQ_SECOND_MODEL to models that Groq has.",
        )
        session.hold_for(refusal, model=intent.model, team_id=intent.team_id)


def _trouble(state: BatchState, settled: Sequence[tuple[Request, Settled]]) -> str | None:
    """One line on what went wrong with a batch: Groq's word on the file, or the commonest reason of its lines."""
    if state.errors:
        return f"{state.errors[0].code} {state.errors[0].message}".strip()[:1000] or None
    reasons = [one.error for _, one in settled if one.error]
    if not reasons:
        return None
    commonest = max(set(reasons), key=lambda reason: (reasons.count(reason), reason))
    return f"{len(reasons)} of {len(settled)} lines: {commonest}"[:1000]


def _tell(session: Session, state: BatchState, settled: Sequence[tuple[Request, Settled]]) -> None:
    counts = {
        name: sum(1 for _, one in settled if one.outcome == name) for name in ("classified", "unclassified", "requeued")
    }
    said = ", ".join(f"{count} {name}" for name, count in counts.items())
    session.report(f"Batch {state.batch_id} {state.status}: {said}.")
