"""The dial: which rule strikes what, and what a client then sees on the wire."""

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
import requests
from hypothesis import given
from hypothesis import strategies as st

from historical_sync.sandbox.faults import (
    BATCH_KINDS,
    GITHUB_KINDS,
    GROQ_KINDS,
    KINDS,
    LINE_KINDS,
    Fault,
    Faults,
    Subject,
    parse_faults,
)
from historical_sync.sandbox.github.pace import Pace
from historical_sync.sandbox.server import Sandbox
from historical_sync_tests.sandbox.conftest import post
from historical_sync_tests.sandbox.worlds import numbered

VIEWER = "{ viewer { login } }"
HYDRATE = """query($ids: [ID!]!) { nodes(ids: $ids) { ... on PullRequest { number
    files(first: 5) { totalCount nodes { path } } reviews(first: 5) { nodes { state } } } } }"""


def strikes(faults: Faults, count: int, **subject: Any) -> list[bool]:
    return [faults.strike({"502"}, Subject("graphql", **subject)) is not None for _ in range(count)]


def test_the_nth_request_is_struck_once() -> None:
    """nth counts from one, and strikes once unless told otherwise."""
    assert strikes(Faults("502@3"), 5) == [False, False, True, False, False]
    assert strikes(Faults("502@3x2"), 5) == [False, False, True, True, False]


def test_a_share_of_requests_is_struck_and_the_seed_repeats_it() -> None:
    """Same seed, same strikes; about the share that was asked for."""
    first, again, other = (strikes(Faults("502:0.2", seed), 500) for seed in (1, 1, 2))
    assert first == again != other
    assert 60 < sum(first) < 140


def test_a_rule_is_aimed() -> None:
    """Repository, pull request, operation, login, size and number of lists narrow a rule."""
    whole = Subject("graphql", "ada", frozenset({"Acme/API"}), frozenset({("Acme/API", 7)}), 20, 6)
    for aim, miss in (
        ({"repository": "acme/api"}, {"repository": "acme/web"}),
        ({"number": 7, "repository": "acme/api"}, {"number": 8}),
        ({"operation": "graphql"}, {"operation": "user"}),
        ({"login": "ada"}, {"login": "bob"}),
        ({"more_than": 19}, {"more_than": 20}),
        ({"more_lists_than": 5}, {"more_lists_than": 6}),
    ):
        assert Faults([Fault("502", **aim)]).strike({"502"}, whole) is not None, aim
        assert Faults([Fault("502", **miss)]).strike({"502"}, whole) is None, miss


def test_a_number_alone_does_not_strike_another_repositorys_number() -> None:
    """The near miss: the same number elsewhere."""
    other = Subject("graphql", None, frozenset({"acme/web"}), frozenset({("acme/web", 7)}))
    assert Faults([Fault("502", number=7, repository="acme/api")]).strike({"502"}, other) is None


def test_rules_are_read_from_text() -> None:
    """kind[/operation][:probability][@nth][xTIMES], separated by commas."""
    first, second, third = parse_faults("502:0.05, secondary@7 ,groq_500/batches.create:0.5x3")
    assert (first.kind, first.probability, first.nth, first.times) == ("502", 0.05, None, None)
    assert (second.kind, second.nth, second.times) == ("secondary", 7, 1)
    assert (third.operation, third.probability, third.times) == ("batches.create", 0.5, 3)


@pytest.mark.parametrize("text", ["nope", "502:often", "502@", "@3"])
def test_a_rule_that_cannot_be_read_is_an_error(text: str) -> None:
    """Never a dial that silently does nothing."""
    with pytest.raises(ValueError, match="fault"):
        parse_faults(text)


@given(st.sampled_from(sorted(KINDS)), st.integers(1, 9), st.integers(1, 9))
def test_every_kind_can_be_written(kind: str, nth: int, times: int) -> None:
    """Each kind, with each of its parts, survives being written as text."""
    (rule,) = parse_faults(f"{kind}@{nth}x{times}")
    assert (rule.kind, rule.nth, rule.times) == (kind, nth, times)


def test_no_kind_belongs_to_two_services() -> None:
    """The four tables are disjoint."""
    counts = Counter([*GITHUB_KINDS, *GROQ_KINDS, *BATCH_KINDS, *LINE_KINDS])
    assert set(counts.values()) == {1}


STATUSES = {
    "502": (502, "text/html"),
    "502_json": (502, "application/json"),
    "503": (503, "text/html"),
    "504": (504, "application/json"),
    "500": (500, None),
    "html": (200, "text/html"),
    "rate_limited": (200, "application/json"),
    "rate_limit": (200, "application/json"),
    "rate_limit_early": (200, "application/json"),
    "rate_limited_403": (403, "application/json"),
    "secondary": (403, "application/json"),
    "secondary_403": (403, "application/json"),
    "secondary_429": (429, "application/json"),
    "secondary_200": (200, "application/json"),
    "unauthorized": (401, "application/json"),
    "forbidden": (403, "application/json"),
    "saml": (403, "application/json"),
    "something_went_wrong": (200, "application/json"),
    "slow": (200, "application/json"),
}


