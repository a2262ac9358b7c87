"""`historical-sync up`: everything on this machine, in the foreground, until it is told to stop."""

from __future__ import annotations

import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import FrameType

import click
from rich.console import Console

from historical_sync.cli import home, services, worlds
from historical_sync.cli.errors import reports_errors
from historical_sync.cli.guardian import Guardian, end_left_overs
from historical_sync.cli.services import Addresses
from historical_sync.cli.supervision import Child, Supervisor
from historical_sync.errors import ConfigurationError, WarehouseError
from historical_sync.settings import Settings
from historical_sync.warehouse.embedded import embedded_server, open_database
from historical_sync.warehouse.postgres import Warehouse
from historical_sync.warehouse.registry import add_team
from historical_sync.warehouse.schema import migrate

DEMO_TEAM = "demo"
READY_WITHIN_SECONDS = 180.0
"""Dagster's pages take ten seconds on a quiet machine, and a minute on a small busy one."""

WHAT_NEXT = """
Complete. Open {page} for the trends. In another terminal, in this folder:
  .venv/bin/historical-sync status                where each repository stands
  .venv/bin/historical-sync team add … --repo …   another team; it is onboarded by itself
  .venv/bin/historical-sync trends {team}
"""


@click.command()
@click.option("--sandbox", is_flag=True, help="Use an imitation of GitHub and Groq; adds team demo.")
@click.option("--team", "team_id", metavar="TEAM", help="Add this team, with the repositories of --repo.")
@click.option("--repo", "repositories", metavar="OWNER/NAME", multiple=True, help="A repository; may be given again.")
@click.option("--host", default="127.0.0.1", show_default=True, help="Where the pages listen. Others have no password.")
@click.option("--port", default=3000, show_default=True, help="Port of Dagster's pages.")
@click.option("--dashboard-port", default=3001, show_default=True, help="Port of the trends page.")
@click.option("--sandbox-port", default=0, show_default="a free one", help="Port of the sandbox.")
@reports_errors
def up(
    sandbox: bool,
    team_id: str | None,
    repositories: tuple[str, ...],
    host: str,
    port: int,
    dashboard_port: int,
    sandbox_port: int,
) -> None:
    """Run everything on this machine until Ctrl-C: database, Dagster, the trends page.

    \b
    historical-sync up --sandbox
        shows it at work without any account: a team "demo" with three invented repositories.
    GITHUB_TOKEN=… historical-sync up --team acme --repo acme/api --repo acme/web
        loads a real team; GROQ_API_KEY=… lets the LLM classify too.

    Data stays in HISTORICAL_SYNC_HOME (default .historical_sync), so the next `up` goes on where this one stopped.
    """
    settings = Settings.from_environment()
    with tempfile.TemporaryDirectory(prefix="historical_sync_") as private:
        addresses = Addresses(host, port, dashboard_port, sandbox_port, Path(private) / "code.sock")
        if sandbox:
            addresses = replace(addresses, sandbox_port=sandbox_port or services.free_port())
        with until_stopped() as stopping, home.held(home.make(settings.home)):
            Household(settings, addresses, has_sandbox=sandbox, stopping=stopping).run(team_id, repositories)


