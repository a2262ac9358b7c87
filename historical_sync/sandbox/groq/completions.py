"""One chat completion: the checks that Groq makes of a request, the reader's answer, and the faults of a line."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from historical_sync.sandbox.groq import errors
from historical_sync.sandbox.groq.reader import read_and_fill
from historical_sync.sandbox.groq.schemas import STRICT_MODELS, check_strict
from historical_sync.sandbox.groq.spoiling import spoilt

MODELS = (
    "openai/gpt-oss-20b",
    "openai/gpt-oss-120b",
    "openai/gpt-oss-safeguard-20b",
    "qwen/qwen3.6-27b",
)
RETIRED = ("llama-3.3-70b-versatile", "llama-3.1-8b-instant")
CHARACTERS_PER_TOKEN = 4
HARMLESS = ("line_duplicate", "line_stranger")
"""Line faults that leave the line's own answer valid."""
Answers = Callable[[dict[str, Any]], Any]


@dataclass(frozen=True)
class Completion:
    """What came of one request: the status, the body, and whether the answer keeps the request's schema."""

    status: int
    body: dict[str, Any]
    is_valid: bool = False


def complete(
    request: dict[str, Any], created: int, fault: str | None = None, answers: Answers | None = None
) -> Completion:
    """The answer to one chat completion request, with a line fault if one strikes.

    `answers(request)` may give the value to answer; None leaves it to the reader.
    """
    try:
        schema = _checked(request)
    except errors.Refusal as refused:
        return Completion(refused.status, refused.body)
    value = answers(request) if answers is not None else None
    if value is None:
        value = read_and_fill(schema, user_text(request))
    text = json.dumps(value, ensure_ascii=False)
    if fault in {"line_validate_failed", "groq_json_validate_failed"}:
        refusal = errors.validate_failed(text[: len(text) // 2])
        return Completion(400, refusal.body)
    if fault == "line_500":
        return Completion(500, errors.server_error(500).body)
    if fault == "line_429":
        return Completion(429, errors.rate_limited(request["model"]).body)
    content, finish_reason = spoilt(value, fault)
    content, finish_reason = _within_tokens(content, finish_reason, request)
    body = _body(request, content, finish_reason, created)
    return Completion(200, body, fault in {None, *HARMLESS} and finish_reason == "stop")


def _checked(request: dict[str, Any]) -> dict[str, Any]:
    """The schema of a request; refuses what Groq refuses."""
    model = request.get("model")
    if not isinstance(model, str) or not model:
        raise errors.invalid("'model' : property 'model' is missing", "model")
    if model in RETIRED:
        raise errors.model_decommissioned(model)
    if model not in MODELS:
        raise errors.model_not_found(model)
    messages = request.get("messages")
    if not isinstance(messages, list) or not messages:
        raise errors.invalid("'messages' : minimum number of items is 1", "messages")
    return _response_schema(request, model)


def _response_schema(request: dict[str, Any], model: str) -> dict[str, Any]:
    wanted = request.get("response_format") or {"type": "text"}
    if wanted["type"] == "json_schema":
        inner = wanted["json_schema"]
        if inner.get("strict"):
            if model not in STRICT_MODELS:
                raise errors.invalid(
                    f"This model does not support strict structured outputs: {model}", "response_format"
                )
            check_strict(inner.get("name", ""), inner["schema"])
        schema: dict[str, Any] = inner["schema"]
        return schema
    if wanted["type"] == "json_object" and "json" not in json.dumps(request["messages"]).lower():
        text = "'messages' must contain the word 'json' in some form, to use 'response_format' of type 'json_object'."
        raise errors.invalid(text, "messages")
    return {"type": "object", "properties": {}}


def user_text(request: dict[str, Any]) -> str:
    """What the user's messages say, joined."""
    parts = []
    for message in request["messages"]:
        content = message.get("content") or ""
        if message.get("role") == "user":
            parts.append(content if isinstance(content, str) else "".join(one.get("text", "") for one in content))
    return "\n".join(parts)


def _within_tokens(content: str, finish_reason: str, request: dict[str, Any]) -> tuple[str, str]:
    limit = request.get("max_completion_tokens") or request.get("max_tokens")
    if limit is None or len(content) <= limit * CHARACTERS_PER_TOKEN:
        return content, finish_reason
    return content[: limit * CHARACTERS_PER_TOKEN], "length"


def _body(request: dict[str, Any], content: str, finish_reason: str, created: int) -> dict[str, Any]:
    asked = json.dumps(request["messages"])
    digest = hashlib.sha256(asked.encode()).hexdigest()
    prompt_tokens, completion_tokens = len(asked) // CHARACTERS_PER_TOKEN, len(content) // CHARACTERS_PER_TOKEN
    return {
        "id": f"chatcmpl-{digest[:32]}",
        "object": "chat.completion",
        "created": created,
        "model": request["model"],
        "choices": [
            {
                "index": 0,
                "message": {"role": "assistant", "content": content},
                "logprobs": None,
                "finish_reason": finish_reason,
            }
        ],
        "usage": {
            "queue_time": 0.01,
            "prompt_tokens": prompt_tokens,
            "prompt_time": 0.01,
            "completion_tokens": completion_tokens,
            "completion_time": 0.1,
            "total_tokens": prompt_tokens + completion_tokens,
            "total_time": 0.11,
        },
        "system_fingerprint": "fp_sandbox",
        "x_groq": {"id": f"req_{digest[:24]}"},
    }
