"""A batch's life: checked, run in time, ended well or badly, and its output and error files. No HTTP here.

What becomes of each line is settled when the batch is created; the status follows the clock.
"""

from __future__ import annotations

import hashlib
import json
import random
from dataclasses import dataclass
from typing import Any

from historical_sync.sandbox.faults import BATCH_KINDS, LINE_KINDS, Faults, Subject
from historical_sync.sandbox.groq.completions import Answers, Completion, complete
from historical_sync.sandbox.groq.tally import digest_of


@dataclass
class Durations:
    """Seconds that a batch spends in each status."""

    validating_seconds: float = 0.5
    in_progress_seconds: float = 1.5
    finalizing_seconds: float = 0.5
    cancelling_seconds: float = 0.5

    @classmethod
    def lasting(cls, seconds: float) -> Durations:
        """A batch that takes this long in all."""
        return cls(seconds / 6, seconds * 2 / 3, seconds / 6, seconds / 6)


CANCELLING_SECONDS = 600.0


@dataclass
class Line:
    """A line of the input file and what came of it.

    `is_missing` lines are in neither file; `strangers` are further custom_ids that get the same answer. `digest` is
    that of the user's message.
    """

    custom_id: str
    completion: Completion
    error: dict[str, Any] | None = None
    strangers: tuple[str, ...] = ()
    is_missing: bool = False
    digest: str = ""

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
        elif self.ending == "cancelling":
            times["cancelling"] = ends
            times["cancelled"] = ends + CANCELLING_SECONDS
        elif self.ending in {"expired", "cancelled"}:
            times[self.ending] = ends
        elif self.ending in {"failed", "failed_line"}:
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
        return self.cancelled_from is not None or self.ending in {"expired", "cancelled", "cancelling"}

    def answered(self) -> list[Line]:
        """The lines that an ended batch has answers for: half of them when it ends too soon."""
        is_endless = self.ending == "stuck" and self.cancelled_from is None
        if self.problems or is_endless or self.ending in {"failed", "failed_line"}:
            return []
        present = [line for line in self.lines if not line.is_missing]
        return present[: len(present) // 2] if self.is_partial else present

    def valid_ids(self) -> set[str]:
        """The custom_ids whose valid answers can be had, now or when it ends."""
        if self.ending == "output_gone":
            return set()
        return {line.custom_id for line in self.answered() if line.completion.is_valid}

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


def ending_for(faults: Faults) -> str:
    """How a new batch will end: `completed`, or as a batch fault has it."""
    fault = faults.strike(BATCH_KINDS, Subject("batch"))
    return fault.kind.removeprefix("batch_") if fault is not None else "completed"


def run_line(
    row: dict[str, Any], ending: str, faults: Faults, created_at: float, answers: Answers | None = None
) -> Line:
    """What comes of one line."""
    line = _outcome(row, ending, faults, created_at, answers)
    line.digest = digest_of(row["body"])
    return line


def _outcome(row: dict[str, Any], ending: str, faults: Faults, created_at: float, answers: Answers | None) -> Line:
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
    strangers = {"line_duplicate": (custom_id,), "line_stranger": (f"nobody-sent-{custom_id}",)}
    completion = complete(row["body"], int(created_at), kind, answers)
    return Line(custom_id, completion, strangers=strangers.get(kind or "", ()))


def files_of(batch: Batch, seed: int) -> tuple[bytes | None, bytes | None]:
    """The output and the error file of an ended batch, lines shuffled; None where there is nothing to say."""
    chance = random.Random(f"{seed}/{batch.id}")
    succeeded = [line for line in batch.answered() if line.has_succeeded]
    output = [_text(batch, line, name) for line in succeeded for name in (line.custom_id, *line.strangers)]
    failed = [_text(batch, line) for line in batch.answered() if not line.has_succeeded]
    if batch.is_partial:
        answered = {line.custom_id for line in batch.answered()}
        left = [line for line in batch.lines if line.custom_id not in answered and not line.is_missing]
        failed += [_text(batch, _unfinished(batch, line)) for line in left[::2]]  # of the others it says nothing
    chance.shuffle(output)
    chance.shuffle(failed)
    return _file(output), _file(failed)


def _unfinished(batch: Batch, line: Line) -> Line:
    """What the error file says of a line that came too late."""
    code = "batch_expired" if batch.ending == "expired" else "batch_cancelled"
    error = {"code": code, "message": "This request could not be executed before the batch ended."}
    return Line(line.custom_id, Completion(0, {}), error)


def _file(lines: list[str]) -> bytes | None:
    return ("\n".join(lines) + "\n").encode() if lines else None


def _text(batch: Batch, line: Line, custom_id: str | None = None) -> str:
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
        "custom_id": custom_id or line.custom_id,
        "response": response,
        "error": line.error,
    }
    return json.dumps(row, ensure_ascii=False)
