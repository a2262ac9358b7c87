"""A real page server on loopback for the tests: on this machine's terms, or behind a public address."""

import socket
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest
import uvicorn

from historical_sync.dashboard.server import create_app
from historical_sync.settings import Settings

ADMIN_TOKEN = "an-administrators-token-of-the-tests"
SECRET_KEY = "a-key-that-only-these-tests-sign-with"


class PageServer:
    """The page, served by uvicorn in a thread. `settings` are what it runs with; `url` is where."""

    def __init__(self, database_url: str, home: Path, public_url: str | None) -> None:
        self.environment = {
            "HISTORICAL_SYNC_HOME": str(home),
            "HISTORICAL_SYNC_DATABASE_URL": database_url,
            "HISTORICAL_SYNC_ADMIN_TOKEN": ADMIN_TOKEN,
            "HISTORICAL_SYNC_SECRET_KEY": SECRET_KEY,
            **({"HISTORICAL_SYNC_PUBLIC_URL": public_url} if public_url else {}),
        }
        self.settings = Settings.from_environment(self.environment)
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.port = self._socket.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        app = create_app(
            self.settings,
            port=self.port,
            environment=self.environment,
            is_stopping=lambda: self._server.should_exit,
        )
        config = uvicorn.Config(app, log_level="error", http="h11", proxy_headers=False, timeout_graceful_shutdown=1)
        self._server = uvicorn.Server(config)
        self._thread = threading.Thread(target=self._server.run, kwargs={"sockets": [self._socket]}, daemon=True)

    def start(self) -> None:
        self._thread.start()
        while not self._server.started:
            assert self._thread.is_alive(), "the page's server did not start"
            time.sleep(0.01)

    def stop(self) -> None:
        self._server.should_exit = True
        self._thread.join(timeout=10)

    def client(self, **options: object) -> httpx.Client:
        return httpx.Client(base_url=self.url, trust_env=False, timeout=30, **options)  # type: ignore[arg-type]


Serve = Callable[..., PageServer]


@pytest.fixture
def serve(database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Serve]:
    """Starts a page server on this test's database; with `public_url` nobody is served without a link or a token."""
    monkeypatch.setenv("HISTORICAL_SYNC_SECRET_KEY", SECRET_KEY)
    started: list[PageServer] = []

    def start(public_url: str | None = None) -> PageServer:
        server = PageServer(database_url, tmp_path, public_url)
        server.start()
        started.append(server)
        return server

    yield start
    for server in started:
        server.stop()


@pytest.fixture
def local(serve: Serve) -> Iterator[httpx.Client]:
    """A client of a page that serves its own machine's user."""
    with serve().client() as client:
        yield client


@pytest.fixture
def public(serve: Serve) -> PageServer:
    """A page with a public address: nobody is taken for this machine's own user."""
    return serve(public_url="https://metrics.example.com")
