"""A batch's life: checked, run in time, ended well or badly, and its output and error files. No HTTP here.

What becomes of each line is settled when the batch is created; the status follows the clock.
"""

from __future__ import annotations

import hashlib
import json
import random
from dataclasses import dataclass, field
from typing import Any

from historical_sync.sandbox.faults import BATCH_KINDS, LINE_KINDS, Faults, Subject
from historical_sync.sandbox.groq.completions import Completion, complete

MAX_LINES = 50_000
MAX_BYTES = 100 * 1024 * 1024
MAX_PROBLEMS = 20
ENDPOINT = "/v1/chat/completions"


@dataclass
class Durations:
    """Seconds that a batch spends in each status."""

    validating_seconds: float = 0.5
    in_progress_seconds: float = 1.5
    finalizing_seconds: float = 0.5
    cancelling_seconds: float = 0.5


@dataclass
class Line:
    """A line of the input file and what came of it; `is_missing` lines are in neither file."""

    custom_id: str
    completion: Completion
    error: dict[str, Any] | None = None
    copies: int = 1
    is_missing: bool = False

    @property
    def has_succeeded(self) -> bool:
        """Whether it belongs into the output file."""
        return self.error is None and self.completion.status == 200


@dataclass
class Batch:
    """A batch. Times are seconds since the epoch."""

    id: str
    input_file_id: str
    endpoint: str
    completion_window: str
    metadata: dict[str, Any] | None
    created_at: float
    durations: Durations
    lines: list[Line]
    problems: list[dict[str, Any]]
    ending: str = "completed"
    cancelled_from: float | None = None
    output_file_id: str | None = None
    error_file_id: str | None = None

    def times(self) -> dict[str, float]:
        """When each status begins, in order."""
        started = self.created_at + self.durations.validating_seconds
        if self.problems:
            return {"validating": self.created_at, "failed": started}
        times = {"validating": self.created_at, "in_progress": started}
        ends = started + self.durations.in_progress_seconds
        if self.ending == "stuck" and self.cancelled_from is None:
            return times
        if self.cancelled_from is not None:
            times["cancelling"] = self.cancelled_from
            times["cancelled"] = self.cancelled_from + self.durations.cancelling_seconds
        elif self.ending in {"expired", "cancelled"}:
            times[self.ending] = ends
        elif self.ending == "failed":
            times["failed"] = ends
        else:
            times["finalizing"] = ends
            times["completed"] = ends + self.durations.finalizing_seconds
        return times

    def status(self, now: float) -> str:
        """The status at `now`."""
        current = "validating"
        for name, begins in sorted(self.times().items(), key=lambda item: item[1]):
            if begins <= now:
                current = name
        return current

    @property
    def is_partial(self) -> bool:
        """Whether it ends before all its lines are answered."""
        return self.cancelled_from is not None or self.ending in {"expired", "cancelled"}

    def answered(self) -> list[Line]:
        """The lines that an ended batch has answers for: half of them when it ends too soon."""
        if self.problems or self.ending == "failed":
            return []
        present = [line for line in self.lines if not line.is_missing]
        return present[: len(present) // 2] if self.is_partial else present

    def counts(self, now: float) -> dict[str, int]:
        """`request_counts` at `now`."""
        if self.problems:
            return {"total": 0, "completed": 0, "failed": 0}
        lines = self.answered()
        share = self._share_done(now)
        done = sum(1 for line in lines if line.has_succeeded)
        return {
            "total": len(self.lines),
            "completed": int(done * share),
            "failed": int((len(lines) - done) * share),
        }

    def _share_done(self, now: float) -> float:
        started = self.created_at + self.durations.validating_seconds
        if self.status(now) in {"finalizing", "completed", "expired", "cancelled", "failed"}:
            return 1.0
        if now <= started or self.durations.in_progress_seconds <= 0:
            return 0.0
        return min(0.99, (now - started) / self.durations.in_progress_seconds)


@dataclass
class Tally:
    """How often each custom_id was sent and validly answered, over all batches and single calls."""

    sent: dict[str, int] = field(default_factory=dict)
    answered: dict[str, int] = field(default_factory=dict)
    history: list[tuple[str, str, bool]] = field(default_factory=list)

    def note(self, batch_id: str, custom_id: str, is_valid: bool) -> None:
        """A line was sent in this batch, and would get a valid answer or not."""
        self.sent[custom_id] = self.sent.get(custom_id, 0) + 1
        if is_valid:
            self.answered[custom_id] = self.answered.get(custom_id, 0) + 1
        self.history.append((batch_id, custom_id, is_valid))


def read_lines(content: bytes) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """The requests of an input file, and what is wrong with it (at most 20 problems)."""
    if len(content) > MAX_BYTES:
        return [], [_problem("file_too_large", f"The input file is larger than {MAX_BYTES} bytes.", None)]
    rows: list[dict[str, Any]] = []
    problems: list[dict[str, Any]] = []
    seen: set[str] = set()
    for number, text in enumerate(content.split(b"\n"), 1):
        if not text.strip():
            continue
        row = _row(text)
        fault = _fault_of(row, seen)
        if fault is not None:
            problems.append(_problem(*fault, number))
        elif row is not None:
            seen.add(row["custom_id"])
            rows.append(row)
    if not rows and not problems:
        problems.append(_problem("empty_file", "The batch input file is empty.", None))
    if len(rows) > MAX_LINES:
        problems.append(_problem("too_many_requests", f"A batch holds at most {MAX_LINES} requests.", None))
    return rows, problems[:MAX_PROBLEMS]


def _row(text: bytes) -> dict[str, Any] | None:
    try:
        row = json.loads(text)
    except ValueError:
        return None
    return row if isinstance(row, dict) else None


def _fault_of(row: dict[str, Any] | None, seen: set[str]) -> tuple[str, str] | None:
    if row is None:
        return "invalid_json_line", "This line is not parseable as valid JSON."
    for name in ("custom_id", "method", "url", "body"):
        if name not in row:
            return "missing_required_parameter", f"Missing required parameter: {name}."
    if row["custom_id"] in seen:
        return "duplicate_custom_id", f"The custom_id {row['custom_id']!r} is used more than once."
    if row["method"] != "POST" or row["url"] != ENDPOINT:
        return "invalid_url", f"Only POST {ENDPOINT} is supported."
    return None


def _problem(code: str, message: str, line: int | None) -> dict[str, Any]:
    return {"code": code, "line": line, "message": message, "param": None}


def ending_for(faults: Faults) -> str:
    """How a new batch will end: `completed`, or as a batch fault has it."""
    fault = faults.strike(BATCH_KINDS, Subject("batch"))
    return fault.kind.removeprefix("batch_") if fault is not None else "completed"


def run_line(row: dict[str, Any], ending: str, faults: Faults, created_at: float) -> Line:
    """What comes of one line."""
    custom_id = row["custom_id"]
    if ending == "all_failed":
        return Line(custom_id, complete(row["body"], int(created_at), "line_500"))
    fault = faults.strike(LINE_KINDS, Subject("line", custom_id))
    kind = fault.kind if fault is not None else None
    if kind == "line_too_long":
        error = {"code": "context_length_exceeded", "message": "Please reduce the length of the messages."}
        return Line(custom_id, Completion(413, {}), error)
    if kind == "line_missing":
        return Line(custom_id, Completion(0, {}), is_missing=True)
    copies = 2 if kind == "line_duplicate" else 1
    completion = complete(row["body"], int(created_at), None if kind == "line_duplicate" else kind)
    return Line(custom_id, completion, copies=copies)


def files_of(batch: Batch, seed: int) -> tuple[bytes | None, bytes | None]:
    """The output and the error file of an ended batch, lines shuffled; None where there is nothing to say."""
    chance = random.Random(f"{seed}/{batch.id}")
    output = [text for line in batch.answered() if line.has_succeeded for text in [_text(batch, line)] * line.copies]
    failed = [_text(batch, line) for line in batch.answered() if not line.has_succeeded]
    if batch.is_partial:
        failed += [_text(batch, _unfinished(batch, line)) for line in batch.lines[len(batch.answered()) :][:1]]
    chance.shuffle(output)
    chance.shuffle(failed)
    return _file(output), _file(failed)


def _unfinished(batch: Batch, line: Line) -> Line:
    """An ended batch says of some unanswered lines that they came too late; of the others it says nothing."""
    code = "batch_expired" if batch.ending == "expired" else "batch_cancelled"
    error = {"code": code, "message": "This request could not be executed before the batch ended."}
    return Line(line.custom_id, Completion(0, {}), error)


def _file(lines: list[str]) -> bytes | None:
    return ("\n".join(lines) + "\n").encode() if lines else None


def _text(batch: Batch, line: Line) -> str:
    response: dict[str, Any] | None = None
    if line.error is None:
        digest = hashlib.sha256(f"{batch.id}/{line.custom_id}".encode()).hexdigest()
        response = {
            "status_code": line.completion.status,
            "request_id": f"req_{digest[:24]}",
            "body": line.completion.body,
        }
    row = {
        "id": f"batch_req_{batch.id[-8:]}_{line.custom_id[-24:]}",
        "custom_id": line.custom_id,
        "response": response,
        "error": line.error,
    }
    return json.dumps(row, ensure_ascii=False)
