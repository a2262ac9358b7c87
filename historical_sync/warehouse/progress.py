"""Reads how far teams are, from the tables that the work itself writes: the one source of progress.

The only thing written here is the highest percentage shown (`progress_marks`), so that the bar never goes back.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace
from datetime import date, datetime
from typing import Any

from historical_sync.progress import (
    FetchRate,
    LlmProgress,
    MonthProgress,
    RepositoryProgress,
    TeamProgress,
    Wait,
    busiest_first,
)
from historical_sync.warehouse.postgres import Transaction
from historical_sync.window import months_wanted

Rows = dict[str, list[dict[str, Any]]]

RATE_MINUTES = 10
"""The rate is measured over the last so many minutes in which something was fetched."""

TEAMS = """
select t.*, coalesce(m.percent, 0) as percent_reached
from (
    select team_id, display_name, status, generation, history_months, created_at, onboarding_started_at,
        (select count(*) from tracked_repositories r where r.team_id = t.team_id)::int as repositories
    from teams t where %(team_id)s::text is null or t.team_id = %(team_id)s
) t
left join progress_marks m using (team_id, generation, repositories, history_months)
order by t.team_id
"""

REPOSITORIES = """
select team_id, repository, sync_status, sync_progress, sync_prs_total, sync_prs_completed, sync_error,
    sync_remedy, recent_prs, last_synced_at
from tracked_repositories where team_id = any(%(teams)s)
"""

CELLS = """
select m.team_id, m.repository, m.month,
    (count(*) filter (where status = 'completed'))::int as complete,
    (count(*) filter (where status in ('failed', 'partial')))::int as missing,
    count(expected)::int as indexed, coalesce(sum(expected), 0)::int as expected,
    coalesce(sum(stored), 0)::int as stored, max(completed_at) as last_completed_at,
    max(attempted_at) as last_attempted_at
from unnest(%(teams)s::text[], %(oldest)s::date[], %(newest)s::date[]) as span (team_id, oldest, newest)
join repository_months m on m.team_id = span.team_id and m.month between span.oldest and span.newest
group by grouping sets ((m.team_id, m.repository), (m.team_id, m.month))
"""
"""The (repository, month) cells of the window, summed up by repository (month is null) and by month."""

BATCHES = """
select team_id, count(*)::int as batches_total, count(finished_at)::int as batches_done,
    coalesce(sum(cost_usd), 0)::float as cost_usd,
    (array_agg(error order by submitted_at desc nulls last))[1] as error
from llm_batches where team_id = any(%(teams)s) group by team_id
"""

CLASSIFICATIONS = """
select team_id, count(*) filter (where status = 'classified')::int as classified,
    count(*) filter (where status = 'pending')::int as pending,
    count(*) filter (where status = 'unclassified')::int as unclassified
from llm_classifications where team_id = any(%(teams)s) group by team_id
"""

RATES = """
select loading.team_id, lately.*
from unnest(%(teams)s::text[]) as loading (team_id)
cross join lateral (
    select max(fetched_at) as last_at from pull_requests p where p.team_id = loading.team_id
) newest
cross join lateral (
    select count(*)::int as pull_requests, min(fetched_at) as first_at, max(fetched_at) as last_at
    from pull_requests p
    where p.team_id = loading.team_id and p.fetched_at >= newest.last_at - make_interval(mins => %(minutes)s)
) lately
where lately.pull_requests > 0
"""

WALKS = """
select team_id, max(walked_at) as last_walked_at from repository_walks where team_id = any(%(teams)s) group by team_id
"""

WAITS = """
select distinct on (team_id) team_id, resume_at, reason
from github_waits where team_id = any(%(teams)s) and resume_at > %(now)s order by team_id, resume_at desc
"""

HOLDS = """
select teams.team_id, h.reason
from unnest(%(teams)s::text[]) as teams (team_id)
join llm_holds h on h.subject = 'budget:' || teams.team_id
    or (h.subject not like 'budget:%%' and h.subject <> 'batches' and (h.until is null or h.until > %(now)s))
order by h.since desc
"""
"""Why nothing is sent to the LLM: for everybody, or by the team's own budget."""

MARK = """
insert into progress_marks as old (team_id, generation, repositories, history_months, percent) values %s
on conflict (team_id, generation, repositories, history_months)
do update set percent = excluded.percent where old.percent < excluded.percent
"""


def read_progress(
    tx: Transaction, *, now: datetime, team_id: str | None = None, first_month: date | None = None
) -> list[TeamProgress]:
    """Where each team stands (or the one of `team_id`; none if it is unknown), by team id.

    `first_month` is the first month that has a partition (SYNC_FIRST_MONTH): earlier ones are not waited for.
    """
    teams = tx.rows(TEAMS, {"team_id": team_id})
    ids = [team["team_id"] for team in teams]
    wanted = {team["team_id"]: _months_of(team, now, first_month) for team in teams}
    # The months before the repositories: what finishes between the two reads is then not yet complete in either.
    parts: dict[str, Rows] = {
        "cells": _by_team(tx, CELLS, **_spans(wanted)),
        "repositories": _by_team(tx, REPOSITORIES, teams=ids),
        "batches": _by_team(tx, BATCHES, teams=ids),
        "classifications": _by_team(tx, CLASSIFICATIONS, teams=ids),
    }
    due = [one for one in ids if is_llm_due(parts["batches"][one], parts["classifications"][one])]
    parts["holds"] = _by_team(tx, HOLDS, teams=due, now=now)
    found = [_team_progress(team, now, wanted[team["team_id"]], parts) for team in teams]
    _raise_marks(tx, found)
    return _timed(tx, found, now)


