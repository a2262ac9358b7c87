"""Groq's paths below `/openai/v1`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from starlette.datastructures import Headers, QueryParams
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from historical_sync.sandbox.groq.api import Groq
from historical_sync.sandbox.log import Entry
from historical_sync.sandbox.wire import Answer, Endpoint, Outgoing, token_of

BASE = "/openai/v1"


@dataclass(frozen=True)
class Call:
    """One call: what the path names, the query, the headers, the body, and its entry in the log."""

    name: str
    query: QueryParams
    headers: Headers
    body: bytes
    entry: Entry


Act = Callable[[Groq, Call], Answer]


def _list_batches(groq: Groq, call: Call) -> Answer:
    cursor = call.query.get("cursor", "").removeprefix("cursor_")
    after = cursor or call.query.get("after") or None
    limit = call.query.get("limit", "20")
    return groq.list_batches(int(limit) if limit.isdigit() else 20, after, call.query.getlist("id"))


PATHS: tuple[tuple[str, str, str, Act], ...] = (
    ("POST", "/files", "files.create", lambda groq, call: groq.create_file(call.headers["content-type"], call.body)),
    ("GET", "/files", "files.list", lambda groq, call: groq.list_files()),
    ("GET", "/files/{name}", "files.info", lambda groq, call: groq.read_file(call.name)),
    ("GET", "/files/{name}/content", "files.content", lambda groq, call: groq.file_content(call.name)),
    ("DELETE", "/files/{name}", "files.delete", lambda groq, call: groq.delete_file(call.name)),
    ("POST", "/batches", "batches.create", lambda groq, call: groq.create_batch(call.body, call.entry)),
    ("GET", "/batches", "batches.list", _list_batches),
    ("GET", "/batches/{name}", "batches.retrieve", lambda groq, call: groq.read_batch(call.name)),
    ("POST", "/batches/{name}/cancel", "batches.cancel", lambda groq, call: groq.cancel_batch(call.name)),
    ("POST", "/chat/completions", "chat", lambda groq, call: groq.chat(call.body, call.entry)),
    ("GET", "/models", "models.list", lambda groq, call: groq.models()),
    ("GET", "/models/{name:path}", "models.retrieve", lambda groq, call: groq.model(call.name)),
)
"""Method, path, operation (as the log and the faults call it), and what answers."""


def groq_routes(groq: Groq) -> list[Route]:
    """The routes of one Groq."""
    return [
        Route(BASE + path, _endpoint(groq, operation, act), methods=[method]) for method, path, operation, act in PATHS
    ]


def _endpoint(groq: Groq, operation: str, act: Act) -> Endpoint:
    async def endpoint(request: Request) -> Response:
        name, body = request.path_params.get("name", ""), await request.body()

        def answer(entry: Entry) -> Answer:
            return act(groq, Call(name, request.query_params, request.headers, body, entry))

        return Outgoing(groq.answer(operation, token_of(request), answer))

    return endpoint
