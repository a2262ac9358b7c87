"""Every error as something a person or a program can read: a designed page, or an RFC 9457 problem object."""

from __future__ import annotations

import logging
from http import HTTPStatus

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from historical_sync.dashboard.routes.gate import Json
from historical_sync.dashboard.routes.templates import page
from historical_sync.errors import ConfigurationError, HistoricalSyncError, SchemaOutdated, WarehouseError

log = logging.getLogger(__name__)

RETRY_SECONDS = 5
AWAY = "Nothing is lost. This page looks again by itself; `historical-sync doctor` says why it has to wait."

TITLES = {
    401: "This page needs a link",
    403: "This link opens another page",
    404: "There is nothing here",
    422: "This address cannot be read",
    503: "The data cannot be reached",
}


def refused(request: Request, error: Exception) -> Response:
    """An HTTPException: what we refuse on purpose."""
    assert isinstance(error, HTTPException)  # noqa: S101 - registered for this type only
    return _problem(request, error.status_code, error.detail, dict(error.headers or {}))


def known(request: Request, error: Exception) -> Response:
    """One of our own errors, with its remedy: an address that cannot be read (422), else what is away (503)."""
    assert isinstance(error, HistoricalSyncError)  # noqa: S101 - registered for this type only
    if isinstance(error, ConfigurationError) and not isinstance(error, SchemaOutdated):
        return _problem(request, 422, f"{error} {error.remedy}".strip(), {})
    log.error("%s %s: %s", request.method, request.url.path, type(error).__name__)
    detail = AWAY if isinstance(error, WarehouseError) else f"{error.remedy or AWAY}"
    return _problem(request, 503, detail, {"Retry-After": str(RETRY_SECONDS)})


def unknown(request: Request, error: Exception) -> Response:
    """A defect of ours: the log has its traceback, the answer nothing of it."""
    log.error("%s %s failed", request.method, request.url.path, exc_info=error)
    return _problem(request, 500, "This is a defect of the page. The server's log says more.", {})


def _problem(request: Request, status: int, detail: str, headers: dict[str, str]) -> Response:
    title = TITLES.get(status, HTTPStatus(status).phrase)
    if status == 401:
        headers.setdefault("WWW-Authenticate", "Bearer")
    if request.url.path.startswith("/api/") or request.url.path.endswith("/events"):
        body = {"type": "about:blank", "title": title, "status": status, "detail": detail}
        answer: Response = Json(body, status_code=status, media_type="application/problem+json", headers=headers)
    else:
        answer = page("problem.html", status=status, title=title, detail=detail, team=None, tab=None)
        answer.headers.update(headers)
    return answer
