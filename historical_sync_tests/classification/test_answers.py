"""One answer: accepted where it is clear, mended by rule, rejected where it contradicts itself or invents its proof."""

import json
from typing import Any

import pytest
from hypothesis import given, strategies

from historical_sync.classification.answers import RejectedAnswer, is_quoted, read_answer
from historical_sync.classification.rubric import USAGE_TYPES, Answer, answer_schema
from historical_sync.records import as_row, storable
from historical_sync_tests.factories import make_commit, make_file, make_pull_request, make_review

SIGNED = make_pull_request(
    title="Faster search",
    body='The index is **new**.\n\nWritten with the help of\n"Claude Code", then edited.',
    commits=(make_commit(message="Faster search\n\nCo-Authored-By: Claude <noreply@anthropic.com>"),),
    files=(make_file(path="src/search.py"), make_file(path="web/App.tsx")),
    reviews=(make_review(body="Copilot found a bug here"),),
    head_ref="claude/faster-search",
)


def answer(**changes: Any) -> dict[str, Any]:
    """A clean positive answer; `ai__confidence=…` changes one value of a section."""
    whole: dict[str, Any] = {
        "ai": {
            "evidence_quote": "Written with the help of",
            "usage_type": "assisted",
            "is_assisted": True,
            "tools": ["Claude Code"],
            "confidence": 0.95,
        },
        "tech": {"languages": ["Python", "TypeScript"], "frameworks": ["React"], "categories": ["backend"]},
        "summary": {"title": "Faster search", "description": "An index.", "type": "feature"},
        "health": {"review_friction": "low", "scope": "small", "risk_level": "low", "insights": ["No tests."]},
    }
    for name, value in changes.items():
        section, _, key = name.partition("__")
        if key:
            whole[section][key] = value
        else:
            whole[section] = value
    return whole


NEGATIVE = {"ai__is_assisted": False, "ai__usage_type": "none", "ai__tools": [], "ai__evidence_quote": ""}


def test_a_clean_answer_is_kept_as_it_is() -> None:
    """Nothing is mended in an answer that keeps the rubric."""
    read = read_answer(json.dumps(answer()), SIGNED)
    assert (read.is_ai_assisted, read.usage_type, read.tools, read.mended) == (True, "assisted", ["claude"], [])
    assert read.summary["tech"]["languages"] == ["Python", "TypeScript"]
    assert (read.summary_title, read.summary_type) == ("Faster search", "feature")


@pytest.mark.parametrize(
    ("changes", "rule"),
    [
        ({**NEGATIVE, "ai__tools": ["claude"]}, "tools without use"),
        ({"ai__usage_type": "coauthored"}, "unknown usage_type"),
        ({"ai__usage_type": None}, "assisted without usage_type"),
        ({"ai__usage_type": "reviewed"}, "assisted by review only"),
        ({"ai__confidence": 95}, "confidence in percent"),
        ({"ai__confidence": "95%"}, "confidence in percent"),
        ({**NEGATIVE, "ai__evidence_quote": "never said"}, "quote not found"),
        ({"tech__languages": ["Python", "Ruby"]}, "language without a file"),
        ({"tech__categories": ["backend", "quantum"]}, "unknown categories"),
        ({"summary__type": "enhancement"}, "unknown type"),
        ({"health__risk_level": "extreme"}, "unknown risk_level"),
        ({"health__scope": None}, "unknown scope"),
        ({"health": "fine"}, "no section health"),
        ({"tech": None}, "no section tech"),
    ],
)
def test_what_is_off_but_clear_is_mended_by_a_named_rule(changes: dict[str, Any], rule: str) -> None:
    """Each rule has a name, and the answer says that it was used."""
    assert read_answer(json.dumps(answer(**changes)), SIGNED).mended == [rule]


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"ai__is_assisted": False}, "is_assisted is false with usage_type assisted"),
        ({"ai__evidence_quote": "Made by Cursor"}, "not in the pull request"),
        ({"ai__evidence_quote": ""}, "not in the pull request"),
        ({"ai__evidence_quote": "AI"}, "not in the pull request"),
        ({"ai__evidence_quote": "Copilot found a bug here"}, "not in the pull request"),
        ({"ai__usage_type": "none", "ai__evidence_quote": "x"}, "not in the pull request"),
        ({"ai__confidence": -0.1}, "outside 0 to 1"),
        ({"ai__confidence": 101}, "outside 0 to 1"),
        ({"ai__confidence": "high"}, "no number"),
        ({"ai__confidence": None}, "no number"),
        ({"ai__is_assisted": "perhaps"}, "neither true nor false"),
        ({"ai": "yes"}, "no section ai"),
    ],
)
def test_what_contradicts_itself_or_invents_its_proof_is_rejected(changes: dict[str, Any], reason: str) -> None:
    """A rejected answer says why; it is never a negative."""
    with pytest.raises(RejectedAnswer, match=reason):
        read_answer(json.dumps(answer(**changes)), SIGNED)


