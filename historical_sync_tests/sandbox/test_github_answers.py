"""GitHub's answers over HTTP: shapes of data, errors, headers and refusals, as documented and as seen in reports."""

import base64
from datetime import UTC, datetime

import pytest
import requests

from historical_sync.sandbox.server import Sandbox
from historical_sync_tests.sandbox.conftest import Ask, post
from historical_sync_tests.sandbox.worlds import add_pull_request, numbered

REPOSITORY = "query($o: String!, $n: String!) { repository(owner: $o, name: $n) { nameWithOwner } }"


def test_a_pull_request_as_ingestion_asks_for_it(ask: Ask, sandbox: Sandbox) -> None:
    """Scalars, nullable objects and lists come in GitHub's spelling."""
    truth = next(iter(sandbox.world.repositories["demo/storefront"]))
    answer = ask(
        """query($id: ID!) { node(id: $id) { __typename ... on PullRequest {
        id number fullDatabaseId state isDraft createdAt mergedAt headRefName changedFiles repository { nameWithOwner }
        author { __typename login } milestone { title } files(first: 2) { totalCount nodes { path changeType } }
        commits(first: 1) { nodes { commit { oid author { name user { login } } } } } } } }""",
        id=truth.node_id,
    ).json()["data"]["node"]
    assert answer["__typename"] == "PullRequest"
    assert answer["fullDatabaseId"] == str(truth.database_id)
    assert answer["files"]["totalCount"] == len(truth.files) == answer["changedFiles"]
    assert answer["repository"] == {"nameWithOwner": "demo/storefront"}
    assert answer["createdAt"].endswith("Z")


def test_headers_tell_limit_time_and_request(ask: Ask) -> None:
    """x-ratelimit-*, one Date, a request id."""
    headers = ask("{ viewer { login } }").headers
    assert headers["x-ratelimit-limit"] == "5000"
    assert headers["x-ratelimit-remaining"] == "4999"
    assert headers["x-ratelimit-resource"] == "graphql"
    assert abs(int(headers["x-ratelimit-reset"]) - datetime.now(UTC).timestamp() - 3600) < 5
    assert headers["date"].count("GMT") == 1
    assert headers["x-github-request-id"]


def test_a_bot_has_no_suffix_and_its_own_type(ask: Ask, sandbox: Sandbox) -> None:
    """GraphQL's login of a bot has no `[bot]`; its type is Bot."""
    bot = next(one for one in sandbox.world.pull_requests() if one.author and one.author.kind == "Bot")
    query = "query($id: ID!) { node(id: $id) { ... on PullRequest { author { __typename login } } } }"
    author = ask(query, id=bot.node_id).json()["data"]["node"]["author"]
    assert author["__typename"] == "Bot"
    assert "[bot]" not in author["login"]


@pytest.mark.parametrize("spelling", ["demo/Platform", "demo/platform", "DEMO/PLATFORM"])
def test_a_repository_is_found_in_any_case(ask: Ask, spelling: str) -> None:
    """Names are matched without case and answered as they are spelt."""
    owner, _, name = spelling.partition("/")
    assert ask(REPOSITORY, o=owner, n=name).json()["data"]["repository"] == {"nameWithOwner": "demo/Platform"}


def test_a_renamed_repository_is_followed(ask: Ask, sandbox: Sandbox) -> None:
    """The old name answers with the new one; its pull requests keep their ids; followRenames: false does not."""
    one = next(iter(sandbox.world.repositories["demo/payments"]))
    sandbox.world.rename("demo/payments", "finance/Money")
    assert ask(REPOSITORY, o="demo", n="payments").json()["data"]["repository"] == {"nameWithOwner": "finance/Money"}
    query = "query($id: ID!) { node(id: $id) { ... on PullRequest { repository { nameWithOwner } } } }"
    assert ask(query, id=one.node_id).json()["data"]["node"]["repository"] == {"nameWithOwner": "finance/Money"}
    strict = REPOSITORY.replace("name: $n)", "name: $n, followRenames: false)")
    assert ask(strict, o="demo", n="payments").json()["errors"][0]["type"] == "NOT_FOUND"


@pytest.mark.parametrize(
    ("access", "kind", "words"),
    [
        ("missing", "NOT_FOUND", "Could not resolve to a Repository with the name 'demo/payments'."),
        ("forbidden", "FORBIDDEN", "Resource not accessible by personal access token"),
        ("saml", "FORBIDDEN", "Resource protected by organization SAML enforcement."),
    ],
)
def test_a_repository_out_of_reach(ask: Ask, sandbox: Sandbox, access: str, kind: str, words: str) -> None:
    """Null data with an error at its path, HTTP 200, beside other data that is whole."""
    sandbox.world.repositories["demo/payments"].access = access
    query = """{ bad: repository(owner: "demo", name: "payments") { id }
                 good: repository(owner: "demo", name: "storefront") { name } }"""
    answer = ask(query)
    error = answer.json()["errors"][0]
    assert answer.status_code == 200
    assert answer.json()["data"] == {"bad": None, "good": {"name": "storefront"}}
    assert (error["type"], error["path"]) == (kind, ["bad"])
    assert error["message"].startswith(words)
    assert ("extensions" in error) == (access == "saml")


