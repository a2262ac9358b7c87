"""The trends page, its JSON and its CSV."""

from __future__ import annotations

from datetime import date
from typing import Any

from starlette.exceptions import HTTPException
from starlette.responses import Response

from historical_sync.dashboard.comparisons import COMPARED
from historical_sync.dashboard.figures import figure_month
from historical_sync.dashboard.routes.csv import csv_response
from historical_sync.dashboard.routes.gate import Json, TeamRequest, for_team
from historical_sync.dashboard.routes.progress import read_team_progress
from historical_sync.dashboard.routes.pull_requests import read_behind
from historical_sync.dashboard.routes.templates import page
from historical_sync.dashboard.trends_page import (
    TrendsData,
    axis,
    keyed,
    metrics_to_read,
    months_to_read,
    segments_to_read,
    trends_page,
)
from historical_sync.dashboard.trends_state import ROWS_PER_PAGE, TrendsState, read_state
from historical_sync.trends.metrics import ALL, BY_NAME, HEADLINE
from historical_sync.warehouse.directions import read_directions
from historical_sync.warehouse.page_reads import (
    months_with_values,
    newest_comparable_month,
    read_comparisons,
    read_repository_names,
    read_series,
    read_standings_of,
    read_verdicts,
)
from historical_sync.warehouse.trends import VALUE_COLUMNS, read_values


@for_team
def show(asked: TeamRequest) -> Response:
    """The trends page in the state that the address holds."""
    state = read_state(asked.request.query_params)
    data = _read(asked, state)
    behind = read_behind(asked, state, data.values) if state.place else None
    view = trends_page(state, data, behind)
    return page(
        "trends.html",
        team=asked.team,
        tab="trends",
        view=view,
        path=f"{asked.path}/trends",
        home=asked.path,
        chart_data={"charts": [chart.as_json() for chart in (*view.charts, view.chosen)]},
        rows_per_page=ROWS_PER_PAGE,
    )


@for_team
def as_json(asked: TeamRequest) -> Response:
    """The values behind the page: filtered by `metric` (repeatable), `repository`, `segment`, `months`; or as CSV."""
    rows = _values(asked)
    if asked.request.query_params.get("format") == "csv":
        return csv_response(rows, VALUE_COLUMNS, f"{asked.team.team_id}-trends.csv")
    repository = asked.request.query_params.get("repository", ALL)
    return Json(
        {
            "team_id": asked.team.team_id,
            "repository": repository,
            "values": [_value_json(row) for row in rows],
            "directions": [_direction_json(row) for row in _directions(asked, repository)],
        }
    )


@for_team
def as_csv(asked: TeamRequest) -> Response:
    """Every value that the filters leave, as CSV: what the page's download gives."""
    return csv_response(_values(asked), VALUE_COLUMNS, f"{asked.team.team_id}-trends.csv")


def _read(asked: TeamRequest, state: TrendsState) -> TrendsData:
    tx, team_id = asked.tx, asked.team.team_id
    progress = read_team_progress(asked)
    repositories = sorted((one.repository for one in progress.repositories), key=str.lower)
    _require_repository(state.repository, repositories)
    stored = months_with_values(tx, team_id)
    months = axis(stored, [month.month for month in progress.months], state.span)
    wanted = [month for month in months_to_read(months) if month in set(stored)]
    values = keyed(
        read_series(tx, team_id, state.repository, wanted, whole=metrics_to_read(state), cut=segments_to_read(state))
    )
    month = figure_month(months, values)
    directions = read_verdicts(tx, team_id, state.repository, HEADLINE)
    return TrendsData(
        progress=progress,
        repositories=repositories,
        months=months,
        values=values,
        directions={(row["metric"], row["as_of_month"]): row for row in directions},
        comparisons=_comparisons(asked, state.repository, month),
        standings=read_standings_of(tx, team_id, month) if month and state.repository == ALL else (),
        computed_at=f"{len(stored)}-{progress.months_complete}-{progress.llm.classified}-{progress.state}",
    )


def _comparisons(asked: TeamRequest, repository: str, month: date | None) -> list[dict[str, Any]]:
    """Those of the month, or of the last one before it that has enough on both sides."""
    if month is None:
        return []
    of_month = read_comparisons(asked.tx, asked.team.team_id, repository, month, COMPARED)
    if any(row["is_comparable"] for row in of_month):
        return of_month
    earlier = newest_comparable_month(asked.tx, asked.team.team_id, repository, month, COMPARED)
    return read_comparisons(asked.tx, asked.team.team_id, repository, earlier, COMPARED) if earlier else of_month


def _require_repository(repository: str, known: list[str]) -> None:
    if repository != ALL and repository not in known:
        raise HTTPException(404, f"This team has no repository {repository[:100]!r}.")


def _values(asked: TeamRequest) -> list[dict[str, Any]]:
    query = asked.request.query_params
    state = read_state({name: query[name] for name in ("repository", "months") if name in query})
    metrics = query.getlist("metric")
    for name in metrics:
        read_state({"metric": name})
    repository = None if query.get("repository") == "each" else state.repository
    if repository is not None:
        _require_repository(repository, read_repository_names(asked.tx, asked.team.team_id))
    segments = query.getlist("segment") or None
    rows = read_values(asked.tx, asked.team.team_id, metrics=metrics or None, repository=repository, segments=segments)
    shown = set(sorted({row["month"] for row in rows})[-state.span :]) if state.span else None
    return [row for row in rows if shown is None or row["month"] in shown]


def _directions(asked: TeamRequest, repository: str) -> list[dict[str, Any]]:
    wanted = set(asked.request.query_params.getlist("metric")) or set(BY_NAME)
    only = None if repository == "each" else repository
    rows = read_directions(asked.tx, asked.team.team_id, repository=only, segments=None)
    return [row for row in rows if row["metric"] in wanted]


def _value_json(row: dict[str, Any]) -> dict[str, Any]:
    return {**row, "month": f"{row['month']:%Y-%m}", "computed_at": row["computed_at"].isoformat()}


def _direction_json(row: dict[str, Any]) -> dict[str, Any]:
    kept = {name: value for name, value in row.items() if name != "team_id"}
    return {**kept, "as_of_month": f"{row['as_of_month']:%Y-%m}", "computed_at": row["computed_at"].isoformat()}
