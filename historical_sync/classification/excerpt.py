"""Text of a pull request made fit to be shown to a model: cleaned of what nobody can see, and cut to a length.

Nothing is judged here. Cuts are made in the middle, since tools sign at the end and people explain at the start.
"""

from __future__ import annotations

import re
import unicodedata

KEPT_COMMENT_CHARACTERS = 100
"""A longer HTML comment is a template's instruction; a shorter one may be the mark a tool leaves."""
KEPT_CODE_CHARACTERS = 800
LONG_TOKEN = 300
"""Characters without a break that nobody reads: a hash, a key, an embedded file."""
SEEN_AS_SPACE = frozenset("\n\t")
LINE_ENDS = ("\r\n", "\r", "\u2028", "\u2029")
"""Beside the usual one; the last two would end a line of a batch file for a careless reader."""
HIDDEN_CATEGORIES = frozenset({"Cc", "Cf", "Co", "Cs"})
"""Unicode's controls, format characters, private use and surrogates."""

_COMMENT = re.compile(r"<!--(.*?)(?:-->|\Z)", re.DOTALL)
_CODE = re.compile(r"^(```+|~~~+)(.*?)^\1[ \t]*$", re.DOTALL | re.MULTILINE)
_DATA_URI = re.compile(r"data:[\w/+.-]+;base64,[A-Za-z0-9+/=\s]{40,}")
_LONG_TOKEN = re.compile(rf"[A-Za-z0-9+/=_-]{{{LONG_TOKEN},}}")
_BLANK_LINES = re.compile(r"\n\s*\n\s*\n+")


def visible(text: str) -> str:
    """`text` with one kind of line end, without control characters and the invisible ones that can hide words."""
    if text.isprintable():
        return text
    unified = text
    for end in LINE_ENDS:
        unified = unified.replace(end, "\n")
    # A text has few different characters, so they are judged, not each of its thousands.
    hidden = [one for one in set(unified) - SEEN_AS_SPACE if unicodedata.category(one) in HIDDEN_CATEGORIES]
    return unified.translate(dict.fromkeys(map(ord, hidden))) if hidden else unified


def cut_in_the_middle(text: str, most: int) -> str:
    """At most about `most` characters: the start and the end, and between them how much is missing."""
    if len(text) <= most:
        return text
    head, tail = most * 2 // 3, most - most * 2 // 3
    return f"{text[:head]}\n[… {len(text) - most:,} characters left out …]\n{text[-tail:]}"


def one_line(text: str, most: int = 300) -> str:
    """`text` on a single line of at most about `most` characters."""
    line = " ".join(visible(text).split())
    return line if len(line) <= most else f"{line[: most - 1]}…"


def cleaned(body: str, most: int) -> str:
    """A description as a reader sees it: long comments, embedded files and long code cut short, then cut to `most`."""
    text = visible(body)
    text = _DATA_URI.sub("[embedded file]", text)
    text = _COMMENT.sub(_short_comment, text)
    if "```" in text or "~~~" in text:  # it looks at each line
        text = _CODE.sub(lambda block: cut_in_the_middle(block[0], KEPT_CODE_CHARACTERS), text)
    if max(map(len, text.split()), default=0) >= LONG_TOKEN:  # it looks at each character
        text = _LONG_TOKEN.sub(lambda token: f"{token[0][:40]}[…]", text)
    return cut_in_the_middle(_BLANK_LINES.sub("\n\n", text).strip(), most)


def _short_comment(comment: re.Match[str]) -> str:
    return comment[0] if len(comment[1]) <= KEPT_COMMENT_CHARACTERS else ""
