"""The processes behind runs in progress: which there are, and which are gone."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from historical_sync.warehouse.postgres import Transaction


@dataclass(frozen=True, slots=True)
class RunWorker:
    """A row of `run_workers`. `process_started_at` (seconds since 1970) tells a process from a later one of its pid."""

    run_id: str
    team_id: str | None
    host: str
    pid: int
    process_started_at: float
    seen_at: datetime


def team_status(tx: Transaction, team_id: str) -> str | None:
    """The team's status; None when it is gone."""
    status: str | None = tx.value("select status from teams where team_id = %s", [team_id])
    return status


def seen(
    tx: Transaction, run_id: str, team_id: str, *, host: str, pid: int, process_started_at: float, now: datetime
) -> None:
    """This process is at work on this run."""
    tx.execute(
        """
        insert into run_workers (run_id, team_id, host, pid, process_started_at, seen_at)
        values (%s, %s, %s, %s, %s, %s)
        on conflict (run_id) do update set host = excluded.host, pid = excluded.pid,
            process_started_at = excluded.process_started_at, seen_at = excluded.seen_at
        """,
        [run_id, team_id, host, pid, process_started_at, now],
    )


def workers_of(tx: Transaction, run_ids: list[str]) -> dict[str, RunWorker]:
    """The last known process of each of these runs, where one was noted."""
    rows = tx.rows(
        """
        select run_id, team_id, host, pid, process_started_at, seen_at from run_workers where run_id = any(%s)
        """,
        [run_ids],
    )
    return {row["run_id"]: RunWorker(**row) for row in rows}


def forget_other_workers(tx: Transaction, run_ids: list[str]) -> int:
    """Delete the notes of runs that are not among these, the ones in progress. Returns how many there were."""
    return tx.execute("delete from run_workers where run_id <> all(%s)", [run_ids])
