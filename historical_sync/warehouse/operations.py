"""What is wanted and not yet there: the months that a run must be started for, and the attempts at each of them.

A month of a team is done when every repository it tracks is complete for it and its trends were published after that.
Everything else follows from the tables as they are now: a team or a repository that was added, a longer history, a new
calendar month, a reopened month. Nothing depends on what was true when somebody looked last.

Which runs and backfills are in flight is Dagster's to say; see `orchestration.sensors`. Alerts: `warehouse.alerts`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from historical_sync.warehouse.postgres import Transaction
from historical_sync.window import first_of_month

MOST_ATTEMPTS = 6
"""Failures in a row after which a month waits for a person."""

FIRST_DELAY = timedelta(minutes=1)
LONGEST_DELAY = timedelta(hours=6)


def retry_delay(attempts: int) -> timedelta:
    """How long a month waits after its n-th attempt in a row: 1, 4, 16, 64 minutes, then up to six hours."""
    factor: int = 4 ** (max(attempts, 1) - 1)
    return min(FIRST_DELAY * factor, LONGEST_DELAY)


@dataclass(frozen=True, slots=True)
class DueMonth:
    """A (team, month) that a run should be started for. `months_back` counts from the newest month, which is 0."""

    team_id: str
    generation: int
    month: date
    months_back: int
    is_asked: bool
    """A person asked for it, so it goes before bulk work."""


INCOMPLETE = """
    wanted as (
        select t.team_id, t.generation, t.status as team_status, back as months_back,
            (%(newest)s::date - make_interval(months => back))::date as month
        from teams t cross join lateral generate_series(0, t.history_months) back
        where t.status = 'active' and (%(newest)s::date - make_interval(months => back))::date >= %(first_month)s::date
            and (%(team_id)s::text is null or t.team_id = %(team_id)s)
    ),
    cells as (
        select w.team_id, w.generation, w.month, w.months_back,
            count(*) filter (where m.status is distinct from 'completed') as missing,
            max(m.completed_at) as completed_at,
            max(r.added_at) filter (where m.status is distinct from 'completed') as repository_added_at
        from wanted w
        join tracked_repositories r on r.team_id = w.team_id
        left join repository_months m
            on m.team_id = r.team_id and m.repository = r.repository and m.month = w.month
        group by 1, 2, 3, 4
    ),
    incomplete as (
        select c.*, t.attempts, t.attempted_at, t.next_attempt_at, t.published_at, t.error,
            coalesce(t.asked_at > coalesce(t.attempted_at, '-infinity'), false) as is_asked,
            coalesce(t.is_urgent, false) as is_urgent
        from cells c left join team_months t on t.team_id = c.team_id and t.month = c.month
        where c.missing > 0 or t.published_at is null or t.published_at < c.completed_at
    )
"""
"""Common table expressions: `incomplete` holds every wanted (active team, month) that is not done.

Of the team in `team_id` alone, if it is not null: what a run asks must not grow with the number of teams.
"""


def months_due(tx: Transaction, *, now: datetime, first_month: date) -> list[DueMonth]:
    """The months to start now, newest first: not done, and not waiting for their next attempt.

    `first_month` is the first month partition there is. A repository added after the last attempt makes its months due
    at once; so does a person's `ask`.
    """
    rows = tx.rows(
        f"""
        with {INCOMPLETE}
        select team_id, generation, month, months_back, is_asked and is_urgent as is_asked from incomplete
        where attempted_at is null or is_asked or repository_added_at > attempted_at
            or attempts < %(most)s and next_attempt_at <= %(now)s
        order by months_back, team_id
        """,
        _window(now, first_month) | {"most": MOST_ATTEMPTS, "now": now, "team_id": None},
    )
    return [DueMonth(**row) for row in rows]


def incomplete_months(tx: Transaction, team_id: str, *, now: datetime, first_month: date) -> list[date]:
    """The months of a team's history that are not done, newest first, whatever they wait for."""
    rows = tx.rows(
        f"with {INCOMPLETE} select month from incomplete order by month desc",
        _window(now, first_month) | {"team_id": team_id},
    )
    return [row["month"] for row in rows]


def is_month_done(tx: Transaction, team_id: str, month: date) -> bool:
    """Whether every repository of the team is complete for the month and its trends were published after that."""
    return bool(
        tx.value(
            """
            select bool_and(m.status is not distinct from 'completed')
                and coalesce(max(t.published_at) >= max(m.completed_at), false)
            from tracked_repositories r
            left join repository_months m on m.team_id = r.team_id and m.repository = r.repository
                and m.month = %(month)s
            left join team_months t on t.team_id = r.team_id and t.month = %(month)s
            where r.team_id = %(team_id)s
            """,
            {"team_id": team_id, "month": month},
        )
    )


@dataclass(frozen=True, slots=True)
class MonthState:
    """Where a (team, month) stands. `error` joins the repositories' errors, each with its name."""

    is_done: bool
    repositories: int
    complete: int
    stored: int
    expected: int
    error: str | None


