"""Commit trailers: the lines `Key: value` that say who made a commit, and whose they are.

Only keys of making count: who reviewed, tested or reported has written nothing. Cross-tool keys (`Assisted-by:` in the
kernel's style, `Generated-by:` in Apache's, `AI-used:`) name the tool in their value.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

MAKING_KEYS = (
    "co-authored-by",
    "co-authored",
    "co-author",
    "co-developed-by",
    "authored-by",
    "signed-off-by",
    "written-by",
    "created-by",
    "implemented-by",
)
TOOL_KEYS = (
    "assisted-by",
    "ai-assisted-by",
    "generated-by",
    "ai-generated-by",
    "co-generated-by",
    "generated-with",
    "made-with",
    "created-with",
    "written-with",
    "built-with",
    "co-authored-with",
    "coding-agent",
)
AI_KEYS = (
    "ai-used",
    "ai-tool",
    "ai-tools",
    "ai-tool-used",
    "ai-tools-used",
    "ai-assistant",
    "ai-assistance",
    "ai-assisted",
    "ai-generated",
    "ai-agent",
    "ai-model",
    "llm-used",
    "llm-assisted",
    "llm-assistance",
    "llm-model",
)
"""Keys that speak of nothing but AI: any value but a denial means that it was used."""

_LINE = re.compile(
    r"^[ \t]{0,4}(?P<key>"
    + "|".join((*MAKING_KEYS, *TOOL_KEYS, *AI_KEYS))
    + r")[ \t]{0,4}:[ \t]{0,8}(?P<value>\S[^\n]{0,300})",
    re.IGNORECASE | re.MULTILINE,
)
_NAMED_ADDRESS = re.compile(r"^(?P<name>[^<>\n]*?)\s*<(?P<address>[^<>\n]+)>")
_CHEAP = ("-by", "-with", "ai-", "llm-", "co-author", "-agent")


@dataclass(frozen=True, slots=True)
class Trailer:
    """One trailer, its key in lower case; `address` is empty where the value holds none."""

    key: str
    value: str
    name: str
    address: str
    start: int
    end: int


def read_trailers(message: str) -> Iterator[Trailer]:
    """The trailers in `message` whose key says who or what made it, wherever they stand.

    GitHub gathers trailers of squashed commits in the middle of the message, so the last paragraph is not enough.
    """
    lower = message.lower()
    if not any(sign in lower for sign in _CHEAP):
        return
    for line in _LINE.finditer(message):
        value = line["value"].strip()
        named = _NAMED_ADDRESS.match(value)
        yield Trailer(
            key=line["key"].lower(),
            value=value,
            name=named["name"] if named else value,
            address=named["address"].strip() if named else "",
            start=line.start(),
            end=line.end(),
        )
