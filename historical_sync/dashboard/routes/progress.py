"""The progress page, its JSON, and the stream that keeps it live."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from historical_sync.dashboard.insights import INSIGHT_METRICS, Insights, insights
from historical_sync.dashboard.progress_page import ProgressPage, progress_page
from historical_sync.dashboard.routes.gate import Doorkeeper, Json, TeamRequest, for_team, present_team
from historical_sync.dashboard.routes.templates import page, render
from historical_sync.progress import TeamProgress
from historical_sync.warehouse.page_reads import newest_month, read_month
from historical_sync.warehouse.postgres import Transaction
from historical_sync.warehouse.progress import read_progress

SECONDS_BETWEEN_LOOKS = 1.0
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


async def events(request: Request) -> Response:
    """Server-sent events: the live part of the page whenever it changed, and `settled` when nothing more will move."""
    doorkeeper: Doorkeeper = request.app.state.doorkeeper
    team_id = request.path_params["team"]
    grant = doorkeeper.grant(request, team_id)

    def look() -> tuple[str, bool]:
        with doorkeeper.reading(team_id) as tx:
            team = present_team(tx, team_id, grant)
            view = _view(tx, doorkeeper, team_id, datetime.now(UTC))
            found = first_insights(tx, team_id)
            html = render("progress_live.html", team=team, view=view, path=f"/teams/{team_id}", insights=found)
            return html, view.is_settled

    first = await run_in_threadpool(look)
    headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
    return StreamingResponse(_stream(request, first, look), media_type="text/event-stream", headers=headers)


async def _stream(request: Request, first: tuple[str, bool], look: Any) -> AsyncIterator[str]:
    html, is_settled = first
    yield "retry: 2000\n\n" + _event("progress", html)
    quiet = 0
    for _ in range(MOST_LOOKS):
        if is_settled:
            yield _event("settled", html)
            return
        await asyncio.sleep(SECONDS_BETWEEN_LOOKS)
        if await request.is_disconnected():
            return
        before = html
        html, is_settled = await run_in_threadpool(look)
        quiet = 0 if html != before else quiet + 1
        if html != before:
            yield _event("progress", html)
        elif quiet % HEARTBEAT_LOOKS == 0:
            yield ": still here\n\n"


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
    return progress_page(_read(tx, doorkeeper, team_id, now), web_address=doorkeeper.github_web_address)
