"""What `doctor` looks at, one function a subject: each returns findings in words, with the way to mend what is wrong.

Prints nothing and changes nothing. The services are asked as cheaply as they allow: one GitHub point a token, one list
of Groq's batches.
"""

from __future__ import annotations

import os
import platform
import shutil
import socket
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING

from historical_sync.cli import services
from historical_sync.errors import ClassificationError, GroqRefused, HistoricalSyncError, ServerFailure, TokenRefused
from historical_sync.records import Team
from historical_sync.settings import Settings
from historical_sync.warehouse import inspection
from historical_sync.warehouse.schema import current_revision, newest_revision

if TYPE_CHECKING:
    from historical_sync.github.inspection import TokenExhausted, TokenReport

OK, WARNING, PROBLEM = "ok", "warning", "problem"

LEAST_FREE_BYTES = 1_000_000_000
LEAST_POSTGRES = 150_000
"""PostgreSQL 15: older ones have no `security_invoker` views, through which row-level security would leak."""
CLOCK_SKEW_WARNING = timedelta(seconds=30)
CLOCK_SKEW_PROBLEM = timedelta(minutes=5)
EXPIRES_SOON = timedelta(days=7)
CANNOT_REACH = "See that this machine reaches it (DNS, firewall, HTTPS_PROXY) and that its address is right."
MORE_TOKENS = "Nothing to do: work goes on then. Faster: tokens of several users (GITHUB_TOKENS=a,b) or an App."
READS_REPOSITORIES = {"repo", "public_repo"}


@dataclass(frozen=True)
class Finding:
    """One thing looked at: `state` is ok, warning or problem; `remedy` says how to mend it."""

    subject: str
    state: str
    text: str
    remedy: str = ""


def look_at_machine(settings: Settings) -> Iterator[Finding]:
    """Python, the packages, the folder."""
    python = platform.python_version()
    yield Finding("Python", OK, f"{python} on {platform.platform(terse=True)}")
    if os.environ.get("PYTHONDONTWRITEBYTECODE"):
        yield Finding(
            "Python", WARNING, "PYTHONDONTWRITEBYTECODE is set: every run starts twice as slowly.", "Unset it."
        )
    yield from _look_at_packages()
    yield from _look_at_home(settings.home)


def _look_at_packages() -> Iterator[Finding]:
    try:
        found = {name: version(name) for name in ("dagster", "dagster-webserver", "dagster-postgres", "sqlalchemy")}
    except PackageNotFoundError as error:
        yield Finding(
            "packages", PROBLEM, f"{error.name} is not installed.", "Install again: make run, or pip install ."
        )
        return
    if found["dagster"] != found["dagster-webserver"]:
        text = f"dagster is {found['dagster']}, dagster-webserver {found['dagster-webserver']}: they must be the same."
        yield Finding("packages", PROBLEM, text, "Install again with constraints.txt.")
    if not found["sqlalchemy"].startswith("2.0."):
        text = f"SQLAlchemy {found['sqlalchemy']} breaks Dagster's storage."
        yield Finding("packages", PROBLEM, text, "pip install 'sqlalchemy>=2.0,<2.1'")
    yield Finding("packages", OK, ", ".join(f"{name} {number}" for name, number in found.items()))


def _look_at_home(home: Path) -> Iterator[Finding]:
    if not home.exists():
        yield Finding("folder", OK, f"{home} is not there yet; `historical-sync up` makes it.")
        return
    if not os.access(home, os.R_OK | os.W_OK | os.X_OK):
        yield Finding("folder", PROBLEM, f"{home} cannot be written to.", "Set HISTORICAL_SYNC_HOME to another folder.")
    if home.stat().st_mode & 0o066:
        yield Finding("folder", WARNING, f"Others may read {home}.", f"chmod go-rw {home}")
    free = shutil.disk_usage(home).free
    state = OK if free >= LEAST_FREE_BYTES else PROBLEM
    remedy = "" if state == OK else "Free some space: PostgreSQL stops when the disk is full."
    yield Finding("folder", state, f"{home}, {free / 1e9:.1f} GB free", remedy)


