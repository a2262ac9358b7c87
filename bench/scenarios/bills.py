"""What 20,000 pull requests would cost by other tools' documented designs, beside ours. Arithmetic, not runs.

Counted by GitHub's formula as the sandbox charges it; requests for lists over a page are not counted for the others.
What ours costs is measured by `ingestion`.
"""

from __future__ import annotations

from dataclasses import dataclass

from bench.rows import Row, count
from historical_sync.sandbox.github.cost import Price

TITLE = "Other designs, by arithmetic"

PULL_REQUESTS = 20_000


@dataclass(frozen=True)
class Design:
    """Another tool's documented way: GraphQL pages of so many with so many lists, REST requests per pull request."""

    name: str
    page: int
    lists: int
    queries_per_page: int = 1
    rest_per_pull_request: int = 0
    rest_page: int = 0
    graphql_per_pull_request: int = 0
    remark: str = ""

    def cost(self, count: int) -> tuple[int, int]:
        """Requests and GraphQL points for `count` pull requests, by GitHub's formula as the sandbox charges it."""
        pages = -(-count // self.page) * self.queries_per_page if self.page else 0
        rest = (-(-count // self.rest_page) if self.rest_page else 0) + count * self.rest_per_pull_request
        single = count * self.graphql_per_pull_request
        return pages + rest + single, pages * Price(requests=1 + self.page * self.lists).points + single


DESIGNS = (
    Design("page 10 with six lists (this project's predecessor)", 10, 6, remark="lists cut at 25 or 50"),
    Design("Airbyte source-github", 10, 2, queries_per_page=3, rest_per_pull_request=1, remark="no files"),
    Design("DevLake github_graphql", 10, 5, remark="commits cut at 100; files by cloning"),
    Design("Augur", 0, 0, rest_page=100, rest_per_pull_request=2, graphql_per_pull_request=1),
    Design("Perceval (GrimoireLab)", 0, 0, rest_page=100, rest_per_pull_request=3, remark="no files"),
    Design("Singer tap-github", 0, 0, rest_page=100, rest_per_pull_request=3, remark="files as a raw diff"),
)


def run(rounds: int, quick: bool) -> list[Row]:
    """Requests and points of each design."""
    rows = []
    for design in DESIGNS:
        requests, points = design.cost(PULL_REQUESTS)
        name = f"{design.name}{f' ({design.remark})' if design.remark else ''}"
        rows += [count(f"{name}: requests", requests), count(f"{name}: points", points)]
    return rows
