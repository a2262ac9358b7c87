"""Server time of the page for a team with 50 repositories and 13 months, alone and under 50 readers while a sync runs.

The server is a process of its own, as `up` starts it; every request goes over HTTP. The floors: the health endpoint,
and the values of the trends page read on an open connection and written as JSON, without a server or a page around
them. The readers each look once a second, while `historical-sync sync` loads another team from a sandbox.
"""

from __future__ import annotations

import gzip
import http.client
import json
import os
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager

import psutil

from bench.ground import database, postmaster
from bench.installation import cpu_seconds
from bench.rows import Row, alternate, count, timed
from bench.seeding import MODEL, Shape, fill
from historical_sync.cli.services import free_port
from historical_sync.dashboard.trends_page import metrics_to_read, segments_to_read
from historical_sync.dashboard.trends_state import TrendsState
from historical_sync.trends.metrics import ALL
from historical_sync.warehouse.access import team_transaction
from historical_sync.warehouse.page_reads import months_with_values, read_series
from historical_sync.warehouse.postgres import Warehouse

TITLE = "The page and its API"

OTHER = "demo"
OTHER_REPOSITORIES = ("demo/storefront", "demo/payments", "demo/platform")
AIM_MILLISECONDS = 50
TRENDS, PROGRESS = f"/teams/{MODEL}/trends", f"/teams/{MODEL}/progress"
API_TRENDS, API_PROGRESS = f"/api{TRENDS}", f"/api{PROGRESS}"


def run(rounds: int, quick: bool) -> list[Row]:
    """One reader, then fifty on a quiet installation and while a sync runs."""
    shape, readers, seconds = (Shape(1, 2, 2), 4, 2.0) if quick else (Shape(1, 50, 20), 50, 20.0)
    with ExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="hs_bench_"))
        url = stack.enter_context(database())
        warehouse = Warehouse(url)
        stack.callback(warehouse.close)
        fill(warehouse, shape)
        port, sandbox = free_port(), free_port()
        environment = {
            **os.environ,
            "HISTORICAL_SYNC_HOME": f"{folder}/home",
            "HISTORICAL_SYNC_DATABASE_URL": url,
            **dict.fromkeys(("GITHUB_API_URL", "GROQ_BASE_URL"), f"http://127.0.0.1:{sandbox}"),
            "GITHUB_TOKEN": "any",
            "GROQ_API_KEY": "any",
        }
        page = stack.enter_context(
            process(["historical_sync.dashboard.server", "--port", str(port)], environment, port)
        )
        rows = alone(port, warehouse, rounds, 2 if quick else 20, lambda: cpu_milliseconds(page.pid))
        quiet = together(port, readers, seconds)
        stack.enter_context(process(["historical_sync", "sandbox", "--port", str(sandbox)], environment, sandbox))
        with syncing(environment):
            busy = together(port, readers, seconds)
    return [*rows, *crowded(readers, quiet, busy)]


def cpu_milliseconds(server: int) -> float:
    """CPU that the page's server and PostgreSQL with its backends have used so far."""
    return 1000 * (cpu_seconds(psutil.Process(server)) + cpu_seconds(psutil.Process(postmaster())))


def alone(port: int, warehouse: Warehouse, rounds: int, asked: int, cpu: Callable[[], float]) -> list[Row]:
    """One reader: milliseconds an answer, of `asked` in a row, beside the floors; then what a quiet machine takes."""
    reader = Reader(port)
    state = TrendsState()
    whole, cut = metrics_to_read(state), segments_to_read(state)

    def bare() -> None:
        with team_transaction(warehouse, MODEL) as tx:
            months = months_with_values(tx, MODEL)
            json.dumps(read_series(tx, MODEL, ALL, months, whole=whole, cut=cut), default=str)

    def bare_again() -> None:
        for _ in range(asked):
            bare()

    def answer(path: str) -> float:
        reader.milliseconds(path)
        return sum(reader.milliseconds(path) for _ in range(asked)) / asked

    def values() -> float:
        return 1000 * timed(bare_again) / asked + answer("/healthz")

    rows = []
    for path, floor, floor_is in (
        (TRENDS, values, "its values as JSON, and /healthz"),
        (f"{TRENDS}?repository=acme/repository-1", values, "its values as JSON, and /healthz"),
        (PROGRESS, lambda: answer("/healthz"), "/healthz"),
        (API_PROGRESS, lambda: answer("/healthz"), "/healthz"),
    ):
        ours, bare_ones = alternate(rounds, lambda path=path: answer(path), floor)  # type: ignore[misc]
        rows.append(Row(f"{path}, one reader", "ms", ours, bare_ones, floor_is))
        before = cpu()
        for _ in range(rounds):
            answer(path)
        used = (cpu() - before) / (rounds * (asked + 1))
        rows.append(Row(f"{path}: CPU of server and database", "ms", (used,), most=AIM_MILLISECONDS))
    return rows


