"""Reading a batch's input file as Groq does: JSONL, one chat completion a line, each with an id of its own."""

from __future__ import annotations

import json
from typing import Any

MAX_LINES = 50_000
MAX_BYTES = 100 * 1024 * 1024
MAX_PROBLEMS = 20
ENDPOINT = "/v1/chat/completions"


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
