"""Prose cut into clauses, each in one plain form that the grammar can read.

The plain form is in lower case without marks, and every word for AI in it is one capital letter: `T` a tool for
coding, `M` a model or assistant that is also a product's subject, `H` a homonym written as a name (`Cursor`), `L` one
written as a word (`cursor`), `P` a person's name, `N` a noun that names no tool. Several in a row (`Claude and
Copilot`, `Cursor (GPT-5)`) become one.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache

from historical_sync.ai_usage.lexicon import GENERIC, LOWER_CASE_NAMES, PEOPLE
from historical_sync.ai_usage.words import Word, find_words
from historical_sync.records import made_in_bulk

LONGEST_CLAUSE = 500
CACHED = 4096
"""Clauses, of at most LONGEST_CLAUSE characters, whose reading is kept: a few megabytes."""
_SENTENCE_END = re.compile(
    r"[.!?;。！？；](?:(?<=[.!?])(?<!e\.g.)(?<!i\.e.)(?<!\bvs.)(?<!etc.)(?<!\bno.)(?<!approx.)"
    r"[.!?]*[)\"'*_]*\s+(?=[\"'(\[*_]*[^\W_a-z])|(?<=[?])[)\"'*_]*\s+|(?<=;)\s+|(?<=[。！？；]))"
)
_LINE_MARKS = re.compile(
    r"^\s*(?:>\s*)*(?:#{1,6}\s+|[-*+•]\s+|\d{1,3}[.)]\s+)?(?:\[[ xX✓✔✅☑]{0,2}\]\s*|[☐☑✅❌⬜]\s*)?",
    re.MULTILINE,
)
_MARKS = re.compile(r"[*~`\[\]|_](?:(?<!_)(?:(?<=\[)(?:!\w+|[xX])\])?|(?<!\w_)_*|_*(?!\w))")
"""Both begin with what is found soon: a class of characters, and the start of a line."""
_UNTICKED_OPTION = re.compile(r"\[ \] ?[\w/]{1,12}(?: \w{1,12}){0,2}")
_SPEECH = re.compile(r"\"[^\"\n]{0,200}\b(?:I|we|my)\b[^\"\n]{0,200}\"")
"""What somebody says of himself in quotation marks is not the author's word."""
_ROW_OF_TWO = re.compile(r"^\s*\|(?P<key>[^|\n]+)\|(?P<value>[^|\n]*)\|?\s*$")
_SPACES = re.compile(r"\s+")
_EMPTY_BRACKETS = re.compile(r"\(\s*\)")
_FOR_EXAMPLE = re.compile(
    r"[({]\s*(?:e\.?\s?g\.?|for example|such as|like|ex\b|i\.?\s?e\.?)[^(){}]*[)}]|(?:\be\.g\b|"
    r"\bfor example\b|\bsuch as\b).*?(?=:|$)"
)
_EXAMPLE_SIGNS = ("e.g", "e. g", "i.e", "example", "such as", "(like", "(ex")
_QUOTES = str.maketrans({"’": "'", "‘": "'", "“": '"', "”": '"', "\u00a0": " ", "\u202f": " ", "–": "-", "—": "-"})
_KEYED = re.compile(r"^(?:yes\W+)?(?:co-?authored|assisted|generated|created|made)[ -](?:by|with)\b")
_ONE = "[TMHLPN]"
_IN_BRACKETS = re.compile(
    rf"({_ONE})(?:'s)? ?\((?:(?:\w+ )?{_ONE}(?:(?:, | and |/| - )?[\w.:+-]+)?|[\w.]*\d[\w.]*|[a-z]{{2,9}})\)"
)
_IN_A_ROW = re.compile(
    rf"({_ONE})(?:(?: ?, ?| ?/ ?| ?\+ ?| ?& ?| - | and | or | via | with | using | through | in | running |"
    rf" powered by |, and | \(|:(?=[TMH])| )(?:the |my |an? )?({_ONE})\)?)+"
)
_NOT_A_TOOL = re.compile(r"-(?:based|driven|powered|like)")
_STRENGTH = "TMHNLP"


