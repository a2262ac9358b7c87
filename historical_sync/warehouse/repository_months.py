"""The state of every (repository, month) and of every repository, derived from what is counted.

`expected` is a count over the index, `stored` one over the rows that are at least as new; a month is complete when they
are equal, no row is partial and the walk has passed the month. So any later change of either reopens it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from historical_sync.warehouse.postgres import Transaction

LEASE = timedelta(minutes=10)
"""How long a run counts as alive after its last sign of life."""

COUNTS = """
    select w.repository, w.month, count(i.number)::int as expected,
        count(p.number) filter (where p.updated_at >= i.updated_at)::int as stored,
        count(p.number) filter (where p.is_partial)::int as partial,
        min(p.number || ': ' || p.partial_reason) filter (where p.is_partial) as partial_reason
    from unnest(%(repositories)s::text[], %(months)s::date[]) as w (repository, month)
    left join pull_request_index i on i.team_id = %(team_id)s and i.repository = w.repository and (
        i.created_at >= w.month and i.created_at < w.month + interval '1 month'
        or i.closed_at >= w.month and i.closed_at < w.month + interval '1 month')
    left join pull_requests p
        on p.team_id = i.team_id and p.repository = i.repository and p.number = i.number
    group by w.repository, w.month order by w.repository, w.month
