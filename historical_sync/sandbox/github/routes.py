"""GitHub's paths, at the root and as a GitHub Enterprise Server has them (`/api/v3`, `/api/graphql`)."""

from __future__ import annotations

from collections.abc import Callable

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from historical_sync.sandbox.github.api import GitHub
from historical_sync.sandbox.github.rest import Rest
from historical_sync.sandbox.wire import Answer, Endpoint, Outgoing, token_of

Act = Callable[[Rest, str | None, dict[str, str]], Answer]

REST_PATHS: tuple[tuple[str, str, str, Act], ...] = (
    ("GET", "/rate_limit", "rate_limit", lambda rest, token, path: rest.rate_limit(token)),
    ("GET", "/user", "user", lambda rest, token, path: rest.user(token)),
    ("GET", "/meta", "meta", lambda rest, token, path: rest.meta()),
    (
        "GET",
        "/repos/{owner}/{name}/installation",
        "installation",
        lambda rest, token, path: rest.repository_installation(token, path["owner"], path["name"]),
    ),
    (
        "POST",
        "/app/installations/{number}/access_tokens",
        "access_token",
        lambda rest, token, path: rest.installation_token(token, path["number"]),
    ),
)
"""Method, path, operation (as the log and the faults call it), and what answers."""


def github_routes(github: GitHub, rest: Rest) -> list[Route]:
    """The routes of one GitHub."""

    async def graphql(request: Request) -> Response:
        return Outgoing(github.graphql(token_of(request), await request.body()))

    routes = [Route(path, graphql, methods=["POST"]) for path in ("/graphql", "/api/graphql")]
    for method, path, operation, act in REST_PATHS:
        endpoint = _endpoint(rest, operation, act)
        routes += [Route(prefix + path, endpoint, methods=[method]) for prefix in ("", "/api/v3")]
    return routes


def _endpoint(rest: Rest, operation: str, act: Act) -> Endpoint:
    async def endpoint(request: Request) -> Response:
        token = token_of(request)
        return Outgoing(rest.answer(operation, token, lambda: act(rest, token, request.path_params)))

    return endpoint
