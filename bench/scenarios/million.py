"""A million pull requests of a thousand teams in the tables: does one team notice the others?

The same team stands in two databases of one server: alone, and among its neighbours. Each of its queries is made in
both, in turn.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from datetime import UTC, datetime

from starlette.testclient import TestClient

from bench.ground import database
from bench.rows import Row, alternate, timed
from bench.seeding import MODEL, Shape, fill
from historical_sync.dashboard.server import create_app
from historical_sync.settings import Settings
from historical_sync.trends.publication import publish_month
from historical_sync.warehouse import benchmarks, index, operations, refreshes, walk_holes
from historical_sync.warehouse.postgres import Warehouse
from historical_sync.warehouse.registry import tracked_repositories

TITLE = "A million pull requests"

AMONG_OTHERS = 1.3
REPEATS = 3
NOW = datetime.now(UTC)


def run(rounds: int, quick: bool) -> list[Row]:
    """Trends of one team-month, the page's queries, the refresh's, alone and among the neighbours."""
    shape = Shape(3, 2, 4) if quick else Shape(1_000, 3, 26)
    alone = Shape(1, shape.repositories, shape.per_month)
    with ExitStack() as stack:
        few, many = (Tenant(stack, one) for one in (alone, shape))
        for tenant in (few, many):
            for _, once in tenant.works():
                once()  # neither is measured cold
        named = f"among {shape.pull_requests:,} pull requests of {shape.teams:,} teams"
        rows = [
            Row(f"{what}, {named}", "s", *alternate(rounds, ours, floor), "alone", AMONG_OTHERS)
            for (what, ours), (_, floor) in zip(many.works(), few.works(), strict=True)
        ]
        return [*rows, *for_everybody(many, rounds)]


class Tenant:
    """The team `MODEL` in a database filled with this shape."""

    def __init__(self, stack: ExitStack, shape: Shape) -> None:
        url = stack.enter_context(database())
        self.warehouse = Warehouse(url)
        stack.callback(self.warehouse.close)
        self.months = fill(self.warehouse, shape, NOW)
        settings = Settings.from_environment({"HISTORICAL_SYNC_DATABASE_URL": url})
        app = create_app(settings, environment={})
        self.page = stack.enter_context(TestClient(app, base_url="http://127.0.0.1:3001", client=("127.0.0.1", 50_000)))

    def works(self) -> list[tuple[str, Callable[[], float]]]:
        """What is timed, by name."""
        paths = {
            "trends page": f"/teams/{MODEL}/trends",
            "trends page of a repository": f"/teams/{MODEL}/trends?repository=acme/repository-1",
            "progress page": f"/teams/{MODEL}/progress",
            "trends as JSON": f"/api/teams/{MODEL}/trends",
            "pull requests of a month as JSON": f"/api/teams/{MODEL}/pull-requests"
            f"?metric=pull_requests_merged&month={self.months[2]:%Y-%m}",
        }
        return [
            ("trends of a month", lambda: timed(self._publish)),
            *((what, lambda path=path: timed(lambda: self._get(path))) for what, path in paths.items()),
            ("queries of a refresh", lambda: timed(self._refresh)),
        ]

    def _publish(self) -> None:
        publish_month(self.warehouse, MODEL, self.months[2], now=NOW)

    def _get(self, path: str) -> None:
        for _ in range(REPEATS):
            self.page.get(path).raise_for_status()

    def _refresh(self) -> None:
        for _ in range(REPEATS):
            with self.warehouse.transaction() as tx:
                names = [one.repository for one in tracked_repositories(tx, MODEL)]
                for name in names:
                    index.read_walk(tx, MODEL, name, "look")
                assert not index.months_behind(tx, MODEL, since=min(self.months))
                walk_holes.nulls_concerning(tx, MODEL, min(self.months), names)


def for_everybody(many: Tenant, rounds: int) -> list[Row]:
    """The queries that look at every team, once a tick: seconds, without a floor."""

    def due() -> None:
        with many.warehouse.transaction() as tx:
            assert not operations.months_due(tx, now=NOW, first_month=min(many.months))

    def refreshable() -> None:
        with many.warehouse.transaction() as tx:
            refreshes.refreshes_due(tx, now=NOW)

    def compare() -> None:
        with many.warehouse.transaction() as tx:
            benchmarks.refresh_benchmarks(tx, many.months[2])

    return [
        Row("months due of all teams (each sensor tick)", "s", tuple(timed(due) for _ in range(rounds))),
        Row("refreshes due of all teams (every ten minutes)", "s", tuple(timed(refreshable) for _ in range(rounds))),
        Row("benchmarks of a month over all teams (by a sensor)", "s", tuple(timed(compare) for _ in range(rounds))),
    ]
