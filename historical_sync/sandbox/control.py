"""`/_sandbox/…`: what another process reads of a running sandbox, and turns."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from historical_sync.sandbox.wire import Endpoint, Outgoing, json_answer

if TYPE_CHECKING:
    from historical_sync.sandbox.server import Sandbox


def _clear_faults(sandbox: Sandbox) -> Any:
    sandbox.faults.clear()
    return []


def _reset(sandbox: Sandbox) -> Any:
    sandbox.reset()
    return sandbox.state()


READS: tuple[tuple[str, str, Callable[[Sandbox], Any]], ...] = (
    ("GET", "health", lambda sandbox: {"status": "ok"}),
    ("GET", "state", lambda sandbox: sandbox.state()),
    ("GET", "log", lambda sandbox: sandbox.requests.as_json()),
    ("GET", "faults", lambda sandbox: sandbox.faults.as_json()),
    ("DELETE", "faults", _clear_faults),
    ("POST", "reset", _reset),
)


def control_routes(sandbox: Sandbox) -> list[Route]:
    """The routes of one sandbox's control."""

    async def add_fault(request: Request) -> Response:
        try:
            rule: dict[str, Any] = json.loads(await request.body())
            sandbox.faults.add(rule.pop("kind"), **rule)
        except (ValueError, TypeError, KeyError) as error:
            return Outgoing(json_answer({"error": str(error)}, 400))
        return Outgoing(json_answer(sandbox.faults.as_json()))

    routes = [Route(f"/_sandbox/{name}", _endpoint(sandbox, act), methods=[method]) for method, name, act in READS]
    return [*routes, Route("/_sandbox/faults", add_fault, methods=["POST"])]


def _endpoint(sandbox: Sandbox, act: Callable[[Sandbox], Any]) -> Endpoint:
    async def endpoint(request: Request) -> Response:
        return Outgoing(json_answer(act(sandbox)))

    return endpoint
