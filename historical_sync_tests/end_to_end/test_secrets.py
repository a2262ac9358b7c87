"""A whole onboarding over TCP with secrets planted everywhere; then everything that was written is searched."""

import json
import subprocess
import tempfile
import threading
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from pathlib import Path

import psycopg2
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from historical_sync.cli.services import free_port
from historical_sync.sandbox import scenario
from historical_sync.sandbox.github.rest import INSTALLATION_ID
from historical_sync.sandbox.server import Sandbox
from historical_sync.warehouse import programs
from historical_sync.warehouse.address import dagster_url
from historical_sync.warehouse.embedded import EmbeddedPostgres
from historical_sync_tests.conftest import run_sql
from historical_sync_tests.end_to_end.household import REPOSITORY_ROOT, Household
from historical_sync_tests.end_to_end.planting import Echo, Planted, Receiver, Search

pytestmark = [pytest.mark.daemon, pytest.mark.timeout(3600)]

PATIENCE_SECONDS = 1200.0
"""Far more than anything here takes, for machines that do much else."""

GITHUB = "ghp_planted/github+token=0001"
REFUSED = "ghp_planted/refused+token=0002"
GROQ = "gsk_planted/groq+key=000000003"
PIPELINE = "planted/pipeline:pass@word%4"
DAGSTER = "planted/dagster:pass@word%05"
WEBHOOK_PATH = "planted-webhook-path-000006"
WEBHOOK = "planted-webhook-secret-0007"
ADMIN = "planted-admin-token-0000008"
LINKS = "planted-link-signing-key-09"
QUOTED = {PIPELINE: "planted%2Fpipeline%3Apass%40word%254", DAGSTER: "planted%2Fdagster%3Apass%40word%2505"}

NOT_OURS_TO_LOSE = "canary-that-must-be-found"
"""The team's name: no secret, and proof that the search looks where things are written."""


@dataclass
class Machine:
    """A PostgreSQL that asks for passwords, `up` beside it, a sandbox, and somebody who takes alerts."""

    server: EmbeddedPostgres
    household: Household
    sandbox: Sandbox
    receiver: Receiver
    search: Search

    def run(self, *arguments: str, variables: Mapping[str, str] | None = None) -> subprocess.CompletedProcess[str]:
        """A command on the same installation, with some variables changed; what it printed is searched."""
        before = self.household.variables
        self.household.variables = before | dict(variables or {})
        try:
            finished = self.household.command(*arguments)
        finally:
            self.household.variables = before
        self.search.text(f"historical-sync {arguments[0]}", finished.stdout + finished.stderr)
        return finished

    def rows(self, sql: str) -> list[tuple[object, ...]]:
        """Asked as the administrator."""
        connection = psycopg2.connect(self.server.url("shared"))
        with connection.cursor() as cursor:
            cursor.execute(sql)
            found = cursor.fetchall()
        connection.close()
        return found

    def get(self, port: int, path: str, token: str | None = None, *, body: bytes | None = None) -> int:
        """Fetch a page (or post a body to it) and search what comes back, headers too; its status."""
        request = urllib.request.Request(f"http://127.0.0.1:{port}{path}", data=body)
        if token:
            request.add_header("Authorization", f"Bearer {token}")
        try:
            with urllib.request.urlopen(request, timeout=30) as answer:
                self.search.text("pages", answer.read() + str(answer.headers).encode())
                return int(answer.status)
        except urllib.error.HTTPError as error:
            self.search.text("pages", error.read() + str(error.headers).encode())
            return error.code


