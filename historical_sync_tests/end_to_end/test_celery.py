"""Runs on Celery workers: fifty teams, two workers in processes of their own, one of them killed in the middle."""

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest

from historical_sync.cli.services import free_port
from historical_sync.sandbox import scenario
from historical_sync.sandbox.server import Sandbox
from historical_sync.warehouse.registry import add_team
from historical_sync_tests.end_to_end.installation import Installation
from historical_sync_tests.end_to_end.processes import command_line

pytestmark = [pytest.mark.daemon, pytest.mark.timeout(2700), pytest.mark.xdist_group("daemon")]

DEPLOYMENT = Path(__file__).parent.parent.parent / "deploy" / "celery"
TEAMS = 50
HISTORY_MONTHS = 1
RUNS_AT_ONCE = 2
"""Of each worker; the coordinator of deploy/celery/dagster.yaml has four at work, which is what two workers take."""


@contextmanager
def redis(folder: Path) -> Iterator[str]:
    """A Redis with a password, which it reads from its configuration and nobody sees in `ps`."""
    program = shutil.which("redis-server")
    if program is None:
        if os.environ.get("HISTORICAL_SYNC_CI"):
            pytest.fail("redis-server is missing; .ci/packages installs it")
        pytest.skip("redis-server is missing (apt install redis-server)")
    port = free_port()
    configuration = folder / "redis.conf"
    configuration.write_text(
        f'bind 127.0.0.1\nport {port}\nrequirepass planted-redis-password\nsave ""\nappendonly no\ndir {folder}\n'
    )
    server = subprocess.Popen([program, str(configuration)], stdout=subprocess.DEVNULL)
    try:
        yield f"redis://:planted-redis-password@127.0.0.1:{port}"
    finally:
        server.terminate()
        server.wait()


@pytest.fixture
def machine() -> Iterator[tuple[Installation, Sandbox]]:
    """PostgreSQL, Redis, a sandbox with fifty repositories, and Dagster configured for Celery; nothing started."""
    folder = Path(tempfile.mkdtemp(prefix="hs_celery_"))
    with redis(folder) as broker, Sandbox(scenario.scale(TEAMS * 10, repositories=TEAMS, months=2)) as sandbox:
        dagster_home = folder / "home" / "dagster"
        dagster_home.mkdir(parents=True)
        shutil.copy(DEPLOYMENT / "dagster.yaml", dagster_home)
        installation = Installation(
            folder,
            {
                "GITHUB_API_URL": sandbox.github_url,
                "GROQ_BASE_URL": sandbox.groq_url,
                "GITHUB_TOKEN": "planted-github-token",
                "GROQ_API_KEY": "planted-groq-key",
                "HISTORICAL_SYNC_CELERY_BROKER": f"{broker}/0",
                "HISTORICAL_SYNC_CELERY_BACKEND": f"{broker}/1",
            },
        )
        try:
            yield installation, sandbox
        finally:
            installation.stop()
    shutil.rmtree(folder)


def start_worker(installation: Installation, name: str) -> None:
    """A worker as deploy/celery/worker starts it; stopped with the installation."""
    log = (installation.folder / f"{name}.log").open("ab")
    installation.processes[name] = subprocess.Popen(
        [str(DEPLOYMENT / "worker"), str(RUNS_AT_ONCE)],
        env={**installation.variables, "PYTHON": sys.executable},
        stdout=log,
        stderr=subprocess.STDOUT,
        start_new_session=True,
    )


def complete_months(installation: Installation) -> int:
    return int(installation.value("select count(*) from repository_months where status = 'completed'"))


def test_fifty_teams_on_two_workers_one_killed(machine: tuple[Installation, Sandbox]) -> None:
    """All months of fifty teams are complete although one of two workers was killed with work in hand.

    No batch is paid twice, nothing is stored that is not there, and no command line shows the broker's password.
    """
    installation, sandbox = machine
    wanted = TEAMS * (HISTORY_MONTHS + 1)
    with installation.warehouse.transaction() as tx:
        for number in range(TEAMS):
            add_team(tx, f"team-{number:03}", [f"scale/repo-{number:03}"], history_months=HISTORY_MONTHS)
    installation.start()
    for name in ("worker-a", "worker-b"):
        start_worker(installation, name)
    installation.wait_until(lambda: complete_months(installation) >= wanted // 10, seconds=400, what="the first months")
    assert not any("planted" in command_line(process) for process in psutil.process_iter())
    installation.wait_until(lambda: runs_at_work(installation, "worker-b") > 0, seconds=120, what="work in hand")
    installation.kill("worker-b")
    installation.wait_until(lambda: complete_months(installation) == wanted, seconds=1800, what="all months")

    assert installation.rows("select * from repository_months where stored is distinct from expected") == []
    assert installation.value("select count(*) from pull_requests") > TEAMS * 5
    assert sandbox.groq.tally.sent_after_answer() == []


def runs_at_work(installation: Installation, worker: str) -> int:
    """How many runs have their process below this worker."""
    children = {child.pid for child in psutil.Process(installation.processes[worker].pid).children(recursive=True)}
    pids = installation.rows("select pid from run_workers where seen_at > now() - interval '10 seconds'")
    return sum(row["pid"] in children for row in pids)