def look_at_database(settings: Settings, url: str) -> Iterator[Finding]:
    """Whether it answers, its version, its schema, and what its role may do."""
    what = "the database of HISTORICAL_SYNC_DATABASE_URL" if settings.database_url else "the embedded PostgreSQL"
    try:
        report = inspection.inspect(url)
        revision = current_revision(url)
    except HistoricalSyncError as error:
        yield Finding("database", PROBLEM, f"{what} does not answer: {error}", error.remedy)
        return
    yield Finding("database", OK, f"{what}, PostgreSQL {report.version}, role {report.role}")
    if report.version_number < LEAST_POSTGRES:
        yield Finding("database", PROBLEM, f"PostgreSQL {report.version} is too old.", "Use PostgreSQL 15 or newer.")
    if revision != newest_revision():
        text = f"The schema is at {revision or 'nothing'}; this program needs {newest_revision()}."
        is_newer = revision is not None and revision > newest_revision()
        remedy = "Install the newer version of this program." if is_newer else "Run `historical-sync migrate`."
        yield Finding("schema", PROBLEM, text, remedy)
        return
    yield Finding("schema", OK, f"at {revision}, as it must be")
    yield from _look_at_role(report, is_own=settings.database_url is not None)


def _look_at_role(report: inspection.DatabaseReport, *, is_own: bool) -> Iterator[Finding]:
    if report.missing_rights:
        rights = "; ".join(report.missing_rights)
        yield Finding(
            "role", PROBLEM, f"{report.role} may not: {rights}.", "deploy/postgres/roles.sql grants what is needed."
        )
    elif report.is_superuser and is_own:
        remedy = "Give it a role of its own: deploy/postgres/roles.sql."
        yield Finding("role", WARNING, f"{report.role} is a superuser, which the pipeline does not need.", remedy)
    else:
        yield Finding("role", OK, f"{report.role} may do what it must")


def look_at_github(settings: Settings, teams: Iterable[Team], now: datetime) -> Iterator[Finding]:
    """Each token, of the pool and of the teams: valid, scopes, end, budget; and our clock against GitHub's."""
    references: dict[str | None, list[str]] = {}
    for team in teams:
        references.setdefault(team.github_token_ref, []).append(team.team_id)
    for reference, users in (references or {None: []}).items():
        yield from _look_at_tokens(settings, reference, users, now)


def _look_at_tokens(settings: Settings, reference: str | None, users: list[str], now: datetime) -> Iterator[Finding]:
    from historical_sync.github.inspection import TokenExhausted, inspect_tokens

    for_whom = f" (for {', '.join(users[:3])}{' …' if len(users) > 3 else ''})" if users else ""
    try:
        reports = inspect_tokens(settings.github_api_url, reference)
    except ServerFailure as error:
        yield Finding("GitHub", PROBLEM, f"{settings.github_api_url} does not answer: {error}", CANNOT_REACH)
        return
    except HistoricalSyncError as error:
        yield Finding("GitHub", PROBLEM, f"{error}{for_whom}", error.remedy)
        return
    for report in reports:
        if isinstance(report, TokenRefused):
            yield Finding("GitHub", PROBLEM, f"{report}{for_whom}", report.remedy)
        elif isinstance(report, TokenExhausted):
            yield judge_exhausted(report, for_whom)
        else:
            yield from judge_token(report, for_whom, now)


def judge_token(report: TokenReport, for_whom: str, now: datetime) -> Iterator[Finding]:
    """What a token's report means."""
    name = f"{report.token_ref}{for_whom}"
    if report.scopes is not None and not READS_REPOSITORIES & set(report.scopes):
        remedy = "Give it the scope `repo` (private) or `public_repo`, or use a fine-grained token."
        yield Finding("GitHub", WARNING, f"{name} has no scope for repositories: public ones only.", remedy)
    if report.expires_at is not None and report.expires_at - now < EXPIRES_SOON:
        yield Finding("GitHub", WARNING, f"{name} ends on {report.expires_at:%Y-%m-%d %H:%M} UTC.", "Renew it in time.")
    if report.limit and report.remaining == 0 and report.resets_at:
        text = f"{name} has used up its budget until {report.resets_at:%H:%M} UTC."
        yield Finding("GitHub", WARNING, text, MORE_TOKENS)
    budget = f"{report.remaining} of {report.limit} points left" if report.limit else "no limit"
    yield Finding("GitHub", OK, f"{name}: {report.login or 'an app'}, {budget}")
    yield from judge_clock(report.server_time, now)


