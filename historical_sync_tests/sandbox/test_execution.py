"""The compiled executor against graphql-core's own: equal answers to any query."""

from collections.abc import Iterator
from typing import Any

import pytest
from graphql import (
    GraphQLField,
    GraphQLInterfaceType,
    GraphQLNamedType,
    GraphQLObjectType,
    GraphQLUnionType,
    execute,
    get_named_type,
    is_leaf_type,
)
from hypothesis import given, settings
from hypothesis import strategies as st

from historical_sync.sandbox import scenario
from historical_sync.sandbox.github import plan
from historical_sync.sandbox.github.budgets import RateLimit
from historical_sync.sandbox.github.connections import ByPosition, Page
from historical_sync.sandbox.github.fields import RESOLVERS
from historical_sync.sandbox.github.objects import Entry, GitActor, Moment, Named, type_of
from historical_sync.sandbox.github.pull_request_fields import EVENT_KINDS
from historical_sync.sandbox.github.query import Query
from historical_sync.sandbox.github.registry import attribute
from historical_sync.sandbox.github.schema import read_document, schema
from historical_sync.sandbox.ordering import Orders
from historical_sync.sandbox.world import World
from historical_sync_tests.sandbox.fixtures import NOW

WORLD = scenario.demo(now=NOW)
ORDERS = Orders()
CONSTANTS = {
    "owner": '"demo"',
    "name": '"storefront"',
    "login": '"anaf"',
    "number": "401",
    "query": '"repo:demo/payments is:pr is:merged sort:updated-desc"',
    "type": "ISSUE",
}


def awkward(world: World) -> World:
    """Null entries in lists, as GitHub gives them now and then."""
    one = next(iter(world.repositories["demo/storefront"]))
    one.reviews = [None, *one.reviews]  # type: ignore[list-item]
    one.files = [*one.files, None]  # type: ignore[list-item]
    return world


awkward(WORLD)
IDS = [one.node_id for one in WORLD.pull_requests()][:40]


def resolve(source: Any, info: Any, **arguments: Any) -> Any:
    """The same resolvers, called by graphql-core."""
    resolver = RESOLVERS.get((info.parent_type.name, info.field_name))
    if resolver is None:
        return getattr(source, attribute(info.field_name))
    return resolver(source, arguments, info.context)


def new_query(variables: dict[str, Any]) -> Query:
    limit = RateLimit(1, 5000, 10, 4999, "2025-12-25T13:00:00Z", 1)
    return Query(WORLD, ORDERS, WORLD.account("reader"), variables, limit)


def arguments_of(draw: Any, name: str, definition: GraphQLField) -> str | None:
    """Arguments for a field, or None when it needs one that we cannot give."""
    given_arguments = []
    if name == "nodes" and "ids" in definition.args:
        ids = draw(st.lists(st.sampled_from([*IDS, "PR_nobody"]), max_size=4))
        return "(ids: [" + ", ".join(f'"{one}"' for one in ids) + "])"
    if name == "node" and "id" in definition.args:
        return f'(id: "{draw(st.sampled_from(IDS))}")'
    if "first" in definition.args:
        given_arguments.append(f"{draw(st.sampled_from(['first', 'last']))}: {draw(st.integers(1, 4))}")
    if name == "pullRequests" and draw(st.booleans()):
        field = draw(st.sampled_from(["CREATED_AT", "UPDATED_AT", "COMMENTS"]))
        given_arguments.append(f"orderBy: {{field: {field}, direction: {draw(st.sampled_from(['ASC', 'DESC']))}}}")
    if name == "timelineItems" and draw(st.booleans()):
        given_arguments.append("itemTypes: [READY_FOR_REVIEW_EVENT]")
    for argument, value in CONSTANTS.items():
        if argument in definition.args and str(definition.args[argument].type).endswith("!"):
            given_arguments.append(f"{argument}: {value}")
    return f"({', '.join(given_arguments)})" if given_arguments else ""


@st.composite
def selections(draw: Any, kind: GraphQLNamedType, depth: int) -> str:
    """A selection of fields of a type, with aliases and fragments here and there."""
    if isinstance(kind, (GraphQLInterfaceType, GraphQLUnionType)):
        possible = [one for one in schema().get_possible_types(kind) if one.name != "Query"]
        members = draw(st.lists(st.sampled_from(possible), max_size=2, unique=True))
        inner = [f"... on {one.name} {draw(selections(one, depth))}" for one in members]
        return "{ __typename " + " ".join(inner) + " }"
    assert isinstance(kind, GraphQLObjectType)
    names = draw(st.lists(st.sampled_from(sorted(kind.fields)), min_size=1, max_size=5, unique=True))
    parts = list(written(draw, kind, names, depth))
    return "{ " + " ".join(["__typename", *parts] if draw(st.booleans()) or not parts else parts) + " }"


