"""Server time of the page for a team with 50 repositories and 13 months, and with 50 readers while a sync runs.

    python -m bench.page [--repositories 50] [--per-month 20] [--rounds 200] [--readers 50] [--seconds 20]

The server is a process of its own, as `up` starts it; every request goes over HTTP. Two floors in the same run: the
health endpoint (a request and one `select 1`), and the values of the trends page read on an open connection and written
as JSON, without a server or a page around them. Beside the wall time stands the CPU time that the server and PostgreSQL
spent on an answer: what a quiet machine takes, however busy this one is. The readers each look at the page once a
second while `historical-sync sync` loads another team from the sandbox.
"""

from __future__ import annotations

import argparse
import gzip
import http.client
import json
import os
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from pathlib import Path

import psutil

from historical_sync.dashboard.trends_page import metrics_to_read, segments_to_read
from historical_sync.dashboard.trends_state import TrendsState
from historical_sync.trends.metrics import ALL
from historical_sync.trends.publication import publish_month
from historical_sync.warehouse.access import team_transaction
from historical_sync.warehouse.embedded import EmbeddedPostgres
from historical_sync.warehouse.page_reads import months_with_values, read_series
from historical_sync.warehouse.postgres import Warehouse
from historical_sync.warehouse.schema import migrate
from historical_sync.window import months_wanted

TEAM, OTHER = "bench", "demo"
OTHER_REPOSITORIES = ("demo/storefront", "demo/payments", "demo/platform")
AIM_MILLISECONDS = 50

FILL = """
insert into teams (team_id, history_months, onboarding_started_at) values ('bench', 12, now() - interval '1 hour');
insert into tracked_repositories (team_id, repository, recent_prs, sync_status, sync_progress, sync_prs_total,
    sync_prs_completed)
select 'bench', 'acme/repository-' || i, 120 - i, 'completed', 100, %(per_month)s * 13, %(per_month)s * 13
from generate_series(0, %(repositories)s - 1) i;
create temp table made as
select row_number() over ()::int as number, repository, month,
    least(month + random() * interval '28 days', now()) as merged_at, 1 + 40 * -ln(1 - random()) as hours
from (select repository from tracked_repositories where team_id = 'bench') r, unnest(%(months)s::timestamptz[]) month,
    generate_series(1, %(per_month)s);
insert into pull_requests (team_id, repository, number, node_id, title, body, author_login, author_type, state,
    is_draft, created_at, updated_at, merged_at, closed_at, first_commit_at, additions, deletions, changed_files,
    head_ref, base_ref, commit_count, review_count, file_count, comment_count)
select 'bench', repository, number, 'PR_' || number, 'Change ' || number, '', 'user-' || number %% 80, 'User', 'MERGED',
    false, merged_at - interval '1 hour' * hours, merged_at, merged_at, merged_at,
    merged_at - interval '1 hour' * (hours + number %% 50), number %% 700, number %% 90, 3, 'change', 'main', 3, 1, 3, 0
from made;
insert into pull_request_reviews (team_id, repository, number, review_id, position, reviewer_login, reviewer_type,
    state, submitted_at, body)
select team_id, repository, number, 'R' || number, 0, 'user-' || (number + 1) %% 80, 'User', 'APPROVED',
    created_at + (merged_at - created_at) * random(), ''
from pull_requests where number %% 8 <> 0;
insert into ai_evidence (team_id, repository, number, signature_id, source, position, tool, role, strength, quote,
    ruleset_version)
select team_id, repository, number, 'trailer', 'commit_trailer', 0,
    (array['claude', 'cursor', 'copilot'])[1 + number %% 3], 'author', 'exact', 'Co-authored-by', 'v1'
from pull_requests where number %% 3 = 0;
insert into llm_classifications (team_id, repository, number, status, is_ai_assisted, tools, usage_type, confidence,
    summary_type, llm_summary)
select team_id, repository, number, 'classified', number %% 3 = 0, '{}', 'none', 0.9,
    (array['feature', 'bugfix', 'docs', 'chore'])[1 + number %% 4],
    jsonb_build_object('tech', jsonb_build_object('languages',
        jsonb_build_array((array['python', 'go', 'sql'])[1 + number %% 3]), 'frameworks', '[]'::jsonb))
from pull_requests;
insert into repository_months (team_id, repository, month, expected, stored, status, complete_as_of, completed_at)
select 'bench', repository, month::date, %(per_month)s, %(per_month)s, 'completed', now(), now()
from tracked_repositories, unnest(%(months)s::timestamptz[]) month where team_id = 'bench'
"""


