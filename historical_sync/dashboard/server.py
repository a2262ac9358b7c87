"""The web server: which address is answered by whom, under which headers. Run as a module, it serves until stopped."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager, suppress

import click
import uvicorn
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.middleware.gzip import GZipMiddleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from historical_sync.dashboard.routes import doors, files, problems, progress, pull_requests, trends
from historical_sync.dashboard.routes.gate import Doorkeeper, Json
from historical_sync.dashboard.routes.shared import Shared
from historical_sync.errors import HistoricalSyncError
from historical_sync.settings import Settings
from historical_sync.warehouse.embedded import database_url
from historical_sync.warehouse.postgres import Warehouse

PLOTLY_STYLE = "'sha256-ji27qzEtxXZW+7dun6UwjHXJ18e6WAin1VvNtkzIE/o='"
"""The one inline style that Plotly's script sets; should a newer one set another, a browser test reports it."""

CONTENT_SECURITY_POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        f"style-src 'self' {PLOTLY_STYLE}",
        "img-src 'self' data: blob:",
        "connect-src 'self'",
        "form-action 'self'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
    )
)

HEADERS = (
    (b"content-security-policy", CONTENT_SECURITY_POLICY.encode()),
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
    (b"referrer-policy", b"no-referrer"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"cross-origin-resource-policy", b"same-origin"),
    (b"permissions-policy", b"camera=(), geolocation=(), microphone=()"),
)


MOST_HEAD_BYTES = 64 * 1024
"""Of a request's first line and headers; a browser that opened many teams' links sends many cookies."""

HEALTH_SECONDS = 2.0
"""A database that takes longer to say anything is as good as away to whoever balances the load."""

PATIENCE_SECONDS = 2.0
"""A page waits so long for a database that restarts; then it says that the data cannot be reached."""


async def healthz(request: Request) -> Response:
    """200 when the database answers; 503 when it does not within HEALTH_SECONDS. Tells nothing about any team."""
    warehouse: Warehouse = request.app.state.pulse

    def ask() -> None:
        with warehouse.transaction() as tx:
            tx.value("select 1")

    try:
        await asyncio.wait_for(request.app.state.health.get("database", ask), HEALTH_SECONDS)
    except (TimeoutError, HistoricalSyncError):
        body = {"status": "the database cannot be reached"}
        return Json(body, status_code=503, headers={"Retry-After": "5", "Cache-Control": "no-store"})
    return Json({"status": "ok"}, headers={"Cache-Control": "no-store"})


ROUTES = (
    Route("/", doors.home),
    Route("/healthz", healthz),
    Route("/open/{token}", doors.open_link),
    Route("/static/{digest}/{name}", files.static),
    Route("/teams/{team}", doors.team_home),
    Route("/teams/{team}/progress", progress.show),
    Route("/teams/{team}/progress/events", progress.events),
    Route("/teams/{team}/trends", trends.show),
    Route("/teams/{team}/trends.csv", trends.as_csv),
    Route("/teams/{team}/pull-requests.csv", pull_requests.as_csv),
    Route("/api/teams", doors.onboard, methods=["POST"]),
    Route("/api/teams/{team}/progress", progress.as_json),
    Route("/api/teams/{team}/trends", trends.as_json),
    Route("/api/teams/{team}/pull-requests", pull_requests.as_json),
)


class SecurityHeaders:
    """Adds the security headers to every answer, errors included."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message["headers"], *HEADERS]
            await send(message)

        await self.app(scope, receive, send_with_headers if scope["type"] == "http" else send)


def create_app(
    settings: Settings,
    *,
    port: int = 3001,
    environment: Mapping[str, str] | None = None,
    is_stopping: Callable[[], bool] = lambda: False,
) -> ASGIApp:
    """The ASGI application. `port` is where it will be reached when no public address is set, for links it makes.

    `is_stopping` tells open streams that the server wants to end.
    """
    url = database_url(settings)
    warehouse = Warehouse(url, most_connections=16, patience_seconds=PATIENCE_SECONDS)
    pulse = Warehouse(url, most_connections=1, patience_seconds=0)

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        yield
        warehouse.close()
        pulse.close()

    app = Starlette(
        routes=ROUTES,
        middleware=[Middleware(GZipMiddleware, minimum_size=1000, compresslevel=5)],
        exception_handlers={
            HTTPException: problems.refused,
            HistoricalSyncError: problems.known,
            Exception: problems.unknown,
        },
        lifespan=lifespan,
    )
    app.state.pulse = pulse
    app.state.health = Shared[None](seconds=0)
    app.state.looks = Shared[progress.Look](seconds=progress.SECONDS_BETWEEN_LOOKS * 0.9)
    app.state.is_stopping = is_stopping
    app.state.doorkeeper = Doorkeeper(settings, warehouse, os.environ if environment is None else environment, port)
    return SecurityHeaders(app)


def serve(settings: Settings, *, host: str = "127.0.0.1", port: int = 3001) -> None:
    """Serve until the process is told to stop (SIGINT, SIGTERM): streams end at once, other answers get two seconds."""
    stopping: list[uvicorn.Server] = []
    config = uvicorn.Config(
        create_app(settings, port=port, is_stopping=lambda: any(one.should_exit for one in stopping)),
        host=host,
        port=port,
        log_level="warning",
        access_log=False,  # addresses hold signed links
        proxy_headers=False,  # X-Forwarded-For is anybody's word
        server_header=False,
        timeout_graceful_shutdown=2,
        http="h11",  # the one of uvicorn's parsers that limits how long a request's head may be
        h11_max_incomplete_event_size=MOST_HEAD_BYTES,
    )
    server = uvicorn.Server(config)
    stopping.append(server)
    with suppress(KeyboardInterrupt):  # uvicorn raises the signal again once everything is closed
        server.run()


@click.command()
@click.option("--host", default="127.0.0.1", show_default=True, help="Where to listen.")
@click.option("--port", default=3001, show_default=True, help="The port.")
def main(host: str, port: int) -> None:
    """Serve the progress and trends pages."""
    serve(Settings.from_environment(), host=host, port=port)


if __name__ == "__main__":
    main()
