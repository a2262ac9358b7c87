"""The files a page loads, kept by browsers for a year: a changed file has another address."""

from __future__ import annotations

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from historical_sync.dashboard.assets import asset

FOR_EVER = "public, max-age=31536000, immutable"


def static(request: Request) -> Response:
    """One file; 404 for another version than ours, so that no cache keeps the wrong one."""
    name, digest = request.path_params["name"], request.path_params["digest"]
    try:
        found = asset(name)
    except KeyError as error:
        raise HTTPException(404, "There is no such file.") from error
    if digest != found.digest:
        raise HTTPException(404, "This version of the file is gone.")
    headers = {"Cache-Control": FOR_EVER, "Vary": "Accept-Encoding"}
    if "gzip" in request.headers.get("accept-encoding", ""):
        return Response(found.compressed, media_type=found.media_type, headers={**headers, "Content-Encoding": "gzip"})
    return Response(found.body, media_type=found.media_type, headers=headers)
