"""Which processes `up` runs, with which commands and environment, and how to see that each serves.

Nothing secret stands on a command line: database addresses, tokens and keys travel in the environment. Whether a
process lives is the business of `cli.supervision`.
"""

from __future__ import annotations

import http.client
import os
import socket
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import psutil

from historical_sync.cli.supervision import Service
from historical_sync.errors import ConfigurationError
from historical_sync.settings import Settings
from historical_sync.warehouse.address import dagster_url

SANDBOX_TOKEN = "sandbox"  # noqa: S105 - any word opens the imitation
READY_TIMEOUT_SECONDS = 2.0


@dataclass(frozen=True)
class Addresses:
    """Where everything listens. `code_socket` is a Unix socket in a folder that only we may enter."""

    host: str
    dagster_port: int
    page_port: int
    sandbox_port: int
    code_socket: Path

    @property
    def dagster(self) -> str:
        """Dagster's pages."""
        return f"http://{self.host}:{self.dagster_port}"

    @property
    def page(self) -> str:
        """The trends page."""
        return f"http://{self.host}:{self.page_port}"

    @property
    def sandbox(self) -> str:
        """The imitation of GitHub and Groq."""
        return f"http://127.0.0.1:{self.sandbox_port}"


def environment(
    settings: Settings, addresses: Addresses, database_url: str, sandbox: Mapping[str, str]
) -> dict[str, str]:
    """What every child gets: ours, where Dagster finds its home and database, and whom to talk to."""
    programs = str(Path(sys.executable).parent)
    return {
        **os.environ,
        "HISTORICAL_SYNC_HOME": str(settings.home),
        "HISTORICAL_SYNC_PAGE_URL": addresses.page,
        "DAGSTER_HOME": str(settings.home / "dagster"),
        "HISTORICAL_SYNC_DAGSTER_URL": os.environ.get("HISTORICAL_SYNC_DAGSTER_URL") or dagster_url(database_url),
        "PATH": os.pathsep.join([programs, os.environ.get("PATH", os.defpath)]),
        "PYTHONUNBUFFERED": "1",
        **sandbox,
    }


def sandbox_environment(addresses: Addresses) -> dict[str, str]:
    """What points the pipeline at the imitation instead of GitHub and Groq."""
    return {
        "GITHUB_API_URL": addresses.sandbox,
        "GROQ_BASE_URL": addresses.sandbox,
        "GITHUB_TOKEN": SANDBOX_TOKEN,
        "GITHUB_TOKENS": "",
        "GROQ_API_KEY": SANDBOX_TOKEN,
    }


def sandbox_service(addresses: Addresses, env: Mapping[str, str]) -> Service:
    """The imitation of GitHub and Groq. The same seed tells the same story after every start; only time moves on."""
    command = [sys.executable, "-m", "historical_sync", "sandbox", "--port", str(addresses.sandbox_port)]
    return Service("sandbox", command, env, lambda: answers("127.0.0.1", addresses.sandbox_port, "/_sandbox/state"))


def page_service(addresses: Addresses, env: Mapping[str, str]) -> Service:
    """The trends and progress page."""
    where = ["--host", addresses.host, "--port", str(addresses.page_port)]
    command = [sys.executable, "-m", "historical_sync.dashboard.server", *where]
    return Service("page", command, env, lambda: answers(addresses.host, addresses.page_port, "/healthz"))


def code_service(addresses: Addresses, env: Mapping[str, str]) -> Service:
    """The code server: it holds the definitions and starts the runs, for the daemon and the webserver together."""
    command = [sys.executable, "-m", "dagster", "api", "grpc", "--socket", str(addresses.code_socket)]
    command += ["--module-name", "historical_sync.definitions", "--location-name", "historical_sync"]
    command += ["--use-python-environment-entry-point"]
    return Service("code-server", command, env, lambda: _accepts(addresses.code_socket))


def webserver_service(addresses: Addresses, env: Mapping[str, str], workspace: Path) -> Service:
    """Dagster's pages."""
    command = [sys.executable, "-m", "dagster_webserver", "--workspace", str(workspace)]
    command += ["--host", addresses.host, "--port", str(addresses.dagster_port)]
    return Service(
        "dagster-webserver", command, env, lambda: answers(addresses.host, addresses.dagster_port, "/server_info")
    )


def daemon_service(env: Mapping[str, str], workspace: Path) -> Service:
    """Dagster's daemon: sensors, schedules, the queue, backfills and retries."""
    return Service(
        "dagster-daemon", [sys.executable, "-m", "dagster._daemon", "run", "--workspace", str(workspace)], env
    )


def write_workspace(settings: Settings, addresses: Addresses) -> Path:
    """The file that leads the webserver and the daemon to the code server."""
    path = settings.home / "dagster" / "workspace.yaml"
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    path.write_text(
        f"load_from:\n  - grpc_server:\n      socket: {addresses.code_socket}\n      location_name: historical_sync\n"
    )
    return path


def answers(host: str, port: int, path: str) -> bool:
    """Whether a GET of `path` is answered with 200."""
    connection = http.client.HTTPConnection(host, port, timeout=READY_TIMEOUT_SECONDS)
    try:
        connection.request("GET", path)
        return connection.getresponse().status == http.client.OK
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def _accepts(path: Path) -> bool:
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as client:
        client.settimeout(READY_TIMEOUT_SECONDS)
        try:
            client.connect(str(path))
        except OSError:
            return False
        return True


def free_port(host: str = "127.0.0.1") -> int:
    """A port that nobody listens on now."""
    with socket.socket() as listener:
        listener.bind((host, 0))
        port: int = listener.getsockname()[1]
        return port


def require_free(host: str, port: int, option: str) -> None:
    """Raise ConfigurationError, with who holds it where that can be seen, unless `port` can be listened on."""
    with socket.socket() as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((host, port))
        except PermissionError as error:
            raise ConfigurationError(
                f"Port {port} may not be used by this user.", remedy=f"Give one above 1023 with {option}."
            ) from error
        except OSError as error:
            raise ConfigurationError(
                f"Port {port} is in use{holder(port)}.", remedy=f"Stop that program, or give another with {option}."
            ) from error


def holder(port: int) -> str:
    """Who listens there, as far as this user may see."""
    try:
        for one in psutil.net_connections("tcp"):
            if one.status == psutil.CONN_LISTEN and one.laddr[1:] == (port,) and one.pid:
                return f" by {psutil.Process(one.pid).name()} (process {one.pid})"
    except psutil.Error:
        return ""
    return ""