Taken = dict[str, list[float]]
"""Address → milliseconds of its answers."""


def together(port: int, readers: int, seconds: float) -> tuple[Taken, list[str]]:
    """So many connections, each asking every second or as fast as it is answered; the answers and the failures."""
    paths = (TRENDS, PROGRESS, API_TRENDS, API_PROGRESS)
    taken: Taken = {path: [] for path in paths}
    failures: list[str] = []
    until = time.monotonic() + seconds

    def look(place: int) -> None:
        reader, path = Reader(port), paths[place % len(paths)]
        time.sleep(place / readers)
        while time.monotonic() < until:
            try:
                took = reader.milliseconds(path)
            except (OSError, RuntimeError, http.client.HTTPException) as error:
                failures.append(str(error))
                return
            taken[path].append(took)
            time.sleep(max(0.0, 1 - took / 1000))

    threads = [threading.Thread(target=look, args=(place,)) for place in range(readers)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return taken, failures


def crowded(readers: int, quiet: tuple[Taken, list[str]], busy: tuple[Taken, list[str]]) -> list[Row]:
    """Each address under all readers: its median answer while a sync runs beside that without one."""
    rows = [
        Row(
            f"{path}, {readers} readers while a sync runs (median of {len(busy[0][path])})",
            "ms",
            (median(busy[0][path]),),
            (median(quiet[0][path]),),
            "no sync",
        )
        for path in busy[0]
    ]
    return [*rows, count(f"{readers} readers: failures", len(quiet[1]) + len(busy[1]), most=0)]


def median(values: Sequence[float]) -> float:
    """The middle one."""
    return sorted(values)[len(values) // 2]


@contextmanager
def process(arguments: Sequence[str], environment: dict[str, str], port: int) -> Iterator[subprocess.Popen[bytes]]:
    """A process of ours that serves on `port`; it is there when the block begins and gone when it ends."""
    running = subprocess.Popen(
        [sys.executable, "-m", *arguments], env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        for _ in range(600):
            try:
                socket.create_connection(("127.0.0.1", port), timeout=1).close()
                break
            except OSError:
                time.sleep(0.05)
        yield running
    finally:
        running.terminate()
        running.wait(timeout=20)


class Reader:
    """One browser's connection. `milliseconds` is how long an answer took, body included."""

    def __init__(self, port: int) -> None:
        self._connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)

    def milliseconds(self, path: str) -> float:
        """Ask and read the whole answer. Raises RuntimeError for any status but 200."""
        start = time.perf_counter()
        self._connection.request("GET", path, headers={"Accept-Encoding": "gzip"})
        answer = self._connection.getresponse()
        body = answer.read()
        took = 1000 * (time.perf_counter() - start)
        if answer.status != 200:
            raise RuntimeError(f"{path}: {answer.status}")
        if answer.headers.get("Content-Encoding") == "gzip":
            gzip.decompress(body)
        return took


@contextmanager
def syncing(environment: dict[str, str]) -> Iterator[None]:
    """Another team's whole history, from the sandbox, in a process of its own."""
    command = [sys.executable, "-m", "historical_sync"]
    repositories = [part for name in OTHER_REPOSITORIES for part in ("--repo", name)]
    quiet = {"env": environment, "stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    subprocess.run([*command, "team", "add", OTHER, *repositories], check=True, **quiet)  # type: ignore[call-overload]
    running = subprocess.Popen([*command, "sync", OTHER], **quiet)  # type: ignore[call-overload]
    try:
        yield
    finally:
        running.terminate()
        running.wait(timeout=60)
