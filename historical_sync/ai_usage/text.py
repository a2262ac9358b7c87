"""Cleaning of Markdown without moving a character: what does not count is blanked, so every offset stays true.

Two strengths. `for_markers` blanks code blocks and quoted lines: a tool's own footer or comment survives. `for_prose`
blanks also comments, HTML tags, inline code (unless it is nothing but a name), links' addresses, e-mail addresses and
trailers. `blocks` and `units` cut prose into headings, list items, table rows and paragraphs. All run in linear time
and never raise.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import cast

from historical_sync.records import made_in_bulk

_FENCE = re.compile(r"\n[ \t>]{0,12}(?P<fence>`{3,}|~{3,})(?P<info>[^\n]*)")
_QUOTE = re.compile(r"\n[ \t]{0,3}>[^\n]*")
_QUOTE_LATER = re.compile(r"\n[ \t]{0,3}>")
_BLANK_LINE = re.compile(r"\n[ \t\r]*\n")
_INLINE_CODE = re.compile(r"``?(?P<code>[^`\n]{1,200})``?")
_PLAIN_NAME = re.compile(r"[A-Za-z][A-Za-z0-9.:\- ]{1,40}")
_TAG = re.compile(r"</?[A-Za-z][^<>\n]{0,400}>")
_LINK = r"(?:https?://|www\.)[^\s)>\]|\"']+"
_LINKS = re.compile(_LINK)
_ADDRESSES = re.compile(_LINK + r"|<?[\w.+-]{1,64}(?:\[bot\])?@[\w-]{1,64}(?:\.[\w-]{1,64})+>?|(?<![\w])@[\w-]{1,40}")
_TRAILER = re.compile(
    r"\n[ \t]{0,4}(?:co-authored-by|signed-off-by|authored-by|lead-authored-by|co-developed-by|reviewed-by|acked-by|"
    r"tested-by|reported-by|suggested-by|approved-by|assisted-by|generated-by|ai-[\w-]{2,20}|"
    r"llm-[\w-]{2,20}|made-with|cc|change-id|closes|fixes|refs|see-also)[ \t]{0,4}:[^\n]*",
    re.IGNORECASE,
)


_REVERTED_TITLE = re.compile(r"\bRevert(?:s|ed|ing)?:? +\"[^\n]*", re.IGNORECASE)
_ORIGINAL = re.compile(
    r"^\W{0,4}(?:original|reverted) (?:commit|change|message|description|pr|pull request)\b[^\n]{0,60}:[ \t]*$",
    re.IGNORECASE | re.MULTILINE,
)
_OTHER_PULL_REQUEST = re.compile(r"^[ \t]*[*-] [^\n]{1,300}\(#(\d{1,9})\)[ \t\r]*$", re.MULTILINE)
_FEWEST_CARRIED = 2


def own_words(text: str) -> str:
    """`text` without what was said of other pull requests: the title and the message of one that it reverts, and what
    stands in a list of several, from its first line to its last (release notes, squashes of whole branches)."""
    if "evert" in text:
        text = _blank_spans(text, _matches(_REVERTED_TITLE)(text))
        original = _ORIGINAL.search(text)
        text = text if original is None else text[: original.start()] + blanked(text[original.start() :])
    return _blank_spans(text, _carried(text)) if text.count("(#") >= _FEWEST_CARRIED else text


def _carried(text: str) -> Iterator[tuple[int, int]]:
    lines = list(_OTHER_PULL_REQUEST.finditer(text))
    if len({line[1] for line in lines}) >= _FEWEST_CARRIED:
        yield lines[0].start(), lines[-1].end()


def blanked(text: str) -> str:
    """As many blanks as `text` has characters; line ends stay."""
    if "\n" not in text:
        return " " * len(text)
    return "\n".join(" " * len(line) for line in text.split("\n"))


def _blank_spans(text: str, spans: Iterator[tuple[int, int]]) -> str:
    pieces: list[str] = []
    at = 0
    for start, end in spans:
        if end <= at:
            continue
        start = max(start, at)
        pieces += (text[at:start], blanked(text[start:end]))
        at = end
    return text if not pieces else "".join((*pieces, text[at:]))


def _fenced(text: str) -> Iterator[tuple[int, int]]:
    """Spans of fenced code, fences included; one that is never closed ends with the text."""
    fence, start = "", 0
    for mark in _FENCE.finditer("\n" + text):
        if not fence:
            fence, start = mark["fence"], mark.start()
        elif mark["fence"].startswith(fence) and not mark["info"].strip():
            yield start, mark.end() - 1
            fence = ""
    if fence:
        yield start, len(text)


def _comments(text: str) -> Iterator[tuple[int, int]]:
    """Spans of HTML comments; one that is never closed ends with the text, as a browser sees it."""
    at = text.find("<!--")
    while at >= 0:
        end = text.find("-->", at + 4)
        end = len(text) if end < 0 else end + 3
        yield at, end
        at = text.find("<!--", end)


def _inline_code(text: str) -> Iterator[tuple[int, int]]:
    for code in _INLINE_CODE.finditer(text):
        if _PLAIN_NAME.fullmatch(code["code"]) is None:
            yield code.span()


def _matches(expression: re.Pattern[str]) -> Callable[[str], Iterator[tuple[int, int]]]:
    return lambda text: (hit.span() for hit in expression.finditer(text))


def _lines(expression: re.Pattern[str]) -> Callable[[str], Iterator[tuple[int, int]]]:
    """For an expression that begins with a line end, which is found sooner than a place that follows one."""
    return lambda text: ((line.start(), line.end() - 1) for line in expression.finditer("\n" + text))


def for_markers(text: str) -> str:
    """`text` without code blocks and quoted lines, for footers, links and comments that tools leave."""
    if "```" in text or "~~~" in text:
        text = _blank_spans(text, _fenced(text))
    return _blank_spans(text, _lines(_QUOTE)(text)) if _may_quote(text) else text


def _may_quote(text: str) -> bool:
    """A quick test, since most texts hold `>` only after an address."""
    return ">" in text and (_QUOTE_LATER.search(text) is not None or text.lstrip(" \t").startswith(">"))


def without_blocks(text: str) -> str:
    """`text` without code blocks and HTML comments: what may be cut into `blocks`."""
    if "```" in text or "~~~" in text:
        text = _blank_spans(text, _fenced(text))
    return _blank_spans(text, _comments(text)) if "<!--" in text else text


def in_words(text: str) -> str:
    """`text` without what its author did not say in words: inline code, addresses, tags, trailers."""
    if "`" in text:
        text = _blank_spans(text, _inline_code(text))
    if "@" in text:
        text = _blank_spans(text, _matches(_ADDRESSES)(text))
    elif "://" in text or "www." in text:
        text = _blank_spans(text, _matches(_LINKS)(text))
    if "<" in text:
        text = _blank_spans(text, _matches(_TAG)(text))
    return _blank_spans(text, _lines(_TRAILER)(text)) if ":" in text else text


def for_prose(text: str) -> str:
    """`text` with everything blanked that its author did not say in words; quoted lines stay, `units` knows them."""
    return in_words(without_blocks(text))


def blocks(text: str) -> Iterator[tuple[int, int]]:
    """The spans of `text` between blank lines; none of them is empty."""
    at = 0
    for blank in _BLANK_LINE.finditer(text):
        if blank.start() > at:
            yield at, blank.start()
        at = max(at, blank.end() - 1) + 1
    if at < len(text):
        yield at, len(text)


HEADING, ITEM, PARAGRAPH = "heading", "item", "paragraph"


@made_in_bulk
class Unit:
    """A heading, list item or paragraph of a cleaned text: `text[start:end]`, its marks included.

    `level` is a heading's (1 to 6, or 7 for a line in bold) or an item's indent; `is_ticked` says whether its box is,
    None without a box; `is_quoted` whether it stands behind `>`; `block` is the number of its block in the text.
    """

    kind: str
    start: int
    end: int
    level: int
    is_ticked: bool | None
    is_quoted: bool
    block: int


_UNIT = re.compile(
    r"(?P<quote>(?:[ \t]{0,3}>)*)(?P<indent>[ \t]*)"
    r"(?:(?P<heading>#{1,6})(?=\s)|(?P<item>[-*+•]|\d{1,3}[.)])(?=\s)|(?P<row>\|)|(?P<rule>(?:[-*_=][ \t]*){3,}$))?"
    r"[ \t]*(?:\[(?P<box>[ xX✓✔✅☑]?|[ ][xX]|[xX][ ])\](?=\s|$)|(?P<emoji>[☐☑✅❌⬜]))?"
)
_BOLD_LINE = re.compile(r"[ \t>]*(?:\*\*|__)[^*_\n]{1,120}(?:\*\*|__)[ \t]*[:?.-]{0,2}[ \t]*")
_TICKED = frozenset("xX✓✔✅☑")


def units(text: str, block: int = 0) -> Iterator[Unit]:
    """The units of a cleaned block of text, in order. Lines that go on (soft wraps) belong to the unit before them."""
    unit: Unit | None = None
    at = 0
    for line in text.split("\n"):
        end = at + len(line)
        if line[:1].isalpha():  # most lines: no mark of any kind, and the expression is dear
            goes_on = unit is not None and unit.kind != HEADING
            next_unit: Unit | None = Unit(PARAGRAPH, at, end, 0, None, False, block)
        else:
            marks = cast(re.Match[str], _UNIT.match(line)).groups()  # every part of it is optional
            quote, _, heading, item, row, rule, box, emoji = marks
            is_bare = not (heading or item or row or emoji) and box is None
            goes_on = False
            if rule or len(quote) == len(line.rstrip()):
                next_unit = None
            elif _BOLD_LINE.fullmatch(line):
                next_unit = Unit(HEADING, at, end, 7, None, bool(quote), block)
            else:
                goes_on = is_bare and unit is not None and unit.kind != HEADING and (unit.is_quoted or not quote)
                next_unit = _unit(marks, at, end, block)
        if unit and goes_on:
            next_unit = Unit(unit.kind, unit.start, end, unit.level, unit.is_ticked, unit.is_quoted, block)
        elif unit:
            yield unit
        unit, at = next_unit, end + 1
    if unit:
        yield unit


def _unit(marks: tuple[str, ...], at: int, end: int, block: int) -> Unit:
    quote, indent, heading, item, row, _, box, emoji = marks
    kind = HEADING if heading else ITEM if item or row else PARAGRAPH
    level = len(heading) if heading else len(indent)
    box = emoji if box is None else box
    is_ticked = None if box is None else not _TICKED.isdisjoint(box)
    return Unit(kind, at, end, level, is_ticked, bool(quote), block)
