"""What the sandbox was asked: one entry a request, so that tests count points, requests and lines exactly."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from typing import Any


@dataclass
class Entry:
    """A request and its answer. `points`, `pull_requests` and `hydrated` are GraphQL's, `lines` are Groq's."""

    number: int
    service: str
    operation: str
    at: str
    login: str | None = None
    status: int = 0
    fault: str | None = None
    points: int = 0
    connection_requests: int = 0
    nodes: int = 0
    pull_requests: int = 0
    hydrated: int = 0
    lines: int = 0
    repositories: list[str] = field(default_factory=list)
    seconds: float = 0.0


class Log:
    """Every request in order."""

    def __init__(self) -> None:
        self.entries: list[Entry] = []
        self._lock = threading.Lock()

    def __iter__(self) -> Iterator[Entry]:
        return iter(list(self.entries))

    def __len__(self) -> int:
        return len(self.entries)

    def begin(self, service: str, operation: str, at: str) -> Entry:
        """Open an entry for a request that has arrived."""
        with self._lock:
            entry = Entry(len(self.entries) + 1, service, operation, at)
            self.entries.append(entry)
        return entry

    def clear(self) -> None:
        """Forget everything."""
        with self._lock:
            self.entries.clear()

    def of(self, operation: str | None = None, service: str | None = None) -> list[Entry]:
        """The entries of one operation, or service."""
        return [
            entry
            for entry in self
            if (operation is None or entry.operation == operation) and (service is None or entry.service == service)
        ]

    @property
    def points(self) -> int:
        """Points charged in all."""
        return sum(entry.points for entry in self)

    @property
    def graphql_requests(self) -> int:
        """GraphQL requests in all, answered or not."""
        return len(self.of("graphql"))

    @property
    def hydrated(self) -> int:
        """Pull requests that were asked for with lists, in all."""
        return sum(entry.hydrated for entry in self)

    def as_json(self) -> list[dict[str, Any]]:
        """The entries as plain values."""
        return [asdict(entry) for entry in self]
