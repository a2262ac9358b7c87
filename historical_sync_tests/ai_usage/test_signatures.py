"""Every row of the table recognises its examples and leaves its near misses alone."""

import re
from collections import Counter

import pytest

from historical_sync.ai_usage.rows import PATTERN, PLACES, ROLES, Signature, normal_address, normal_login
from historical_sync.ai_usage.signatures import (
    EMAILS,
    LOGINS,
    RULESET_VERSION,
    SIGNATURES,
    TEXT_ROWS,
    rows_of,
    rule_modules,
    ruleset_version,
)
from historical_sync.ai_usage.words import runs


@pytest.mark.parametrize("row", SIGNATURES, ids=lambda row: row.signature_id)
def test_a_row_matches_its_examples_and_no_near_miss(row: Signature) -> None:
    """Each row brings examples and near misses, and tells them apart."""
    assert row.examples
    assert row.near_misses
    assert row.source
    assert [text for text in row.examples if not row.matches(text)] == []
    assert [text for text in row.near_misses if row.matches(text)] == []


@pytest.mark.parametrize("row", TEXT_ROWS, ids=lambda row: row.signature_id)
def test_a_row_for_text_is_tried_on_its_own_examples(row: Signature) -> None:
    """The words by which texts are chosen for a row stand in every example, so that no example is passed over."""
    for example in row.examples:
        assert row in rows_of(runs(example.lower())), example
        assert row.needle in example.lower()


def test_rows_are_told_apart_by_their_ids() -> None:
    """No two rows share an id, and roles and places are of the vocabulary."""
    assert [key for key, count in Counter(row.signature_id for row in SIGNATURES).items() if count > 1] == []
    assert {row.role for row in SIGNATURES} == set(ROLES)
    assert {place for row in SIGNATURES for place in row.places} == set(PLACES)


def test_no_row_is_hidden_by_another() -> None:
    """Within one place a login or an address belongs to one enabled row: tables hold every one of them."""
    accounts = [
        (place, row.pattern) for row in SIGNATURES if row.kind == "account" and row.is_enabled for place in row.places
    ]
    addresses = [
        (place, row.pattern) for row in SIGNATURES if row.kind == "address" and row.is_enabled for place in row.places
    ]
    assert len(LOGINS) == len(accounts)
    assert len(EMAILS) == len(addresses)


def test_unverified_rows_are_off() -> None:
    """What was seen once is in the table, switched off, and in no index."""
    off = [row for row in SIGNATURES if not row.is_enabled]
    assert {row.tool for row in off} >= {"windsurf", "kiro", "trae", "zed"}
    assert all(row not in LOGINS.values() and row not in EMAILS.values() and row not in TEXT_ROWS for row in off)


def test_no_rule_goes_by_domain_or_bare_word() -> None:
    """Addresses are whole, and a tool's bare name matches no pattern."""
    assert all(re.fullmatch(r"[^@\s]+@[^@\s]+\.[a-z]+", pattern) for _, pattern in EMAILS)
    for word in ("cursor", "continue", "amp", "codex", "goose", "warp", "devin", "claude", "copilot", "gemini"):
        assert [row.signature_id for row in SIGNATURES if row.kind == PATTERN and row.expression.search(word)] == []


@pytest.mark.parametrize("login", ["claude", "claude[bot]", "app/claude", "Claude[BOT]", " claude "])
def test_a_login_is_one_however_it_is_written(login: str) -> None:
    """GraphQL, REST and the gh command write a bot's login in three ways."""
    assert normal_login(login) == "claude"


def test_the_numeric_prefix_of_an_address_is_no_proof() -> None:
    """Agents copy each other's numbers: the rest of the address decides."""
    assert normal_address("41898282+claude[bot]@users.noreply.github.com") == "claude[bot]@users.noreply.github.com"
    assert normal_address("a+b@example.com") == "a+b@example.com"


def test_the_version_is_of_every_rule() -> None:
    """Another byte in any module that decides is another version; the modules that only use rules are left out."""
    sources = [path.read_bytes() for path in rule_modules()]
    names = {path.name for path in rule_modules()}
    assert ruleset_version(sources) == RULESET_VERSION
    assert {"accounts.py", "wordings_made.py", "scope.py", "text.py", "tagging.py", "lexicon.py"} <= names
    assert not names & {"evaluation.py", "retagging.py", "labelled.py"}
    for index in range(len(sources)):
        changed = [*sources[:index], sources[index] + b"#", *sources[index + 1 :]]
        assert ruleset_version(changed) != RULESET_VERSION
