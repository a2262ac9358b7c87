"""A warehouse with a team, a Groq that lies well, and a ledger driven through hours in moments."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta

import pytest

from historical_sync.classification import collection, groq_client
from historical_sync.classification.groq_client import GroqClient, connect
from historical_sync.classification.ledger import ClassificationSummary, classify_month, collect
from historical_sync.records import PullRequest, TeamMonth
from historical_sync.sandbox import scenario
from historical_sync.sandbox.server import Sandbox
from historical_sync.settings import Settings
from historical_sync.warehouse.llm_ledger import Balance, balance
from historical_sync.warehouse.postgres import Warehouse
from historical_sync.warehouse.pull_requests import upsert_pull_requests
from historical_sync_tests.factories import add_team, at, make_commit, make_file, make_pull_request

MARCH = date(2025, 3, 1)
NOW = at("2025-04-02T09:00")


def one_pull_request(number: int, **changes: object) -> PullRequest:
    """A pull request of March whose text is its own."""
    values = {
        "number": number,
        "title": f"Change number {number}",
        "body": f"This is why number {number} was needed.",
        "commits": (make_commit(oid=f"c{number}", message=f"Change number {number}"),),
        "files": (make_file(path=f"src/part_{number}.py"),),
    }
    return make_pull_request(**{**values, **changes})


def store(warehouse: Warehouse, pull_requests: Sequence[PullRequest], team_id: str = "acme") -> None:
    """Write a team, its repositories and these pull requests."""
    with warehouse.transaction() as tx:
        if tx.row("select 1 from teams where team_id = %s", [team_id]) is None:
            add_team(tx, team_id, *sorted({one.repository for one in pull_requests} | {"acme/api"}))
        upsert_pull_requests(tx, team_id, pull_requests)


class Hands:
    """A clock that moves when somebody moves it; the sandbox goes by it too."""

    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> datetime:
        return self.now


@dataclass
class Desk:
    """The ledger as a test drives it. Time only moves when the test says so, or by the steps of `settle`."""

    warehouse: Warehouse
    groq: GroqClient
    settings: Settings
    sandbox: Sandbox
    clock: Hands

    @property
    def now(self) -> datetime:
        """The present."""
        return self.clock.now

    def change_settings(self, **changes: object) -> None:
        """Change settings."""
        self.settings = replace(self.settings, **changes)  # type: ignore[arg-type]

    def later(self, **span: float) -> None:
        """Let time pass."""
        self.clock.now += timedelta(**span)

    def classify(self, month: date = MARCH, team_id: str = "acme") -> ClassificationSummary:
        """Classify a month now, without waiting."""
        return classify_month(self.warehouse, self.groq, team_id, month, self.settings, now=self.now, wait_seconds=0)

    def collect(self) -> frozenset[TeamMonth]:
        """Collect now."""
        return collect(self.warehouse, self.groq, self.settings, now=self.now)

    def settle(self, steps: int = 40, **step: float) -> set[TeamMonth]:
        """Collect until nothing is queued or in flight, with time passing between; returns all months that changed."""
        changed: set[TeamMonth] = set()
        for _ in range(steps):
            self.later(**(step or {"minutes": 15}))
            changed |= self.collect()
            if not self.open_work():
                return changed
        return changed

    def open_work(self) -> int:
        """Pull requests that are queued or in flight."""
        with self.warehouse.transaction() as tx:
            return int(tx.value("select count(*) from llm_classifications where queued_hash is not null"))

    def rows(self) -> dict[int, dict[str, object]]:
        """The classification of each pull request, by number."""
        with self.warehouse.transaction() as tx:
            found = tx.rows("select * from llm_classifications order by number")
        return {row["number"]: row for row in found}

    def statuses(self) -> dict[int, str]:
        """The status of each pull request, by number."""
        return {number: str(row["status"]) for number, row in self.rows().items()}

    def balance(self, team_id: str = "acme") -> Balance:
        """The team's books."""
        with self.warehouse.transaction() as tx:
            return balance(tx, team_id)

    def lines_sent(self) -> int:
        """Lines in batches and single calls, by the sandbox's own count."""
        return len(self.sandbox.groq.tally.history)

    def assert_paid_once(self) -> None:
        """By the sandbox's own count: no text again after a valid answer, and none more than twice."""
        tally = self.sandbox.groq.tally
        assert tally.sent_after_answer() == []
        self.assert_sent_twice_at_most()

    def assert_sent_twice_at_most(self) -> None:
        """By the sandbox's own count."""
        sent = self.sandbox.groq.tally.sent_texts
        assert max(sent.values(), default=0) <= 2, sent

    def assert_balanced(self) -> None:
        """Every ended batch accounts for each of its lines."""
        books = self.balance()
        assert books.is_balanced, books


@pytest.fixture(autouse=True)
def _no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    """What would be waited for within a pass is not."""
    monkeypatch.setattr(groq_client._SOON_AGAIN, "sleep", lambda _: None)
    monkeypatch.setattr(collection, "DOWNLOAD_PAUSE_SECONDS", 0.0)


@pytest.fixture
def clock() -> Hands:
    """The test's time."""
    return Hands()


@pytest.fixture
def sandbox(clock: Hands) -> Iterator[Sandbox]:
    """A Groq whose batches end at once, by the test's clock."""
    with Sandbox(scenario.empty(clock)) as running:
        yield running


@pytest.fixture
def settings(sandbox: Sandbox) -> Settings:
    """Settings that point at the sandbox."""
    return Settings.from_environment({"GROQ_BASE_URL": sandbox.groq_url})


@pytest.fixture
def groq(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> GroqClient:
    """The real SDK, aimed at the sandbox."""
    monkeypatch.setenv("GROQ_API_KEY", "gsk_for_tests")
    client = connect(settings)
    assert client is not None
    return client


@pytest.fixture
def desk(warehouse: Warehouse, groq: GroqClient, settings: Settings, sandbox: Sandbox, clock: Hands) -> Desk:
    """A ledger over an empty database."""
    return Desk(warehouse, groq, settings, sandbox, clock)