@made_in_bulk
class Clause:
    """A clause of a text. `plain` is its plain form, `words` the words for AI in it; `start`, `end` lie in the text."""

    plain: str
    words: tuple[Word, ...]
    start: int
    end: int

    @property
    def tools(self) -> tuple[str, ...]:
        """The tools that are named, each once; `generic` where none is.

        After a key (`Assisted-by: OpenCode with MiniMax-M3`) a model behind a tool is not a second one, but for Claude.
        """
        names = [word.name for word in self.words if word.name]
        if _KEYED.match(self.plain) and not all(name.is_model for name in names):
            names = [name for name in names if not name.is_model or name.tool == "claude"]
        named = dict.fromkeys(name.tool for name in names)
        if "codex" in named:
            named.pop("chatgpt", None)
        return tuple(named) or (GENERIC,)


def clauses(text: str, start: int, end: int) -> Iterator[Clause]:
    """The clauses of `text[start:end]`, which is one unit of a cleaned text."""
    at = start
    while at < end:
        limit = min(end, at + LONGEST_CLAUSE)
        stop = _SENTENCE_END.search(text, at, limit)
        after = stop.end() if stop else limit
        if text[at:after].strip():
            yield read_clause(text[at:after], at)
        at = after


def read_clause(raw: str, start: int = 0) -> Clause:
    """One clause in its plain form. A row of a table that has two cells reads as a key and its value."""
    plain, words = _read(raw)
    return Clause(plain, words, start, start + len(raw))


@lru_cache(maxsize=CACHED)
def _read(raw: str) -> tuple[str, tuple[Word, ...]]:
    """The plain form and the words for AI. Kept, since a description stands in its commit's message again, and what
    templates say in every pull request."""
    if raw.lstrip().startswith("|") and (row := _ROW_OF_TWO.match(raw)):
        raw = f" {row['key'].strip(' *_')}: {row['value']}"
    bare = _LINE_MARKS.sub(" ", _UNTICKED_OPTION.sub(" ", raw) if "[ ]" in raw else raw)
    bare = _MARKS.sub(" ", bare)
    if not bare.isascii():
        bare = bare.translate(_QUOTES)
    if "(" in bare:
        bare = _EMPTY_BRACKETS.sub(" ", bare)
    if '"' in bare:
        bare = _SPEECH.sub(" ", bare)
    bare = " ".join(bare.split()).strip(" -")
    lower = bare.lower()
    if len(lower) != len(bare):
        bare = lower
    if any(sign in lower for sign in _EXAMPLE_SIGNS):
        lower = bare = _FOR_EXAMPLE.sub(" ", lower)
    words = find_words(lower)
    return _tokens(lower, bare, words), tuple(words)


def _tokens(lower: str, bare: str, words: list[Word]) -> str:
    """The plain form; `bare` is `lower` with its capitals, where those are known."""
    if not words:
        return lower
    pieces: list[str] = []
    at = 0
    for word in words:
        pieces += (lower[at : word.start], _token(word, lower, bare))
        at = word.end
    plain = _SPACES.sub(" ", "".join((*pieces, lower[at:]))).strip()
    if "(" in plain:
        plain = _IN_BRACKETS.sub(r"\1", plain)
    return _IN_A_ROW.sub(_strongest, plain) if len(words) > 1 else plain


def _token(word: Word, lower: str, bare: str) -> str:
    if word.name is None:
        return "N"
    if word.name.is_homonym:
        text = lower[word.start : word.end]
        if text in PEOPLE:
            return "P"
        if _NOT_A_TOOL.match(lower, word.end):
            return text
        if bare[word.start].isupper():
            return "H"
        return "L" if text in LOWER_CASE_NAMES else text
    return "M" if word.name.is_model else "T"


def _strongest(row: re.Match[str]) -> str:
    return min((char for char in row[0] if char in _STRENGTH), key=_STRENGTH.index)
