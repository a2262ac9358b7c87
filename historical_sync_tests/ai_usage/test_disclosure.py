"""People's own words: what discloses AI and what only names it, line by line and in templates."""

import pytest

from historical_sync.ai_usage.clauses import read_clause
from historical_sync.ai_usage.rows import AUTHOR
from historical_sync.ai_usage.scope import ADVISING, MAKING, UNSAID, scope_of
from historical_sync.ai_usage.statements import WORDINGS, statement_of
from historical_sync.ai_usage.table.phrases import Wording
from historical_sync.ai_usage.tagging import tag
from historical_sync.records import Evidence
from historical_sync_tests.ai_usage.cases import DISCLOSED, HOMONYMS, NOT_DISCLOSED
from historical_sync_tests.ai_usage.templates import TEMPLATES
from historical_sync_tests.ai_usage.unseen import DISCLOSED_UNSEEN, NOT_DISCLOSED_UNSEEN
from historical_sync_tests.factories import make_commit, make_pull_request


def said(**changes: object) -> list[Evidence]:
    return [hit for hit in tag(make_pull_request(**changes)) if hit.role == AUTHOR]


@pytest.mark.parametrize("wording", WORDINGS, ids=lambda wording: wording.name)
def test_a_wording_matches_its_examples_and_no_near_miss(wording: Wording) -> None:
    """Each wording brings examples, which disclose, and near misses, which do not."""
    assert wording.examples
    assert wording.near_misses
    assert [text for text in wording.examples if statement_of(read_clause(text)) is None] == []
    assert [text for text in wording.near_misses if statement_of(read_clause(text)) is not None] == []


@pytest.mark.parametrize("wording", WORDINGS, ids=lambda wording: wording.name)
def test_a_clause_that_a_wording_matches_holds_one_of_its_signs(wording: Wording) -> None:
    """Signs are tried before patterns: a clause without one would be passed over."""
    texts = [*DISCLOSED, *NOT_DISCLOSED, *DISCLOSED_UNSEEN, *NOT_DISCLOSED_UNSEEN, *HOMONYMS]
    texts += [text for other in WORDINGS for text in (*other.examples, *other.near_misses)]
    plains = [read_clause(text).plain for text in texts]
    matched = [plain for plain in plains if wording.expression.search(plain)]
    assert matched
    assert [plain for plain in matched if not any(sign in plain for sign in wording.signs)] == []


@pytest.mark.parametrize("text", DISCLOSED)
def test_a_disclosure_is_found(text: str) -> None:
    """A line that says that AI made something of the change is author evidence, in a description of its own."""
    assert said(body=text)
    assert said(body=f"Fixes #12.\n\n{text}\n\nTested by hand.")


@pytest.mark.parametrize("text", NOT_DISCLOSED)
def test_a_near_miss_is_left_alone(text: str) -> None:
    """Denials, reviews, research, products and policies are no evidence: in title, description or message."""
    assert said(body=text) == []
    assert said(title=text) == []
    assert said(commits=(make_commit(message=text),)) == []


@pytest.mark.parametrize("text", DISCLOSED_UNSEEN)
def test_a_line_written_before_the_rules_ran_is_found(text: str) -> None:
    """Disclosures in other registers, templates and languages than those the rules were developed on."""
    assert said(body=text) or said(body="", commits=(make_commit(message=text),))


@pytest.mark.parametrize("text", NOT_DISCLOSED_UNSEEN)
def test_a_line_written_before_the_rules_ran_is_left_alone(text: str) -> None:
    """Hard negatives of every kind, written like those."""
    assert said(body=text) == []


@pytest.mark.parametrize("title", ["Add a Claude provider", "Fix rounding"], ids=["about AI", "not about AI"])
def test_a_lone_remark_counts_only_where_the_change_is_not_about_ai(title: str) -> None:
    """One clause that puts a tool beside making is a disclosure, but not in a change whose title names AI."""
    remark = "Most of these strings were machine translated by GPT-4, please correct."
    assert bool(said(title=title, body=remark)) is (title == "Fix rounding")


def test_a_remark_is_not_lone_where_the_text_returns_to_ai() -> None:
    """Three clauses that name AI are about AI."""
    remark = "Most of these strings were machine translated by GPT-4, please correct."
    assert said(body=remark)
    assert said(body=f"{remark} The limit of Claude is higher. Gemini has none.") == []


@pytest.mark.parametrize("text", HOMONYMS)
def test_a_homonym_is_left_alone(text: str) -> None:
    """People, cursors, amps and geese are not tools."""
    assert said(body=text) == []
    assert said(title=text) == []
    assert said(commits=(make_commit(message=text),)) == []


@pytest.mark.parametrize(("name", "discloses", "text"), TEMPLATES, ids=[name for name, _, _ in TEMPLATES])
def test_a_template_is_read_as_a_reader_would(name: str, discloses: bool, text: str) -> None:
    """Answers count; instructions, examples, unticked boxes and promises do not."""
    assert bool(said(body=text)) is discloses, name


@pytest.mark.parametrize(
    ("text", "tools"),
    [
        ("Written with Claude Code and Copilot", {"claude", "copilot"}),
        ("AI usage: Cursor Pro (GPT-5)", {"cursor", "chatgpt"}),
        ("AI usage: Codex (GPT-5.1)", {"codex"}),
        ("Assisted-by: OpenCode with MiniMax-M3", {"opencode"}),
        ("Assisted-by: Codex:gpt-5", {"codex"}),
        ("Assisted-by: Claude:claude-opus-4-5", {"claude"}),
        ("Assisted-by: OpenCode with Claude Sonnet 4", {"opencode", "claude"}),
        ("AI-assisted: yes", {"generic"}),
        (
            "> [!NOTE]\n> AI was used for this:\n> - **Cursor**: for scaffolding\n> - **Claude**: for wording",
            {"cursor"},
        ),
    ],
)
def test_the_right_tools_are_named(text: str, tools: set[str]) -> None:
    """Every tool that made something, not the model behind it nor the one that only advised."""
    assert {hit.tool for hit in said(body=text)} == tools


@pytest.mark.parametrize(
    ("plain", "scope"),
    [
        ("used T for unit tests", MAKING),
        ("used T to understand the tests", ADVISING),
        ("used T to understand the issue and to write tests", MAKING),
        ("used T to find out which parts can be reused to build it", ADVISING),
        ("used T to review, all code written by me", ADVISING),
        ("used T to write the pr description", ADVISING),
        ("used T to write the docs", MAKING),
        ("used T for research only (no generated code)", ADVISING),
        ("used T", UNSAID),
    ],
)
def test_the_work_that_is_named_decides(plain: str, scope: str) -> None:
    """Making counts; advising, and writing only the description, do not."""
    assert scope_of(plain) == scope


def test_a_title_and_its_commit_are_two_places() -> None:
    """The same words in the title and in a commit's message are two hits, each with its own quote."""
    words = "Parser written by Claude Code"
    hits = said(title=words, commits=(make_commit(), make_commit(message=words)))
    assert {(hit.source, hit.position, hit.quote) for hit in hits} == {
        ("title", 0, words),
        ("commit_message", 1, words),
    }
