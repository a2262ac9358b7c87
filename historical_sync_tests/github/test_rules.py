"""The rules that need no GitHub: page sizes, waits, token references, documents, addresses."""

import random
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from graphql import build_schema, parse, validate
from hypothesis import example, given
from hypothesis import strategies as st

import historical_sync.sandbox.github
from historical_sync.errors import (
    ConfigurationError,
    CursorRefused,
    RateLimited,
    ServerFailure,
    TokenRefused,
)
from historical_sync.github.installations import app_jwt, read_installation_token
from historical_sync.github.paging import CLEAN_ANSWERS_TO_GROW, CLEAN_ANSWERS_TO_PROBE, PageSize, page_for_points
from historical_sync.github.queries import DOCUMENTS, LISTS_PER_PULL_REQUEST
from historical_sync.github.readers import WalkPage
from historical_sync.github.retries import ATTEMPTS_AT_FAILURES, wait_before_retry
from historical_sync.github.tokens import app_installation, digest, read_secret, references
from historical_sync.github.trail import advance
from historical_sync.github.transport import graphql_url
from historical_sync.warehouse.index import Walk

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


@pytest.mark.parametrize("name", sorted(DOCUMENTS))
def test_every_document_is_valid(name: str) -> None:
    """Each document that can be sent agrees with the schema that the sandbox serves, a subset of GitHub's."""
    folder = Path(historical_sync.sandbox.github.__path__[0])
    schema = build_schema((folder / "schema.graphql").read_text(), assume_valid=True)
    assert validate(schema, parse(DOCUMENTS[name])) == []


@given(st.integers(1, 12))
def test_a_page_is_the_most_that_a_point_buys(lists: int) -> None:
    """One more pull request would cost a second point."""
    size = page_for_points(lists)
    assert round((1 + size * lists) / 100) <= 1
    assert size == 100 or (1 + (size + 1) * lists) >= 150


def test_the_page_of_hydration_follows_from_its_lists() -> None:
    """Seven lists: 21; the published table's 24 for six, 29 for five, 37 for four, 49 for three."""
    assert LISTS_PER_PULL_REQUEST == 7
    assert [page_for_points(lists) for lists in (7, 6, 5, 4, 3)] == [21, 24, 29, 37, 49]


def test_a_page_halves_and_grows_back_slowly() -> None:
    """Down by half at once, up by a quarter after a few clean answers, never above the start."""
    page = PageSize(7)
    page.shrink(21)
    assert page.size == 10
    page.shrink(5)
    assert page.size == 2
    sizes = []
    for _ in range(20 * CLEAN_ANSWERS_TO_GROW):
        page.grow()
        sizes.append(page.size)
    assert sizes[: CLEAN_ANSWERS_TO_GROW - 1] == [2] * (CLEAN_ANSWERS_TO_GROW - 1)
    assert sizes[-1] == 21
    assert sizes == sorted(sizes)


def test_a_late_failure_of_a_large_page_does_not_shrink_a_small_one() -> None:
    """Two threads fail with the same page: it is halved once, not twice."""
    page = PageSize(7)
    page.shrink(21)
    page.shrink(21)
    assert page.size == 10


def test_a_dearer_server_makes_smaller_pages() -> None:
    """Where 21 cost three points, a page is what a point buys there; where 21 cost one, nothing changes."""
    page = PageSize(7)
    page.learn_cost(21, 1)
    assert page.size == 21
    page.learn_cost(21, 3)
    assert page.size * page.connections_each < 149
    assert page.size < 21


