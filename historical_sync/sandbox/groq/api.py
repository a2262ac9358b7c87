"""Groq's front door: files, batches, chat completions and models, as the `groq` SDK calls them."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from historical_sync.sandbox.faults import LINE_KINDS, Faults, Subject
from historical_sync.sandbox.groq import batches, errors
from historical_sync.sandbox.groq.batches import Batch, Durations
from historical_sync.sandbox.groq.completions import MODELS, Answers, complete
from historical_sync.sandbox.groq.files import StoredFile
from historical_sync.sandbox.groq.input_file import ENDPOINT, MAX_BYTES, read_lines
from historical_sync.sandbox.groq.listing import Listing
from historical_sync.sandbox.groq.misfortune import ACTING_KINDS, DOOR_KINDS, broken, spoil
from historical_sync.sandbox.groq.multipart import read_form
from historical_sync.sandbox.groq.tally import Tally, digest_of
from historical_sync.sandbox.log import Entry, Log
from historical_sync.sandbox.wire import Answer, json_answer
from historical_sync.sandbox.world import World, stamp


class Groq:
    """The imitation of Groq.

    `tally` counts lines; `keys` None accepts any key; `has_batches` False is the free plan; `answers(request)` may say
    what the model answers; `listing` is how batches are listed and told.
    """

    def __init__(self, world: World, faults: Faults, log: Log, seed: int = 0) -> None:
        self.clock, self.lock = world.clock, world.lock
        self.faults, self.log, self.seed = faults, log, seed
        self.durations = Durations()
        self.keys: set[str] | None = None
        self.has_batches = True
        self.files: dict[str, StoredFile] = {}
        self.batches: dict[str, Batch] = {}
        self.tally = Tally()
        self.answers: Answers | None = None
        self.listing = Listing()
        self._made = 0

    # The door ----------------------------------------------------------------------------------------------------

    def answer(self, operation: str, key: str | None, act: Callable[[Entry], Answer]) -> Answer:
        """Run one operation, with the faults that strike it."""
        with self.lock:
            entry = self.log.begin("groq", operation, stamp(self.clock()))
            try:
                answer = self._guarded(operation, key, act, entry)
            except errors.Refusal as refusal:
                answer = json_answer(refusal.body, refusal.status)
            entry.status = answer.status if answer.breakage is None else 0
        return answer

    def _guarded(self, operation: str, key: str | None, act: Callable[[Entry], Answer], entry: Entry) -> Answer:
        if not key or (self.keys is not None and key not in self.keys):
            raise errors.invalid_api_key()
        kinds = DOOR_KINDS if operation.startswith(("files.", "batches.")) else DOOR_KINDS - {"groq_403"}
        fault = self.faults.strike(kinds, Subject(operation))
        if fault is None:
            return act(entry)
        entry.fault = fault.kind
        if fault.kind in ACTING_KINDS:
            return spoil(fault, act(entry))
        return broken(fault)

    # Files -------------------------------------------------------------------------------------------------------

    def create_file(self, content_type: str, body: bytes) -> Answer:
        """POST /files."""
        form = read_form(content_type, body)
        if "file" not in form or "purpose" not in form:
            raise errors.invalid("request must be multipart/form-data with the fields file and purpose")
        if form["purpose"].content != b"batch":
            raise errors.invalid("purpose must be one of [batch]", "purpose")
        if len(form["file"].content) > MAX_BYTES:
            raise errors.Refusal(413, "Request Entity Too Large", "invalid_request_error")
        stored = self._store(form["file"].filename or "file.jsonl", form["file"].content, "batch")
        return json_answer(stored.as_json())

    def _store(self, filename: str, content: bytes, purpose: str) -> StoredFile:
        stored = StoredFile(self._id("file"), filename, content, purpose, int(self._now()))
        self.files[stored.id] = stored
        return stored

    def list_files(self) -> Answer:
        """GET /files."""
        return json_answer({"object": "list", "data": [one.as_json() for one in reversed(self.files.values())]})

    def file(self, file_id: str) -> StoredFile:
        """The file of this id; refuses an unknown one."""
        if file_id not in self.files:
            raise errors.not_found("file", file_id)
        return self.files[file_id]

    def read_file(self, file_id: str) -> Answer:
        """GET /files/{id}."""
        return json_answer(self.file(file_id).as_json())

    def file_content(self, file_id: str) -> Answer:
        """GET /files/{id}/content."""
        return Answer(200, self.file(file_id).content, {"content-type": "application/octet-stream"})

    def delete_file(self, file_id: str) -> Answer:
        """DELETE /files/{id}."""
        del self.files[self.file(file_id).id]
        return json_answer({"id": file_id, "object": "file", "deleted": True})

    # Batches -----------------------------------------------------------------------------------------------------

    def create_batch(self, body: bytes, entry: Entry) -> Answer:
        """POST /batches."""
        if not self.has_batches:
            raise errors.not_available_for_plan()
        request = _json_of(body)
        if request.get("endpoint") != ENDPOINT:
            raise errors.invalid(f"endpoint must be one of [{ENDPOINT}]", "endpoint")
        if not _is_window(request.get("completion_window")):
            raise errors.invalid("completion_window must be between 24h and 7d", "completion_window")
        stored = self.file(str(request.get("input_file_id")))
        if stored.purpose != "batch":
            raise errors.invalid("input file must have the purpose batch", "input_file_id")
        batch = self._new_batch(request, stored)
        entry.lines = len(batch.lines)
        return json_answer(self.batch_json(batch, batch.created_at - 1))

    def _new_batch(self, request: dict[str, Any], stored: StoredFile) -> Batch:
        rows, problems = read_lines(stored.content)
        ending = batches.ending_for(self.faults)
        now = self._now()
        lines = [batches.run_line(row, ending, self.faults, now, self.answers) for row in rows if not problems]
        batch = Batch(
            self._id("batch"),
            stored.id,
            request["endpoint"],
            request["completion_window"],
            None if ending == "without_metadata" else request.get("metadata"),
            now,
            replace(self.durations),
            lines,
            problems,
            ending,
        )
        self.batches[batch.id] = batch
        valid_ids = batch.valid_ids()
        for line in lines:
            self.tally.note(batch.id, line.custom_id, line.digest, line.custom_id in valid_ids)
        return batch

    def batch(self, batch_id: str) -> Batch:
        """The batch of this id; refuses an unknown one."""
        if batch_id not in self.batches:
            raise errors.not_found("batch", batch_id)
        return self.batches[batch_id]

    def read_batch(self, batch_id: str) -> Answer:
        """GET /batches/{id}."""
        return json_answer(self.batch_json(self.batch(batch_id)))

    def list_batches(self, limit: int, after: str | None, ids: list[str] | None = None) -> Answer:
        """GET /batches: newest first, paged by `after` or `cursor`, or those of some ids."""
        now = self._now()
        listed = [one for one in reversed(self.batches.values()) if self.listing.shows(one.created_at, now)]
        rows = [one for one in listed if not ids or one.id in ids]
        limit = min(limit, self.listing.page_size)
        if after is not None:
            place = next((index for index, one in enumerate(rows) if one.id == after), None)
            if place is None:
                raise errors.not_found("batch", after)
            rows = rows[place + 1 :]
        page = [self.batch_json(one) for one in rows[:limit]]
        return json_answer({"object": "list", "data": page, **self.listing.paging(page, len(rows) > limit)})

    def cancel_batch(self, batch_id: str) -> Answer:
        """POST /batches/{id}/cancel."""
        batch = self.batch(batch_id)
        if batch.status(self._now()) in {"completed", "failed", "expired", "cancelled"}:
            raise errors.invalid(f"batch `{batch_id}` is already {batch.status(self._now())}")
        if batch.cancelled_from is None:
            batch.cancelled_from = self._now()
            self.tally.revise(batch.id, batch.valid_ids())
        return json_answer(self.batch_json(batch))

    def batch_json(self, batch: Batch, at: float | None = None) -> dict[str, Any]:
        """The batch object now, or at another time (seconds since the epoch); makes its files once it has ended."""
        now = self._now() if at is None else at
        status = batch.status(now)
        self._finish(batch, status)
        times = batch.times()
        moments = {
            f"{name}_at": int(times[name]) if name in times and times[name] <= now else None for name in TIMED_STATUSES
        }
        return {
            "id": batch.id,
            "object": "batch",
            "endpoint": batch.endpoint,
            "errors": self._errors(batch, status),
            "input_file_id": batch.input_file_id,
            "completion_window": batch.completion_window,
            "status": status,
            "output_file_id": batch.output_file_id,
            "error_file_id": batch.error_file_id if batch.error_file_id or status != "completed" else {},
            "created_at": int(batch.created_at),
            "expires_at": int(batch.created_at) + 86_400,
            **moments,
            "request_counts": batch.counts(now),
            "metadata": batch.metadata,
        }

    def _errors(self, batch: Batch, status: str) -> dict[str, Any] | list[dict[str, Any]] | None:
        if status != "failed":
            return None
        line = 1 if batch.ending == "failed_line" else None
        message = "The batch could not be processed."
        told = batch.problems or [{"code": "internal_error", "line": line, "message": message, "param": None}]
        return told if self.listing.has_plain_errors else {"object": "list", "data": told}

    def _finish(self, batch: Batch, status: str) -> None:
        if status not in {"completed", "expired", "cancelled"} or batch.output_file_id or batch.error_file_id:
            return
        output, failed = batches.files_of(batch, self.seed)
        if output is not None:
            batch.output_file_id = self._store("output.jsonl", output, "batch_output").id
        if failed is not None:
            batch.error_file_id = self._store("errors.jsonl", failed, "batch_output").id
        if batch.ending == "output_gone" and batch.output_file_id is not None:
            del self.files[batch.output_file_id]

    # Single calls ------------------------------------------------------------------------------------------------

    def chat(self, body: bytes, entry: Entry) -> Answer:
        """POST /chat/completions. The tally knows a single call by the digest of its user message.

        A call beyond the rate limit is not counted as sent: nothing reads it.
        """
        request = _json_of(body)
        entry.lines = 1
        fault = self.faults.strike({"groq_json_validate_failed"}, Subject("chat"))
        line_fault = fault or self.faults.strike(LINE_KINDS, Subject("chat"))
        completion = complete(request, int(self._now()), line_fault.kind if line_fault else None, self.answers)
        digest = digest_of(request)
        if completion.status != errors.TOO_MANY_REQUESTS:
            self.tally.note("chat", digest, digest, completion.is_valid)
        return json_answer(completion.body, completion.status)

    def models(self) -> Answer:
        """GET /models."""
        return json_answer({"object": "list", "data": [_model_json(name) for name in MODELS]})

    def model(self, name: str) -> Answer:
        """GET /models/{model}."""
        if name not in MODELS:
            raise errors.model_not_found(name)
        return json_answer(_model_json(name))

    def _now(self) -> float:
        return self.clock().timestamp()

    def _id(self, kind: str) -> str:
        self._made += 1
        return f"{kind}_01sandbox{self.seed:04x}{self._made:012x}"


TIMED_STATUSES = ("in_progress", "finalizing", "completed", "failed", "expired", "cancelling", "cancelled")


def _json_of(body: bytes) -> dict[str, Any]:
    try:
        request = json.loads(body)
    except ValueError:
        raise errors.invalid("could not parse the request body as JSON") from None
    if not isinstance(request, dict):
        raise errors.invalid("the request body must be a JSON object")
    return request


def _is_window(value: Any) -> bool:
    text = str(value)
    number, unit = text[:-1], text[-1:]
    if not number.isdigit() or unit not in {"h", "d"}:
        return False
    return 24 <= int(number) * (24 if unit == "d" else 1) <= 168


def _model_json(name: str) -> dict[str, Any]:
    return {
        "id": name,
        "object": "model",
        "created": 1754408224,
        "owned_by": name.partition("/")[0],
        "active": True,
        "context_window": 131_072,
        "max_completion_tokens": 65_536,
    }
