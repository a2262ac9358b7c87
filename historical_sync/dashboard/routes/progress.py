"""The progress page, its JSON, and the stream that keeps it live."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from historical_sync.dashboard.insights import INSIGHT_METRICS, Insights, insights
from historical_sync.dashboard.progress_page import ProgressPage, progress_page
from historical_sync.dashboard.routes.gate import Doorkeeper, Json, TeamRequest, for_team, require_right, require_team
from historical_sync.dashboard.routes.shared import Shared
from historical_sync.dashboard.routes.templates import page, render
from historical_sync.errors import HistoricalSyncError
from historical_sync.progress import TeamProgress
from historical_sync.warehouse.page_reads import newest_month, read_month
from historical_sync.warehouse.postgres import Transaction
from historical_sync.warehouse.progress import read_progress

SECONDS_BETWEEN_LOOKS = 1.0
SECONDS_TO_NOTICE = 0.2
"""Within so long a stream notices that the server stops."""

HEARTBEAT_LOOKS = 15
"""A comment goes out after so many looks without news, so that proxies keep the stream open."""

MOST_LOOKS = 900
"""The stream ends after a quarter of an hour and the browser opens the next: no stream outlives its right for long."""


@for_team
def show(asked: TeamRequest) -> Response:
    """The progress page."""
    view = _view(asked.tx, asked.doorkeeper, asked.team.team_id, asked.now)
    found = first_insights(asked.tx, asked.team.team_id)
    return page("progress.html", team=asked.team, tab="progress", view=view, path=asked.path, insights=found)


@for_team
def as_json(asked: TeamRequest) -> Response:
    """The progress as JSON: what `status --json` gives for this team, and details."""
    return Json(read_team_progress(asked).as_json_with_details())


@dataclass(frozen=True, slots=True)
class Look:
    """What the live part of a team's page shows at one moment."""

    generation: int
    html: str
    is_settled: bool


async def events(request: Request) -> Response:
    """Server-sent events: the live part of the page whenever it changed, and `settled` when nothing more will move.

    Everybody who watches a team shares one look a second. A stream ends when its right does, when the database goes
    away and when the server stops: the browser asks again, or goes over to polling.
    """
    doorkeeper: Doorkeeper = request.app.state.doorkeeper
    team_id = request.path_params["team"]
    grant = doorkeeper.grant(request, team_id)
    looks: Shared[Look] = request.app.state.looks

    async def look() -> Look:
        found = await looks.get(team_id, partial(_look, doorkeeper, team_id))
        require_right(found.generation, grant)
        return found

    first = await look()
    headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
    return StreamingResponse(_stream(request, first, look), media_type="text/event-stream", headers=headers)


def _look(doorkeeper: Doorkeeper, team_id: str) -> Look:
    with doorkeeper.reading(team_id) as tx:
        team = require_team(tx, team_id)
        view = _view(tx, doorkeeper, team_id, datetime.now(UTC))
        found = first_insights(tx, team_id)
        html = render("progress_live.html", team=team, view=view, path=f"/teams/{team_id}", insights=found)
        return Look(team.generation, html, view.is_settled)


async def _stream(request: Request, shown: Look, look: Callable[[], Awaitable[Look]]) -> AsyncIterator[str]:
    yield "retry: 2000\n\n" + _event("progress", shown.html)
    quiet = 0
    for _ in range(MOST_LOOKS):
        if shown.is_settled:
            yield _event("settled", shown.html)
            return
        if not await _next_second(request):
            return
        try:
            found = await look()
        except (HTTPException, HistoricalSyncError):
            return
        quiet = quiet + 1 if found.html == shown.html else 0
        if found.html != shown.html:
            yield _event("progress", found.html)
        elif quiet % HEARTBEAT_LOOKS == 0:
            yield ": still here\n\n"
        shown = found


async def _next_second(request: Request) -> bool:
    """Wait until the next look is due; False when the reader has gone or the server stops."""
    is_stopping: Callable[[], bool] = request.app.state.is_stopping
    for _ in range(round(SECONDS_BETWEEN_LOOKS / SECONDS_TO_NOTICE)):
        await asyncio.sleep(SECONDS_TO_NOTICE)
        if is_stopping():
            return False
    return not await request.is_disconnected()


def _event(name: str, html: str) -> str:
    return f"event: {name}\ndata: {json.dumps(html)}\n\n"


def read_team_progress(asked: TeamRequest) -> TeamProgress:
    """The progress of the team that is asked about."""
    return _read(asked.tx, asked.doorkeeper, asked.team.team_id, asked.now)


def _read(tx: Transaction, doorkeeper: Doorkeeper, team_id: str, now: datetime) -> TeamProgress:
    (found,) = read_progress(tx, now=now, team_id=team_id, first_month=doorkeeper.settings.first_month)
    return found


def first_insights(tx: Transaction, team_id: str) -> Insights | None:
    """The newest month's main numbers as soon as there are any."""
    month = newest_month(tx, team_id)
    return insights(month, read_month(tx, team_id, month, list(INSIGHT_METRICS))) if month else None


def _view(tx: Transaction, doorkeeper: Doorkeeper, team_id: str, now: datetime) -> ProgressPage:
    return progress_page(_read(tx, doorkeeper, team_id, now), web_address=doorkeeper.settings.github_web_url)
