"""What a query costs: GitHub's published formula, against the figures it was measured and computed by."""

import json
from typing import Any

import pytest

from historical_sync.sandbox.github.cost import Price, Tariff, price_of
from historical_sync.sandbox.github.schema import Refused, read_document
from historical_sync.sandbox.server import Sandbox
from historical_sync_tests.sandbox.worlds import numbered

SIX_LISTS = ("labels", "assignees", "reviews", "commits", "files", "closingIssuesReferences")


def price(text: str, tariff: Tariff | None = None, **variables: Any) -> Price:
    return price_of(read_document(text), None, variables, tariff or Tariff())


def page(rows: int, lists: int) -> str:
    """A page of pull requests with some of their lists."""
    inner = " ".join(f"{name}(first: 100) {{ totalCount }}" for name in SIX_LISTS[:lists])
    return f'{{ repository(owner: "a", name: "b") {{ pullRequests(first: {rows}) {{ nodes {{ id {inner} }} }} }} }}'


HYDRATE = "query($ids: [ID!]!) { nodes(ids: $ids) { ... on PullRequest { id %s } } }"


@pytest.mark.parametrize(
    ("rows", "lists", "points"),
    [
        (10, 6, 1),
        (20, 6, 1),
        (24, 6, 1),
        (25, 6, 2),
        (41, 6, 2),
        (50, 6, 3),
        (58, 6, 3),
        (74, 6, 4),
        (91, 6, 5),
        (100, 6, 6),
        (74, 2, 1),
        (100, 2, 2),
        (49, 3, 1),
        (50, 3, 2),
        (37, 4, 1),
        (38, 4, 2),
        (29, 5, 1),
        (30, 5, 2),
        (100, 0, 1),
    ],
)
def test_a_page_costs_what_the_table_says(rows: int, lists: int, points: int) -> None:
    """round((1 + lists x rows) / 100), at least 1: the turning points that GitHub's dryRun showed."""
    assert price(page(rows, lists)).points == points


def test_the_example_of_the_documentation() -> None:
    """GitHub's own example: 100 repositories, 50 issues each, 60 labels each: 5,101 requests are 51 points."""
    counted = Price(requests=1 + 100 + 100 * 50)
    assert (counted.requests, counted.points) == (5101, 51)


def test_the_inner_size_of_a_list_costs_nothing() -> None:
    """first: 100 in a list costs the same as first: 1."""
    assert price(page(24, 6)).points == price(page(24, 6).replace("first: 100", "first: 1")).points == 1


def test_a_list_in_a_list_multiplies() -> None:
    """authors of a hundred commits of 24 pull requests are 2,400 requests more."""
    nested = "commits(first: 100) { nodes { commit { authors(first: 10) { totalCount } } } }"
    text = page(24, 6).replace("commits(first: 100) { totalCount }", nested)
    assert price(text).requests - price(page(24, 6)).requests == 2400


@pytest.mark.parametrize(("count", "points"), [(24, 1), (25, 2), (100, 6)])
def test_ids_are_parents(count: int, points: int) -> None:
    """Lists below nodes(ids:) are asked for once per id."""
    text = HYDRATE % " ".join(f"{name}(first: 100) {{ totalCount }}" for name in SIX_LISTS)
    assert price(text, ids=[str(one) for one in range(count)]).points == points


def test_ids_may_be_charged_once() -> None:
    """The other reading of the formula, as a dial: all ids are one parent, so a client must read the real cost."""
    text = HYDRATE % " ".join(f"{name}(first: 100) {{ totalCount }}" for name in SIX_LISTS)
    assert price(text, Tariff(nodes="once"), ids=[str(one) for one in range(100)]).points == 1


def test_a_field_selected_twice_is_paid_once_and_an_alias_twice() -> None:
    """Fragments merge; aliases are connections of their own."""
    once = price(page(10, 1)).requests
    both = page(10, 1).replace("id labels", "id labels(first: 100) { totalCount } labels")
    aliased = page(10, 1).replace("id labels", "id more: labels(first: 100) { totalCount } labels")
    assert price(both).requests == once
    assert price(aliased).requests == once + 10


def test_nodes_are_counted() -> None:
    """The rows that a query could give: 24 pull requests with six lists of 100."""
    assert price(page(24, 6)).nodes == 24 + 24 * 600


@pytest.mark.parametrize("text", [page(101, 0), page(5, 1).replace("first: 100", "first: 500")])
def test_a_page_has_at_most_a_hundred_rows(text: str) -> None:
    """EXCESSIVE_PAGINATION, in GitHub's words."""
    with pytest.raises(Refused) as refused:
        price(text)
    entry = refused.value.errors[0]
    assert entry["type"] == "EXCESSIVE_PAGINATION"
    assert "exceeds the `first` limit of 100 records" in entry["message"]


def test_a_list_needs_a_size() -> None:
    """MISSING_PAGINATION_BOUNDARIES, with the path of the list."""
    with pytest.raises(Refused) as refused:
        price(page(5, 1).replace("(first: 100)", ""))
    entry = refused.value.errors[0]
    assert entry["type"] == "MISSING_PAGINATION_BOUNDARIES"
    assert entry["path"] == ["repository", "pullRequests", "nodes", "labels"]


def test_half_a_million_nodes_are_the_end() -> None:
    """MAX_NODE_LIMIT_EXCEEDED, and the near miss below it."""
    nested = "commits(first: 100) { nodes { commit { authors(first: %d) { totalCount } } } }"
    text = page(100, 1).replace("labels(first: 100) { totalCount }", nested)
    assert price(text % 48).nodes == 490_100
    with pytest.raises(Refused) as refused:
        price(text % 50)
    assert refused.value.errors[0]["type"] == "MAX_NODE_LIMIT_EXCEEDED"


def test_the_server_charges_and_says_so() -> None:
    """The answer's rateLimit, the headers and the log tell the same price."""
    sandbox = Sandbox(numbered(30))
    text = page(25, 6).replace("{ repository", "{ rateLimit { cost nodeCount remaining used limit } repository", 1)
    text = text.replace('"a"', '"acme"').replace('"b"', '"api"')
    answer = sandbox.github.graphql("t", json.dumps({"query": text}).encode())
    told = json.loads(answer.body)["data"]["rateLimit"]
    assert told == {"cost": 2, "nodeCount": 25 + 25 * 600, "remaining": 4998, "used": 2, "limit": 5000}
    assert answer.headers["x-ratelimit-remaining"] == "4998"
    assert sandbox.requests.points == 2
    assert sandbox.requests.entries[0].hydrated == 25