def test_ids_that_are_gone_are_null_with_their_place(ask: Ask, sandbox: Sandbox) -> None:
    """nodes(ids:): NOT_FOUND at the index of the missing one, the others whole."""
    kept, gone = list(sandbox.world.repositories["demo/storefront"])[:2]
    sandbox.world.remove(gone)
    query = "query($ids: [ID!]!) { nodes(ids: $ids) { ... on PullRequest { number } } }"
    answer = ask(query, ids=[gone.node_id, kept.node_id, "PR_nonsense"]).json()
    assert answer["data"]["nodes"] == [None, {"number": kept.number}, None]
    assert [one["path"] for one in answer["errors"]] == [["nodes", 0], ["nodes", 2]]
    assert answer["errors"][0]["message"] == f"Could not resolve to a node with the global id of '{gone.node_id}'."


def test_more_than_a_hundred_ids_are_refused(ask: Ask) -> None:
    """nodes(ids:) takes a hundred."""
    query = "query($ids: [ID!]!) { nodes(ids: $ids) { id } }"
    answer = ask(query, ids=["x"] * 101).json()
    assert answer["errors"][0]["type"] == "ARGUMENT_LIMIT"


def test_an_unknown_field_is_refused_in_githubs_words(ask: Ask) -> None:
    """A query that does not fit the schema is not executed."""
    answer = ask("{ viewer { shoeSize } }").json()
    assert "data" not in answer
    assert answer["errors"][0]["message"] == "Field 'shoeSize' doesn't exist on type 'User'"
    assert answer["errors"][0]["extensions"] == {
        "code": "undefinedField",
        "typeName": "User",
        "fieldName": "shoeSize",
    }


@pytest.mark.parametrize("query", ["{ viewer {", "query A { viewer { login } } query B { viewer { login } }"])
def test_what_cannot_be_read_is_refused(ask: Ask, query: str) -> None:
    """A parse error, and two operations without a name to choose by."""
    answer = ask(query).json()
    assert answer["errors"]
    assert "data" not in answer


def test_a_variable_of_the_wrong_type_is_refused(ask: Ask) -> None:
    """A required variable that is missing, told with its problem."""
    answer = ask('query($n: Int!) { repository(owner: "a", name: "b") { pullRequest(number: $n) { id } } }').json()
    assert answer["errors"][0]["extensions"]["problems"]


@pytest.mark.parametrize("header", [{}, {"authorization": "Bearer "}, {"authorization": "Basic dTpw"}])
def test_without_a_token_there_is_no_answer(sandbox: Sandbox, header: dict[str, str]) -> None:
    """401 Bad credentials."""
    url = f"{sandbox.github_url}/graphql"
    answer = requests.post(url, json={"query": "{ viewer { login } }"}, headers=header, timeout=5)
    assert (answer.status_code, answer.json()["message"]) == (401, "Bad credentials")


def test_a_revoked_token_ends_in_the_middle(sandbox: Sandbox) -> None:
    """Good, then 401; another token goes on."""
    assert post(sandbox, "{ viewer { login } }", "one").status_code == 200
    sandbox.github.identities.revoke("one")
    assert post(sandbox, "{ viewer { login } }", "one").status_code == 401
    assert post(sandbox, "{ viewer { login } }", "two").status_code == 200


def test_two_tokens_of_one_user_share_a_budget(sandbox: Sandbox) -> None:
    """The budget is the identity's, not the token's."""
    sandbox.github.identities.logins.update({"one": "ada", "two": "ada"})
    assert post(sandbox, "{ viewer { login } }", "one").json()["data"]["viewer"]["login"] == "ada"
    assert post(sandbox, "{ viewer { login } }", "two").headers["x-ratelimit-used"] == "2"
    assert post(sandbox, "{ viewer { login } }", "three").headers["x-ratelimit-used"] == "1"


def test_beyond_the_budget_there_is_an_error_and_no_data(sandbox: Sandbox) -> None:
    """HTTP 200, type RATE_LIMITED, nothing remaining; after the reset it works again."""
    sandbox.github.identities.limit = 2
    for _ in range(2):
        assert "data" in post(sandbox, "{ viewer { login } }").json()
    refused = post(sandbox, "{ viewer { login } }")
    assert refused.status_code == 200
    assert "data" not in refused.json()
    assert refused.json()["errors"][0]["type"] == "RATE_LIMITED"
    assert refused.headers["x-ratelimit-remaining"] == "0"
    budget = next(iter(sandbox.github.identities.budgets.values()))
    budget.resets_at = "2000-01-01T00:00:00Z"
    assert "data" in post(sandbox, "{ viewer { login } }").json()


