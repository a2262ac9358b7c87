"""What the product around it must be told: an outbox, filled in the transaction that made it true, emptied by a sensor.

Each alert has a key that is unique within its team, so that saying a thing again makes no second alert. Keys hold the
team's generation: a team that comes back is told everything anew.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from historical_sync.warehouse.operations import INCOMPLETE
from historical_sync.warehouse.postgres import Transaction
from historical_sync.window import first_of_month

MOST_DELIVERIES = 12
STALE_AFTER = timedelta(days=1)
"""What is older is not sent any more: whoever sets a receiver up does not want a year of news."""
FIRST_DELAY = timedelta(seconds=30)
LONGEST_DELAY = timedelta(hours=2)


@dataclass(frozen=True, slots=True)
class Alert:
    """One thing to tell: `kind`, and a payload of plain values."""

    alert_id: int
    team_id: str
    kind: str
    payload: dict[str, Any]
    created_at: datetime
    attempts: int


def note_milestones(tx: Transaction, team_id: str, *, now: datetime, first_month: date) -> None:
    """Record what has become true of a team: begun, a repository complete, the newest month ready, all of it complete.

    `onboarded_at` is set when every wanted month is done, and does not wait for the LLM.
    """
    values = {
        "team_id": team_id,
        "now": now,
        "newest": first_of_month(now),
        "first_month": first_month,
    }
    tx.lock("milestones", team_id)
    for statement in (STARTED, REPOSITORIES, NEWEST, COMPLETE):
        tx.execute(statement, values)


STARTED = """
    with started as (
        update teams set onboarding_started_at = %(now)s
        where team_id = %(team_id)s and onboarding_started_at is null
        returning team_id, generation, display_name, history_months
    )
    insert into alerts (team_id, key, kind, payload)
    select s.team_id, 'onboarding_started:' || s.generation, 'onboarding_started', jsonb_build_object(
        'display_name', s.display_name, 'months', s.history_months + 1,
        'repositories', (select count(*) from tracked_repositories r where r.team_id = s.team_id)
    )
    from started s
    on conflict (team_id, key) do nothing
"""

REPOSITORIES = """
    with months as (
        select t.team_id, t.generation, count(*) as wanted
        from teams t cross join lateral generate_series(0, t.history_months) back
        where t.team_id = %(team_id)s
            and (%(newest)s::date - make_interval(months => back))::date >= %(first_month)s::date
        group by 1, 2
    ), complete as (
        select m.team_id, m.generation, r.repository, sum(rm.stored) as pull_requests
        from months m
        join tracked_repositories r using (team_id)
        join teams t using (team_id)
        join repository_months rm on rm.team_id = r.team_id and rm.repository = r.repository
            and rm.status = 'completed' and rm.month <= %(newest)s::date and rm.month >= %(first_month)s::date
            and rm.month >= (%(newest)s::date - make_interval(months => t.history_months))::date
        group by 1, 2, 3, m.wanted having count(*) = m.wanted
    )
    insert into alerts (team_id, key, kind, payload)
    select team_id, 'repository_completed:' || generation || ':' || repository, 'repository_completed',
        jsonb_build_object('repository', repository, 'pull_requests_by_month', pull_requests)
    from complete
    on conflict (team_id, key) do nothing
"""

NEWEST = """
    insert into alerts (team_id, key, kind, payload)
    select t.team_id, 'newest_month_ready:' || t.generation, 'newest_month_ready',
        jsonb_build_object('month', to_char(m.month, 'YYYY-MM'))
    from teams t join team_months m using (team_id)
    where t.team_id = %(team_id)s and m.month = %(newest)s::date and m.published_at is not null
    on conflict (team_id, key) do nothing
