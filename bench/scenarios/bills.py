"""What the same pull requests cost by five other tools' designs and by ours, all run against one sandbox.

GraphQL requests and points are counted by the server. What a tool asks over REST is counted by its own pages
(`bench.designs`). Beside each bill stands how many pull requests are without some file, commit or review afterwards.
"""

from __future__ import annotations

from bench.designs import DESIGNS, Reader
from bench.ground import NOW, RecordingSandbox, database, register, work
from bench.rows import Row, count
from historical_sync.sandbox import scenario
from historical_sync.sandbox.world import Repository, World
from historical_sync.warehouse.postgres import Warehouse

TITLE = "Other designs on the same pull requests"


def run(rounds: int, quick: bool) -> list[Row]:
    """Requests, points and what is missing, for each design and for ours."""
    world = scenario.scale(60 if quick else 1_000, 1, months=0.9, now=NOW)
    name = next(iter(world.repositories))
    repository = world.repository(name)
    if repository is None:
        raise ValueError(name)
    rows = []
    for design in DESIGNS:
        with RecordingSandbox(world) as sandbox:
            reader = Reader(sandbox, name)
            design.read(reader, repository)
        bill = reader.bill
        what = f"{design.name} (lacks {design.lacks})"
        rows += [
            count(f"{what}: requests to GraphQL", bill.requests),
            count(f"{what}: points", bill.points),
            count(f"{what}: requests to REST (counted)", bill.rest_requests),
            count(f"{what}: pull requests without some file, commit or review", bill.incomplete(repository)),
        ]
    return [*rows, *_ours(world, repository)]


def _ours(world: World, repository: Repository) -> list[Row]:
    with database() as url, RecordingSandbox(world) as sandbox:
        register(url, list(world.repositories), 1)
        work(sandbox, url, "ingest", 1)
        warehouse = Warehouse(url)
        with warehouse.transaction() as tx:
            stored = {
                row["number"]: (row["files"], row["commits"], row["reviews"])
                for row in tx.rows(
                    """
                    select number,
                        (select count(*) from pull_request_files f where f.repository = p.repository
                            and f.number = p.number) as files,
                        (select count(*) from pull_request_commits c where c.repository = p.repository
                            and c.number = p.number) as commits,
                        (select count(*) from pull_request_reviews r where r.repository = p.repository
                            and r.number = p.number) as reviews
                    from pull_requests p
                    """
                )
            }
        warehouse.close()
        missing = sum(
            stored.get(one.number) != (len(one.files), len(one.commits), len(one.reviews)) for one in repository
        )
        return [
            count("historical_sync: requests to GraphQL", sandbox.requests.graphql_requests),
            count("historical_sync: points", sandbox.requests.points),
            count("historical_sync: requests to REST (counted)", 0),
            count("historical_sync: pull requests without some file, commit or review", missing, most=0),
        ]
