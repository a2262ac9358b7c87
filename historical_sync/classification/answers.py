"""Reading one answer: liberal in what is accepted, strict in what is stored.

A model's text becomes a `Classification`, or a `RejectedAnswer` that says why. What is off but clear is mended by a
rule, and the rule's name is kept and counted; what contradicts itself or is not backed by the pull request is
rejected. Nothing unreadable ever becomes "not AI".
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, get_args

from historical_sync.classification.file_kinds import is_supported
from historical_sync.classification.prompt import content_blocks
from historical_sync.classification.rubric import ASSISTED_USAGE, USAGE_TYPES, Category, Level, Scope, SummaryType
from historical_sync.records import PullRequest, storable_text

MOST_IN_A_LIST = 10
SHORTEST_QUOTE = 4
"""Letters and digits that a quote must have: `AI` alone would be found in any text."""


class RejectedAnswer(Exception):
    """An answer that cannot be used. `reason` is one short line that is stored with the pull request."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Classification:
    """A usable answer. `summary` is the JSON kept as `llm_summary`; `mended` names the rules that changed something."""

    is_ai_assisted: bool
    tools: list[str]
    usage_type: str
    confidence: float
    evidence_quote: str
    summary_title: str | None
    summary_type: str | None
    summary: dict[str, Any]
    mended: list[str]


def read_answer(text: str | None, pull_request: PullRequest) -> Classification:
    """The classification in a model's answer about this pull request. Raises RejectedAnswer."""
    answer = _json_object(text)
    mended: list[str] = []
    ai = _section(answer, "ai")
    if not ai:
        raise RejectedAnswer("the answer has no section ai")
    usage = _usage(ai, mended)
    confidence = _confidence(ai.get("confidence"), mended)
    is_assisted = usage in ASSISTED_USAGE
    quote = _quote(ai, is_assisted, pull_request, mended)
    summary = _summary(answer, mended)
    tech = _tech(answer, pull_request, mended)
    health = _health(answer, mended)
    return Classification(
        is_ai_assisted=is_assisted,
        tools=_tools(ai, usage, mended),
        usage_type=usage,
        confidence=confidence,
        evidence_quote=quote,
        summary_title=summary["title"],
        summary_type=summary["type"],
        summary={"tech": tech, "summary": summary, "health": health},
        mended=sorted(set(mended)),
    )


def _json_object(text: str | None) -> dict[str, Any]:
    if not (text or "").strip():
        raise RejectedAnswer("the answer is empty")
    found = _parsed(str(text))
    if found is None:  # thoughts, a fence or a sentence around it
        said = re.sub(r"<think>.*?</think>", "", str(text), flags=re.DOTALL)
        found = _parsed(said[said.find("{") : said.rfind("}") + 1])
    if found is None:
        raise RejectedAnswer("the answer is not whole JSON")
    if not isinstance(found, dict):
        raise RejectedAnswer("the answer is no JSON object")
    return found


