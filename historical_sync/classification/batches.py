"""A batch in Groq's words: the file that is sent, the state that is asked for, the files that come back. No I/O.

A line is joined to its pull request by `custom_id` alone, whatever file it comes in and wherever it stands there.
What Groq answers is read without trust: `error_file_id` may be `{}`, `errors` a list or an object with one, a line
may be missing, doubled, cut off or under an id that nobody sent.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Literal

import orjson

from historical_sync.records import PullRequest, storable_text

ENDPOINT: Literal["/v1/chat/completions"] = "/v1/chat/completions"
COMPLETION_WINDOW = "24h"
MOST_LINES = 50_000
MOST_BYTES = 100_000_000
"""Groq's limits for a batch file: 50,000 lines, and 100 MB by the SDK's own words (its page of 2026 says 200)."""

TYPICAL_TOKENS = (2_000, 700)
"""What an answer without its usage is taken to have cost, rather too much than too little: it was billed."""

STATUSES = ("validating", "in_progress", "finalizing", "completed", "failed", "expired", "cancelling", "cancelled")
ENDED = frozenset({"completed", "failed", "expired", "cancelled"})


def content_hash(one: PullRequest) -> str:
    """A digest of what a classification is of: title, body, commits and files.

    Not of reviews, labels or any time: an open pull request would be paid for again with every comment.
    """
    commits = [[commit.message, commit.author_name, commit.author_email] for commit in one.commits]
    files = sorted([file.path, file.additions, file.deletions, file.change_type] for file in one.files)
    stable = json.dumps([one.title, one.body, commits, files], separators=(",", ":"))
    return hashlib.sha256(stable.encode()).hexdigest()


def custom_id(team_id: str, repository: str, number: int, content: str, prompt_version: str) -> str:
    """The id of a line: the same pull request with the same content and prompt always has the same."""
    return f"{team_id}:{repository}:{number}:{content[:12]}:{prompt_version}"


def digest(model: str, prompt_version: str, attempt: int, custom_ids: Iterable[str]) -> str:
    """What a batch is of, whatever the order of its lines: model, prompt, attempt and custom ids."""
    text = "\n".join((model, prompt_version, str(attempt), *sorted(custom_ids)))
    return hashlib.sha256(text.encode()).hexdigest()


def batch_line(line_id: str, body: dict[str, Any]) -> bytes:
    """One line of a batch file, newline included."""
    return orjson.dumps({"custom_id": line_id, "method": "POST", "url": ENDPOINT, "body": body}) + b"\n"


def fitting(lines: Sequence[bytes], most_lines: int = MOST_LINES, most_bytes: int = MOST_BYTES) -> int:
    """How many of the lines, from the first on, one file may hold. At least one, so that work never stands still."""
    size = 0
    for count, line in enumerate(lines):
        size += len(line)
        if count and (size > most_bytes or count >= most_lines):
            return count
    return len(lines)


@dataclass(frozen=True, slots=True)
class BatchError:
    """Why Groq refused a batch's file; `line` counts from 1 where one line is to blame."""

    code: str
    message: str
    line: int | None


@dataclass(frozen=True, slots=True)
class BatchState:
    """A batch as Groq tells it. A file's id is None unless it is a real one."""

    batch_id: str
    status: str
    input_file_id: str | None
    output_file_id: str | None
    error_file_id: str | None
    errors: tuple[BatchError, ...]
    completed: int
    failed: int
    created_at: datetime | None
    metadata: dict[str, Any]

    @property
    def has_ended(self) -> bool:
        return self.status in ENDED


def read_state(raw: Any) -> BatchState | None:
    """The state in a batch object; None when it is not one. An unknown status is one that has not ended."""
    if not isinstance(raw, dict) or not _text(raw.get("id")):
        return None
    counts = raw.get("request_counts") if isinstance(raw.get("request_counts"), dict) else {}
    status = str(raw.get("status")).lower()
    return BatchState(
        batch_id=str(raw["id"]),
        status=status if status in STATUSES else "in_progress",
        input_file_id=_text(raw.get("input_file_id")),
        output_file_id=_text(raw.get("output_file_id")),
        error_file_id=_text(raw.get("error_file_id")),
        errors=tuple(_errors(raw.get("errors"))),
        completed=_count((counts or {}).get("completed")),
        failed=_count((counts or {}).get("failed")),
        created_at=_time(raw.get("created_at")),
        metadata=raw["metadata"] if isinstance(raw.get("metadata"), dict) else {},
    )


def _text(value: Any) -> str | None:
    """A text such as PostgreSQL can hold it; None for an empty one and for what is none."""
    return (storable_text(value) or None) if isinstance(value, str) else None


def _count(value: Any) -> int:
    return value if isinstance(value, int) and value > 0 else 0


def _time(value: Any) -> datetime | None:
    try:
        return datetime.fromtimestamp(float(value), UTC)
    except (TypeError, ValueError, OverflowError, OSError):
        return None


