"""What was spent: counted where it is spent, read as differences. Pure."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field


@dataclass
class Meter:
    """HTTP requests that left, points that GitHub charged, seconds waited for limits and failures. Threads share it."""

    requests: int = 0
    points: int = 0
    waited_seconds: float = 0.0
    _guard: threading.Lock = field(default_factory=threading.Lock, repr=False)

    def add(self, *, requests: int = 0, points: int = 0, waited_seconds: float = 0.0) -> None:
        """Count."""
        with self._guard:
            self.requests += requests
            self.points += points
            self.waited_seconds += waited_seconds

    def reading(self) -> Meter:
        """A copy, to compare a later reading with."""
        with self._guard:
            return Meter(self.requests, self.points, self.waited_seconds)
