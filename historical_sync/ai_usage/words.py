"""Finding the words for AI in a text: as words of their own, never inside a path, an address or an identifier.

Looking is done in steps, for speed: of the runs of letters of a whole pull request only the words that can name AI are
looked for in its parts; patterns are tried only on clauses that hold one.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator

from historical_sync.ai_usage.lexicon import (
    GENERIC,
    LOWER_CASE_NAMES,
    NAMES,
    NOUN_WORDS,
    NOUNS,
    OTHER_SCRIPTS,
    PEOPLE,
    Name,
)
from historical_sync.records import made_in_bulk

_TOOLS = ("claude", "copilot", "cursor", "chatgpt", "gpt", "codex", "gemini")
_NOT_BEFORE = r"(?<![a-z0-9_@.#$-])(?<!j')(?:(?<!/)|" + "|".join(f"(?<={tool}/)" for tool in _TOOLS) + ")"
"""A slash makes a path (`.claude/settings`), but not between two tools (`Claude/Copilot`). French `j'ai` is no AI."""
_NOT_AFTER = (
    rf"(?![a-z0-9_@]|/(?!(?:{'|'.join(_TOOLS)})\b(?!\.?[/\w-]))|\.\w|"
    r"-(?!(?:generated|assisted|authored|written|aided|coded|created|produced|made|based|powered|driven|co-|"
    r"helped|drafted|suggested|supported|generiert|gestützt|unterstützt|erstellt)))"
)
_VENDOR = (
    r"(?:(?:anthropic|openai|google|github|microsoft|aws|amazon|meta|xai|alibaba|moonshot|jetbrains|sourcegraph|"
    r"cognition|"
    r"mistral|charm|block|vercel)(?:'s|'|s)? )?"
)


def _compiled(pattern: str) -> re.Pattern[str]:
    return re.compile(_NOT_BEFORE + _VENDOR + "(?:" + pattern + ")" + _NOT_AFTER)


_LETTERS = bytes(byte if ord("a") <= byte <= ord("z") else ord(" ") for byte in range(256))
"""A table for bytes.translate that keeps letters: half the time of a regular expression."""
_EXPRESSIONS = {name: _compiled(name.pattern) for name in NAMES}
_RANK = {name: index for index, name in enumerate(NAMES)}
_NOUN = _compiled("|".join(NOUNS))
_HELP = re.compile(r"assistan|agent|help|support|tool|coding|pair|programm")


SHORT = 3
"""Words of so few letters are looked for as words: they are parts of too many others."""


def _by_word() -> dict[str, list[Name]]:
    names: dict[str, list[Name]] = {}
    for name in NAMES:
        for word in name.words.split("|"):
            names.setdefault(word, []).append(name)
    return names


_BY_WORD = _by_word()
WORDS = frozenset(_BY_WORD) | NOUN_WORDS
"""The runs of letters of which one is in every word for AI that is written in Latin letters."""


def _is_capital_only(word: str) -> bool:
    """Whether a word names a tool only when it is written with a capital: `continue` in lower case is nothing."""
    names = _BY_WORD.get(word, ())
    return word not in LOWER_CASE_NAMES | PEOPLE and all(name.is_homonym for name in names)


_CAPITALS = {word: word.capitalize() for word in _BY_WORD if _is_capital_only(word)}


def runs(lower: str) -> list[str]:
    """The runs of the letters a to z in a text in lower case, each as often as it is there."""
    return lower.encode("latin-1", "replace").translate(_LETTERS).decode("ascii").split()


def spot(text: str, lower: str, found: Collection[str]) -> tuple[str, ...]:
    """The words of `found` (runs of `lower`, which is `text` in lower case) that can be part of a word for AI."""
    words = [word for word in found if word in WORDS and (word not in _CAPITALS or _CAPITALS[word] in text)]
    if not lower.isascii():
        words += (script for script in OTHER_SCRIPTS if script in lower)
    return tuple(words)


def still_spotted(lower: str, spotted: tuple[str, ...]) -> tuple[str, ...]:
    """What `spot` would say of a text, in lower case, from which lines have been taken out since."""
    return tuple(word for word in spotted if word not in WORDS or _stands_alone(lower, word))


def holds(lower: str, spotted: tuple[str, ...]) -> bool:
    """Whether a part of a text, in lower case, can hold one of the words that were spotted in the whole."""
    for word in spotted:  # noqa: SIM110 - a plain loop: this is asked of every block of every text
        if word in lower and (len(word) > SHORT or _stands_alone(lower, word)):
            return True
    return False


def places(lower: str, spotted: tuple[str, ...]) -> list[int]:
    """Where `holds` finds one of these words, in order."""
    found: list[int] = []
    for word in spotted:
        if len(word) <= SHORT:
            found += _alone(lower, word)
            continue
        at = lower.find(word)
        while at >= 0:
            found.append(at)
            at = lower.find(word, at + 1)
    return sorted(found)


def _stands_alone(lower: str, word: str) -> bool:
    return next(_alone(lower, word), None) is not None


def _alone(lower: str, word: str) -> Iterator[int]:
    """Where a word is more than a part of another: `ai` is in `email`, and no word of it."""
    at = lower.find(word)
    while at >= 0:
        before, after = lower[at - 1 : at], lower[at + len(word) : at + len(word) + 1]
        if not "a" <= before <= "z" and not "a" <= after <= "z":
            yield at
        at = lower.find(word, at + 1)


@made_in_bulk
class Word:
    """A name or noun in a text, from `start` to `end`. `name` is None for a noun that names no tool."""

    start: int
    end: int
    name: Name | None
    is_help: bool = False
    """A noun for AI's help: `AI assistance`, `AI tools`, and not AI as such, which a product may have."""

    @property
    def tool(self) -> str:
        return self.name.tool if self.name else GENERIC


def find_words(lower: str) -> list[Word]:
    """The names and nouns in a text in lower case, in order and without overlap; the surer and longer wins."""
    words = WORDS.intersection(runs(lower))
    if not words and lower.isascii():
        return []
    found: list[Word] = []
    for name in {name for word in words if word in _BY_WORD for name in _BY_WORD[word]}:
        found += [Word(hit.start(), hit.end(), name) for hit in _EXPRESSIONS[name].finditer(lower)]
    if not words.isdisjoint(NOUN_WORDS) or not lower.isascii():
        found += [Word(hit.start(), hit.end(), None, _HELP.search(hit[0]) is not None) for hit in _NOUN.finditer(lower)]
    return list(_without_overlap(found)) if len(found) > 1 else found


def _without_overlap(words: list[Word]) -> Iterator[Word]:
    end = -1
    for word in sorted(words, key=_rank):
        if word.start >= end:
            yield word
            end = word.end


def _rank(word: Word) -> tuple[int, int, int]:
    return word.start, word.start - word.end, _RANK[word.name] if word.name else len(_RANK)