def price(items: int, connections_each: float) -> int:
    """What a server charges that rounds half up, as GitHub does."""
    return max(1, int((1 + items * connections_each + 50) // 100))


@given(st.floats(0.0, 40.0), st.integers(1, 100))
@example(19.0, 7)
def test_a_page_follows_what_the_server_charges(charged_each: float, heaviest: int) -> None:
    """Both ways, and to the end: whatever lists cost there, a page is soon close to the most that a point buys, or to
    what is not too heavy; and few requests are spent on finding that out."""
    page = PageSize(7)
    dear = 0
    for _ in range(40 * CLEAN_ANSWERS_TO_PROBE):
        size = page.next_size(100)
        if size > heaviest:
            page.shrink(size)
            continue
        points = price(size, charged_each)
        dear += points > 1
        page.learn_cost(size, points)
        page.grow()
    best = page_for_points(charged_each) if charged_each > 1.49 else 100
    # Where one more than the best is too heavy, its price is never told, and the page moves about what is not.
    assert page.size <= (best if heaviest > best else 2 * heaviest)
    if heaviest >= 100:
        assert page.size >= 0.59 * best
    assert dear <= 16


def test_a_page_that_was_not_full_says_nothing_of_the_price() -> None:
    """The last page of a month holds three: no reason to think that lists are dear, or cheap."""
    page = PageSize(7)
    page.learn_cost(3, 1)
    assert (page.size, page.connections_each) == (21, 7)


def test_one_larger_page_is_tried_at_a_time() -> None:
    """What is asked for before its answer is there has the common size; too few that wait are no larger page."""
    page = PageSize(7)
    for _ in range(CLEAN_ANSWERS_TO_PROBE):
        page.grow()
    assert [page.next_size(waiting) for waiting in (34, 35, 100, 100)] == [21, 35, 21, 21]
    assert page.limit == 35
    page.learn_cost(35, 2)
    assert page.limit == 21


def test_without_a_price_no_larger_page_is_tried() -> None:
    """An Enterprise Server with limits switched off tells no cost: the page stays as it is."""
    page = PageSize(7)
    sizes = set()
    for _ in range(5 * CLEAN_ANSWERS_TO_PROBE):
        sizes.add(size := page.next_size(100))
        page.learn_cost(size, None)
        page.grow()
    assert page.size == 21
    assert sizes <= {21, 35}


def test_failures_back_off_and_end() -> None:
    """1, 2, 4, 8, 16 s with jitter, then it is left to the next run."""
    jitter = random.Random(1)
    waits = [wait_before_retry(ServerFailure("x"), n, NOW, jitter) for n in range(1, ATTEMPTS_AT_FAILURES + 1)]
    assert waits[-1] is None
    assert all(2 ** (n - 1) / 2 <= (wait or 0) <= 2 ** (n - 1) for n, wait in enumerate(waits[:-1], start=1))
    assert wait_before_retry(CursorRefused("x"), 1, NOW, jitter) is None


def test_limits_wait_as_told_or_at_least_a_minute() -> None:
    """GitHub's word counts; without one a minute, then exponentially longer."""
    jitter = random.Random(1)
    told = RateLimited("x", resume_at=NOW + timedelta(seconds=41))
    assert 41 < (wait_before_retry(told, 3, NOW, jitter) or 0) <= 42
    untold = [wait_before_retry(RateLimited("x", is_secondary=True), n, NOW, jitter) or 0 for n in (1, 2, 3)]
    assert untold[0] >= 60
    assert untold[1] >= 120
    assert untold[2] >= 240


def test_references_come_from_the_team_or_the_pool() -> None:
    """A team's own reference alone; else GITHUB_TOKENS, each by its place; else GITHUB_TOKEN."""
    env = {"GITHUB_TOKENS": "a, b,,c", "GITHUB_TOKEN": "d"}
    assert references("env:ACME", env) == ["env:ACME"]
    assert references(None, env) == [f"env:GITHUB_TOKENS#{n}" for n in (1, 2, 3)]
    assert [read_secret(ref, env) for ref in references(None, env)] == ["a", "b", "c"]
    assert references(None, {"GITHUB_TOKEN": "d"}) == ["env:GITHUB_TOKEN"]
    with pytest.raises(ConfigurationError):
        references(None, {"GITHUB_TOKENS": " , "})


@pytest.mark.parametrize("reference", ["env:NOT_SET", "env:GITHUB_TOKENS#4", "file:/does/not/exist", "ghp_0123456789"])
def test_a_reference_that_leads_nowhere_is_refused(reference: str) -> None:
    """And what was given in its place is not repeated: it may be a token."""
    with pytest.raises(TokenRefused) as caught:
        read_secret(reference, {"GITHUB_TOKENS": "a"})
    assert "ghp_" not in str(caught.value)


def test_an_app_reference_has_four_parts() -> None:
    """The key's own reference may hold colons; three parts are too few; others are no App's."""
    found = app_installation("app:12:34:file:/keys/app.pem")
    assert found is not None
    assert (found.app_id, found.installation_id, found.key_ref) == ("12", "34", "file:/keys/app.pem")
    assert app_installation("env:TOKEN") is None
    with pytest.raises(TokenRefused):
        app_installation("app:12:34")


def test_an_installation_token_is_renewed_before_it_ends() -> None:
    """Fresh until five minutes before the end; its text is in no representation."""
    token = read_installation_token(201, b'{"token": "ghs_x", "expires_at": "2026-03-01T13:00:00Z"}', "app:1:2:env:K")
    assert token.is_fresh(NOW)
    assert not token.is_fresh(NOW + timedelta(minutes=56))
    assert "ghs_x" not in repr(token)
    with pytest.raises(TokenRefused):
        read_installation_token(404, b"{}", "app:1:2:env:K")
    with pytest.raises(ServerFailure):
        read_installation_token(502, b"<html>", "app:1:2:env:K")


def test_a_bad_key_is_told_by_reference_only() -> None:
    """The key's text is not in the error; a good key makes a token of at most ten minutes."""
    with pytest.raises(TokenRefused) as caught:
        app_jwt("12", "-----BEGIN not a key", NOW, "app:12:34:env:KEY")
    assert "BEGIN" not in str(caught.value)
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    pem = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    ).decode()
    assert app_jwt("12", pem, NOW, "app:12:34:env:KEY").count(".") == 2


def test_a_token_is_named_by_a_digest() -> None:
    """Two tokens have two names, and neither holds the token."""
    assert digest("ghp_a") != digest("ghp_b")
    assert "ghp" not in digest("ghp_a")


@pytest.mark.parametrize(
    ("api_url", "asked"),
    [
        ("https://api.github.com", "https://api.github.com/graphql"),
        ("https://ghe.example.com/api/v3/", "https://ghe.example.com/api/graphql"),
        ("http://127.0.0.1:3000", "http://127.0.0.1:3000/graphql"),
    ],
)
def test_graphql_is_asked_at_its_address(api_url: str, asked: str) -> None:
    """An Enterprise Server's REST address leads to its GraphQL address."""
    assert graphql_url(api_url) == asked


def page(**changes: object) -> WalkPage:
    values: dict[str, object] = {
        "node_id": "R",
        "name": "acme/api",
        "entries": (),
        "nulls": 0,
        "total": 0,
        "has_next": True,
        "end_cursor": "b",
        "answered_at": NOW,
    }
    return WalkPage(**{**values, **changes})  # type: ignore[arg-type]


def test_a_cursor_that_does_not_move_is_an_error() -> None:
    """More to come, but the same cursor again, or none: never an endless walk. At the end it need not move."""
    walk = Walk("history", cursor="a")
    assert advance(walk, page()).cursor == "b"
    for cursor in ("a", None):
        with pytest.raises(CursorRefused):
            advance(walk, page(end_cursor=cursor))
    assert advance(walk, page(end_cursor="a", has_next=False)).is_at_end