def fill(warehouse: Warehouse, repositories: int, per_month: int) -> None:
    now = datetime.now(UTC)
    months = months_wanted(now, 12)
    with warehouse.transaction() as tx:
        tx.execute(FILL, {"repositories": repositories, "per_month": per_month, "months": months})
    for month in months:
        publish_month(warehouse, TEAM, month, now=now)
    with warehouse.transaction() as tx:
        tx.execute("analyze")


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


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

    def milliseconds(self, path: str) -> tuple[float, int]:
        start = time.perf_counter()
        self._connection.request("GET", path, headers={"Accept-Encoding": "gzip"})
        answer = self._connection.getresponse()
        body = answer.read()
        took = 1000 * (time.perf_counter() - start)
        if answer.status != 200:
            raise RuntimeError(f"{path}: {answer.status}")
        if answer.headers.get("Content-Encoding") == "gzip":
            gzip.decompress(body)
        return took, len(body)


def report(label: str, taken: Sequence[float], note: str = "") -> float:
    ordered = sorted(taken)
    median, high = statistics.median(ordered), ordered[int(0.95 * (len(ordered) - 1))]
    print(f"{label:34} median {median:7.1f} ms   p95 {high:7.1f} ms   best {ordered[0]:6.1f} ms   {note}", flush=True)
    return median


class Meter:
    """The CPU time that the page's server and PostgreSQL with its backends have used."""

    def __init__(self, server: int, postmaster: int) -> None:
        self._server, self._postmaster = psutil.Process(server), psutil.Process(postmaster)

    def milliseconds(self) -> tuple[float, float]:
        """So far: of the server, of the database."""
        family = [self._postmaster, *self._postmaster.children(recursive=True)]
        return 1000 * _cpu_seconds(self._server), 1000 * sum(map(_cpu_seconds, family))


def _cpu_seconds(process: psutil.Process) -> float:
    try:
        used = process.cpu_times()
    except psutil.NoSuchProcess:
        return 0.0
    return float(used.user + used.system)


def alone(port: int, warehouse: Warehouse, rounds: int, meter: Meter) -> None:
    """One reader after the other: what an answer costs, beside the floors."""

    def pages(path: str, label: str) -> tuple[float, float]:
        reader = Reader(port)
        for _ in range(5):
            reader.milliseconds(path)
        before = meter.milliseconds()
        answers = [reader.milliseconds(path) for _ in range(rounds)]
        page, database = ((after - start) / rounds for start, after in zip(before, meter.milliseconds(), strict=True))
        cpu = f"CPU {page + database:5.1f} ms ({page:.1f} + {database:.1f})"
        median = report(label, [took for took, _ in answers], f"{cpu}, {answers[-1][1] / 1000:.0f} kB on the wire")
        return median, page + database

    floor, _ = pages("/healthz", "floor: /healthz")

    state = TrendsState()
    whole, cut = metrics_to_read(state), segments_to_read(state)

    def bare() -> None:
        with team_transaction(warehouse, TEAM) as tx:
            months = months_with_values(tx, TEAM)
            json.dumps(read_series(tx, TEAM, ALL, months, whole=whole, cut=cut), default=str)

    rows = report("floor: the page's values as JSON", [timed(bare) for _ in range(rounds)])
    trends, trends_cpu = pages(f"/teams/{TEAM}/trends", "trends page")
    pages(f"/teams/{TEAM}/trends?repository=acme/repository-7", "trends page of one repository")
    progress, progress_cpu = pages(f"/teams/{TEAM}/progress", "progress page")
    pages(f"/api/teams/{TEAM}/progress", "progress as JSON")
    print(f"trends / floors = {trends / (floor + rows):.2f}   progress / healthz = {progress / floor:.2f}")
    print(
        f"of the {AIM_MILLISECONDS} ms: trends {trends:.0f} ms wall, {trends_cpu:.0f} ms CPU;"
        f" progress {progress:.0f} ms wall, {progress_cpu:.0f} ms CPU"
    )


