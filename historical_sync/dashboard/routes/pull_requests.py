"""The pull requests behind a point: the page's panel, its JSON and its CSV, all from one query."""

from __future__ import annotations

from typing import Any

from starlette.exceptions import HTTPException
from starlette.responses import Response

from historical_sync.dashboard.charts import Values
from historical_sync.dashboard.pull_request_list import Behind, behind
from historical_sync.dashboard.routes.csv import csv_response
from historical_sync.dashboard.routes.gate import Json, TeamRequest, for_team
from historical_sync.dashboard.trends_state import (
    MOST_OFFSET,
    ROWS_PER_PAGE,
    Place,
    TrendsState,
    read_month,
    read_state,
    require_segment,
)
from historical_sync.trends.metrics import ALL
from historical_sync.warehouse.behind import pull_requests_behind
from historical_sync.warehouse.page_reads import read_evidence

COLUMNS = (
    "repository",
    "number",
    "title",
    "author_login",
    "state",
    "created_at",
    "merged_at",
    "closed_at",
    "contribution",
    "size_lines",
    "cycle_time_hours",
    "pickup_time_hours",
    "review_time_hours",
    "review_rounds",
    "is_reviewed",
    "is_ai_assisted",
    "ai_source",
    "ai_tools",
    "ai_reviewed",
    "pull_request_type",
    "summary_title",
)
MOST_ROWS = 1000


def read_behind(asked: TeamRequest, state: TrendsState, values: Values) -> Behind:
    """The panel of the point in `state`."""
    place = state.place
    assert place is not None  # noqa: S101 - asked for with a point only
    found = _rows(asked, place, state.repository, limit=ROWS_PER_PAGE + 1, offset=state.offset)
    keys = [(row["repository"], row["number"]) for row in found[:ROWS_PER_PAGE]]
    return behind(
        place,
        values.get((place.metric, place.segment, place.month)),
        found,
        read_evidence(asked.tx, asked.team.team_id, keys),
        offset=state.offset,
        most=ROWS_PER_PAGE,
        web_address=asked.doorkeeper.settings.github_web_url,
    )


@for_team
def as_json(asked: TeamRequest) -> Response:
    """The pull requests behind `metric`, `month`, `segment` and `repository`, with their evidence."""
    place, repository, limit, offset = _asked_for(asked)
    found = _rows(asked, place, repository, limit=limit + 1, offset=offset)
    shown = found[:limit]
    evidence = read_evidence(asked.tx, asked.team.team_id, [(row["repository"], row["number"]) for row in shown])
    return Json(
        {
            "team_id": asked.team.team_id,
            "metric": place.metric,
            "month": f"{place.month:%Y-%m}",
            "segment": place.segment,
            "repository": repository,
            "next_offset": offset + limit if len(found) > limit else None,
            "pull_requests": [_json(row, evidence) for row in shown],
        }
    )


@for_team
def as_csv(asked: TeamRequest) -> Response:
    """The whole list behind a point as CSV."""
    place, repository, _, _ = _asked_for(asked)
    rows = _rows(asked, place, repository, limit=MOST_OFFSET, offset=0)
    return csv_response(rows, COLUMNS, f"{asked.team.team_id}-{place.metric}-{place.month:%Y-%m}.csv")


def _asked_for(asked: TeamRequest) -> tuple[Place, str, int, int]:
    query = asked.request.query_params
    if "month" not in query or "metric" not in query:
        raise HTTPException(422, "Give metric and month (such as 2025-03); segment and repository are optional.")
    state = read_state({name: query[name] for name in ("metric", "repository", "offset") if name in query})
    place = Place(state.metric, read_month(query["month"]), require_segment(query.get("segment") or ALL))
    limit = query.get("limit", "100")
    if not limit.isascii() or not limit.isdigit() or not 1 <= int(limit[:6]) <= MOST_ROWS:
        raise HTTPException(422, f"limit takes a number from 1 to {MOST_ROWS}.")
    return place, state.repository, int(limit), state.offset


def _rows(asked: TeamRequest, place: Place, repository: str, *, limit: int, offset: int) -> list[dict[str, Any]]:
    return pull_requests_behind(
        asked.tx,
        asked.team.team_id,
        place.metric,
        place.month,
        repository=repository,
        segment=place.segment,
        limit=limit,
        offset=offset,
    )


def _json(row: dict[str, Any], evidence: list[dict[str, Any]]) -> dict[str, Any]:
    names = ("tool", "role", "source", "strength", "quote")
    mine = [one for one in evidence if (one["repository"], one["number"]) == (row["repository"], row["number"])]
    times = {name: row[name].isoformat() if row[name] else None for name in ("created_at", "merged_at", "closed_at")}
    return {
        **{name: row[name] for name in COLUMNS},
        **times,
        "llm_summary": row["llm_summary"],
        "evidence": [{name: one[name] for name in names} for one in mine],
    }