def app_key() -> tuple[str, str]:
    """An App's private key and its public one."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.TraditionalOpenSSL, serialization.NoEncryption()
    )
    public = key.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    return private.decode(), public.decode()


def network_server(folder: Path) -> tuple[EmbeddedPostgres, dict[str, str]]:
    """A server on TCP with the roles of deploy/, each with a password; the variables that lead there."""
    port = str(free_port())
    server = EmbeddedPostgres(folder / "postgres", settings={"listen_addresses": "127.0.0.1", "port": port})
    server.start()
    run_sql(server.url(), "create database shared")
    roles = str(REPOSITORY_ROOT / "deploy" / "postgres" / "roles.sql")
    psql = [str(programs.folder() / "psql"), "-q", "-f", roles, server.url("shared")]
    subprocess.run(psql, check=True, capture_output=True)
    for role, password in (("pipeline", PIPELINE), ("dagster", DAGSTER)):
        run_sql(server.url(), f"alter role historical_sync_{role} password '{password}'")
    (server.data / "pg_hba.conf").write_text("local all all trust\nhost all all 127.0.0.1/32 scram-sha-256\n")
    run_sql(server.url(), "select pg_reload_conf()")
    base = f"127.0.0.1:{port}/shared"
    return server, {
        "HISTORICAL_SYNC_DATABASE_URL": f"postgresql://historical_sync_pipeline:{QUOTED[PIPELINE]}@{base}",
        "HISTORICAL_SYNC_DAGSTER_URL": dagster_url(f"postgresql://historical_sync_dagster:{QUOTED[DAGSTER]}@{base}"),
    }


@pytest.fixture
def machine() -> Iterator[Machine]:
    """Everything but `up` runs."""
    private, public = app_key()
    planted = Planted(
        github=GITHUB, refused=REFUSED, groq=GROQ, pipeline=PIPELINE, dagster=DAGSTER, webhook_path=WEBHOOK_PATH,
        webhook=WEBHOOK, admin=ADMIN, links=LINKS, app_key=private,
    )  # fmt: skip
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="hs_secrets_")))
        sandbox = stack.enter_context(Sandbox(scenario.demo()))
        sandbox.rest.app_public_key = public
        sandbox.github.identities.revoked.add(REFUSED)
        receiver = stack.enter_context(Receiver())
        server, database = network_server(folder)
        stack.callback(server.stop)
        household = Household(
            folder / "home",
            "--team",
            "acme",
            *(word for name in sandbox.world.repositories for word in ("--repo", name)),
            variables={
                **database,
                "GITHUB_API_URL": sandbox.github_url,
                "GROQ_BASE_URL": sandbox.groq_url,
                "GITHUB_TOKEN": GITHUB,
                "GROQ_API_KEY": GROQ,
                "REFUSED_TOKEN": REFUSED,
                "APP_KEY": private,
                "SYNC_HISTORY_MONTHS": "1",
                "HISTORICAL_SYNC_WEBHOOK_URL": f"{receiver.url}/{WEBHOOK_PATH}",
                "HISTORICAL_SYNC_WEBHOOK_SECRET": WEBHOOK,
                "HISTORICAL_SYNC_ADMIN_TOKEN": ADMIN,
                "HISTORICAL_SYNC_SECRET_KEY": LINKS,
            },
        )
        stack.callback(household.make_sure_it_is_gone)
        yield Machine(server, household, sandbox, receiver, Search(planted))


def test_no_secret_is_written_anywhere(machine: Machine) -> None:
    """Not in a log, a table of ours or Dagster's, a file, a command line, an output, a page or an alert.

    Neither when all goes well nor when a token is refused, an App is used, the database breaks off, a server repeats
    what it was sent, or somebody gives a token where its reference belongs.
    """
    with machine.search.watching_command_lines():
        onboard_everybody(machine)
        break_the_database_off(machine)
        ask_servers_that_repeat_everything(machine)
        ask_for_pages(machine)
        for arguments in (["doctor"], ["status"], ["trends", "acme"], ["team", "list"]):
            machine.run(*arguments)
        assert machine.household.stop() == 0, machine.household.last_lines()
    search_everything(machine)
    assert machine.search.found == set()


def onboard_everybody(machine: Machine) -> None:
    """A good team, one that uses an App, and one whose token GitHub refuses."""
    household, sandbox = machine.household, machine.sandbox
    name = next(iter(sandbox.world.repositories))
    household.start()
    household.wait_until(lambda: "acme" in states(machine), seconds=PATIENCE_SECONDS, what="the team of the command")
    run_sql(machine.server.url("shared"), f"update historical_sync.teams set display_name = '{NOT_OURS_TO_LOSE}'")
    app = f"app:1234:{INSTALLATION_ID}:env:APP_KEY"
    for team_id, reference in (("by-app", app), ("refused", "env:REFUSED_TOKEN")):
        added = machine.run("team", "add", team_id, "--repo", name, "--token-ref", reference, "--months", "0")
        assert added.returncode == 0, added.stderr
    typo = {"team_id": "typo", "repositories": [name], "token_ref": GITHUB}
    assert machine.get(household.page_port, "/api/teams", ADMIN, body=json.dumps(typo).encode()) == 422
    assert machine.get(household.page_port, "/api/teams", "planted-wrong-token", body=b"{}") == 401
    household.wait_until(
        lambda: (
            states(machine) == {"acme": True, "by-app": True, "refused": False}
            and bool(
                machine.rows("select 1 from historical_sync.team_months where team_id = 'refused' and error <> ''")
            )
        ),
        seconds=PATIENCE_SECONDS,
        what="two teams loaded and one refused",
    )
    issued = list(sandbox.github.identities.expires_at)
    assert issued, "the App was used"
    for token in issued:
        machine.search.planted.add("installation_token", token)
    household.wait_until(
        lambda: "failure" in machine.receiver.kinds(), seconds=PATIENCE_SECONDS, what="the alert of the failure"
    )
    assert all(one.startswith("sha256=") for one in machine.receiver.signatures)


def states(machine: Machine) -> dict[str, bool]:
    """Each team: whether its whole history is loaded."""
    with suppress(psycopg2.Error):
        rows = machine.rows("select team_id, onboarded_at is not null from historical_sync.teams")
        return {str(team_id): bool(is_loaded) for team_id, is_loaded in rows}
    return {}


def break_the_database_off(machine: Machine) -> None:
    """Nobody may log in for some seconds and every session ends, with a run in the middle of its work."""
    url = machine.server.url("shared")
    run_sql(url, "update historical_sync.teams set history_months = 2 where team_id = 'acme'")
    machine.household.wait_until(
        lambda: bool(machine.rows("select 1 from historical_sync.run_workers where seen_at > now() - interval '5 s'")),
        seconds=PATIENCE_SECONDS,
        what="a run at work",
    )
    roles = "historical_sync_pipeline", "historical_sync_dagster"
    for role in roles:
        run_sql(url, f"alter role {role} nologin")
    run_sql(url, "select pg_terminate_backend(pid) from pg_stat_activity where usename like 'historical_sync_%'")
    assert machine.run("status").returncode == 1
    assert machine.get(machine.household.page_port, "/teams/acme/progress") in (500, 503)
    machine.get(machine.household.dagster_port, "/runs")
    threading.Event().wait(8)  # for ticks and heartbeats to fail
    for role in roles:
        run_sql(url, f"alter role {role} login")


def ask_servers_that_repeat_everything(machine: Machine) -> None:
    """GitHub and Groq imitated by somebody who quotes each request in his refusal; and databases that are not there."""
    month = str(machine.rows("select max(month) from historical_sync.repository_months")[0][0])[:7]
    elsewhere = {"HISTORICAL_SYNC_DATABASE_URL": f"postgresql://u:{QUOTED[PIPELINE]}@127.0.0.1:{free_port()}/x"}
    with Echo(401) as refusing, Echo(400) as groq:
        quoting_github = machine.run("sync", "acme", "--month", month, variables={"GITHUB_API_URL": refusing.url})
        quoting_groq = {"GROQ_BASE_URL": groq.url}
        machine.run("sync", "acme", "--month", month, "--wait", "0", variables=quoting_groq)
        machine.run("doctor", variables={"GITHUB_API_URL": refusing.url} | quoting_groq)
        assert quoting_github.returncode == 1
        assert "***" in quoting_github.stdout + quoting_github.stderr
        assert refusing.requests > 1
    assert machine.run("status", variables=elsewhere).returncode == 1
    malformed = {"HISTORICAL_SYNC_DATABASE_URL": f"postgresql://u:{PIPELINE}@127.0.0.1:1/x?unheard_of=1"}
    assert machine.run("status", variables=malformed).returncode == 1


def ask_for_pages(machine: Machine) -> None:
    """The team's pages and API, refusals, a signed link, and Dagster's pages with the logs of every run."""
    household = machine.household
    link = household.command("team", "link", "acme").stdout.split()[-1]
    path = "/open/" + link.rpartition("/open/")[2]
    machine.search.planted.add("signed_link", path.removeprefix("/open/"))
    for page in ("/", "/teams/acme/progress", "/teams/acme/trends", "/api/teams/acme/progress", "/no/such/page"):
        machine.get(household.page_port, page, token="planted-wrong-bearer-token")
    with suppress(urllib.error.URLError), urllib.request.urlopen(f"http://127.0.0.1:{household.page_port}{path}"):
        pass  # what it answers sets a cookie; whether the address was logged is what matters
    machine.get(household.dagster_port, "/server_info")
    runs = household.graphql("{runsOrError{...on Runs{results{runId tags{key value} runConfigYaml}}}}")
    machine.search.text("Dagster's API", str(runs))
    where = '{repositoryName: "__repository__", repositoryLocationName: "historical_sync"}'
    ticks = "ticks(limit: 500){status skipReason error{message stack} logEvents{events{message}}}"
    sensors = household.graphql(
        f"{{sensorsOrError(repositorySelector: {where}){{...on Sensors{{results{{name sensorState{{{ticks}}}}}}}}}}}"
    )
    machine.search.text("Dagster's API", str(sensors))
    assert "onboard_teams" in str(sensors)


def search_everything(machine: Machine) -> None:
    """All that is left behind when everything has stopped."""
    search, household = machine.search, machine.household
    search.files(household.home)
    search.text("up", household.output.read_bytes())
    search.text("PostgreSQL's log", (machine.server.data.parent / "postgres.log").read_bytes())
    search.database(machine.server.url("shared"))
    for body in machine.receiver.bodies:
        search.text("alerts", body)
    canary = Search(Planted(canary=NOT_OURS_TO_LOSE))
    canary.database(machine.server.url("shared"))
    assert {place for place, _ in canary.found} >= {"historical_sync.teams"}
    looked_at = set(search.looked_at)
    assert looked_at >= {"dagster.event_logs", "dagster.runs", "dagster.job_ticks", "command lines", "pages", "alerts"}
    assert any(place.startswith("logs/") for place in looked_at)
