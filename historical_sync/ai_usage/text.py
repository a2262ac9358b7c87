"""Cleaning of Markdown without moving a character: what does not count is blanked, so every offset stays true.

Two strengths. `for_markers` blanks code blocks and quoted lines: a tool's own footer or comment must survive. `for_prose`
blanks also comments, HTML tags, inline code (unless it is nothing but a name), links' addresses, e-mail addresses and
trailers. `units` cuts prose into headings, list items, table rows and paragraphs. All run in linear time and never raise.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

_FENCE = re.compile(r"[ \t>]{0,12}(?P<fence>`{3,}|~{3,})")
_QUOTE = re.compile(r"[ \t]{0,3}>")
_NOT_SPACE = re.compile(r"[^\s]")
_INLINE_CODE = re.compile(r"`{1,2}(?P<code>[^`\n]{1,200})`{1,2}")
_PLAIN_NAME = re.compile(r"[A-Za-z][A-Za-z0-9.:\- ]{1,40}")
_TAG = re.compile(r"</?[A-Za-z][^<>\n]{0,400}>")
_ADDRESS = re.compile(
    r"(?:https?://|www\.)[^\s)>\]|\"']+|<?[\w.+-]{1,64}(?:\[bot\])?@[\w-]{1,64}(?:\.[\w-]{1,64})+>?|(?<![\w])@[\w-]{1,40}"
)
_TRAILER = re.compile(
    r"^[ \t]{0,4}(?:co-authored-by|signed-off-by|authored-by|lead-authored-by|co-developed-by|reviewed-by|acked-by|"
    r"tested-by|reported-by|suggested-by|approved-by|assisted-by|generated-by|ai-[\w-]{2,20}|llm-[\w-]{2,20}|made-with|cc|change-id|closes|fixes|refs|see-also)[ \t]{0,4}:[^\n]*",
    re.IGNORECASE | re.MULTILINE,
)


def blanked(text: str) -> str:
    """As many blanks as `text` has characters; line ends stay."""
    return _NOT_SPACE.sub(" ", text)


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


def _lines(text: str) -> Iterator[tuple[int, str]]:
    at = 0
    for line in text.split("\n"):
        yield at, line
        at += len(line) + 1


def _fenced(text: str) -> Iterator[tuple[int, int]]:
    """Spans of fenced code, fences included; one that is never closed ends with the text."""
    fence, start = "", 0
    for at, line in _lines(text):
        mark = _FENCE.match(line)
        if not fence and mark:
            fence, start = mark["fence"], at
        elif fence and mark and mark["fence"].startswith(fence) and not line[mark.end() :].strip():
            yield start, at + len(line)
            fence = ""
    if fence:
        yield start, len(text)


def _quoted(text: str) -> Iterator[tuple[int, int]]:
    return ((at, at + len(line)) for at, line in _lines(text) if _QUOTE.match(line))


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


def for_markers(text: str) -> str:
    """`text` without code blocks and quoted lines, for footers, links and comments that tools leave."""
    if "```" in text or "~~~" in text:
        text = _blank_spans(text, _fenced(text))
    return _blank_spans(text, _quoted(text)) if ">" in text else text


def for_prose(text: str) -> str:
    """`text` with everything blanked that its author did not say in words; quoted lines stay, `units` knows them."""
    if "```" in text or "~~~" in text:
        text = _blank_spans(text, _fenced(text))
    if "<!--" in text:
        text = _blank_spans(text, _comments(text))
    if "`" in text:
        text = _blank_spans(text, _inline_code(text))
    if "@" in text or "://" in text or "www." in text:
        text = _blank_spans(text, _matches(_ADDRESS)(text))
    if "<" in text:
        text = _blank_spans(text, _matches(_TAG)(text))
    return _blank_spans(text, _matches(_TRAILER)(text)) if ":" in text else text


HEADING, ITEM, PARAGRAPH = "heading", "item", "paragraph"


@dataclass(frozen=True, slots=True)
class Unit:
    """A heading, list item or paragraph of a cleaned text: `text[start:end]`, its marks included.

    `level` is a heading's (1 to 6, or 7 for a line in bold) or an item's indent; `is_ticked` says whether its box is, None without a box;
    `is_quoted` whether it stands behind `>`; `block` counts the blank lines before it.
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


def units(text: str) -> Iterator[Unit]:
    """The units of a cleaned text, in order. Lines that go on (soft wraps) belong to the unit before them."""
    unit: Unit | None = None
    block = 0
    for at, line in _lines(text):
        mark = _UNIT.match(line)
        assert mark is not None  # every part is optional
        if not line[len(mark["quote"]) :].strip() or mark["rule"]:
            if unit:
                yield unit
            unit, block = None, block + 1
            continue
        is_quoted = bool(mark["quote"])
        starts = mark["heading"] or mark["item"] or mark["row"] or mark["box"] is not None or mark["emoji"]
        if _BOLD_LINE.fullmatch(line):
            if unit:
                yield unit
            yield Unit(HEADING, at, at + len(line), 7, None, is_quoted, block)
            unit = None
            continue
        goes_on = unit and not starts and unit.kind != HEADING and (unit.is_quoted or not is_quoted)
        if unit and goes_on:
            unit = replace(unit, end=at + len(line))
            continue
        if unit:
            yield unit
        unit = _unit(mark, at, len(line), is_quoted, block)
    if unit:
        yield unit


def _unit(mark: re.Match[str], at: int, length: int, is_quoted: bool, block: int) -> Unit:
    kind = HEADING if mark["heading"] else ITEM if mark["item"] or mark["row"] else PARAGRAPH
    level = len(mark["heading"]) if mark["heading"] else len(mark["indent"])
    box = mark["box"] if mark["box"] is not None else mark["emoji"]
    is_ticked = None if box is None else not _TICKED.isdisjoint(box)
    return Unit(kind, at, at + length, level, is_ticked, is_quoted, block)
