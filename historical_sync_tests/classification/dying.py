"""A process that classifies and kills itself (SIGKILL) after its n-th step; run by test_kills.py in a real process.

A step is a committed transaction, or a request to Groq: before it is sent, and after it was answered.
"""

import os
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date, datetime, timedelta
from typing import Any

from historical_sync.classification import groq_client
from historical_sync.classification.ledger import classify_month, collect
from historical_sync.settings import Settings
from historical_sync.warehouse.postgres import Transaction, Warehouse


class Fuse:
    """Counts steps; at the n-th the process is gone."""

    def __init__(self, steps: int) -> None:
        self.left = steps

    def burn(self) -> None:
        self.left -= 1
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
        self.fuse.burn()


class MortalGroq(groq_client.GroqClient):
    """A client whose every request is two steps."""

    def __init__(self, base_url: str, fuse: Fuse) -> None:
        super().__init__(base_url)
        self.fuse = fuse

    def _call(self, ask: Callable[[Any], Any]) -> Any:
        self.fuse.burn()
        answer = super()._call(ask)
        self.fuse.burn()
        return answer


def classify_until_death(
    database_url: str, groq_url: str, team_id: str, month: date, now: datetime, steps: int, batch_size: int
) -> None:
    """Classify a month, then collect for an hour of the test's time; dies on the way unless `steps` is out of reach."""
    os.environ["GROQ_API_KEY"] = "gsk_for_tests"
    settings = Settings.from_environment({"GROQ_BASE_URL": groq_url, "SYNC_LLM_BATCH_SIZE": str(batch_size)})
    fuse = Fuse(steps)
    warehouse = MortalWarehouse(database_url, fuse)
    groq = MortalGroq(groq_url, fuse)
    classify_month(warehouse, groq, team_id, month, settings, now=now, wait_seconds=0)
    for minutes in (15, 30, 45):
        collect(warehouse, groq, settings, now=now + timedelta(minutes=minutes), team_id=team_id)
