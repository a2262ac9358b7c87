"""Commit trailers: the lines `Key: value` that say who made a commit, and whose they are.

Only keys of making count: who reviewed, tested or reported has written nothing. Cross-tool keys (`Assisted-by:` in the
kernel's style, `Generated-by:` in Apache's, `AI-used:`) name the tool in their value.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache

from historical_sync.ai_usage.lexicon import GENERIC
from historical_sync.ai_usage.rows import EXACT, MENTION
from historical_sync.ai_usage.scope import is_denial, is_denied
from historical_sync.ai_usage.words import find_words
from historical_sync.records import made_in_bulk

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
    "ai-co-authored-by",
    "ai-authored-by",
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

_KEYS = frozenset((*MAKING_KEYS, *TOOL_KEYS, *AI_KEYS))
_LINE = re.compile(
    r"\n[ \t]{0,3}(?P<key>[A-Za-z]{2,10}(?:-[A-Za-z]{1,10}){1,3})[ \t]{0,4}:[ \t]{0,8}(?P<value>\S[^\n]{0,300})"
)
"""A line that begins like a trailer; whether its key is one of ours is looked up."""
_NAMED_ADDRESS = re.compile(r"^(?P<name>[^<>\n]*?)\s*<(?P<address>[^<>\n]+)>")
_AGENT_AND_MODEL = re.compile(r"[\w.-]{2,40}(?: [\w.-]{2,40}){0,2}:[\w./-]{3,60}(?: .*)?")
_QUALIFIER = re.compile(
    r"(?:[a-z]{1,9}[-:]?)?v?\d{1,3}(?:[.-]\d{1,4})*[a-z]{0,3}|-+|ai|bot|agent|assistant|cli|code|gpt|context|auto\w*"
)
_BETWEEN = re.compile(r"[\s()\[\]]+")
_FIRST_NAMES = frozenset({"claude", "cline", "gemini", "kiro", "trae", "junie"})
_MACHINE = re.compile(
    r"no-?reply|anthropic|openai|chatgpt|claude-|cursor|copilot|gemini|codex|agent|assistant|localhost|invalid|"
    r"\bai\b|bot|google\.com|^$|devin\.ai|cognition|^https?:"
)
_CHEAP = ("-by", "-with", "ai-", "llm-", "co-author", "-agent")


@made_in_bulk
class Trailer:
    """One trailer, its key in lower case; `address` is empty where the value holds none."""

    key: str
    value: str
    name: str
    address: str
    start: int
    end: int


def may_hold_trailers(lower: str) -> bool:
    """Whether a text, in lower case, can hold such a trailer: a cheap test that most texts fail."""
    for sign in _CHEAP:  # noqa: SIM110 - a plain loop: this is asked of every text
        if sign in lower:
            return True
    return False


def read_trailers(message: str) -> Iterator[Trailer]:
    """The trailers in `message` whose key says who or what made it, wherever they stand.

    GitHub gathers trailers of squashed commits in the middle of the message, so the last paragraph is not enough.
    """
    for line in _LINE.finditer("\n" + message):
        if line["key"].lower() not in _KEYS:
            continue
        value = line["value"].strip()
        named = _NAMED_ADDRESS.match(value)
        yield Trailer(
            key=line["key"].lower(),
            value=value,
            name=named["name"] if named else value,
            address=named["address"].strip() if named else "",
            start=line.start(),
            end=line.end() - 1,
        )


def tools_named(trailer: Trailer) -> list[tuple[str, str]]:
    """The tools that a trailer names without a known address, each with its strength; none where it names a person.

    A model behind a tool (`OpenCode with MiniMax-M3`, `Codex:GPT-5`) is not a second tool, but for Claude, which is one
    itself.
    """
    if trailer.key in MAKING_KEYS:
        return [(tool, MENTION) for tool in tool_as_name(trailer.name, trailer.address)]
    if trailer.address and not _is_machine(trailer.address):
        return []
    if is_denial(trailer.value.lower()) or is_denied(trailer.value.lower(), len(trailer.value)):
        return []
    return [(tool, EXACT) for tool in _tools_of_value(trailer)]


def _tools_of_value(trailer: Trailer) -> list[str]:
    names = [word.name for word in find_words(trailer.name.lower()) if word.name]
    tools = dict.fromkeys(name.tool for name in names if not name.is_model or name.tool == "claude")
    tools = tools or dict.fromkeys(name.tool for name in names)
    if tools:
        return list(tools)
    is_of_ai = trailer.key in AI_KEYS or trailer.key.startswith("ai-") or _AGENT_AND_MODEL.fullmatch(trailer.value)
    return [GENERIC] if is_of_ai or any(True for _ in find_words(trailer.name.lower())) else []


@lru_cache(maxsize=4096)
def tool_as_name(name: str, address: str) -> tuple[str, ...]:
    """The tool that is the whole name, such as `ChatGPT <…>`; a first name needs an address that is no person's."""
    name = name.strip().lower()
    words = find_words(name)
    if len(words) != 1 or name[: words[0].start].strip(" @"):
        return ()
    rest = name[words[0].end :].partition(" via ")[0]
    if not all(_QUALIFIER.fullmatch(part) for part in _BETWEEN.split(rest) if part):
        return ()
    word = words[0]
    if word.name and (word.name.is_homonym or (name in _FIRST_NAMES and not _is_machine(address))):
        return ()
    return (word.tool,)


def _is_machine(address: str) -> bool:
    return _MACHINE.search(address.lower()) is not None
