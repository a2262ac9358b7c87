"""How other tools read pull requests, as their sources and documentation show it, run against the same sandbox.

Only what decides the bill and the completeness is imitated: the page size, the lists and their lengths, whether lists
are read on, what is asked per pull request. What a tool asks over REST is counted, not sent: the sandbox has no REST
API for pull requests, and there a request costs a request.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import requests

from historical_sync.sandbox.server import Sandbox
from historical_sync.sandbox.world import PullRequest, Repository

LISTS = ("files", "commits", "reviews")
"""What a complete tool has all of. Their entries are counted, not read."""
ENTRY = {"files": "path", "commits": "commit { oid }", "reviews": "id", "labels": "name", "assignees": "login"}
ENTRY["closingIssuesReferences"] = "number"


@dataclass
class Bill:
    """What a design asked, and how many entries of each list it has by then: number → list → entries."""

    requests: int = 0
    points: int = 0
    rest_requests: int = 0
    seen: dict[int, dict[str, int]] = field(default_factory=dict)

    def incomplete(self, repository: Repository) -> int:
        """Pull requests that it has not, or not with all their files, commits and reviews."""
        return sum(not _is_whole(one, self.seen.get(one.number, {})) for one in repository)


class Reader:
    """Sends a design's questions and keeps its bill."""

    def __init__(self, sandbox: Sandbox, repository: str) -> None:
        self.owner, _, self.name = repository.partition("/")
        self.bill = Bill()
        self._url = f"{sandbox.github_url}/graphql"
        self._session = requests.Session()
        self._session.headers["Authorization"] = "Bearer bench"

    def pages(self, size: int, fields: str) -> list[dict[str, Any]]:
        """All pull requests in pages of `size`; what came of them."""
        query = f"""query($owner: String!, $name: String!, $after: String) {{
          repository(owner: $owner, name: $name) {{
            pullRequests(first: {size}, after: $after, orderBy: {{field: CREATED_AT, direction: DESC}}) {{
              pageInfo {{ hasNextPage endCursor }} nodes {{ id number title {fields} }} }} }}
          rateLimit {{ cost }} }}"""
        found: list[dict[str, Any]] = []
        after: str | None = None
        while True:
            data = self._ask(query, {"owner": self.owner, "name": self.name, "after": after})
            page = data["repository"]["pullRequests"]
            found += page["nodes"]
            for node in page["nodes"]:
                self._see(node)
            after = page["pageInfo"]["endCursor"]
            if not page["pageInfo"]["hasNextPage"]:
                return found

    def rest_of(self, node: dict[str, Any], name: str, after: str | None) -> None:
        """The further pages of one list of one pull request, one request each."""
        query = f"""query($id: ID!, $after: String) {{ node(id: $id) {{ ... on PullRequest {{ number
          {connection(name, 100, "after: $after")} }} }} rateLimit {{ cost }} }}"""
        while True:
            found = self._ask(query, {"id": node["id"], "after": after})["node"]
            self._see(found, is_more=True)
            after = found[name]["pageInfo"]["endCursor"]
            if not found[name]["pageInfo"]["hasNextPage"]:
                return

    def count_rest(self, requests_sent: int, known: dict[int, dict[str, int]] | None = None) -> None:
        """Requests that the tool sends to the REST API, and what they give it."""
        self.bill.rest_requests += requests_sent
        for number, lists in (known or {}).items():
            self.bill.seen.setdefault(number, {}).update(lists)

    def _see(self, node: dict[str, Any], *, is_more: bool = False) -> None:
        lists = self.bill.seen.setdefault(node["number"], {})
        for name in LISTS:
            if name in node:
                lists[name] = len(node[name]["nodes"]) + (lists.get(name, 0) if is_more else 0)

    def _ask(self, query: str, variables: dict[str, Any]) -> dict[str, Any]:
        response = self._session.post(self._url, json={"query": query, "variables": variables}, timeout=60)
        response.raise_for_status()
        answer = response.json()
        if "errors" in answer:
            raise RuntimeError(answer["errors"])
        data: dict[str, Any] = answer["data"]
        self.bill.requests += 1
        self.bill.points += data["rateLimit"]["cost"]
        return data


@dataclass(frozen=True)
class Design:
    """A tool's way. `lacks` says what of our contract it does not have, whatever the lists."""

    name: str
    lacks: str
    read: Callable[[Reader, Repository], None]


def connection(name: str, first: int, more: str = "") -> str:
    """One list in a query."""
    arguments = ", ".join(filter(None, (f"first: {first}", more)))
    return f"{name}({arguments}) {{ pageInfo {{ hasNextPage endCursor }} nodes {{ {ENTRY[name]} }} }}"


def predecessor(reader: Reader, repository: Repository) -> None:
    """Pages of ten, six lists cut at fifty files, fifty commits, twenty-five reviews."""
    lists = {"files": 50, "commits": 50, "reviews": 25, "labels": 10, "assignees": 10, "closingIssuesReferences": 10}
    reader.pages(10, " ".join(connection(name, first) for name, first in lists.items()))


def devlake(reader: Reader, repository: Repository) -> None:
    """Pages of ten with five lists of a hundred, none read on."""
    names = ("labels", "assignees", "reviews", "commits", "closingIssuesReferences")
    reader.pages(10, " ".join(connection(name, 100) for name in names))


def airbyte(reader: Reader, repository: Repository) -> None:
    """Pull requests and their commits over REST, sizes and reviews by GraphQL in pages of ten, reviews read on."""
    reader.pages(10, "additions deletions changedFiles")
    for node in reader.pages(10, connection("reviews", 100)):
        if node["reviews"]["pageInfo"]["hasNextPage"]:
            reader.rest_of(node, "reviews", node["reviews"]["pageInfo"]["endCursor"])
    pages = _rest_pages(repository, 10) + sum(_rest_pages_of(one.commits, 100) for one in repository)
    reader.count_rest(pages, {one.number: {"commits": len(one.commits)} for one in repository})


def augur(reader: Reader, repository: Repository) -> None:
    """Pull requests, commits and reviews over REST, files by GraphQL for each pull request by itself."""
    for one in repository:
        reader.rest_of({"id": one.node_id}, "files", None)
    each = sum(_rest_pages_of(one.commits, 100) + _rest_pages_of(one.reviews, 100) for one in repository)
    known = {one.number: {"commits": len(one.commits), "reviews": len(one.reviews)} for one in repository}
    reader.count_rest(_rest_pages(repository, 100) + each, known)


def github_for_jira(reader: Reader, repository: Repository) -> None:
    """Pages of twenty with reviews, reviewers' labels and the last commit only."""
    reader.pages(20, f"{connection('reviews', 100)} {connection('labels', 100)} {connection('commits', 1)}")


DESIGNS = (
    Design("this project's predecessor (page 10, six lists cut)", "lists beyond 25 or 50", predecessor),
    Design("DevLake github_graphql", "files (it clones), commits beyond 100", devlake),
    Design("Airbyte source-github", "files", airbyte),
    Design("Augur", "nothing", augur),
    Design("GitHub for Jira", "files, all commits but the last", github_for_jira),
)


def _is_whole(one: PullRequest, lists: dict[str, int]) -> bool:
    return all(lists.get(name, -1) >= len(getattr(one, name)) for name in LISTS)


def _rest_pages(repository: Repository, size: int) -> int:
    """Pages of a REST list, one empty one included where the last is full: there is no other way to see its end."""
    return len(list(repository)) // size + 1


def _rest_pages_of(entries: list[Any], size: int) -> int:
    return max(1, -(-len(entries) // size))