def month_state(tx: Transaction, team_id: str, month: date) -> MonthState:
    """Where the month stands, from the tables."""
    row = tx.row(
        """
        select count(*)::int as repositories, count(*) filter (where m.status = 'completed')::int as complete,
            coalesce(sum(m.stored), 0)::int as stored, coalesce(sum(m.expected), 0)::int as expected,
            string_agg(r.repository || ': ' || coalesce(m.error, m.status, 'not begun'), E'\n' order by r.repository)
                filter (where m.status is distinct from 'completed') as error
        from tracked_repositories r
        left join repository_months m on m.team_id = r.team_id and m.repository = r.repository and m.month = %s
        where r.team_id = %s
        """,
        [month, team_id],
    )
    return MonthState(is_done=is_month_done(tx, team_id, month), **(row or {}))


def begin_attempt(tx: Transaction, team_id: str, month: date, run_id: str, *, now: datetime) -> int:
    """Count a run that begins, and set when the next may follow should this one be lost. Returns which one it is.

    The count starts anew when a repository was added or a person asked since the last attempt.
    """
    attempts: int = tx.value(
        """
        insert into team_months as old (team_id, month, attempts, attempted_at, run_id)
        values (%(team_id)s, %(month)s, 1, %(now)s, %(run_id)s)
        on conflict (team_id, month) do update set
            attempts = case
                when old.attempted_at is null or old.asked_at > old.attempted_at
                    or exists (
                        select 1 from tracked_repositories r
                        where r.team_id = old.team_id and r.added_at > old.attempted_at
                    ) then 1
                else old.attempts + 1
            end,
            attempted_at = greatest(excluded.attempted_at, old.asked_at), run_id = excluded.run_id, error = null
        returning attempts
        """,
        {"team_id": team_id, "month": month, "now": now, "run_id": run_id},
    )
    _set_next_attempt(tx, team_id, month, attempts, now, None)
    return attempts


def end_attempt(tx: Transaction, team_id: str, month: date, error: str, *, now: datetime) -> None:
    """Record why a run did not complete its month; the next attempt follows after the delay."""
    attempts = tx.value("select attempts from team_months where team_id = %s and month = %s", [team_id, month])
    if attempts is not None:
        _set_next_attempt(tx, team_id, month, attempts, now, error)


def _set_next_attempt(
    tx: Transaction, team_id: str, month: date, attempts: int, now: datetime, error: str | None
) -> None:
    tx.execute(
        "update team_months set next_attempt_at = %s, error = %s where team_id = %s and month = %s",
        [now + retry_delay(attempts), error, team_id, month],
    )


def forget_attempt(tx: Transaction, team_id: str, month: date) -> None:
    """Take back an attempt that was stopped on purpose: it counts neither as a failure nor for the delay."""
    tx.execute(
        """
        update team_months set attempts = greatest(attempts - 1, 0), next_attempt_at = attempted_at
        where team_id = %s and month = %s
        """,
        [team_id, month],
    )


def mark_published(tx: Transaction, team_id: str, month: date, *, now: datetime) -> None:
    """The trends of the month are written from what the tables hold now.

    Never earlier than the month's last completion, so that two clocks that differ cannot make it due for ever.
    """
    tx.execute(
        """
        insert into team_months as old (team_id, month, published_at)
        select %(team_id)s, %(month)s, greatest(%(now)s, max(completed_at)) from repository_months
        where team_id = %(team_id)s and month = %(month)s
        on conflict (team_id, month) do update set published_at = excluded.published_at
        """,
        {"team_id": team_id, "month": month, "now": now},
    )
    if is_month_done(tx, team_id, month):
        tx.execute(
            """
            update team_months set attempts = 0, asked_at = null, is_urgent = false, error = null
            where team_id = %s and month = %s
            """,
            [team_id, month],
        )


def ask(tx: Transaction, team_id: str, months: Sequence[date], *, now: datetime, is_urgent: bool = True) -> None:
    """A person asks for these months: those that are not done become due at once, with their attempts counted anew.

    Urgent ones go before everything else.
    """
    tx.execute_values(
        """
        insert into team_months (team_id, month, asked_at, is_urgent) values %s
        on conflict (team_id, month) do update set asked_at = excluded.asked_at, is_urgent = excluded.is_urgent
        """,
        [(team_id, month, now, is_urgent) for month in months],
    )


def count_unseen_attempt(
    tx: Transaction, team_id: str, month: date, run_id: str, *, ended_at: datetime, error: str
) -> bool:
    """Count a run that ended before its first step could, so that what cannot start is not started again for ever.

    False when it was counted already, or ended before a person asked again.
    """
    seen = tx.row("select run_id, asked_at from team_months where team_id = %s and month = %s", [team_id, month])
    if seen and (seen["run_id"] == run_id or (seen["asked_at"] and ended_at < seen["asked_at"])):
        return False
    begin_attempt(tx, team_id, month, run_id, now=ended_at)
    end_attempt(tx, team_id, month, error, now=ended_at)
    return True


def _window(now: datetime, first_month: date) -> dict[str, date]:
    return {"newest": first_of_month(now), "first_month": first_month}
