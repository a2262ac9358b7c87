"""Finding the words for AI in a text: as words of their own, never inside a path, an address or an identifier.

Looking is done in two steps for speed. `spot` finds which literals a text holds at all, with plain substring search;
patterns are then tried only where one of them stands.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from historical_sync.ai_usage.lexicon import (
    GENERIC,
    LOWER_CASE_NAMES,
    NAMES,
    NOUN_NEEDLES,
    NOUNS,
    SHORT_NOUNS,
    VIBES,
    Name,
)

_NOT_BEFORE = r"(?<![a-z0-9_/@.#$-])"
_NOT_AFTER = (
    r"(?![a-z0-9_/@]|-(?!(?:generated|assisted|authored|written|aided|coded|created|produced|made|based|powered|driven|co-|"
    r"helped|drafted|suggested|supported|generiert|gestützt|unterstützt|erstellt))|\.\w)"
)


def _compiled(pattern: str) -> re.Pattern[str]:
    return re.compile(_NOT_BEFORE + "(?:" + pattern + ")" + _NOT_AFTER)


_NAMES = tuple((name, tuple(name.needle.split("|")), _compiled(name.pattern)) for name in NAMES)
_RANK = {name: index for index, name in enumerate(NAMES)}
_NOUN = _compiled("|".join(NOUNS))
_HELP = re.compile(r"assistance|help|support|tool|coding|pair|programm")
_SHORT = re.compile("|".join(f"{noun}(?![a-z0-9])" for noun in SHORT_NOUNS))


def _is_capital_only(name: Name) -> bool:
    return name.is_homonym and name.pattern not in LOWER_CASE_NAMES and name.needle not in LOWER_CASE_NAMES


_LITERALS = tuple(
    dict.fromkeys(
        (
            *(needle for name, needles, _ in _NAMES if not _is_capital_only(name) for needle in needles),
            *NOUN_NEEDLES,
            *VIBES,
        )
    )
)
_CAPITALS = tuple(name.needle.capitalize() for name in NAMES if _is_capital_only(name))


@dataclass(frozen=True, slots=True)
class Spotted:
    """The literals that a text holds: in lower case, as a capital name, and whether one of the short nouns."""

    literals: tuple[str, ...]
    capitals: tuple[str, ...]
    has_short: bool

    def within(self, text: str, lower: str) -> Spotted | None:
        """Those of them that a part of the text holds; None where it holds none. `lower` is `text` in lower case."""
        return _spotted(text, lower, self.literals, self.capitals, self.has_short)


def spot(text: str, lower: str) -> Spotted | None:
    """The literals of words for AI in a text; None where there are none. `lower` is `text` in lower case."""
    return _spotted(text, lower, _LITERALS, _CAPITALS, True)


def _spotted(
    text: str, lower: str, literals: tuple[str, ...], capitals: tuple[str, ...], has_short: bool
) -> Spotted | None:
    found = tuple([literal for literal in literals if literal in lower])
    named = tuple([capital for capital in capitals if capital in text])
    is_short = has_short and _has_short_noun(lower)
    return Spotted(found, named, is_short) if found or named or is_short else None


def _has_short_noun(lower: str) -> bool:
    return any(not (hit.start() and lower[hit.start() - 1].isalnum()) for hit in _SHORT.finditer(lower))


@dataclass(frozen=True, slots=True)
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
    found: list[Word] = []
    for name, needles, expression in _NAMES:
        if any([needle in lower for needle in needles]):
            found += (Word(hit.start(), hit.end(), name) for hit in expression.finditer(lower))
    if _has_short_noun(lower) or any([needle in lower for needle in NOUN_NEEDLES]):
        found += (Word(hit.start(), hit.end(), None, _HELP.search(hit[0]) is not None) for hit in _NOUN.finditer(lower))
    return list(_without_overlap(found))


def _without_overlap(words: list[Word]) -> Iterator[Word]:
    end = -1
    for word in sorted(words, key=_rank):
        if word.start >= end:
            yield word
            end = word.end


def _rank(word: Word) -> tuple[int, int, int]:
    return word.start, word.start - word.end, _RANK[word.name] if word.name else len(_RANK)
