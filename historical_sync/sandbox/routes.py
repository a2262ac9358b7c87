"""Which path belongs to which service. Thin: reads tokens and bodies, hands over, sends the answer."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from historical_sync.sandbox.log import Entry
from historical_sync.sandbox.wire import Answer, Outgoing, json_answer

if TYPE_CHECKING:
    from historical_sync.sandbox.server import Sandbox

Endpoint = Callable[[Request], Awaitable[Response]]
GROQ = "/openai/v1"


def token_of(request: Request) -> str | None:
    """The token of `Authorization: Bearer …` or `token …`."""
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    return token.strip() or None if scheme.lower() in {"bearer", "token"} else None


def github_routes(sandbox: Sandbox) -> list[Route]:
    """GitHub's paths, at the root and as a GitHub Enterprise Server has them (`/api/v3`, `/api/graphql`)."""

    async def graphql(request: Request) -> Response:
        body = await request.body()
        return Outgoing(sandbox.github.graphql(token_of(request), body))

    def rest(act: Callable[[Request], Answer], operation: str) -> Endpoint:
        async def endpoint(request: Request) -> Response:
            entry = sandbox.requests.begin("github", operation, "")
            with sandbox.world.lock:
                answer = act(request)
            entry.status = answer.status
            return Outgoing(answer)

        return endpoint

    paths: list[tuple[str, str, Endpoint]] = [
        ("GET", "/rate_limit", rest(lambda one: sandbox.rest.rate_limit(token_of(one)), "rate_limit")),
        ("GET", "/user", rest(lambda one: sandbox.rest.user(token_of(one)), "user")),
        ("GET", "/meta", rest(lambda one: sandbox.rest.meta(), "meta")),
        (
            "GET",
            "/repos/{owner}/{name}/installation",
            rest(
                lambda one: sandbox.rest.repository_installation(
                    token_of(one), one.path_params["owner"], one.path_params["name"]
                ),
                "installation",
            ),
        ),
        (
            "POST",
            "/app/installations/{number:int}/access_tokens",
            rest(lambda one: sandbox.rest.installation_token(token_of(one), one.path_params["number"]), "access_token"),
        ),
    ]
    routes = [Route(path, graphql, methods=["POST"]) for path in ("/graphql", "/api/graphql")]
    for method, path, endpoint in paths:
        routes += [Route(prefix + path, endpoint, methods=[method]) for prefix in ("", "/api/v3")]
    return routes


def groq_routes(sandbox: Sandbox) -> list[Route]:
    """Groq's paths."""
    groq = sandbox.groq

    def serve(operation: str, act: Callable[[Request, bytes, Entry], Answer]) -> Endpoint:
        async def endpoint(request: Request) -> Response:
            body = await request.body()
            with sandbox.world.lock:
                answer = groq.answer(operation, token_of(request), lambda entry: act(request, body, entry))
            return Outgoing(answer)

        return endpoint

    def name(request: Request) -> str:
        return str(request.path_params["name"])

    def list_batches(request: Request, body: bytes, entry: Entry) -> Answer:
        limit = min(int(request.query_params.get("limit", "20")), 100)
        cursor = (request.query_params.get("cursor") or "").removeprefix("cursor_")
        after = cursor or request.query_params.get("after") or None
        return groq.list_batches(limit, after, request.query_params.getlist("id"))

    def create_file(request: Request, body: bytes, entry: Entry) -> Answer:
        return groq.create_file(request.headers.get("content-type", ""), body)

    table: list[tuple[str, str, str, Callable[[Request, bytes, Entry], Answer]]] = [
        ("POST", "/files", "files.create", create_file),
        ("GET", "/files", "files.list", lambda request, body, entry: groq.list_files()),
        ("GET", "/files/{name}", "files.info", lambda request, body, entry: groq.read_file(name(request))),
        (
            "GET",
            "/files/{name}/content",
            "files.content",
            lambda request, body, entry: groq.file_content(name(request)),
        ),
        ("DELETE", "/files/{name}", "files.delete", lambda request, body, entry: groq.delete_file(name(request))),
        ("POST", "/batches", "batches.create", lambda request, body, entry: groq.create_batch(body, entry)),
        ("GET", "/batches", "batches.list", list_batches),
        ("GET", "/batches/{name}", "batches.retrieve", lambda request, body, entry: groq.read_batch(name(request))),
        (
            "POST",
            "/batches/{name}/cancel",
            "batches.cancel",
            lambda request, body, entry: groq.cancel_batch(name(request)),
        ),
        ("POST", "/chat/completions", "chat", lambda request, body, entry: groq.chat(body, entry)),
        ("GET", "/models", "models.list", lambda request, body, entry: groq.models()),
        ("GET", "/models/{name:path}", "models.retrieve", lambda request, body, entry: groq.model(name(request))),
    ]
    return [Route(GROQ + path, serve(operation, act), methods=[method]) for method, path, operation, act in table]


def control_routes(sandbox: Sandbox) -> list[Route]:
    """`/_sandbox/…`: what another process reads and turns."""

    async def state(request: Request) -> Response:
        return Outgoing(json_answer(sandbox.state()))

    async def health(request: Request) -> Response:
        return Outgoing(json_answer({"status": "ok"}))

    async def log(request: Request) -> Response:
        return Outgoing(json_answer(sandbox.requests.as_json()))

    async def read_faults(request: Request) -> Response:
        return Outgoing(json_answer(sandbox.faults.as_json()))

    async def add_fault(request: Request) -> Response:
        try:
            rule: dict[str, Any] = json.loads(await request.body())
            sandbox.faults.add(rule.pop("kind"), **rule)
        except (ValueError, TypeError, KeyError) as error:
            return Outgoing(json_answer({"error": str(error)}, 400))
        return await read_faults(request)

    async def clear_faults(request: Request) -> Response:
        sandbox.faults.clear()
        return await read_faults(request)

    async def reset(request: Request) -> Response:
        sandbox.reset()
        return await state(request)

    return [
        Route("/_sandbox/health", health, methods=["GET"]),
        Route("/_sandbox/state", state, methods=["GET"]),
        Route("/_sandbox/log", log, methods=["GET"]),
        Route("/_sandbox/faults", read_faults, methods=["GET"]),
        Route("/_sandbox/faults", add_fault, methods=["POST"]),
        Route("/_sandbox/faults", clear_faults, methods=["DELETE"]),
        Route("/_sandbox/reset", reset, methods=["POST"]),
    ]