def timed(work: Callable[[], object]) -> float:
    start = time.perf_counter()
    work()
    return 1000 * (time.perf_counter() - start)


def together(port: int, readers: int, seconds: float) -> int:
    """`readers` connections, each asking every second or as fast as it is answered. Returns how many answers came."""
    taken: dict[str, list[float]] = {"trends": [], "progress": []}
    failures: list[str] = []
    until = time.monotonic() + seconds

    def look(place: int) -> None:
        reader, page = Reader(port), ("trends", "progress")[place % 2]
        time.sleep(place / readers)
        while time.monotonic() < until:
            try:
                took, _ = reader.milliseconds(f"/teams/{TEAM}/{page}")
            except (OSError, RuntimeError, http.client.HTTPException) as error:
                failures.append(str(error))
                return
            taken[page].append(took)
            time.sleep(max(0.0, 1 - took / 1000))

    threads = [threading.Thread(target=look, args=(place,)) for place in range(readers)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for page, values in taken.items():
        report(f"{page}, {readers} readers", values, f"{len(values)} answers")
    print(f"failures: {len(failures)} {failures[:1]}")
    return sum(map(len, taken.values()))


def run(repositories: int, per_month: int, rounds: int, readers: int, seconds: float) -> None:
    with tempfile.TemporaryDirectory(prefix="hs_bench_") as folder, ExitStack() as stack:
        server = EmbeddedPostgres(Path(folder) / "postgres", settings={"fsync": "off"})
        server.start()
        stack.callback(server.stop)
        migrate(server.url())
        warehouse = Warehouse(server.url())
        stack.callback(warehouse.close)
        fill(warehouse, repositories, per_month)
        port, sandbox = free_port(), free_port()
        environment = {
            **os.environ,
            "HISTORICAL_SYNC_HOME": f"{folder}/home",
            "HISTORICAL_SYNC_DATABASE_URL": server.url(),
            **dict.fromkeys(("GITHUB_API_URL", "GROQ_BASE_URL"), f"http://127.0.0.1:{sandbox}"),
            "GITHUB_TOKEN": "any",
            "GROQ_API_KEY": "any",
        }
        page = stack.enter_context(
            process(["historical_sync.dashboard.server", "--port", str(port)], environment, port)
        )
        postmaster = int((Path(folder) / "postgres" / "postmaster.pid").read_text().split()[0])
        alone(port, warehouse, rounds, Meter(page.pid, postmaster))
        if readers:
            together(port, readers, seconds)
            stack.enter_context(process(["historical_sync", "sandbox", "--port", str(sandbox)], environment, sandbox))
            print("the same while `historical-sync sync` loads another team:")
            with syncing(environment) as is_running:
                together(port, readers, seconds)
                print(f"the sync was {'still running' if is_running() else 'over'} at the end")


@contextmanager
def syncing(environment: dict[str, str]) -> Iterator[Callable[[], bool]]:
    """Another team's whole history, from the sandbox, in a process of its own."""
    command = [sys.executable, "-m", "historical_sync"]
    repositories = [part for name in OTHER_REPOSITORIES for part in ("--repo", name)]
    quiet = {"env": environment, "stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    subprocess.run([*command, "team", "add", OTHER, *repositories], check=True, **quiet)  # type: ignore[call-overload]
    running = subprocess.Popen([*command, "sync", OTHER], **quiet)  # type: ignore[call-overload]
    try:
        yield lambda: running.poll() is None
    finally:
        running.terminate()
        running.wait(timeout=60)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repositories", type=int, default=50)
    parser.add_argument("--per-month", type=int, default=20)
    parser.add_argument("--rounds", type=int, default=200)
    parser.add_argument("--readers", type=int, default=50)
    parser.add_argument("--seconds", type=float, default=20)
    arguments = parser.parse_args()
    run(arguments.repositories, arguments.per_month, arguments.rounds, arguments.readers, arguments.seconds)