@pytest.mark.parametrize(
    "text", [None, "", "  ", "null", "[]", '"text"', "I'm sorry", '{"ai": {', "{}", "NaN", "[" * 10_000]
)
def test_no_json_object_is_rejected(text: str | None) -> None:
    """Empty, cut off, prose, another shape."""
    with pytest.raises(RejectedAnswer):
        read_answer(text, SIGNED)


@pytest.mark.parametrize(
    "wrap", ["```json\n%s\n```", "```\n%s```", "Here it is:\n%s\nAnything else?", "<think>{maybe}</think>%s"]
)
def test_a_wrapped_answer_is_read(wrap: str) -> None:
    """Models without a strict schema fence their JSON, think aloud before it or talk around it."""
    assert read_answer(wrap % json.dumps(answer()), SIGNED).is_ai_assisted


def test_not_a_number_is_no_confidence() -> None:
    """JSON as Python reads it may hold NaN, which lies between no two numbers."""
    with pytest.raises(RejectedAnswer):
        read_answer(json.dumps(answer(ai__confidence=float("nan"))), SIGNED)


@pytest.mark.parametrize(
    "quote",
    [
        "written with the help of claude code",
        'Written with the help of "Claude Code"',
        "Written with the help of\n\n  “Claude Code”, then edited.",
        "The index is new.",
        "Co-authored-by: Claude <noreply@anthropic.com>",
        "claude/faster-search",
        "Written with … then edited",
        "branch: claude/faster-search into main",
        "Faster search",
    ],
)
def test_a_quote_is_found_as_people_copy(quote: str) -> None:
    """Case, white space, emphasis, kinds of quotation marks and a gap marked with dots do not matter."""
    assert is_quoted(quote, SIGNED)


@pytest.mark.parametrize(
    "quote", ["then edited … Written with", "Written by Claude Code", "…", "the", "", "Copilot found a bug here"]
)
def test_a_quote_that_is_not_there_is_not_found(quote: str) -> None:
    """Pieces out of order, other words, nothing, too little, or what a reviewer said."""
    assert not is_quoted(quote, SIGNED)


@pytest.mark.parametrize(
    ("named", "stored"),
    [
        (["GitHub Copilot"], ["copilot"]),
        (["GPT-4o", "OpenAI"], ["chatgpt"]),
        (["AI"], ["generic"]),
        (["an AI assistant"], ["generic"]),
        ("Cursor", ["cursor"]),
        (["none"], []),
        (["Zencoder"], ["zencoder"]),
        (["OpenAI Codex"], ["codex"]),
        ([None, 3, "Devin AI"], ["devin"]),
    ],
)
def test_tools_have_one_name(named: Any, stored: list[str]) -> None:
    """However a model writes a tool, it is stored under its common name."""
    assert read_answer(json.dumps(answer(ai__tools=named)), SIGNED).tools == stored


TEXT = strategies.text(strategies.characters() | strategies.sampled_from("\0\ud83d\ude00"))
"""With what JSON may hold and PostgreSQL may not: NUL, and halves of surrogate pairs."""
JSON = strategies.recursive(
    strategies.none() | strategies.booleans() | strategies.floats() | TEXT | strategies.integers(),
    lambda inner: strategies.lists(inner, max_size=4) | strategies.dictionaries(TEXT, inner, max_size=4),
    max_leaves=12,
)


@given(
    whole=JSON,
    ai=strategies.dictionaries(
        strategies.sampled_from(["is_assisted", "usage_type", "tools", "confidence", "evidence_quote", "other"]), JSON
    ),
    tech=JSON,
    health=JSON,
    wraps=strategies.booleans(),
)
def test_any_json_is_rejected_or_consistent(whole: Any, ai: Any, tech: Any, health: Any, wraps: bool) -> None:
    """Whatever comes back, what is stored keeps the rubric: no positive without proof, no number out of range."""
    text = json.dumps({"ai": ai, "tech": tech, "summary": whole, "health": health} if wraps else whole)
    try:
        read = read_answer(text, SIGNED)
    except RejectedAnswer:
        return
    assert 0 <= read.confidence <= 1
    assert read.usage_type in USAGE_TYPES
    assert read.is_ai_assisted == (read.usage_type in ("authored", "assisted"))
    assert not read.is_ai_assisted or is_quoted(read.evidence_quote, SIGNED)
    assert read.usage_type != "none" or not read.tools
    assert storable(as_row(read)) == as_row(read)


def walk(node: Any) -> Any:
    if isinstance(node, dict):
        yield node
        for value in node.values():
            yield from walk(value)
    elif isinstance(node, list):
        for value in node:
            yield from walk(value)


def test_the_schema_is_one_that_strict_mode_takes() -> None:
    """Every property required, no others, no references, none of the keywords that strict mode refuses."""
    known = {"type", "properties", "required", "additionalProperties", "items", "enum", "description"}
    for node in walk(answer_schema()):
        if "properties" in node:
            assert set(node["required"]) == set(node["properties"])
            assert node["additionalProperties"] is False
        if "type" in node and isinstance(node["type"], str):
            assert set(node) <= known, node
    assert Answer.model_validate(answer()).ai.is_assisted
