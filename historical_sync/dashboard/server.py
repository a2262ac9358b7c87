"""The web server: which address is answered by whom, under which headers. Run as a module, it serves until stopped."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

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


def healthz(request: Request) -> Response:
    """200 when the database answers; 503 (a problem object) otherwise. Tells nothing about any team."""
    doorkeeper: Doorkeeper = request.app.state.doorkeeper
    try:
        with doorkeeper.warehouse.transaction() as tx:
            tx.value("select 1")
    except HistoricalSyncError:
        return Json({"status": "the database cannot be reached"}, status_code=503)
    return Json({"status": "ok"})


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


def create_app(settings: Settings, *, port: int = 3001, environment: Mapping[str, str] | None = None) -> ASGIApp:
    """The ASGI application. `port` is where it will be reached when no public address is set, for links it makes."""
    warehouse = Warehouse(database_url(settings), most_connections=16)

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        yield
        warehouse.close()

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
    app.state.doorkeeper = Doorkeeper(settings, warehouse, os.environ if environment is None else environment, port)
    return SecurityHeaders(app)


def serve(settings: Settings, *, host: str = "127.0.0.1", port: int = 3001) -> None:
    """Serve until the process is told to stop (SIGINT, SIGTERM); open streams get two seconds."""
    uvicorn.run(
        create_app(settings, port=port),
        host=host,
        port=port,
        log_level="warning",
        access_log=False,  # addresses hold signed links
        proxy_headers=False,  # X-Forwarded-For is anybody's word
        server_header=False,
        timeout_graceful_shutdown=2,
    )


@click.command()
@click.option("--host", default="127.0.0.1", show_default=True, help="Where to listen.")
@click.option("--port", default=3001, show_default=True, help="The port.")
def main(host: str, port: int) -> None:
    """Serve the progress and trends pages."""
    serve(Settings.from_environment(), host=host, port=port)


if __name__ == "__main__":
    main()
