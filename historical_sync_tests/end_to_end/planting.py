"""Planted secrets, and the search for them in everything that was written: what a test of secrecy stands on."""

from __future__ import annotations

import base64
import json
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import quote

import psutil
import psycopg2

from historical_sync_tests.end_to_end.processes import command_line

SCHEMAS = ("historical_sync", "dashboard", "dagster")


class Planted:
    """Secrets by name. `found_in` gives the names of those that a text holds, as they are or as programs write them."""

    def __init__(self, **secrets: str) -> None:
        self._forms = {name: set(_spellings(secret)) for name, secret in secrets.items()}

    def add(self, name: str, secret: str) -> None:
        """One that came to be on the way, such as an installation's token."""
        self._forms.setdefault(name, set()).update(_spellings(secret))

    def found_in(self, content: bytes) -> set[str]:
        """Which secrets are in there."""
        return {name for name, forms in self._forms.items() if any(form in content for form in forms)}


def _spellings(secret: str) -> Iterator[bytes]:
    """Plain, quoted for an address, escaped as JSON, in base 64; of a text of many lines each line that says enough."""
    for line in (one for one in secret.splitlines() if len(one) > 15 and not one.startswith("-----")):
        yield line.encode()
        yield quote(line, safe="").encode()
        yield json.dumps(line)[1:-1].encode()
        yield base64.b64encode(line.encode()).rstrip(b"=")[:-1]


class Search:
    """Looks through texts as they come, and keeps where a secret was found. Holds no text."""

    def __init__(self, planted: Planted) -> None:
        self.planted = planted
        self.looked_at: dict[str, int] = {}
        self.found: set[tuple[str, str]] = set()

    def text(self, place: str, content: str | bytes) -> None:
        """Look at one text."""
        data = content.encode() if isinstance(content, str) else content
        self.looked_at[place] = self.looked_at.get(place, 0) + len(data)
        self.found |= {(place, name) for name in self.planted.found_in(data)}

    def files(self, folder: Path) -> None:
        """Every file below a folder, its name as well."""
        for path in sorted(folder.rglob("*")):
            self.text("names of files", str(path))
            if path.is_file():
                self.text(str(path.relative_to(folder)), path.read_bytes())

    def database(self, url: str) -> None:
        """Every row of every table, ours and Dagster's, and what the server tells of its sessions."""
        connection = psycopg2.connect(url)
        with connection.cursor() as cursor:
            cursor.execute(
                "select schemaname, tablename from pg_tables where schemaname = any(%s) order by 1, 2", [list(SCHEMAS)]
            )
            for schema, table in cursor.fetchall():
                cursor.execute(f'select t::text from "{schema}"."{table}" t')
                for row in cursor:
                    self.text(f"{schema}.{table}", row[0])
            cursor.execute("select application_name || ' ' || query from pg_stat_activity")
            self.text("pg_stat_activity", "\n".join(row[0] or "" for row in cursor.fetchall()))
        connection.close()

    @contextmanager
    def watching_command_lines(self) -> Iterator[None]:
        """Look at what `ps` shows of every process, again and again, for the length of the block."""
        is_over = threading.Event()

        def watch() -> None:
            while not is_over.wait(0.25):
                for process in psutil.process_iter():
                    self.text("command lines", command_line(process))

        watcher = threading.Thread(target=watch)
        watcher.start()
        try:
            yield
        finally:
            is_over.set()
            watcher.join()


class Echo:
    """A server that refuses everything with `status` and repeats in its message all that it was sent.

    What a proxy under debugging does, and worse than GitHub or Groq ever did. GraphQL's way is 200 with `errors`.
    """

    def __init__(self, status: int = 401) -> None:
        self.status = status
        self.requests = 0
        echo = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                self.rfile.read(int(self.headers.get("Content-Length") or 0))
                self._refuse()

            def do_GET(self) -> None:
                self._refuse()

            def _refuse(self) -> None:
                echo.requests += 1
                message = f"refused: {dict(self.headers)}"
                error = {"type": "FORBIDDEN", "code": "invalid_api_key", "message": message, "path": ["repository"]}
                body = json.dumps({"message": message, "error": error, "errors": [error], "data": None}).encode()
                self.send_response(echo.status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *arguments: Any) -> None:
                """Silent."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        self.url = f"http://127.0.0.1:{self._server.server_port}"

    def __enter__(self) -> Echo:
        return self

    def __exit__(self, *error: object) -> None:
        self._server.shutdown()
        self._server.server_close()


class Receiver:
    """A web server that takes alerts and keeps them."""

    def __init__(self) -> None:
        self.bodies: list[bytes] = []
        self.signatures: list[str] = []
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                receiver.bodies.append(self.rfile.read(int(self.headers["Content-Length"])))
                receiver.signatures.append(self.headers.get("X-Historical-Sync-Signature", ""))
                self.send_response(200)
                self.end_headers()

            def log_message(self, *arguments: Any) -> None:
                """Silent."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        self.url = f"http://127.0.0.1:{self._server.server_port}"

    def kinds(self) -> list[str]:
        """What was told, in its order."""
        return [json.loads(body)["kind"] for body in self.bodies]

    def __enter__(self) -> Receiver:
        return self

    def __exit__(self, *error: object) -> None:
        self._server.shutdown()
        self._server.server_close()


def joined(parts: Iterable[bytes]) -> bytes:
    """Several bodies as one text."""
    return b"\n".join(parts)
