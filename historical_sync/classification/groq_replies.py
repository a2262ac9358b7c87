"""Groq's refusals and rate limits, read: which of our errors an answer is, and how long to wait. No I/O.

https://console.groq.com/docs/errors and /docs/rate-limits; the codes were seen in public reports of 2026.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from historical_sync.classification.batches import is_model_gone
from historical_sync.errors import ClassificationError, GroqRefused, GroqUnavailable
from historical_sync.records import storable_text

KEY_VARIABLE = "GROQ_API_KEY"

MISSING_KEY = "missing_key"
INVALID_KEY = "invalid_api_key"
FORBIDDEN = "forbidden"
MODEL_GONE = "model_gone"
PLAN_WITHOUT_BATCHES = "not_available_for_plan"

CONCERNS_EVERY_REQUEST = frozenset({MISSING_KEY, INVALID_KEY, FORBIDDEN, MODEL_GONE, PLAN_WITHOUT_BATCHES})
"""Codes of refusals that say nothing about the one request they answer."""
BLOCKED_CODES = frozenset({"blocked_api_access", "organization_restricted"})
"""Groq's codes, with status 400, for an account that has reached its spend limit or is restricted."""


class NotFound(ClassificationError):
    """Groq does not know the batch or file (any more): it keeps results for 30 days."""


WAITING_HELPS = frozenset({408, 409, 425, 429, 498})
"""498 is Groq's "flex tier capacity exceeded"; 5xx are added to these."""


def refusal(status: int, path: str, body: object, headers: Mapping[str, str]) -> ClassificationError:
    """The error in an answer of 400 and more: whether waiting helps, what it concerns, what a person can do."""
    code, message = _said(body)
    text = f"Groq answered {status}{f' {code}' if code else ''}: {message[:300]}"
    if status in WAITING_HELPS or status >= 500:
        return GroqUnavailable(text, retry_after_seconds=_retry_after(headers), status=status)
    if is_model_gone(code, message):
        return GroqRefused(
            text, code=MODEL_GONE, remedy="Set GROQ_MODEL and GROQ_SECOND_MODEL to models that Groq has."
        )
    if status == 401:
        return GroqRefused(text, code=INVALID_KEY, remedy=f"Set {KEY_VARIABLE} to a valid key.")
    if status == 403 and (code == PLAN_WITHOUT_BATCHES or _is_about_batches(path)):
        return GroqRefused(text, code=PLAN_WITHOUT_BATCHES, remedy="Single calls are used until the plan has batches.")
    if status in (402, 403) or code in BLOCKED_CODES:
        return GroqRefused(text, code=FORBIDDEN, remedy="See the key's permissions and limits in Groq's console.")
    if status == 404:
        return NotFound(text)
    return GroqRefused(text, code=code or "invalid_request")


def _is_about_batches(path: str) -> bool:
    """Whether files or batches were asked for: a key may lack them, by plan or permission, and have the rest."""
    return "/files" in path or "/batches" in path


def _said(body: object) -> tuple[str | None, str]:
    inner = body.get("error", body) if isinstance(body, dict) else body
    if isinstance(inner, dict):
        code = inner.get("code") or inner.get("type")
        return (storable_text(str(code)) if code else None), storable_text(str(inner.get("message") or "no message"))
    return None, storable_text(str(inner or "no message"))


def _retry_after(headers: Mapping[str, str]) -> float | None:
    try:
        seconds = float(headers.get("retry-after", ""))
    except ValueError:
        return None
    return seconds if 0 <= seconds < 86_400 else None


_DURATION = re.compile(r"(\d+(?:\.\d+)?)(ms|h|m|s)")
_SECONDS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0}


def seconds(duration: str) -> float:
    """Seconds in a duration such as `2m59.56s` or `7.66s`, as Groq's rate-limit headers give it."""
    return sum(float(number) * _SECONDS[unit] for number, unit in _DURATION.findall(duration))


def pause_seconds(headers: Mapping[str, str], tokens_per_call: int) -> float:
    """How long to wait until the limits that Groq's headers tell have room for one more call (0: there is room)."""
    pause = 0.0
    for kind, needed in (("requests", 1), ("tokens", tokens_per_call)):
        left = headers.get(f"x-ratelimit-remaining-{kind}", "")
        if left.isdigit() and int(left) < needed:
            pause = max(pause, seconds(headers.get(f"x-ratelimit-reset-{kind}", "")))
    return pause
