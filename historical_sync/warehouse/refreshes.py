"""When each loaded team was last refreshed, and which are due: every few hours, spread over the teams."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from historical_sync.warehouse.postgres import Transaction


@dataclass(frozen=True, slots=True)
class DueRefresh:
    """A team whose refresh is due, and the moment since which it is: the run's identity."""

    team_id: str
    generation: int
    due_since: datetime


def last_slot(team_id: str, hours: int, now: datetime) -> datetime:
    """The latest moment at which the team's refresh fell due: every `hours`, shifted by a hash of its name.

    So a thousand teams do not all ask GitHub at midnight, and a team's moments stay the same over restarts.
    """
    interval = timedelta(hours=hours)
    share = int.from_bytes(hashlib.sha256(team_id.encode()).digest()[:8], "big") / 2**64
    start = datetime(2024, 1, 1, tzinfo=UTC) + interval * share
    return start + interval * ((now - start) // interval)


def refreshes_due(tx: Transaction, *, now: datetime) -> list[DueRefresh]:
    """The active teams whose history was once complete and whose last refresh began before their last slot.

    A team that was loaded after its slot waits for the next one.
    """
    rows = tx.rows(
        """
        select t.team_id, t.generation, t.refresh_hours, greatest(t.onboarded_at, r.begun_at) as since
        from teams t left join team_refreshes r using (team_id)
        where t.status = 'active' and t.onboarded_at is not null
        order by since, t.team_id
        """
    )
    slots = [(row, last_slot(row["team_id"], row["refresh_hours"], now)) for row in rows]
    return [DueRefresh(row["team_id"], row["generation"], slot) for row, slot in slots if row["since"] < slot]


def begin_refresh(tx: Transaction, team_id: str, *, now: datetime) -> None:
    """A refresh begins: the next is due at the team's next slot, whatever becomes of this one."""
    tx.execute(
        """
        insert into team_refreshes (team_id, begun_at) values (%s, %s)
        on conflict (team_id) do update set begun_at = excluded.begun_at, ended_at = null, changed_months = null,
            error = null
        """,
        [team_id, now],
    )


def end_refresh(
    tx: Transaction, team_id: str, *, now: datetime, changed_months: int | None = None, error: str | None = None
) -> None:
    """A refresh ended, with so many months rebuilt or with an error."""
    tx.execute(
        "update team_refreshes set ended_at = %s, changed_months = %s, error = %s where team_id = %s",
        [now, changed_months, error, team_id],
    )
