"""The effective label: the truth table of the design, row by row, in the one view that holds it."""

from typing import Any

import pytest

from historical_sync.warehouse.postgres import Transaction, Warehouse
from historical_sync.warehouse.pull_requests import upsert_pull_requests
from historical_sync_tests.factories import add_team, make_pull_request

EXACT = {"role": "author", "strength": "exact", "tool": "claude"}
MENTION = {"role": "author", "strength": "mention", "tool": "cursor"}
YES = {"status": "classified", "is_ai_assisted": True, "confidence": 0.5, "tools": ["copilot"]}
NO = {"status": "classified", "is_ai_assisted": False, "confidence": 0.5}
WEAK_YES = {**YES, "confidence": 0.49}
WEAK_NO = {**NO, "confidence": 0.49}
PENDING = {"status": "pending"}
UNCLASSIFIED = {"status": "unclassified"}


def label(warehouse: Warehouse, evidence: list[dict[str, Any]], answer: dict[str, Any] | None = None) -> dict[str, Any]:
    with warehouse.transaction() as tx:
        add_team(tx)
        upsert_pull_requests(tx, "acme", [make_pull_request()])
        for position, hit in enumerate(evidence):
            insert(tx, "ai_evidence", {**HIT, "position": position, **hit})
        if answer:
            insert(tx, "llm_classifications", {**KEY, **answer})
        found = tx.row("select * from dashboard.pull_requests")
    assert found is not None
    return found


KEY = {"team_id": "acme", "repository": "acme/api", "number": 1}
HIT = {**KEY, "signature_id": "s", "source": "body", "quote": "words", "ruleset_version": "v1"}


def insert(tx: Transaction, table: str, row: dict[str, Any]) -> None:
    names = ", ".join(row)
    tx.execute(f"insert into {table} ({names}) values ({', '.join(['%s'] * len(row))})", list(row.values()))


@pytest.mark.parametrize("answer", [None, PENDING, UNCLASSIFIED, YES, NO, WEAK_NO], ids=str)
@pytest.mark.parametrize("mention", [[], [MENTION]], ids=["", "mention"])
def test_exact_author_evidence_decides(
    warehouse: Warehouse, answer: dict[str, Any] | None, mention: list[dict[str, Any]]
) -> None:
    """A tool's own mark is proof, whatever the LLM says; the tools are those of the marks."""
    found = label(warehouse, [EXACT, *mention], answer)
    assert (found["is_ai_assisted"], found["ai_source"], found["ai_tools"]) == (True, "evidence", ["claude"])


@pytest.mark.parametrize("mention", [[], [MENTION]], ids=["", "mention"])
def test_a_sure_verdict_decides_next(warehouse: Warehouse, mention: list[dict[str, Any]]) -> None:
    """At a confidence of 0.5 and more the LLM's word counts, against a mention too."""
    found = label(warehouse, mention, YES)
    assert (found["is_ai_assisted"], found["ai_source"], found["ai_tools"]) == (True, "llm", ["copilot"])


@pytest.mark.parametrize("mention", [[], [MENTION]], ids=["", "mention"])
def test_a_sure_denial_decides_too(warehouse: Warehouse, mention: list[dict[str, Any]]) -> None:
    """'Written without Cursor' mentions a tool and denies it."""
    found = label(warehouse, mention, NO)
    assert (found["is_ai_assisted"], found["ai_source"], found["ai_tools"]) == (False, "llm", [])


@pytest.mark.parametrize("answer", [None, PENDING, UNCLASSIFIED, WEAK_YES, WEAK_NO], ids=str)
def test_a_mention_stands_while_nobody_sure_objects(warehouse: Warehouse, answer: dict[str, Any] | None) -> None:
    """Without a verdict, or with a weaker one, the mention is the label."""
    found = label(warehouse, [MENTION], answer)
    assert (found["is_ai_assisted"], found["ai_source"], found["ai_tools"]) == (True, "mention", ["cursor"])


@pytest.mark.parametrize("answer", [UNCLASSIFIED, WEAK_YES, WEAK_NO], ids=str)
def test_nothing_seen_and_nobody_sure_is_other_work(warehouse: Warehouse, answer: dict[str, Any]) -> None:
    """Looked at, and nothing found that counts."""
    found = label(warehouse, [], answer)
    assert (found["is_ai_assisted"], found["ai_source"], found["ai_tools"]) == (False, "evidence", [])


@pytest.mark.parametrize("answer", [None, PENDING], ids=str)
def test_what_the_llm_has_not_seen_is_pending(warehouse: Warehouse, answer: dict[str, Any] | None) -> None:
    """Unknown is null, and never false."""
    found = label(warehouse, [], answer)
    assert (found["is_ai_assisted"], found["ai_source"], found["ai_tools"]) == (None, "pending", [])


@pytest.mark.parametrize("strength", ["exact", "mention"])
@pytest.mark.parametrize("role", ["reviewer", "suggestion", "automation"])
def test_other_roles_make_nothing_ai_assisted(warehouse: Warehouse, role: str, strength: str) -> None:
    """A reviewer's, a suggestion's and automation's marks are recorded apart."""
    found = label(warehouse, [{**EXACT, "role": role, "strength": strength}], UNCLASSIFIED)
    assert found["is_ai_assisted"] is False
    assert (found["ai_reviewed"], found["has_ai_suggestion"]) == (role == "reviewer", role == "suggestion")


def test_reviewed_by_the_llms_word(warehouse: Warehouse) -> None:
    """The LLM's 'reviewed', when it is sure, counts as reviewed by AI and not as assisted."""
    found = label(warehouse, [], {**NO, "usage_type": "reviewed"})
    assert (found["ai_reviewed"], found["is_ai_assisted"]) == (True, False)


def test_an_unsure_reviewed_does_not_count(warehouse: Warehouse) -> None:
    """Below 0.5 it does not."""
    assert label(warehouse, [], {**WEAK_NO, "usage_type": "reviewed"})["ai_reviewed"] is False


@pytest.mark.parametrize(("source", "is_agent"), [("author", True), ("body", False)])
def test_an_agents_own_account(warehouse: Warehouse, source: str, is_agent: bool) -> None:
    """Only an account that opened the pull request makes it agent-authored; a footer makes it assisted."""
    found = label(warehouse, [{**EXACT, "source": source}])
    assert (found["is_agent_authored"], found["is_ai_assisted"]) == (is_agent, True)


def test_tools_are_named_once_and_in_order(warehouse: Warehouse) -> None:
    """Three commits by two tools name two tools."""
    found = label(warehouse, [{**EXACT, "tool": "cursor"}, EXACT, EXACT])
    assert found["ai_tools"] == ["claude", "cursor"]


def test_tools_of_the_llm_are_named_once(warehouse: Warehouse) -> None:
    """An answer that names a tool twice counts it once."""
    found = label(warehouse, [], {**YES, "tools": ["cursor", "claude", "cursor"]})
    assert found["ai_tools"] == ["claude", "cursor"]


@pytest.mark.parametrize(
    ("tech", "technologies"),
    [
        ('{"languages": ["Python", "SQL"], "frameworks": ["Django"], "categories": ["backend"]}', "django python sql"),
        ('{"languages": ["Go", "go"], "frameworks": []}', "go"),
        ("{}", ""),
    ],
)
def test_technologies(warehouse: Warehouse, tech: str, technologies: str) -> None:
    """Languages and frameworks in lower case, each once; categories are none."""
    found = label(warehouse, [], {**NO, "llm_summary": f'{{"tech": {tech}}}'})
    assert found["technologies"] == technologies.split()
