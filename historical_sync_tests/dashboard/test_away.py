"""The page when something is away: the database gone, hung or back again, and the server itself being stopped."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import psutil
import pytest

from historical_sync.cli.services import free_port
from historical_sync.warehouse.embedded import EmbeddedPostgres
from historical_sync.warehouse.postgres import Warehouse
from historical_sync.warehouse.registry import add_team
from historical_sync.warehouse.schema import migrate
from historical_sync_tests.dashboard.conftest import PageServer
from historical_sync_tests.dashboard.story import Story


@pytest.fixture
def own_postgres(tmp_path: Path) -> Iterator[EmbeddedPostgres]:
    """A server of this test's own, that may be stopped, with one team in it."""
    server = EmbeddedPostgres(tmp_path / "postgres", settings={"fsync": "off"})
    server.start()
    migrate(server.url())
    warehouse = Warehouse(server.url())
    with warehouse.transaction() as tx:
        add_team(tx, "acme", ["acme/api"])
    warehouse.close()
    yield server
    server.stop()


@pytest.fixture
def page(own_postgres: EmbeddedPostgres, tmp_path: Path) -> Iterator[httpx.Client]:
    """A client of a page on that server."""
    server = PageServer(own_postgres.url(), tmp_path / "home", None)
    server.start()
    with server.client() as client:
        yield client
    server.stop()


def test_without_a_database_the_page_says_so_and_recovers_by_itself(
    own_postgres: EmbeddedPostgres, page: httpx.Client
) -> None:
    """Health is a 503 with a clear body, a page is a designed page without a stack, an API a problem object; once the
    database is back, so is everything, without a restart."""
    assert page.get("/teams/acme/progress").status_code == 200
    own_postgres.stop()
    health = page.get("/healthz")
    assert (health.status_code, health.json()) == (503, {"status": "the database cannot be reached"})
    assert health.headers["retry-after"]
    shown = page.get("/teams/acme/trends")
    assert shown.status_code == 503
    assert shown.headers["content-type"].startswith("text/html")
    assert "The data cannot be reached" in shown.text
    assert "Nothing is lost" in shown.text
    assert "Traceback" not in shown.text
    assert "postgres" not in shown.text
    problem = page.get("/api/teams/acme/progress")
    assert (problem.status_code, problem.json()["status"]) == (503, 503)
    assert page.get("/teams/acme/progress/events").status_code == 503
    own_postgres.start()
    assert page.get("/healthz").status_code == 200
    assert page.get("/teams/acme/progress").status_code == 200


@contextmanager
def frozen(server: EmbeddedPostgres, folder: Path) -> Iterator[None]:
    """Every process of the server stands still: it takes connections and says nothing."""
    postmaster = psutil.Process(int((folder / "postgres" / "postmaster.pid").read_text().split()[0]))
    family = [postmaster, *postmaster.children(recursive=True)]
    for one in family:
        one.suspend()
    try:
        yield
    finally:
        for one in family:
            one.resume()


def test_a_database_that_hangs_is_as_good_as_away(
    own_postgres: EmbeddedPostgres, page: httpx.Client, tmp_path: Path
) -> None:
    """Health answers 503 while the database says nothing at all, however often it is asked, and 200 afterwards."""
    assert page.get("/healthz").status_code == 200
    with frozen(own_postgres, tmp_path):
        assert [page.get("/healthz").status_code for _ in range(3)] == [503, 503, 503]
    assert page.get("/healthz").status_code == 200


@pytest.fixture
def serving(database_url: str, tmp_path: Path) -> Iterator[tuple[subprocess.Popen[bytes], str]]:
    """The page as `up` starts it: a process of its own, and its address."""
    port = free_port()
    environment = {
        **os.environ,
        "HISTORICAL_SYNC_HOME": str(tmp_path),
        "HISTORICAL_SYNC_DATABASE_URL": database_url,
    }
    command = [sys.executable, "-m", "historical_sync.dashboard.server", "--port", str(port)]
    running = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    url = f"http://127.0.0.1:{port}"
    while True:
        try:
            httpx.get(f"{url}/healthz", trust_env=False, timeout=30)
            break
        except httpx.ConnectError:
            assert running.poll() is None
    yield running, url
    if running.poll() is None:
        running.kill()


def test_streams_end_cleanly_when_the_server_stops(
    serving: tuple[subprocess.Popen[bytes], str], warehouse: Warehouse
) -> None:
    """SIGTERM with open streams: each ends as a whole answer, nothing is cancelled, no traceback is printed."""
    Story(warehouse).register()
    running, url = serving
    with httpx.stream("GET", f"{url}/teams/acme/progress/events", trust_env=False, timeout=60) as stream:
        chunks = stream.iter_text()
        assert "event: progress" in next(chunks)
        running.send_signal(signal.SIGTERM)
        for _ in chunks:  # a stream that is cut off raises here
            pass
    output, _ = running.communicate(timeout=60)
    assert output == b""
    assert running.returncode in (0, -signal.SIGTERM)


def test_streams_hold_no_connection_of_the_database(
    serving: tuple[subprocess.Popen[bytes], str], warehouse: Warehouse
) -> None:
    """Twenty readers of one team's live page: between looks no transaction is open, and one connection serves them."""
    Story(warehouse).register()
    _, url = serving
    with httpx.Client(trust_env=False, timeout=60, limits=httpx.Limits(max_connections=50)) as client:
        streams = [client.stream("GET", f"{url}/teams/acme/progress/events") for _ in range(20)]
        for one in streams:
            assert "event: progress" in next(one.__enter__().iter_text())
        with warehouse.transaction() as tx:
            held = tx.value(
                """
                select count(*) from pg_stat_activity
                where datname = current_database() and application_name like '%server.py'
                """
            )
        assert 1 <= held <= 2  # one for the looks, one for health
        for one in streams:
            one.__exit__(None, None, None)