def _parsed(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None


def _section(answer: dict[str, Any], name: str) -> dict[str, Any]:
    section = answer.get(name)
    return section if isinstance(section, dict) else {}


# --- AI use


def _usage(ai: dict[str, Any], mended: list[str]) -> str:
    claimed = _truth(ai.get("is_assisted"))
    if claimed is None:
        raise RejectedAnswer("is_assisted is neither true nor false")
    usage = str(ai.get("usage_type") or "none").strip().lower()
    if usage not in USAGE_TYPES:
        mended.append("unknown usage_type")
        usage = "assisted" if claimed else "none"
    if claimed == (usage in ASSISTED_USAGE):
        return usage
    return _settled(claimed, usage, mended)


def _settled(claimed: bool, usage: str, mended: list[str]) -> str:
    """Verdict and usage type disagree. Reviewing and brainstorming are not assistance, by definition; a positive that
    forgot its type is taken at its word, which its quote must prove; a negative of a named use contradicts itself.
    """
    if not claimed:
        raise RejectedAnswer(f"is_assisted is false with usage_type {usage}")
    if usage == "none":
        mended.append("assisted without usage_type")
        return "assisted"
    mended.append("assisted by review only")
    return usage


def _truth(value: Any) -> bool | None:
    if isinstance(value, bool):
        return value
    return {"true": True, "yes": True, "false": False, "no": False}.get(str(value).strip().lower())


def _confidence(value: Any, mended: list[str]) -> float:
    try:
        number = float(str(value).strip().removesuffix("%"))
    except ValueError as error:
        raise RejectedAnswer("confidence is no number") from error
    if not math.isfinite(number) or not 0 <= number <= 100:
        raise RejectedAnswer("confidence lies outside 0 to 1")
    if number > 1:
        mended.append("confidence in percent")
        return number / 100
    return number


TOOL_NAMES = {
    "claude": r"claude|anthropic|\b(opus|sonnet|haiku)\b",
    "codex": r"codex",
    "chatgpt": r"chat ?gpt|\bgpt[- ]?\d|\bopenai\b|\bo[134](-mini)?\b",
    "copilot": r"copilot",
    "cursor": r"cursor",
    "gemini": r"gemini",
    "amazon-q": r"amazon[ -]?q|code ?whisperer",
    "windsurf": r"windsurf|codeium",
    "jules": r"jules",
    "openhands": r"open ?hands|open ?devin",
    "devin": r"devin",
    "aider": r"aider",
    "cody": r"cody|sourcegraph",
    "generic": r"^(an? )?(ai|llm|generic|unknown|unnamed|other)([ -]?(tool|assistant|agent|model)s?)?$|^agent$",
}
"""Common name of a tool → how models write it; the first that matches counts, other names stay as they are."""


def _tools(ai: dict[str, Any], usage: str, mended: list[str]) -> list[str]:
    named = [_tool(name) for name in _words(ai.get("tools"))]
    tools = sorted({name for name in named if name not in ("", "none", "n/a", "null")})
    if tools and usage == "none":
        mended.append("tools without use")
        return []
    return tools[:MOST_IN_A_LIST]


def _tool(name: str) -> str:
    lower = name.lower()
    return next((tool for tool, pattern in TOOL_NAMES.items() if re.search(pattern, lower)), lower[:60])


# --- the quote


def _quote(ai: dict[str, Any], is_assisted: bool, pull_request: PullRequest, mended: list[str]) -> str:
    quote = storable_text(str(ai.get("evidence_quote") or "")).strip()
    if is_quoted(quote, pull_request):
        return quote[:1000]
    if is_assisted:
        raise RejectedAnswer("the evidence_quote of a positive verdict is not in the pull request")
    if quote:
        mended.append("quote not found")
    return ""


def is_quoted(quote: str, pull_request: PullRequest) -> bool:
    """Whether the pull request holds the quote: white space, case, emphasis and kinds of quotation marks aside."""
    pieces = [piece for piece in (_plain(part) for part in re.split(r"\[?(?:…|\.\.\.)\]?", quote)) if piece]
    if sum(len(re.sub(r"\W", "", piece)) for piece in pieces) < SHORTEST_QUOTE:
        return False
    return any(_in_order(pieces, text) for text in quotable_texts(pull_request))


def quotable_texts(one: PullRequest) -> Iterator[str]:
    """The pull request's own words, whole and then as they were shown, without white space."""
    yield from map(_plain, (one.title, one.body, one.head_ref, one.author_login or "", " ".join(one.labels)))
    for commit in one.commits:
        yield _plain(commit.message)
        yield _plain(f"{commit.author_name} <{commit.author_email}>")
    yield from (_plain(text) for name, text in content_blocks(one) if name != "reviews")


_DASHES = str.maketrans("–—‐‑", "----")
_DECORATION = re.compile(r"[\s*_`~>\\\"'“”„‘’«»]+")


def _plain(text: str) -> str:
    return _DECORATION.sub("", text.translate(_DASHES)).lower().strip(".,;:!")


def _in_order(pieces: Sequence[str], text: str) -> bool:
    at = 0
    for piece in pieces:
        found = text.find(piece, at)
        if found < 0:
            return False
        at = found + len(piece)
    return True


# --- the other sections: never worth a second call, so what is unknown is left out and counted


def _summary(answer: dict[str, Any], mended: list[str]) -> dict[str, Any]:
    section = _present(answer, "summary", mended)
    return {
        "title": _line(section.get("title"), 100) or None,
        "description": _line(section.get("description"), 500) or None,
        "type": _one_of(section, "type", get_args(SummaryType), mended),
    }


def _tech(answer: dict[str, Any], pull_request: PullRequest, mended: list[str]) -> dict[str, Any]:
    section = _present(answer, "tech", mended)
    paths = [file.path for file in pull_request.files]
    named = _words(section.get("languages"))
    languages = [name for name in named if is_supported(name, paths)]
    if len(languages) < len(named):
        mended.append("language without a file")
    return {
        "languages": languages[:MOST_IN_A_LIST],
        "frameworks": _words(section.get("frameworks"))[:MOST_IN_A_LIST],
        "categories": _known(_words(section.get("categories")), get_args(Category), mended),
    }


def _health(answer: dict[str, Any], mended: list[str]) -> dict[str, Any]:
    section = _present(answer, "health", mended)
    return {
        "review_friction": _one_of(section, "review_friction", get_args(Level), mended),
        "scope": _one_of(section, "scope", get_args(Scope), mended),
        "risk_level": _one_of(section, "risk_level", get_args(Level), mended),
        "insights": [_line(one, 300) for one in _words(section.get("insights"))][:3],
    }


def _present(answer: dict[str, Any], name: str, mended: list[str]) -> dict[str, Any]:
    section = _section(answer, name)
    if not section:
        mended.append(f"no section {name}")
    return section


def _one_of(section: dict[str, Any], name: str, known: Iterable[str], mended: list[str]) -> str | None:
    value = str(section.get(name) or "").strip().lower()
    if value in known:
        return value
    if section:
        mended.append(f"unknown {name}")
    return None


def _known(values: Sequence[str], known: Sequence[str], mended: list[str]) -> list[str]:
    kept = [value.lower() for value in values if value.lower() in known]
    if len(kept) < len(values):
        mended.append("unknown categories")
    return sorted(set(kept))


def _words(value: Any) -> list[str]:
    """A list of lines, from a list, a single string or nothing; each once, in order."""
    listed = value if isinstance(value, list) else [value] if isinstance(value, str) else []
    lines = (_line(one, 300) for one in listed if isinstance(one, str))
    return list(dict.fromkeys(line for line in lines if line))


def _line(value: Any, most: int) -> str:
    return storable_text(" ".join(str(value or "").split()))[:most]
