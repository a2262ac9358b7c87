"""The check of the sandbox's schema against the official one can fail, and says where."""

import importlib.util
from pathlib import Path
from types import ModuleType

import pytest
from graphql import build_schema

from historical_sync.sandbox.github.schema import SCHEMA_FILE

CHECK = Path(__file__).parents[2] / ".ci" / "schema" / "check.py"
OURS = SCHEMA_FILE.read_text()


@pytest.fixture(scope="module")
def check() -> ModuleType:
    spec = importlib.util.spec_from_file_location("schema_check", CHECK)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def differences(check: ModuleType, official: str) -> list[str]:
    return list(check.schema_differences(build_schema(OURS), build_schema(official, assume_valid=True)))


def test_a_schema_is_a_subset_of_itself_and_of_a_larger_one(check: ModuleType) -> None:
    """More types, fields, optional arguments and members upstream are no difference."""
    larger = OURS.replace("type PageInfo {", "type PageInfo {\n  extra: Int", 1)
    larger = larger.replace("pullRequest(number: Int!)", "pullRequest(number: Int!, more: String)")
    larger = larger.replace("union RequestedReviewer = Bot", "union RequestedReviewer = Organization | Bot")
    assert differences(check, OURS) == []
    assert differences(check, larger + "\ntype Extra { id: ID }") == []


@pytest.mark.parametrize(
    ("ours", "theirs", "told"),
    [
        ("  hasNextPage: Boolean!\n", "", "PageInfo.hasNextPage: no such field"),
        ("  closedAt: DateTime\n  closingIssues", "  closedAt: DateTime!\n  closingIssues", "PullRequest.closedAt"),
        ("merged: Boolean!", "merged: Boolean", "PullRequest.merged: Boolean! instead of Boolean"),
        ("nodes(ids: [ID!]!)", "nodes(ids: [ID!])", "Query.nodes(ids)"),
        ("pullRequest(number: Int!)", "pullRequest(nr: Int!)", "Query"),
        ("followRenames: Boolean = true", "followRenames: Boolean = false", "Query.repository(followRenames)"),
        ("viewer: User!", "viewer(why: String!): User!", "Query.viewer(why): required argument left out"),
        ("  DISMISSED\n  PENDING", "  PENDING", "PullRequestReviewState: value DISMISSED"),
        ("union RequestedReviewer = Bot | ", "union RequestedReviewer = ", "RequestedReviewer: Bot is no member"),
        ("scalar GitTimestamp", "enum GitTimestamp { A }", "GitTimestamp: is a GraphQLEnumType"),
        (
            "  direction: OrderDirection!\n  field: LabelOrderField!",
            "  field: LabelOrderField!",
            "LabelOrder.direction",
        ),
        ("type Label implements Node", "type Label", "Label: does not implement Node"),
    ],
)
def test_what_the_official_schema_has_otherwise_is_told(check: ModuleType, ours: str, theirs: str, told: str) -> None:
    """Each kind of difference is found, and named by its place."""
    assert ours in OURS
    found = differences(check, OURS.replace(ours, theirs))
    place = "Repository.pullRequest(number): no such argument" if told == "Query" else told
    assert any(line.startswith(place) for line in found), found


def test_a_query_that_github_would_refuse_is_told(check: ModuleType) -> None:
    """A field that does not exist, by the query's name; the right one is fine."""
    schema = build_schema(OURS)
    documents = {"good": "{ viewer { login } }", "bad": "{ viewer { shoeSize } }"}
    (line,) = check.query_errors(documents, schema)
    assert line.startswith("query bad: Cannot query field 'shoeSize'")
