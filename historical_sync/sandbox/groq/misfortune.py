"""What Groq answers when a fault strikes a call: refusals, silence, broken connections, bodies cut off."""

from __future__ import annotations

from collections.abc import Callable

from historical_sync.sandbox.faults import GROQ_KINDS, Fault
from historical_sync.sandbox.groq import errors
from historical_sync.sandbox.wire import Answer, json_answer

DOOR_KINDS = frozenset(GROQ_KINDS) - {"groq_json_validate_failed"}
"""Faults of a call, whatever it asks."""
ACTING_KINDS = frozenset({"groq_lost_answer", "groq_lost_silence", "groq_cut", "groq_truncated"})
"""Faults that strike after the thing was done."""


def spoil(fault: Fault, answer: Answer) -> Answer:
    """What is sent of a right answer."""
    if fault.kind == "groq_truncated":
        answer.body = answer.body[: len(answer.body) * 2 // 3]
    breakages = {"groq_lost_answer": "reset", "groq_lost_silence": "silence", "groq_cut": "cut"}
    answer.breakage = breakages.get(fault.kind)
    return answer


def broken(fault: Fault) -> Answer:
    """What is answered in place of the right answer."""
    if fault.kind == "groq_timeout":
        return Answer(breakage="silence")
    if fault.kind == "groq_reset":
        return Answer(breakage="reset")
    refusals: dict[str, Callable[[], errors.Refusal]] = {
        "groq_401": errors.invalid_api_key,
        "groq_403": errors.not_available_for_plan,
        "groq_404": lambda: errors.not_found("object", "it"),
        "groq_404_model": lambda: errors.model_not_found("openai/gpt-oss-20b"),
        "groq_model_decommissioned": lambda: errors.model_decommissioned("openai/gpt-oss-20b"),
        "groq_429": lambda: errors.rate_limited("openai/gpt-oss-20b"),
        "groq_500": lambda: errors.server_error(500),
        "groq_503": lambda: errors.server_error(503),
    }
    refusal = refusals[fault.kind]()
    headers = {"retry-after": str(fault.retry_after)} if refusal.status == 429 and fault.retry_after is not None else {}
    return json_answer(refusal.body, refusal.status, headers)