@pytest.mark.parametrize("kind", sorted(STATUSES))
def test_a_struck_answer_has_its_status_and_type(kind: str) -> None:
    """Each kind, once; the request after it is answered, but for a primary limit, which lasts."""
    status, content_type = STATUSES[kind]
    with Sandbox(numbered(1)) as running:
        running.faults.add(kind, nth=1, seconds=0.01)
        answer = post(running, VIEWER)
        assert answer.status_code == status
        assert content_type is None or answer.headers["content-type"].startswith(content_type)
        assert ("retry-after" in answer.headers) == (kind in {"secondary", "secondary_429"})
        following = post(running, VIEWER).json()
        assert ("data" in following) != (kind in {"rate_limited", "rate_limit", "rate_limited_403"})
        assert running.requests.entries[0].fault == kind


@pytest.mark.parametrize(("kind", "told"), [("rate_limited", "RATE_LIMITED"), ("rate_limit", "RATE_LIMIT")])
def test_both_spellings_of_the_primary_limit(kind: str, told: str) -> None:
    """The error's type, an emptied budget in the headers, and its reset soon."""
    with Sandbox(numbered(1)) as running:
        running.faults.add(kind, nth=1, retry_after=3)
        answer = post(running, VIEWER)
        assert answer.json()["errors"][0]["type"] == told
        assert answer.headers["x-ratelimit-remaining"] == "0"
        now = running.world.clock().timestamp()
        assert 0 < int(answer.headers["x-ratelimit-reset"]) - now <= 3


def test_a_limit_may_come_before_the_budget_is_empty() -> None:
    """RATE_LIMIT with points left, as reported: the headers alone do not tell."""
    with Sandbox(numbered(1)) as running:
        running.faults.add("rate_limit_early", nth=1, retry_after=3)
        answer = post(running, VIEWER)
        assert answer.json()["errors"][0]["type"] == "RATE_LIMIT"
        assert answer.headers["x-ratelimit-remaining"] == "4999"


@pytest.mark.parametrize("kind", ["reset", "cut"])
def test_a_broken_connection_is_an_error_of_the_connection(kind: str) -> None:
    """Reset before the answer, or in its middle: the client's library raises, and the next request works."""
    with Sandbox(numbered(1)) as running:
        running.faults.add(kind, nth=1)
        with pytest.raises((requests.ConnectionError, requests.exceptions.ChunkedEncodingError)):
            post(running, VIEWER)
        assert post(running, VIEWER).json()["data"]


def test_silence_lasts_until_the_client_gives_up() -> None:
    """timeout: no answer at all."""
    with Sandbox(numbered(1)) as running:
        running.faults.add("timeout", nth=1)
        with pytest.raises(requests.ReadTimeout):
            requests.post(
                f"{running.url}/graphql",
                json={"query": VIEWER},
                headers={"authorization": "Bearer t"},
                timeout=0.3,
            )
        assert post(running, VIEWER).json()["data"]


@pytest.mark.parametrize("kind", ["truncated", "empty"])
def test_a_body_that_is_no_json(kind: str) -> None:
    """A 200 whose body ends too soon, without any sign of it but the JSON itself."""
    with Sandbox(numbered(1)) as running:
        running.faults.add(kind, nth=1)
        answer = post(running, VIEWER)
        assert answer.status_code == 200
        with pytest.raises(json.JSONDecodeError):
            json.loads(answer.text)


def test_resource_limits_null_the_pull_request_with_the_paths() -> None:
    """commits may not be null, so the pull request is; the others are whole; errors name the lists."""
    world = numbered(3)
    ids = [one.node_id for one in world.pull_requests()]
    with Sandbox(world) as running:
        running.faults.add("resource_limits", number=2)
        query = HYDRATE.replace("files(first: 5)", "commits(first: 1) { totalCount } files(first: 5)")
        answer = post(running, query, ids=ids)
        assert answer.status_code == 200
        assert [one and one["number"] for one in answer.json()["data"]["nodes"]] == [1, None, 3]
        entry = answer.json()["errors"][0]
        assert entry["type"] == "RESOURCE_LIMITS_EXCEEDED"
        assert entry["path"][:2] == ["nodes", 1]


def test_resource_limits_null_one_list_and_leave_its_count() -> None:
    """`nodes` of a list is null with an error at its path, while totalCount is there: unknown, not empty."""
    world = numbered(2)
    ids = [one.node_id for one in world.pull_requests()]
    with Sandbox(world) as running:
        running.faults.add("resource_limits_lists", number=1, field="files")
        answer = post(running, HYDRATE, ids=ids).json()
        first, second = answer["data"]["nodes"]
        assert first["files"] == {"totalCount": 1, "nodes": None}
        assert first["reviews"]["nodes"] == [{"state": "APPROVED"}]
        assert second["files"]["nodes"]
        assert [one["path"] for one in answer["errors"]] == [["nodes", 0, "files", "nodes"]]


