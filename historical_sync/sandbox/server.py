"""The sandbox as a whole: one world, GitHub and Groq over it, on a loopback port.

    with Sandbox(scenario.demo()) as sandbox:
        ...  # GITHUB_API_URL=sandbox.github_url, GROQ_BASE_URL=sandbox.groq_url

Each Sandbox has its own state and its own port. `historical-sync sandbox` runs the same in the foreground.
"""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import replace
from types import TracebackType
from typing import Any, Self

import uvicorn
from starlette.applications import Starlette

from historical_sync.sandbox.changes import Changes
from historical_sync.sandbox.control import control_routes
from historical_sync.sandbox.faults import Fault, Faults
from historical_sync.sandbox.github.api import GitHub
from historical_sync.sandbox.github.pace import REAL_PACE, Pace
from historical_sync.sandbox.github.rest import Rest
from historical_sync.sandbox.github.routes import github_routes
from historical_sync.sandbox.groq.api import Groq
from historical_sync.sandbox.groq.batches import Durations
from historical_sync.sandbox.groq.routes import groq_routes
from historical_sync.sandbox.groq.tally import Tally
from historical_sync.sandbox.log import Log
from historical_sync.sandbox.scenario import demo
from historical_sync.sandbox.wire import KeepsTransport
from historical_sync.sandbox.world import World

PACES = {"none": Pace(), "real": REAL_PACE}
"""`--latency` by name."""
INSTANT = Durations(0.0, 0.0, 0.0, 0.0)
"""Batches that have ended when they are first looked at."""


class Sandbox:
    """GitHub and Groq on 127.0.0.1.

    `scenario` is the world to serve (default: the demo team). `latency` is `none`, `real` or a `Pace`; `faults` is text
    for `parse_faults`, or rules; `batch_durations` says how long Groq's batches take.
    """

    def __init__(
        self,
        scenario: World | None = None,
        latency: str | Pace = "none",
        faults: str | Iterable[Fault] = (),
        batch_durations: Durations = INSTANT,
        seed: int = 7,
        app_public_key: str | None = None,
    ) -> None:
        self.world = scenario if scenario is not None else demo(seed)
        self.faults: Faults = Faults(faults, seed)
        self.requests: Log = Log()
        self.changes = Changes(self.world)
        pace = PACES[latency] if isinstance(latency, str) else latency
        self.github = GitHub(self.world, self.faults, self.requests, replace(pace))
        self.github.after_answer = self.changes.answered
        self.rest = Rest(self.github, app_public_key)
        self.groq = Groq(self.world, self.faults, self.requests, seed)
        self.groq.durations = replace(batch_durations)
        self.port = 0
        self._server: uvicorn.Server | None = None
        self._thread: threading.Thread | None = None

    def app(self) -> KeepsTransport:
        """The ASGI application."""
        routes = [*github_routes(self.github, self.rest), *groq_routes(self.groq), *control_routes(self)]
        return KeepsTransport(Starlette(routes=routes))

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def github_url(self) -> str:
        """The value for GITHUB_API_URL; GraphQL is at `/graphql` below it."""
        return self.url

    @property
    def groq_url(self) -> str:
        """The value for GROQ_BASE_URL; the SDK adds `/openai/v1/…`."""
        return self.url

    def start(self, port: int = 0) -> Self:
        """Listen in a thread; returns when it does."""
        listener = self._listen("127.0.0.1", port)
        self._server = uvicorn.Server(self._config())
        self._thread = threading.Thread(target=self._server.run, args=([listener],), daemon=True)
        self._thread.start()
        return self

    def serve(self, host: str, port: int, on_ready: Callable[[], None]) -> None:
        """Listen in the foreground until SIGINT or SIGTERM; OSError when the port is taken."""
        listener = self._listen(host, port)
        on_ready()
        with suppress(KeyboardInterrupt):  # uvicorn raises it again after it has stopped
            uvicorn.Server(self._config()).run([listener])

    def _listen(self, host: str, port: int) -> socket.socket:
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        listener = socket.create_server((host, port), family=family)
        self.port = listener.getsockname()[1]
        return listener

    def _config(self) -> uvicorn.Config:
        return uvicorn.Config(
            self.app(),
            log_level="critical",
            lifespan="off",
            timeout_graceful_shutdown=1,
            server_header=False,
            date_header=False,
        )

    def stop(self) -> None:
        """Stop listening."""
        if self._server is not None and self._thread is not None:
            self._server.should_exit = True
            self._thread.join()
            self._server = self._thread = None

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def reset(self) -> None:
        """Forget requests, faults, changes, budgets, files and batches; the world stays."""
        with self.world.lock:
            self.requests.clear()
            self.faults.clear()
            self.changes.stop()
            self.github.identities.budgets.clear()
            self.groq.files.clear()
            self.groq.batches.clear()
            self.groq.tally = Tally()

    def summary(self) -> str:
        """What is served, in a line."""
        repositories = self.world.repositories
        count = sum(len(one.pull_requests) for one in repositories.values())
        named = ", ".join(list(repositories)[:6]) + (", …" if len(repositories) > 6 else "")
        return f"{count:,} pull requests in {named}"

    def state(self) -> dict[str, Any]:
        """Counts for another process: the world, what was asked of it, and each line's fate."""
        with self.world.lock:
            return {
                "repositories": {name: len(one.pull_requests) for name, one in self.world.repositories.items()},
                "github": {
                    "requests": self.requests.graphql_requests,
                    "points": self.requests.points,
                    "hydrated": self.requests.hydrated,
                    "changes": self.changes.made,
                },
                "groq": {
                    "batches": len(self.groq.batches),
                    "files": len(self.groq.files),
                    "sent": self.groq.tally.sent,
                    "answered": self.groq.tally.answered,
                },
                "faults": self.faults.as_json(),
            }
