"""Cleaning blanks what does not count, moves nothing, and bears any input."""

from itertools import pairwise

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from historical_sync.ai_usage.text import (
    HEADING,
    ITEM,
    PARAGRAPH,
    blocks,
    for_markers,
    for_prose,
    in_words,
    units,
    without_blocks,
)

MARKDOWN = st.lists(
    st.one_of(
        st.sampled_from(
            ["```", "~~~", "````py", "`", "``", "<!--", "-->", "> ", "- [x] ", "- [ ] ", "# ", "**", "|", "<b>", "</b>"]
        ),
        st.sampled_from(["\n", "\n\n", " ", "\r\n", "@ada", "a@b.co", "https://x.y/z", "Fixes: #1", "Claude", "AI"]),
        st.text(max_size=12),
    ),
    max_size=40,
).map("".join)

CLEANERS = (for_markers, without_blocks, in_words, for_prose)


@pytest.mark.parametrize("clean", CLEANERS)
@given(text=MARKDOWN)
@settings(max_examples=200, deadline=None)
def test_cleaning_moves_nothing(clean, text: str) -> None:  # type: ignore[no-untyped-def]
    """Every character stays where it was or becomes a blank: an offset in the clean text is one in the original."""
    cleaned = clean(text)
    assert len(cleaned) == len(text)
    assert all(new in (old, " ") for old, new in zip(text, cleaned, strict=True))
    assert [i for i, char in enumerate(cleaned) if char == "\n"] == [i for i, char in enumerate(text) if char == "\n"]


@given(text=MARKDOWN)
@settings(max_examples=200, deadline=None)
def test_cleaning_twice_is_cleaning_once(text: str) -> None:
    """What is left after code blocks and quotes are blanked holds none of them."""
    assert for_markers(for_markers(text)) == for_markers(text)


@given(text=MARKDOWN)
@example(text="<!---->```")
@settings(max_examples=200, deadline=None)
def test_no_comment_is_left(text: str) -> None:
    """Not even half of one. A fence behind a comment opens no code block, as on GitHub, and stays."""
    assert "<!--" not in without_blocks(text)


@given(text=MARKDOWN)
@settings(max_examples=200, deadline=None)
def test_blocks_and_units_cover_every_word(text: str) -> None:
    """No word falls between blocks, or between the units of a block, but for rules and bare quote marks."""
    spans = list(blocks(text))
    assert all(start < end for start, end in spans)
    assert all(first[1] <= second[0] for first, second in pairwise(spans))
    outside = set(range(len(text))) - {at for start, end in spans for at in range(start, end)}
    assert all(text[at].isspace() for at in outside)
    for start, end in spans:
        block = text[start:end]
        inside = {at for unit in units(block) for at in range(unit.start, unit.end)}
        left = "".join(block[at] for at in range(len(block)) if at not in inside)
        assert not any(char.isalnum() for char in left)


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("say\n```py\nwritten by Claude\n```\nso", "say so"),
        ("say\n````\n```\nwritten by Claude\n````\nso", "say so"),
        ("say\n```\nnever closed, written by Claude", "say"),
        ("say <!-- written\nby Claude --> so", "say so"),
        ("say <!-- never closed", "say"),
        ("say `claude.run()` so", "say so"),
        ("say <b>so</b>", "say so"),
        ("see https://claude.ai/code and a@anthropic.com, @claude", "see and ,"),
        ("say so\nReviewed-by: Claude <noreply@anthropic.com>", "say so"),
    ],
)
def test_what_its_author_did_not_say_is_blank(text: str, kept: str) -> None:
    """Code, comments, tags, addresses and trailers are nobody's words."""
    assert " ".join(for_prose(text).split()) == kept


@pytest.mark.parametrize("text", ["use `Claude Code` here", "a ``` in a line", "two < three", "e-mail me", "a: b"])
def test_words_stay(text: str) -> None:
    """A name in code marks is a name, and marks that open nothing hide nothing."""
    assert for_prose(text) == text


def test_markers_survive_in_comments_and_not_in_code() -> None:
    """Tools leave their marks in HTML comments; people show them in code blocks and quotes."""
    text = "<!-- mark -->\n> mark\n```\nmark\n```\n"
    assert for_markers(text).split() == ["<!--", "mark", "-->"]


def test_units_know_headings_boxes_and_quotes() -> None:
    """Soft wraps go on, ticks are read, a line in bold is a heading."""
    text = "# Head\n**Bold**\nfirst\nsecond\n- [x] done\n  and more\n- [ ] open\n* [ X ] spaced\n> quoted\nlazily\n"
    read = [(u.kind, " ".join(text[u.start : u.end].split()), u.is_ticked, u.is_quoted) for u in units(text)]
    assert read == [
        (HEADING, "# Head", None, False),
        (HEADING, "**Bold**", None, False),
        (PARAGRAPH, "first second", None, False),
        (ITEM, "- [x] done and more", True, False),
        (ITEM, "- [ ] open", False, False),
        (ITEM, "* [ X ] spaced", None, False),
        (PARAGRAPH, "> quoted lazily", None, True),
    ]
