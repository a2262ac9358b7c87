"""What the sandbox itself costs: CPU seconds per 1,000 pull requests, beside graphql-core's own executor.

python -m historical_sync_tests.sandbox.measure 20000
"""

import json
import resource
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from graphql import execute

from historical_sync.github.queries import HYDRATE, WALK
from historical_sync.sandbox import scenario
from historical_sync.sandbox.github.objects import type_of
from historical_sync.sandbox.github.query import Query
from historical_sync.sandbox.github.schema import read_document, schema
from historical_sync.sandbox.server import Sandbox
from historical_sync_tests.sandbox.test_execution import resolve

PAGE = 21


@contextmanager
def measured(what: str, count: int, tell: Callable[[str], object]) -> Iterator[None]:
    """Tell the CPU seconds per 1,000 of `count`."""
    began = time.process_time()
    yield
    tell(f"{what:<42}{(time.process_time() - began) / count * 1000:8.3f} CPU seconds per 1,000\n")


def main(count: int, tell: Callable[[str], object]) -> None:
    """Make, walk and hydrate a bulk history of `count` pull requests."""
    with measured("made", count, tell):
        sandbox = Sandbox(scenario.scale(count))
    ids = [one.node_id for one in sandbox.world.pull_requests()]
    with measured("walked, pages of 100", count, tell):
        after = None
        while True:
            variables = {"owner": "scale", "name": "repo-000", "first": 100, "after": after}
            answer = sandbox.github.graphql("t", json.dumps({"query": WALK, "variables": variables}).encode())
            info = json.loads(answer.body)["data"]["repository"]["pullRequests"]["pageInfo"]
            if not info["hasNextPage"]:
                break
            after = info["endCursor"]
    with measured(f"hydrated, pages of {PAGE}, all lists", count, tell):
        for start in range(0, count, PAGE):
            body = {"query": HYDRATE, "variables": {"ids": ids[start : start + PAGE]}}
            sandbox.github.graphql("t", json.dumps(body).encode())
    few = ids[: min(count, 420)]
    with measured("the same through graphql-core's executor", len(few), tell):
        for start in range(0, len(few), PAGE):
            variables = {"ids": few[start : start + PAGE]}
            query = Query(sandbox.world, sandbox.github.orders, sandbox.world.account("t"), variables)
            execute(
                schema(),
                read_document(HYDRATE).node,
                context_value=query,
                variable_values=variables,
                field_resolver=resolve,
                type_resolver=lambda value, info, kind: type_of(value),
            )
    tell(f"peak memory {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024} MB\n")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 20_000, sys.stdout.write)