"""

COMPLETE = f"""
    with {INCOMPLETE},
    onboarded as (
        update teams t set onboarded_at = %(now)s
        where t.team_id = %(team_id)s and t.onboarded_at is null and t.status = 'active'
            and exists (select 1 from tracked_repositories r where r.team_id = t.team_id)
            and not exists (select 1 from incomplete)
        returning t.team_id, t.generation, t.onboarding_started_at
    )
    insert into alerts (team_id, key, kind, payload)
    select o.team_id, 'history_complete:' || o.generation, 'history_complete', jsonb_build_object(
        'pull_requests', (select count(*) from pull_requests p where p.team_id = o.team_id),
        'hours', round(extract(epoch from %(now)s - o.onboarding_started_at) / 3600, 3)
    )
    from onboarded o
    on conflict (team_id, key) do nothing
"""


def note_failure(
    tx: Transaction, team_id: str, *, month: date, repository: str | None, cause: str, remedy: str, now: datetime
) -> bool:
    """Record a failure; the same cause in the same repository is told once a day. True if it is a new one."""
    generation = tx.value("select generation from teams where team_id = %s", [team_id])
    if generation is None:
        return False
    payload = {"month": f"{month:%Y-%m}", "repository": repository, "cause": cause, "what_to_do": remedy}
    return bool(
        tx.execute(
            """
            insert into alerts (team_id, key, kind, payload)
            values (%(team_id)s, 'failure:' || md5(%(subject)s), 'failure', %(payload)s)
            on conflict (team_id, key) do nothing
            """,
            {
                "team_id": team_id,
                "subject": f"{generation}/{repository}/{cause}/{now:%Y-%m-%d}",
                "payload": json.dumps(payload),
            },
        )
    )


def note_run_failure(tx: Transaction, team_id: str, month: date, *, cause: str, now: datetime) -> None:
    """Record a run that failed: by the repositories' own causes where there are any, else by the run's."""
    if not note_repository_failures(tx, team_id, month, now=now):
        remedy = "It is tried again by itself; docs/operating.md says what each cause means."
        note_failure(tx, team_id, month=month, repository=None, cause=cause, remedy=remedy, now=now)


def note_repository_failures(tx: Transaction, team_id: str, month: date, *, now: datetime) -> bool:
    """Record each repository that failed or is partial for this month, with its cause; False if there is none."""
    rows = tx.rows(
        """
        select repository, status, coalesce(error, 'No reason was recorded.') as error, remedy from repository_months
        where team_id = %s and month = %s and status in ('failed', 'partial') order by repository
        """,
        [team_id, month],
    )
    for row in rows:
        cause = f"{'Part of it' if row['status'] == 'partial' else 'It'} could not be loaded: {row['error']}"
        remedy = row["remedy"] or "Mend the cause, then run `historical-sync retry`; it is also tried again by itself."
        note_failure(tx, team_id, month=month, repository=row["repository"], cause=cause, remedy=remedy, now=now)
    return bool(rows)


def undelivered(tx: Transaction, *, now: datetime, limit: int = 50) -> list[Alert]:
    """The alerts whose time to be sent has come, oldest first, locked until the transaction ends."""
    rows = tx.rows(
        """
        select alert_id, team_id, kind, payload, created_at, attempts from alerts
        where delivered_at is null and attempts < %s and next_attempt_at <= %s and created_at > %s
        order by alert_id limit %s for update skip locked
        """,
        [MOST_DELIVERIES, now, now - STALE_AFTER, limit],
    )
    return [Alert(**row) for row in rows]


def mark_delivered(tx: Transaction, alert_ids: Sequence[int], *, now: datetime) -> None:
    """These alerts have arrived."""
    tx.execute("update alerts set delivered_at = %s, error = null where alert_id = any(%s)", [now, list(alert_ids)])


def mark_undelivered(tx: Transaction, alert: Alert, error: str, *, now: datetime) -> None:
    """This alert did not arrive; it is sent again after 30 seconds, then twice as long each time, up to two hours."""
    delay = min(FIRST_DELAY * 2**alert.attempts, LONGEST_DELAY)
    tx.execute(
        "update alerts set attempts = attempts + 1, next_attempt_at = %s, error = %s where alert_id = %s",
        [now + delay, error[:500], alert.alert_id],
    )