def is_llm_due(batches: list[dict[str, Any]], classifications: list[dict[str, Any]]) -> bool:
    """Whether the LLM still owes the team something: a batch that is not done, or a pull request that waits."""
    is_open = any(row["batches_done"] < row["batches_total"] for row in batches)
    return is_open or any(row["pending"] for row in classifications)


def _timed(tx: Transaction, found: list[TeamProgress], now: datetime) -> list[TeamProgress]:
    """With the measured rate, GitHub's wait and last page of the teams that are not complete; the others need none."""
    loading = [one.team_id for one in found if not one.is_complete]
    rates = _by_team(tx, RATES, teams=loading, minutes=RATE_MINUTES)
    waits = _by_team(tx, WAITS, teams=loading, now=now)
    walks = _by_team(tx, WALKS, teams=loading)
    return [
        replace(
            one,
            rate=next((FetchRate(**row) for row in rates[one.team_id]), None),
            wait=next((Wait(**row) for row in waits[one.team_id]), None),
            last_walked_at=next((row["last_walked_at"] for row in walks[one.team_id]), None),
        )
        for one in found
    ]


def _months_of(team: dict[str, Any], now: datetime, first_month: date | None) -> list[date]:
    months = months_wanted(now, team["history_months"])
    return [month for month in months if first_month is None or month >= first_month]


def _spans(wanted: dict[str, list[date]]) -> dict[str, list[Any]]:
    spans = [(team_id, months[-1], months[0]) for team_id, months in wanted.items() if months]
    return {name: [span[place] for span in spans] for place, name in enumerate(("teams", "oldest", "newest"))}


def _by_team(tx: Transaction, sql: str, **parameters: Any) -> Rows:
    grouped: Rows = defaultdict(list)
    if not parameters["teams"]:
        return grouped
    for row in tx.rows(sql, parameters):
        grouped[row.pop("team_id")].append(row)
    return grouped


def _raise_marks(tx: Transaction, teams: list[TeamProgress]) -> None:
    risen = [one for one in teams if one.percent > one.percent_reached]
    tx.execute_values(
        MARK,
        [(one.team_id, one.generation, len(one.repositories), one.history_months, one.percent) for one in risen],
    )


def _team_progress(team: dict[str, Any], now: datetime, wanted: list[date], parts: dict[str, Rows]) -> TeamProgress:
    team_id = team["team_id"]
    mine = {name: rows.get(team_id, []) for name, rows in parts.items()}
    of_repository = {row["repository"]: row for row in mine["cells"] if row["repository"] is not None}
    of_month = {row["month"]: row for row in mine["cells"] if row["month"] is not None}
    return TeamProgress(
        team_id=team_id,
        display_name=team["display_name"],
        status=team["status"],
        generation=team["generation"],
        history_months=team["history_months"],
        read_at=now,
        added_at=team["created_at"],
        onboarding_started_at=team["onboarding_started_at"],
        repositories=busiest_first(
            _repository(row, len(wanted), of_repository.get(row["repository"], {})) for row in mine["repositories"]
        ),
        months=tuple(_month(month, len(mine["repositories"]), of_month.get(month, {})) for month in wanted),
        llm=_llm(mine),
        last_completed_at=max(
            (row["last_completed_at"] for row in of_month.values() if row["last_completed_at"]), default=None
        ),
        last_attempted_at=max(
            (row["last_attempted_at"] for row in of_month.values() if row["last_attempted_at"]), default=None
        ),
        percent_reached=team["percent_reached"],
    )


def _llm(mine: dict[str, list[dict[str, Any]]]) -> LlmProgress:
    counts: dict[str, Any] = {**dict(*mine["batches"][:1]), **dict(*mine["classifications"][:1])}
    error = counts.pop("error", None)
    hold = next((row["reason"] for row in mine["holds"]), None)
    return LlmProgress(**counts, error=hold or error)


def _repository(row: dict[str, Any], months: int, cells: dict[str, Any]) -> RepositoryProgress:
    return RepositoryProgress(
        **row,
        months_total=months,
        months_complete=cells.get("complete", 0),
        months_indexed=cells.get("indexed", 0),
        months_missing=cells.get("missing", 0),
    )


def _month(month: date, repositories: int, cells: dict[str, Any]) -> MonthProgress:
    return MonthProgress(
        month=month,
        repositories=repositories,
        complete=cells.get("complete", 0),
        missing=cells.get("missing", 0),
        expected=cells.get("expected", 0),
        stored=cells.get("stored", 0),
    )