def written(draw: Any, kind: GraphQLObjectType, names: list[str], depth: int) -> Iterator[str]:
    for index, name in enumerate(names):
        definition = kind.fields[name]
        inner = get_named_type(definition.type)
        alias = f"{kind.name}_{name}_{index}: "
        call = alias + name + (arguments_of(draw, name, definition) or "")
        if is_leaf_type(inner):
            yield call
        elif depth > 0:
            field = f"{call} {draw(selections(inner, depth - 1))}"
            yield f"... on {kind.name} {{ {field} }}" if draw(st.booleans()) else field


def assert_same(text: str) -> None:
    """Both executors answer this query alike."""
    document = read_document(text)
    ours = new_query({})
    answer = plan.execute(document, None, ours)
    theirs = execute(
        schema(),
        document.node,
        context_value=new_query({}),
        field_resolver=resolve,
        type_resolver=lambda value, info, kind: type_of(value),
    )
    assert answer == theirs.data
    told = {(tuple(one["path"]), one["message"]) for one in ours.errors}
    assert {(tuple(one.path or ()), one.message) for one in theirs.errors or []} <= told


@settings(max_examples=100, deadline=None)
@given(st.data())
def test_answers_equal_those_of_graphql_core(data: Any) -> None:
    """Whatever is asked, the compiled plan answers what graphql-core's executor answers, errors with their paths."""
    assert_same("query " + data.draw(selections(schema().query_type, 5)))


@settings(max_examples=150, deadline=None)
@given(st.data(), st.lists(st.sampled_from([*IDS, "PR_nobody"]), min_size=1, max_size=4))
def test_pull_requests_equal_those_of_graphql_core(data: Any, ids: list[str]) -> None:
    """The same for what ingestion asks: fields and lists of pull requests by id and by page."""
    kind = schema().type_map["PullRequest"]
    by_id, by_page = data.draw(selections(kind, 3)), data.draw(selections(kind, 2))
    wanted = ", ".join(f'"{one}"' for one in ids)
    first = data.draw(st.integers(1, 5))
    assert_same(
        f"""{{ nodes(ids: [{wanted}]) {{ ... on PullRequest {by_id} }}
        repository(owner: "demo", name: "storefront") {{ pullRequests(first: {first}) {{ nodes {by_page} }} }} }}"""
    )


@pytest.mark.parametrize("is_on", [True, False])
def test_include_and_skip_follow_their_variables(is_on: bool) -> None:
    """@include and @skip are obeyed, with one plan for each setting of their variables."""
    document = read_document("query($on: Boolean!) { viewer { login @include(if: $on) name @skip(if: $on) } }")
    answer = plan.execute(document, None, new_query({"on": is_on}))
    assert answer is not None
    assert set(answer["viewer"]) == ({"login"} if is_on else {"name"})


def test_one_field_asked_twice_is_merged() -> None:
    """Two selections of one field are one field with both selections, as the specification has it."""
    document = read_document("{ viewer { login } ...More } fragment More on Query { viewer { id } }")
    answer = plan.execute(document, None, new_query({}))
    assert answer is not None
    assert set(answer["viewer"]) == {"login", "id"}


def samples() -> dict[str, Any]:
    """An object of every type that the sandbox serves."""
    one = next(one for one in WORLD.repositories["demo/storefront"] if one.events and one.reviews)
    page = Page(ByPosition([1]), {"first": 1}, one)
    commit = one.commits[0]
    named = {kind: Named(kind, "x", one.repository) for kind in ("Label", "Milestone", "Issue", "IssueComment", "Ref")}
    accounts = dict.fromkeys(("User", "Bot", "Mannequin", "Organization", "EnterpriseUserAccount"), one.author)
    events = dict.fromkeys(EVENT_KINDS, Moment(one.events[0], 0, one))
    pages = {name: page for name in schema().type_map if name.endswith("Connection")}
    edges = {name: page.edges[0] for name in schema().type_map if name.endswith("Edge")}
    return {
        **named,
        **accounts,
        **events,
        **pages,
        **edges,
        "PullRequest": one,
        "Repository": one.repository,
        "PullRequestReview": next(filter(None, one.reviews)),
        "PullRequestChangedFile": one.files[0],
        "PullRequestCommit": Entry(commit, one),
        "Commit": commit,
        "GitActor": GitActor("a", "b", None, commit.authored_at),
        "PageInfo": page,
        "RateLimit": new_query({}).rate_limit,
        "Query": None,
        "GitHubMetadata": True,
    }


NEVER_SERVED = {"Language", "ReviewRequest", "PullRequestReviewComment"}
"""Types of lists that are always empty and fields that are always null: they are there for queries that name them."""


def test_every_field_of_the_schema_has_an_answer() -> None:
    """No field that a query may ask lacks both a resolver and an attribute."""
    known = samples()
    missing = [
        f"{name}.{field}"
        for name, kind in schema().type_map.items()
        if isinstance(kind, GraphQLObjectType) and not name.startswith("__") and name not in NEVER_SERVED
        for field in kind.fields
        if (name, field) not in RESOLVERS and not hasattr(known[name], attribute(field))
    ]
    assert not missing