@pytest.mark.parametrize("refusal", ["resource_limits_lists", "502"])
def test_a_page_that_is_too_heavy_is_refused(refusal: str) -> None:
    """More pull requests with lists than the pace allows; the same number without lists is fine."""
    world = numbered(12)
    ids = [one.node_id for one in world.pull_requests()]
    with Sandbox(world, latency=Pace(largest_hydration=10, refusal=refusal)) as running:
        heavy = post(running, HYDRATE, ids=ids)
        light = post(running, HYDRATE, ids=ids[:10])
        plain = post(running, "query($ids: [ID!]!) { nodes(ids: $ids) { id } }", ids=ids)
        assert heavy.status_code == 502 or heavy.json()["errors"][0]["type"] == "RESOURCE_LIMITS_EXCEEDED"
        assert "errors" not in light.json()
        assert "errors" not in plain.json()


def test_a_good_cursor_can_be_refused() -> None:
    """bad_cursor: a walk's second page meets INVALID_CURSOR_ARGUMENTS, its first never does."""
    query = """query($c: String) { repository(owner: "acme", name: "api") {
        pullRequests(first: 1, after: $c) { pageInfo { endCursor } } } }"""
    with Sandbox(numbered(3)) as running:
        running.faults.add("bad_cursor", nth=1)
        cursor = post(running, query).json()["data"]["repository"]["pullRequests"]["pageInfo"]["endCursor"]
        assert post(running, query, c=cursor).json()["errors"][0]["type"] == "INVALID_CURSOR_ARGUMENTS"
        assert "errors" not in post(running, query, c=cursor).json()


def test_a_lists_cursor_can_be_refused() -> None:
    """bad_cursor with a field: the next page of files is refused, that of commits is not."""
    world = numbered(1)
    one = next(world.pull_requests())
    query = """query($id: ID!, $c: String) { node(id: $id) { ... on PullRequest {
        files(first: 1, after: $c) { pageInfo { endCursor } } commits(first: 1, after: $c) { totalCount } } } }"""
    with Sandbox(world) as running:
        running.faults.add("bad_cursor", field="files")
        cursor = post(running, query, id=one.node_id).json()["data"]["node"]["files"]["pageInfo"]["endCursor"]
        answer = post(running, query, id=one.node_id, c=cursor).json()
        assert answer["data"]["node"] == {"files": None, "commits": {"totalCount": 1}}
        assert answer["errors"][0]["path"] == ["node", "files"]


def test_a_row_can_be_null_without_an_error() -> None:
    """null_nodes: a hole in a page of pull requests, or in one list; totalCount still counts it."""
    query = """{ repository(owner: "acme", name: "api") { pullRequests(first: 9) { totalCount nodes { number
        files(first: 5) { totalCount nodes { path } } } } } }"""
    with Sandbox(numbered(3)) as running:
        running.faults.add("null_nodes", number=2, field="pullRequests")
        running.faults.add("null_nodes", number=3, field="files")
        answer = post(running, query).json()
        rows = answer["data"]["repository"]["pullRequests"]
        assert "errors" not in answer
        assert [one and one["number"] for one in rows["nodes"]] == [1, None, 3]
        assert rows["totalCount"] == 3
        assert rows["nodes"][2]["files"] == {"totalCount": 1, "nodes": [None]}


def test_latency_grows_with_lists() -> None:
    """The pace counts pull requests with lists dearly, those without cheaply."""
    pace = Pace(base_seconds=1, per_hydrated_seconds=0.1, per_row_seconds=0.01)
    from historical_sync.sandbox.github.cost import Price

    assert pace.seconds(Price(pull_requests=10, hydrated=10)) == pytest.approx(2.0)
    assert pace.seconds(Price(pull_requests=10, hydrated=0)) == pytest.approx(1.1)


def test_the_dial_is_turned_over_http() -> None:
    """/_sandbox/faults adds, lists and clears rules; a wrong one is refused; /_sandbox/state and log tell what was."""
    with Sandbox(numbered(1)) as running:
        url = f"{running.url}/_sandbox"
        assert requests.get(f"{url}/health", timeout=5).status_code == 200
        added = requests.post(f"{url}/faults", json={"kind": "502", "nth": 1}, timeout=5)
        assert added.json()[0]["kind"] == "502"
        assert requests.post(f"{url}/faults", json={"kind": "nope"}, timeout=5).status_code == 400
        assert post(running, VIEWER).status_code == 502
        assert requests.get(f"{url}/log", timeout=5).json()[0]["fault"] == "502"
        assert requests.get(f"{url}/state", timeout=5).json()["github"]["requests"] == 1
        assert requests.delete(f"{url}/faults", timeout=5).json() == []
        assert requests.post(f"{url}/reset", timeout=5).json()["github"]["requests"] == 0


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_the_documentation_says_what_each_kind_does(kind: str) -> None:
    """docs/sandbox.md holds the dial's own words."""
    text = (Path(__file__).parents[2] / "docs" / "sandbox.md").read_text()
    assert f"| `{kind}` | {KINDS[kind]} |" in text