@pytest.mark.parametrize(("mode", "told"), [("zero", {"limit": 0, "remaining": 0}), ("absent", None)])
def test_a_server_without_limits(sandbox: Sandbox, mode: str, told: dict[str, int] | None) -> None:
    """GitHub Enterprise Server with limits off: 0 of 0, or no headers at all; queries are answered."""
    sandbox.github.identities.mode = mode
    answer = post(sandbox, "{ viewer { login } rateLimit { limit remaining } }")
    assert answer.json()["data"]["rateLimit"] == told
    assert answer.json()["data"]["viewer"]
    assert ("x-ratelimit-limit" in answer.headers) == (mode == "zero")


def test_the_paths_of_an_enterprise_server(sandbox: Sandbox) -> None:
    """REST below /api/v3, GraphQL at /api/graphql."""
    headers = {"authorization": "token t"}
    graphql = requests.post(
        f"{sandbox.url}/api/graphql", json={"query": "{ viewer { login } }"}, headers=headers, timeout=5
    )
    rest = requests.get(f"{sandbox.url}/api/v3/user", headers=headers, timeout=5)
    assert graphql.json()["data"]["viewer"]["login"] == rest.json()["login"]


def test_search_counts_all_and_gives_a_thousand() -> None:
    """issueCount may exceed what can be paged: search ends at 1,000 results."""
    with Sandbox(numbered(1005)) as running:
        query = """query($after: String) {
            search(type: ISSUE, query: "repo:acme/api is:pr", first: 100, after: $after) {
                issueCount pageInfo { hasNextPage endCursor } nodes { ... on PullRequest { number } } } }"""
        found, after = 0, None
        while True:
            page = post(running, query, after=after).json()["data"]["search"]
            assert page["issueCount"] == 1005
            found += len(page["nodes"])
            after = page["pageInfo"]["endCursor"]
            if not page["pageInfo"]["hasNextPage"]:
                break
        assert found == 1000


@pytest.mark.parametrize(
    ("qualifiers", "numbers"),
    [
        ("created:2025-03-01", {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11}),
        ("created:2025-03-01T13:00:00Z..2025-03-01T14:00:00Z", {1, 2}),
        ("created:>2025-03-01", {12}),
        ("merged:<2025-03-01T14:00:00Z", {1}),
        ("is:open", set()),
        ("author:ada -label:bug", set()),
        ("author:ada label:bug created:*..2025-03-01T13:00:00Z", {1}),
    ],
)
def test_search_understands_its_qualifiers(qualifiers: str, numbers: set[int]) -> None:
    """Days are whole UTC days, ranges include both ends, a minus negates."""
    with Sandbox(numbered(12)) as running:
        query = """query($q: String!) { search(type: ISSUE, query: $q, first: 50) {
            nodes { ... on PullRequest { number } } } }"""
        nodes = post(running, query, q=f"repo:acme/api is:pr {qualifiers}").json()["data"]["search"]["nodes"]
        assert {one["number"] for one in nodes} == numbers


def test_a_refused_cursor_nulls_its_repository() -> None:
    """INVALID_CURSOR_ARGUMENTS: pullRequests may not be null, so the repository is, with the path of the list."""
    with Sandbox(numbered(3)) as running:
        cursor = base64.b64encode(b"cursor:v1:old").decode()
        query = """query($c: String) { repository(owner: "acme", name: "api") {
            pullRequests(first: 1, after: $c) { nodes { id } } } }"""
        answer = post(running, query, c=cursor).json()
        assert answer["data"] == {"repository": None}
        assert answer["errors"][0]["type"] == "INVALID_CURSOR_ARGUMENTS"
        assert answer["errors"][0]["path"] == ["repository", "pullRequests"]


def test_odd_text_travels_as_json() -> None:
    """NUL and half a surrogate pair arrive as JSON escapes, as they do from GitHub."""
    world = numbered(0)
    add_pull_request(world, world.repositories["acme/api"], 1, title="a\0b\ud83dc")
    with Sandbox(world) as running:
        query = '{ repository(owner: "acme", name: "api") { pullRequest(number: 1) { title } } }'
        assert "\\u0000" in post(running, query).text
        assert post(running, query).json()["data"]["repository"]["pullRequest"]["title"] == "a\0b\ud83dc"


def test_a_repository_may_be_open_to_some_only(sandbox: Sandbox) -> None:
    """One identity reads it, another does not find it, by name or by id."""
    sandbox.github.identities.logins.update({"one": "ada", "two": "bob"})
    repository = sandbox.world.repositories["demo/payments"]
    repository.access_of = {"bob": "missing"}
    node_id = next(iter(repository)).node_id
    query = """query($o: String!, $n: String!, $id: ID!) {
        repository(owner: $o, name: $n) { name } node(id: $id) { id } }"""
    for token, name, found in (("one", {"name": "payments"}, {"id": node_id}), ("two", None, None)):
        data = post(sandbox, query, token, o="demo", n="payments", id=node_id).json()["data"]
        assert data == {"repository": name, "node": found}
