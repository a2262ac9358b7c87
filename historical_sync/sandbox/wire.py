"""Answers on their way out: late, cut off, reset, or never. Below HTTP's good manners, above uvicorn's sockets."""

from __future__ import annotations

import asyncio
import json
import socket
import struct
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

Endpoint = Callable[[Request], Awaitable[Response]]
TRANSPORT = "historical_sync.sandbox.transport"


@dataclass
class Answer:
    """What a service decided to answer. `breakage` is None, `silence`, `reset` or `cut`."""

    status: int = 200
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)
    delay_seconds: float = 0.0
    breakage: str | None = None


def json_answer(value: Any, status: int = 200, headers: dict[str, str] | None = None) -> Answer:
    """`value` as JSON. Lone surrogates travel as escapes, as they do from GitHub."""
    body = json.dumps(value, separators=(",", ":")).encode()
    return Answer(status, body, {"content-type": "application/json; charset=utf-8", **(headers or {})})


def html_answer(text: str, status: int) -> Answer:
    """A page for people where JSON was wanted."""
    return Answer(status, text.encode(), {"content-type": "text/html; charset=utf-8"})


def token_of(request: Request) -> str | None:
    """The token of `Authorization: Bearer …` or `token …`."""
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    return token.strip() or None if scheme.lower() in {"bearer", "token"} else None


class Outgoing(Response):
    """Sends an Answer with its delay and its breakage."""

    def __init__(self, answer: Answer) -> None:
        super().__init__(answer.body, answer.status, answer.headers)
        self.answer = answer

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Wait, then send, break or stay silent."""
        if self.answer.delay_seconds:
            await asyncio.sleep(self.answer.delay_seconds)
        if self.answer.breakage == "silence":
            await _until_disconnected(receive)
            reset(scope)
        elif self.answer.breakage == "reset":
            reset(scope)
        elif self.answer.breakage == "cut":
            await self._cut(scope, send)
        else:
            await super().__call__(scope, receive, send)

    async def _cut(self, scope: Scope, send: Send) -> None:
        await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
        half = self.answer.body[: len(self.answer.body) // 2]
        await send({"type": "http.response.body", "body": half, "more_body": True})
        await asyncio.sleep(0.05)  # let the half arrive before the connection goes
        reset(scope)


async def _until_disconnected(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


def reset(scope: Scope) -> None:
    """Close the connection with a TCP reset."""
    transport = scope.get(TRANSPORT)
    if transport is None:
        return
    connection = transport.get_extra_info("socket")
    if connection is not None:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    transport.abort()


class KeepsTransport:
    """Puts uvicorn's transport into the scope, where `reset` finds it behind any middleware."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on."""
        cycle = getattr(send, "__self__", None)
        scope[TRANSPORT] = getattr(cycle, "transport", None)
        await self.app(scope, receive, send)