def judge_exhausted(report: TokenExhausted, for_whom: str) -> Finding:
    """GitHub answers nothing more under this token for now."""
    until = f" until {report.resets_at:%H:%M} UTC" if report.resets_at else ""
    text = f"{report.token_ref}{for_whom} has used up its budget{until}. {report.reason}"
    return Finding("GitHub", WARNING, text, MORE_TOKENS)


def judge_clock(server_time: datetime, now: datetime) -> Iterator[Finding]:
    """A clock that is off makes months open and close at the wrong time, and App tokens invalid."""
    skew = abs(server_time - now)
    if skew > CLOCK_SKEW_WARNING:
        state = PROBLEM if skew > CLOCK_SKEW_PROBLEM else WARNING
        text = f"This machine's clock is {skew.total_seconds():.0f} s off GitHub's."
        yield Finding("clock", state, text, "Turn on time synchronisation (timedatectl set-ntp true).")


def look_at_groq(settings: Settings) -> Iterator[Finding]:
    """The key, the model, and whether the key's plan has batches."""
    from historical_sync.classification.groq_client import inspect_key

    try:
        report = inspect_key(settings)
    except ClassificationError as error:
        if isinstance(error, GroqRefused):
            remedy = error.remedy or "See console.groq.com: key, plan and limits."
            yield Finding("Groq", PROBLEM, str(error), remedy)
        else:
            yield Finding("Groq", WARNING, str(error), f"{CANNOT_REACH} Meanwhile work is queued, and sent later.")
        return
    if report is None:
        text = "GROQ_API_KEY is not set: pull requests wait to be classified; signatures and trends work."
        yield Finding("Groq", WARNING, text, "Set GROQ_API_KEY (console.groq.com/keys).")
        return
    if settings.groq_model not in report.models:
        some = ", ".join(report.models[:5])
        yield Finding(
            "Groq", PROBLEM, f"This key has no model {settings.groq_model!r}.", f"Set GROQ_MODEL, e.g. {some}."
        )
    if not report.has_batches:
        remedy = "Single calls are used, at twice the price, until the plan has batches."
        yield Finding("Groq", WARNING, "The key's plan has no batches.", remedy)
    else:
        yield Finding("Groq", OK, f"the key is valid, its plan has batches; model {settings.groq_model}")


def look_at_daemon(settings: Settings) -> Iterator[Finding]:
    """Whether Dagster's daemons beat: without them nothing is started by itself."""
    from historical_sync.orchestration import direct

    with direct.open_instance(settings) as instance:
        daemons = direct.daemon_status(instance)
    ill = [(name, last) for name, is_healthy, last in daemons if not is_healthy]
    if not ill:
        yield Finding("Dagster", OK, f"{len(daemons)} daemons are at work")
        return
    last_seen = max((last for _, last in ill if last), default=None)
    when = f"last seen {last_seen:%Y-%m-%d %H:%M} UTC" if last_seen else "never seen"
    text = f"not at work: {', '.join(name for name, _ in ill)} ({when}). New teams wait."
    yield Finding("Dagster", WARNING, text, "Run `historical-sync up`; `sync TEAM` works without it.")


def look_at_ports(ports: dict[str, int]) -> Iterator[Finding]:
    """Whether the pages answer, or their ports are free for `up`."""
    for name, port in ports.items():
        path = {"Dagster's pages": "/server_info"}.get(name, "/healthz")
        if services.answers("127.0.0.1", port, path):
            yield Finding("ports", OK, f"{name} answer on {port}")
        elif _is_listening(port):
            text = f"{port}, for {name}, is taken{services.holder(port)}."
            yield Finding("ports", PROBLEM, text, "Stop it, or use `up --port` and `--dashboard-port`.")
        else:
            yield Finding("ports", OK, f"{port}, for {name}, is free")


def _is_listening(port: int) -> bool:
    with socket.socket() as client:
        client.settimeout(1.0)
        return client.connect_ex(("127.0.0.1", port)) == 0