"""


@dataclass(frozen=True, slots=True)
class MonthCounts:
    """What the tables hold of a (repository, month). `partial_reason` is that of one of the partial pull requests."""

    repository: str
    month: date
    expected: int
    stored: int
    partial: int
    partial_reason: str | None

    @property
    def is_whole(self) -> bool:
        """Whether every pull request is stored as the index knows it, none of them in part."""
        return self.expected == self.stored and not self.partial


@dataclass(frozen=True, slots=True)
class MonthResult:
    """How an attempt at a (repository, month) ended. `complete_as_of` is GitHub's time of the last look.

    `remedy` is what a person can do about `error`, where the error knows.
    """

    repository: str
    status: str
    error: str | None
    complete_as_of: datetime | None
    remedy: str | None = None


def count_months(tx: Transaction, team_id: str, pairs: Iterable[tuple[str, date]]) -> list[MonthCounts]:
    """Count these (repository, month) pairs, by repository and month."""
    wanted = sorted(set(pairs))
    if not wanted:
        return []
    parameters = {
        "team_id": team_id,
        "repositories": [repository for repository, _ in wanted],
        "months": [month for _, month in wanted],
    }
    return [MonthCounts(**row) for row in tx.rows(COUNTS, parameters)]


def begin_month(tx: Transaction, team_id: str, month: date, repositories: Sequence[str], now: datetime) -> None:
    """An attempt at a month begins: its rows exist, and its repositories are syncing."""
    tx.execute_values(
        """
        insert into repository_months as old (team_id, repository, month, attempts, attempted_at) values %s
        on conflict (team_id, repository, month) do update
        set attempts = old.attempts + 1, attempted_at = excluded.attempted_at
        """,
        [(team_id, repository, month, 1, now) for repository in sorted(repositories)],
    )
    tx.execute(
        """
        update tracked_repositories set
            sync_started_at = case when sync_status in ('completed', 'failed') or sync_started_at is null
                then %(now)s else sync_started_at end,
            sync_progress = case when sync_status in ('completed', 'failed') then 0 else sync_progress end,
            sync_status = 'syncing'
        where team_id = %(team_id)s and repository = any(%(repositories)s)
        """,
        {"team_id": team_id, "repositories": list(repositories), "now": now},
    )


def keep_alive(tx: Transaction, team_id: str, month: date, holder: str, now: datetime) -> None:
    """A sign of life of a run."""
    tx.execute(
        """
        insert into ingestion_leases (team_id, month, holder, running_until) values (%s, %s, %s, %s)
        on conflict (team_id, month, holder) do update set running_until = excluded.running_until
        """,
        [team_id, month, holder, now + LEASE],
    )


def end_month(tx: Transaction, team_id: str, month: date, holder: str, now: datetime) -> None:
    """A run is over; so are those that never said so."""
    tx.execute(
        """
        delete from ingestion_leases
        where team_id = %(team_id)s and (month = %(month)s and holder = %(holder)s or running_until < %(now)s)
        """,
        {"team_id": team_id, "month": month, "holder": holder, "now": now},
    )


def save_counts(tx: Transaction, team_id: str, counts: Sequence[MonthCounts]) -> None:
    """Store counts as they are now; a completed month that is no longer complete is pending again."""
    tx.execute_values(
        """
        update repository_months m set expected = c.expected, stored = c.stored,
            status = case when m.status = 'completed' and not c.is_whole then 'pending' else m.status end,
            completed_at = case when m.status = 'completed' and not c.is_whole then null else m.completed_at end
        from (values %s) as c (team_id, repository, month, expected, stored, is_whole)
        where m.team_id = c.team_id and m.repository = c.repository and m.month = c.month
        """,
        [
            (
                team_id,
                one.repository,
                one.month,
                one.expected,
                one.stored,
                one.expected == one.stored and not one.partial,
            )
            for one in counts
        ],
        template="(%s, %s, %s::date, %s::int, %s::int, %s::boolean)",
    )


def reopen(tx: Transaction, team_id: str, pairs: Iterable[tuple[str, date]]) -> None:
    """Count again those of these months that were complete."""
    wanted = sorted(set(pairs))
    rows = tx.rows(
        """
        select repository, month from repository_months
        join unnest(%s::text[], %s::date[]) as w (repository, month) using (repository, month)
        where team_id = %s and status = 'completed' order by repository, month for update of repository_months
        """,
        [[repository for repository, _ in wanted], [month for _, month in wanted], team_id],
    )
    save_counts(tx, team_id, count_months(tx, team_id, [(row["repository"], row["month"]) for row in rows]))


def reopen_changed(tx: Transaction, team_id: str, pairs: Iterable[tuple[str, date]]) -> None:
    """These months lost rows, so what was computed from them is old: they are to be run again though counts agree."""
    wanted = sorted(set(pairs))
    tx.execute(
        """
        update repository_months m set status = 'pending', completed_at = null
        from unnest(%s::text[], %s::date[]) as w (repository, month)
        where m.team_id = %s and m.repository = w.repository and m.month = w.month and m.status = 'completed'
        """,
        [[repository for repository, _ in wanted], [month for _, month in wanted], team_id],
    )
    save_counts(tx, team_id, count_months(tx, team_id, wanted))


def save_results(tx: Transaction, team_id: str, month: date, results: Sequence[MonthResult], now: datetime) -> None:
    """How an attempt ended, for each repository. The counts are stored before (`save_counts`)."""
    tx.execute_values(
        """
        update repository_months m set status = r.status, error = r.error, remedy = r.remedy,
            complete_as_of = coalesce(r.complete_as_of, m.complete_as_of),
            completed_at = case when r.status = 'completed' then coalesce(m.completed_at, r.at) end
        from (values %s) as r (team_id, repository, month, status, error, remedy, complete_as_of, at)
        where m.team_id = r.team_id and m.repository = r.repository and m.month = r.month
        """,
        [
            (team_id, one.repository, month, one.status, one.error, one.remedy, one.complete_as_of, now)
            for one in sorted(results, key=lambda one: one.repository)
        ],
        template="(%s, %s, %s::date, %s, %s, %s, %s::timestamptz, %s::timestamptz)",
    )


def save_progress(tx: Transaction, team_id: str, repositories: Sequence[str], wanted_months: Sequence[date]) -> None:
    """Totals and percentage of repositories that are syncing; the percentage never goes back and stays under 100.

    The total counts distinct pull requests of the wanted months. Until the walk has passed the oldest of them it is at
    least what the survey of the last six months makes one expect.
    """
    tx.execute(
        """
        with counted as (
            select r.repository, count(i.number)::int as total,
                count(p.number) filter (where p.updated_at >= i.updated_at)::int as completed,
                bool_or(coalesce(w.is_at_end or w.frontier < %(first)s, false)) as is_exact
            from tracked_repositories r
            left join repository_walks w on w.team_id = r.team_id and w.repository = r.repository and w.kind = 'history'
            left join pull_request_index i on i.team_id = r.team_id and i.repository = r.repository
                and (i.created_at >= %(first)s or i.closed_at >= %(first)s)
            left join pull_requests p on p.team_id = i.team_id and p.repository = i.repository and p.number = i.number
            where r.team_id = %(team_id)s and r.repository = any(%(repositories)s)
            group by r.repository
        ), estimated as (
            select c.*, case when c.is_exact then c.total
                else greatest(c.total, round(coalesce(r.recent_prs, 0) * %(months)s / 6.0)::int) end as estimate
            from counted c join tracked_repositories r on r.team_id = %(team_id)s and r.repository = c.repository
        )
        update tracked_repositories r set sync_prs_total = e.estimate, sync_prs_completed = e.completed,
            sync_progress = case when r.sync_status = 'completed' then 100
                else greatest(r.sync_progress, least(99, 100 * e.completed / greatest(e.estimate, 1))) end
        from estimated e where r.team_id = %(team_id)s and r.repository = e.repository
        """,
        {
            "team_id": team_id,
            "repositories": list(repositories),
            "first": min(wanted_months),
            "months": len(wanted_months),
        },
    )


def settle(
    tx: Transaction,
    team_id: str,
    repositories: Sequence[str],
    wanted_months: Sequence[date],
    now: datetime,
    clock: datetime,
) -> None:
    """Each repository's status by its months: completed when all are, syncing while a run of the team is alive, failed
    when none is and a month is failed or partial (`sync_error` says which, months with one cause together), else
    pending.

    `now` is the time of the run, `clock` that of the signs of life.
    """
    tx.execute(
        """
        with causes as (
            select m.repository, m.status, m.error, max(m.month) as newest,
                case when count(*) = 1 then to_char(max(m.month), 'YYYY-MM') || ' is ' || m.status
                    else to_char(min(m.month), 'YYYY-MM') || ' to ' || to_char(max(m.month), 'YYYY-MM') || ', '
                        || count(*) || ' months, are ' || m.status
                end || coalesce(': ' || m.error, '') as said,
                (array_agg(m.remedy order by m.month desc))[1] as remedy
            from repository_months m
            where m.team_id = %(team_id)s and m.repository = any(%(repositories)s) and m.month = any(%(months)s)
                and m.status in ('failed', 'partial')
            group by m.repository, m.status, m.error
        ), told as (
            select repository, string_agg(said, '; ' order by newest desc) as error,
                (array_agg(remedy order by newest desc) filter (where remedy is not null))[1] as remedy
            from causes group by repository
        ), months as (
            select r.repository,
                count(m.month) filter (where m.status = 'completed') = %(count)s as is_completed
            from tracked_repositories r
            left join repository_months m on m.team_id = r.team_id and m.repository = r.repository
                and m.month = any(%(months)s)
            where r.team_id = %(team_id)s and r.repository = any(%(repositories)s)
            group by r.repository
        ), running as (
            select exists (
                select from ingestion_leases where team_id = %(team_id)s and running_until >= %(clock)s
            ) as is_running
        )
        update tracked_repositories r set
            sync_status = case when m.is_completed then 'completed' when n.is_running then 'syncing'
                when t.error is not null then 'failed' else 'pending' end,
            sync_error = case when not m.is_completed then t.error end,
            sync_remedy = case when not m.is_completed then t.remedy end,
            sync_progress = case when m.is_completed then 100 else least(r.sync_progress, 99) end,
            last_synced_at = case when m.is_completed then %(now)s else r.last_synced_at end
        from months m left join told t using (repository), running n
        where r.team_id = %(team_id)s and r.repository = m.repository
        """,
        {
            "team_id": team_id,
            "repositories": list(repositories),
            "months": list(wanted_months),
            "count": len(wanted_months),
            "now": now,
            "clock": clock,
        },
    )


def save_survey(tx: Transaction, team_id: str, recent: dict[str, int | None]) -> None:
    """How many pull requests each repository saw in the last six months, where a search could tell."""
    for repository in sorted(recent):
        tx.execute(
            """
            update tracked_repositories set recent_prs = coalesce(%s, recent_prs)
            where team_id = %s and repository = %s
            """,
            [recent[repository], team_id, repository],
        )


def save_repository(tx: Transaction, team_id: str, repository: str, node_id: str, current_name: str | None) -> None:
    """What GitHub says a repository is: its id, and its name now where that is not the one it is registered under."""
    tx.execute(
        """
        update tracked_repositories set node_id = %(node_id)s, current_name = %(current_name)s
        where team_id = %(team_id)s and repository = %(repository)s
            and (node_id, current_name) is distinct from (%(node_id)s, %(current_name)s)
        """,
        {"team_id": team_id, "repository": repository, "node_id": node_id, "current_name": current_name},
    )