@contextmanager
def until_stopped() -> Iterator[threading.Event]:
    """An event that Ctrl-C, SIGTERM and a closed terminal set; a second Ctrl-C ends the wait for a clean stop."""
    stopping = threading.Event()

    def stop(number: int, frame: FrameType | None) -> None:
        if stopping.is_set() and number == signal.SIGINT:
            raise KeyboardInterrupt
        stopping.set()

    before = {number: signal.signal(number, stop) for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)}
    try:
        yield stopping
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@dataclass
class Household:
    """Everything that `up` runs: brought up in order, kept alive, and taken down in the opposite order."""

    settings: Settings
    addresses: Addresses
    has_sandbox: bool
    stopping: threading.Event
    console: Console = field(default_factory=lambda: Console(highlight=False, soft_wrap=True))

    def run(self, team_id: str | None, repositories: Sequence[str]) -> None:
        """Bring it up, show progress until told to stop, take it down."""
        record = self.settings.home / "up.groups"
        if end_left_overs(record):
            self.tell("Ended what a killed `historical-sync up` had left behind.")
        services.require_free(self.addresses.host, self.addresses.dagster_port, "--port")
        services.require_free(self.addresses.host, self.addresses.page_port, "--dashboard-port")
        with open_database(self.settings) as url:
            migrate(url)
            guardian = Guardian(record, None if self.settings.database_url else self.settings.home / "postgres")
            supervisor = Supervisor(self.settings.home / "logs", guardian.watch, self.tell)
            try:
                self._bring_up(url, supervisor, team_id, repositories)
                self._show_progress(url, team_id or DEMO_TEAM)
            finally:
                self.tell("Stopping …")
                supervisor.stop_all()
                guardian.dismiss()
        self.tell("Stopped. The data is kept; the same command goes on from here.")

    def tell(self, line: str) -> None:
        """Print a line for people, above the progress where that is shown."""
        self.console.print(line, markup=False)

    def _bring_up(self, url: str, supervisor: Supervisor, team_id: str | None, repositories: Sequence[str]) -> None:
        sandbox = services.sandbox_environment(self.addresses) if self.has_sandbox else {}
        env = services.environment(self.settings, self.addresses, url, sandbox)
        workspace = services.write_workspace(self.settings, self.addresses)
        if not self.settings.database_url:
            supervisor.keep(self._keep_database)
        ahead = [services.page_service(self.addresses, env), services.code_service(self.addresses, env)]
        if self.has_sandbox:
            ahead.insert(0, services.sandbox_service(self.addresses, env))
        started = [supervisor.start(service) for service in ahead]
        self._reconcile(env)
        self._register(url, team_id, repositories)
        self._await(supervisor, started)
        dagster = (services.webserver_service(self.addresses, env, workspace), services.daemon_service(env, workspace))
        if not self.stopping.is_set():
            self._await(supervisor, [supervisor.start(service) for service in dagster])
        self._announce()

    def _await(self, supervisor: Supervisor, children: Sequence[Child]) -> None:
        for child in children:
            supervisor.wait_until_ready(child, READY_WITHIN_SECONDS, is_cancelled=self.stopping.is_set)

    def _reconcile(self, env: Mapping[str, str]) -> None:
        """Make Dagster's tables before two of its processes meet new storage, and clear up after a crash."""
        if self.stopping.is_set():
            return
        command = [sys.executable, "-m", "historical_sync.orchestration.reconcile"]
        finished = subprocess.run(command, env=dict(env), capture_output=True, text=True, check=False)
        for line in finished.stdout.splitlines():
            self.tell(line)
        if finished.returncode != 0 and not self.stopping.is_set():
            raise ConfigurationError(f"Dagster's storage cannot be opened:\n{finished.stderr.strip()[-2000:]}")

    def _register(self, url: str, team_id: str | None, repositories: Sequence[str]) -> None:
        if self.has_sandbox and team_id is None:
            from historical_sync.sandbox.scenario import DEMO_REPOSITORIES

            team_id, repositories = DEMO_TEAM, DEMO_REPOSITORIES
        warehouse = Warehouse(url)
        with warehouse.transaction() as tx:
            asleep = worlds.enter(tx, self.settings.home, worlds.SANDBOX if self.has_sandbox else worlds.REAL)
            if team_id is not None:
                add_team(tx, team_id, repositories, history_months=self.settings.history_months)
        warehouse.close()
        if asleep:
            where = "GitHub, and this is the sandbox" if self.has_sandbox else "the sandbox, and this is GitHub"
            self.tell(f"Paused, since they belong to {where}: {', '.join(asleep)}.")

    def _keep_database(self) -> None:
        server = embedded_server(self.settings)
        if not server.is_running():
            self.tell("PostgreSQL has ended; it is started again.")
            server.start()

    def _announce(self) -> None:
        if self.stopping.is_set():
            return
        self.tell(f"Trends and progress   {self.addresses.page}")
        self.tell(f"Dagster               {self.addresses.dagster}")
        if self.has_sandbox:
            self.tell(f"Sandbox               {self.addresses.sandbox}")
        self.tell(f"Logs                  {self.settings.home / 'logs'}")
        self.tell("Open the first address and watch. The newest month is there first, the others follow by themselves.")
        self.tell("Ctrl-C stops everything; the data is kept.")

    def _show_progress(self, url: str, team_id: str) -> None:
        warehouse = Warehouse(url)
        self._draw_until(warehouse, EveryTeamComplete(warehouse, self.stopping))
        if not self.stopping.is_set():
            for line in WHAT_NEXT.format(page=self.addresses.page, team=team_id).splitlines():
                self.tell(line)
        self._draw_until(warehouse, self.stopping.is_set)
        warehouse.close()

    def _draw_until(self, warehouse: Warehouse, is_done: Callable[[], bool]) -> None:
        from historical_sync.cli.progress_view import live_progress

        while not is_done() and not self.stopping.is_set():
            with _waiting_out(self.tell, self.stopping):
                live_progress(warehouse, is_done=is_done, console=self.console)


class EveryTeamComplete:
    """Asked many times a second, looks every two seconds: is every team's history complete, or is it time to stop?"""

    def __init__(self, warehouse: Warehouse, stopping: threading.Event) -> None:
        self._warehouse = warehouse
        self._stopping = stopping
        self._next_look = 0.0
        self._is_complete = False

    def __call__(self) -> bool:
        """True from the moment on when there is nothing left to load, or when told to stop."""
        if time.monotonic() >= self._next_look and not self._is_complete:
            self._is_complete = self._look()
            self._next_look = time.monotonic() + 2.0
        return self._is_complete or self._stopping.is_set()

    def _look(self) -> bool:
        from historical_sync.cli.progress_view import read_teams

        try:
            teams = read_teams(self._warehouse, None)
        except WarehouseError:
            return False
        return bool(teams) and all(team.is_complete for team in teams)


@contextmanager
def _waiting_out(tell: Callable[[str], None], stopping: threading.Event) -> Iterator[None]:
    """The database may be away for a moment, which is no reason to stop what runs."""
    try:
        yield
    except WarehouseError as error:
        tell(f"Progress cannot be read just now: {error}")
        stopping.wait(2.0)
