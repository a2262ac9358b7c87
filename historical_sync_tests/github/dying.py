"""A process that ingests and kills itself (SIGKILL) after its n-th step; run by test_kills.py in a real process.

A step is a committed transaction, or a request to GitHub: before it is sent, and after it was answered. Or only the
last of these counts: the moment in which most is lost.
"""

import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, datetime
from typing import Any

from historical_sync.github.answers import Answer
from historical_sync.github.client import GitHubClient
from historical_sync.github.ingestion import ingest_month
from historical_sync.github.transport import Reply, Transport
from historical_sync.warehouse.budgets import SharedBudget
from historical_sync.warehouse.postgres import Transaction, Warehouse
from historical_sync.warehouse.registry import read_team


class Fuse:
    """Counts steps; at the n-th the process is gone."""

    def __init__(self, steps: int, only: str | None) -> None:
        self.left = steps
        self.only = only
        self.guard = threading.Lock()

    def burn(self, kind: str) -> None:
        with self.guard:
            self.left -= self.only in (None, kind)
            if self.left == 0:
                os.kill(os.getpid(), signal.SIGKILL)


class MortalWarehouse(Warehouse):
    """A warehouse whose every commit is a step."""

    def __init__(self, url: str, fuse: Fuse) -> None:
        super().__init__(url)
        self.fuse = fuse

    @contextmanager
    def transaction(self) -> Iterator[Transaction]:
        with super().transaction() as tx:
            yield tx
        self.fuse.burn("commit")


class MortalTransport(Transport):
    """A transport whose every request is two steps."""

    fuse: Fuse

    def ask(self, ref: str, document: str, variables: dict[str, Any]) -> tuple[Reply, Answer]:
        self.fuse.burn("question")
        answered = super().ask(ref, document, variables)
        self.fuse.burn("answer")
        return answered


def ingest_until_death(
    database_url: str,
    github_url: str,
    team_id: str,
    months: list[date],
    now: datetime,
    steps: int,
    only: str | None,
) -> None:
    """Ingest these months; dies on the way unless `steps` (`only` of a kind) is out of reach."""
    os.environ["GITHUB_TOKEN"] = "token-one"
    fuse = Fuse(steps, only)
    warehouse = MortalWarehouse(database_url, fuse)
    with warehouse.transaction() as tx:
        team = read_team(tx, team_id)
    client = GitHubClient(github_url, ["env:GITHUB_TOKEN"], SharedBudget(warehouse, team_id))
    transport = client._transport
    transport.__class__ = MortalTransport
    assert isinstance(transport, MortalTransport)
    transport.fuse = fuse
    for month in months:
        ingest_month(warehouse, client, team, month, now=now)