def _errors(raw: Any) -> Iterable[BatchError]:
    listed = raw.get("data") if isinstance(raw, dict) else raw
    for one in listed if isinstance(listed, list) else []:
        if isinstance(one, dict):
            line = one.get("line")
            yield BatchError(
                code=_text(one.get("code")) or "",
                message=_text(one.get("message")) or "",
                line=line if isinstance(line, int) and line > 0 else None,
            )


@dataclass(frozen=True, slots=True)
class LineResult:
    """What came back for one line: the model's text, or the error that stands in its place. Tokens are billed."""

    custom_id: str
    text: str | None
    error: str | None
    code: str | None = None
    input_tokens: int = 0
    output_tokens: int = 0


@dataclass(frozen=True, slots=True)
class FileResults:
    """The lines of a batch's files; `unreadable` counts those that are no JSON object with a custom id."""

    lines: tuple[LineResult, ...]
    unreadable: int


def read_results(*files: bytes) -> FileResults:
    """The results in output and error files, in the order found."""
    lines, unreadable = [], 0
    for content in files:
        for row in content.decode("utf-8", "replace").split("\n"):
            if row.strip():
                result = _line_result(row)
                if result is None:
                    unreadable += 1
                else:
                    lines.append(result)
    return FileResults(tuple(lines), unreadable)


def by_custom_id(lines: Iterable[LineResult]) -> dict[str, list[LineResult]]:
    """Every result of a custom id, those with a text first: a doubled line loses to nothing that can be read."""
    found: dict[str, list[LineResult]] = {}
    for line in lines:
        found.setdefault(line.custom_id, []).append(line)
    return {name: sorted(results, key=lambda one: one.text is None) for name, results in found.items()}


def _line_result(row: str) -> LineResult | None:
    try:
        raw = json.loads(row)
    except (ValueError, RecursionError):
        return None
    if not isinstance(raw, dict) or not _text(raw.get("custom_id")):
        return None
    response = raw["response"] if isinstance(raw.get("response"), dict) else {}
    error = raw.get("error")
    return read_completion(str(raw["custom_id"]), response.get("status_code"), response.get("body"), error)


def read_completion(name: str, status: Any, body: Any, error: Any = None) -> LineResult:
    """The result in a chat completion's body, or in the error that stands in its place."""
    found = body if isinstance(body, dict) else {}
    usage = _usage(found)
    problem = error or found.get("error")
    if problem or (isinstance(status, int) and status >= 400) or not found:
        code, message = _problem(problem, status)
        return LineResult(name, None, message, code, *usage)
    text, trouble = _content(found)
    return LineResult(name, text, trouble, None, *(usage if any(usage) else TYPICAL_TOKENS))


def _content(body: dict[str, Any]) -> tuple[str | None, str | None]:
    choices = body.get("choices")
    choice = choices[0] if isinstance(choices, list) and choices and isinstance(choices[0], dict) else {}
    message = choice["message"] if isinstance(choice.get("message"), dict) else {}
    if refusal := _text(message.get("refusal")):
        return None, f"refused: {refusal[:200]}"
    text = _plain_content(message.get("content"))
    if choice.get("finish_reason") == "length":
        return text, "cut off at the token limit"
    return (text, None) if text else (None, "the answer is empty")


def _plain_content(content: Any) -> str | None:
    """The text of a message, which may be given in parts, or as the JSON it should be."""
    if isinstance(content, list):
        content = "".join(str(part.get("text") or "") for part in content if isinstance(part, dict))
    return json.dumps(content) if isinstance(content, dict) and content else _text(content)


def _problem(problem: Any, status: Any) -> tuple[str | None, str]:
    """Code and one line about an error, which may be text, an object, or an object within `error`."""
    inner = problem.get("error", problem) if isinstance(problem, dict) else problem
    if isinstance(inner, dict):
        code = _text(inner.get("code")) or _text(inner.get("type"))
        said = _text(inner.get("message")) or "no message"
    else:
        code, said = None, _text(inner) or "no body"
    prefix = f"HTTP {status} " if isinstance(status, int) and status >= 400 else ""
    return code, f"{prefix}{code or ''}: {said[:300]}".lstrip(": ")


def _usage(body: dict[str, Any]) -> tuple[int, int]:
    wrapped = body.get("x_groq") if isinstance(body.get("x_groq"), dict) else {}
    usage = body.get("usage") or (wrapped or {}).get("usage")
    if not isinstance(usage, dict):
        return 0, 0
    return _count(usage.get("prompt_tokens")), _count(usage.get("completion_tokens"))


MODEL_GONE_CODES = ("model_decommissioned", "model_not_found", "model_not_active", "model_permission_blocked")
MODEL_GONE_WORDS = ("decommissioned", "no longer supported", "does not exist or you do not have access")


def is_model_gone(code: str | None, message: str | None) -> bool:
    """Whether an error says that the model itself cannot be used, so that no line with it ever will be answered."""
    said = (message or "").lower()
    if (code or "").startswith(MODEL_GONE_CODES):
        return True
    return "model" in said and any(words in said for words in MODEL_GONE_WORDS)
