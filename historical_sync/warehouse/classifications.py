"""The pull requests' side of classification: what is queued, what was answered, what is left.

A row is queued while `queued_hash` is set and `intent_id` is not, and in flight with both. An answer that is there
stays until the next one comes, so a pull request that is asked again keeps its label meanwhile. What becomes
of a row that was sent is in llm_outcomes.py, the batches' side in llm_ledger.py.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import date, datetime
from typing import Any

from historical_sync.records import PullRequest, TeamMonth
from historical_sync.warehouse.postgres import Transaction, as_rows_of
from historical_sync.warehouse.pull_requests import IN_MONTH, SCALARS, with_entries
from historical_sync.window import month_bounds

Key = tuple[str, int]
"""A pull request within its team: repository and number."""

_QUEUED = "team_id, repository, number, status, queued_hash, queued_month, next_attempt_at"
_QUEUE = f"""
    insert into llm_classifications as old ({_QUEUED}) select {_QUEUED} from {as_rows_of("llm_classifications")}
    on conflict (team_id, repository, number) do update set
        status = case old.status when 'classified' then 'classified' else 'pending' end,
        queued_hash = excluded.queued_hash, queued_month = excluded.queued_month,
        next_attempt_at = excluded.next_attempt_at, attempts = 0, silences = 0, is_suspect = false, error = null
    where old.intent_id is null
      and coalesce(old.queued_hash, old.content_hash) is distinct from excluded.queued_hash
      and {{when}}
"""
_WHEN_CLOSED = "true"
_WHEN_OPEN = "(old.queued_hash is not null or old.status = 'pending')"


def queue(
    tx: Transaction, team_id: str, month: date, hashes: dict[Key, str], *, are_closed: bool, now: datetime
) -> int:
    """Queue those of these pull requests whose content was never sent; returns how many.

    A new one always; one that was sent before only when its content changed and it is closed. What is in flight stays
    as it is: a change is seen by the next call after its answer came.
    """
    rows = [
        {
            "team_id": team_id,
            "repository": repository,
            "number": number,
            "status": "pending",
            "queued_hash": content,
            "queued_month": month,
            "next_attempt_at": now,
        }
        for (repository, number), content in sorted(hashes.items())
    ]
    return tx.execute_on(rows, _QUEUE.format(when=_WHEN_CLOSED if are_closed else _WHEN_OPEN))


def fetched_since_hashed(tx: Transaction, team_id: str, month: date) -> dict[Key, datetime]:
    """The month's pull requests whose content was not digested since they were fetched, with that fetch's time."""
    start, end = month_bounds(month)
    rows = tx.rows(
        f"""
        select p.repository, p.number, p.fetched_at
        from pull_requests p left join llm_classifications c using (team_id, repository, number)
        where p.team_id = %(team_id)s and {IN_MONTH} and c.hashed_fetch_at is distinct from p.fetched_at
        order by p.repository, p.number
        """,
        {"team_id": team_id, "start": start, "end": end},
    )
    return {(row["repository"], row["number"]): row["fetched_at"] for row in rows}


def note_hashed(tx: Transaction, team_id: str, fetched: dict[Key, datetime]) -> None:
    """These were digested as they were then. What is in flight was not queued, so it is digested again after that."""
    tx.execute_on(
        [
            {"team_id": team_id, "repository": repository, "number": number, "hashed_fetch_at": at}
            for (repository, number), at in sorted(fetched.items())
        ],
        f"""
        update llm_classifications c set hashed_fetch_at = w.hashed_fetch_at
        from {as_rows_of("llm_classifications")} w
        where c.team_id = w.team_id and c.repository = w.repository and c.number = w.number and c.intent_id is null
        """,
    )


def queue_again(tx: Transaction, team_id: str, month: date, hashes: dict[Key, str], *, now: datetime) -> int:
    """Queue these pull requests whether or not they have an answer, unless they are in flight; returns how many."""
    written = tx.execute_values(
        """
        update llm_classifications c
        set queued_hash = w.content_hash, queued_month = w.month, next_attempt_at = w.at, attempts = 0,
            silences = 0, is_suspect = false, error = null,
            status = case c.status when 'classified' then 'classified' else 'pending' end
        from (values %s) as w (team_id, repository, number, content_hash, month, at)
        where c.team_id = w.team_id and c.repository = w.repository and c.number = w.number and c.intent_id is null
        returning c.repository, c.number
        """,
        [(team_id, *key, content, month, now) for key, content in sorted(hashes.items())],
        template="(%s, %s, %s, %s, %s::date, %s::timestamptz)",
    )
    return len(written)


def outdated(tx: Transaction, team_id: str, prompt_version: str, models: Sequence[str]) -> list[tuple[str, int, date]]:
    """Settled pull requests whose answer is of another prompt or model, or that have none: with their closing month."""
    rows = tx.rows(
        """
        select c.repository, c.number, date_trunc('month', coalesce(p.closed_at, p.created_at))::date as month
        from llm_classifications c
        join pull_requests p using (team_id, repository, number)
        where c.team_id = %s and c.queued_hash is null
          and (c.status = 'unclassified' or c.prompt_version is distinct from %s or c.model <> all(%s))
        order by month desc, c.repository, c.number
        """,
        [team_id, prompt_version, list(models)],
    )
    return [(row["repository"], row["number"], row["month"]) for row in rows]


def claim_rows(
    tx: Transaction,
    team_id: str,
    month: date,
    intent_id: str,
    *,
    attempts: int,
    is_suspect: bool,
    most: int,
    now: datetime,
) -> list[tuple[str, int, str]]:
    """Take up to `most` queued pull requests for an intent: repository, number and content hash of each.

    Whoever claims at the same time gets others: rows that somebody holds are passed over, not waited for.
    """
    rows = tx.rows(
        """
        with free as (
            select repository, number from llm_classifications
            where team_id = %(team_id)s and queued_month = %(month)s and queued_hash is not null
              and intent_id is null and attempts = %(attempts)s and is_suspect = %(is_suspect)s
              and (next_attempt_at is null or next_attempt_at <= %(now)s)
            order by next_attempt_at nulls first, repository, number limit %(most)s
            for update skip locked
        )
        update llm_classifications c set intent_id = %(intent_id)s
        from free
        where c.team_id = %(team_id)s and c.repository = free.repository and c.number = free.number
        returning c.repository, c.number, c.queued_hash
        """,
        {
            "team_id": team_id,
            "month": month,
            "intent_id": intent_id,
            "attempts": attempts,
            "is_suspect": is_suspect,
            "most": most,
            "now": now,
        },
    )
    return sorted((row["repository"], row["number"], row["queued_hash"]) for row in rows)


def release_rows(
    tx: Transaction,
    team_id: str,
    intent_id: str,
    keys: Iterable[Key] | None = None,
    *,
    next_attempt_at: datetime | None = None,
) -> None:
    """Give an intent's pull requests back to the queue: all as they were, or only these, perhaps at its end."""
    if keys is None:
        tx.execute(
            "update llm_classifications set intent_id = null where team_id = %s and intent_id = %s",
            [team_id, intent_id],
        )
        return
    tx.execute_values(
        """
        update llm_classifications c set intent_id = null, next_attempt_at = coalesce(w.at, c.next_attempt_at)
        from (values %s) as w (team_id, intent_id, repository, number, at)
        where c.team_id = w.team_id and c.repository = w.repository and c.number = w.number
          and c.intent_id = w.intent_id
        """,
        [(team_id, intent_id, *key, next_attempt_at) for key in keys],
        template="(%s, %s, %s, %s::int, %s::timestamptz)",
    )


def count_silence(tx: Transaction, team_id: str, key: Key) -> int:
    """Count one more call about this content that Groq's server failed to answer; returns how many."""
    return int(
        tx.value(
            """
            update llm_classifications set silences = silences + 1
            where team_id = %s and repository = %s and number = %s returning silences
            """,
            [team_id, *key],
        )
        or 0
    )


def read_pull_requests(tx: Transaction, team_id: str, keys: Sequence[Key]) -> dict[Key, PullRequest]:
    """These pull requests with their lists; one that is no longer there is left out."""
    rows = tx.tuples(
        f"""
        select {", ".join(f"p.{name}" for name in SCALARS)}
        from unnest(%s::text[], %s::int[]) as wanted (repository, number)
        join pull_requests p on p.team_id = %s and p.repository = wanted.repository and p.number = wanted.number
        """,
        [[repository for repository, _ in keys], [number for _, number in keys], team_id],
    )
    return {(one.repository, one.number): one for one in with_entries(tx, team_id, rows)}


def queued_months(tx: Transaction, *, now: datetime, team_id: str | None = None) -> Iterator[TeamMonth]:
    """The (team, month)s of active teams with work in the queue that is due, newest month first."""
    rows = tx.rows(
        """
        select distinct c.team_id, c.queued_month
        from llm_classifications c join teams t using (team_id)
        where c.queued_hash is not null and c.intent_id is null and t.status = 'active'
          and (c.next_attempt_at is null or c.next_attempt_at <= %(now)s)
          and (%(team_id)s::text is null or c.team_id = %(team_id)s)
        order by c.queued_month desc, c.team_id
        """,
        {"now": now, "team_id": team_id},
    )
    yield from (TeamMonth(row["team_id"], row["queued_month"]) for row in rows)


def mark_changed(tx: Transaction, team_id: str, month: date, keys: Sequence[Key], *, now: datetime) -> set[TeamMonth]:
    """Note that these pull requests have new labels: the months that hold them, of those the team has.

    The note stays until the month is published, so a change is not lost with the process that saw it.
    """
    rows = tx.rows(
        """
        insert into llm_changed_months as old (team_id, month, changed_at)
        select distinct p.team_id, touched.month, %(now)s::timestamptz
        from unnest(%(repositories)s::text[], %(numbers)s::int[]) as wanted (repository, number)
        join pull_requests p
          on p.team_id = %(team_id)s and p.repository = wanted.repository and p.number = wanted.number
        cross join lateral (values (p.created_at), (p.closed_at)) as moment (at)
        cross join lateral (select date_trunc('month', moment.at)::date as month) as touched
        where touched.month = %(month)s or exists (
            select from repository_months r where r.team_id = p.team_id and r.month = touched.month
        )
        on conflict (team_id, month) do update set changed_at = excluded.changed_at
        returning team_id, month
        """,
        {
            "team_id": team_id,
            "month": month,
            "repositories": [repository for repository, _ in keys],
            "numbers": [number for _, number in keys],
            "now": now,
        },
    )
    return {TeamMonth(row["team_id"], row["month"]) for row in rows}


def clear_changed(tx: Transaction, team_id: str, month: date) -> None:
    """The month is being published in this transaction: what it reads from here on has every answer noted so far."""
    tx.execute("delete from llm_changed_months where team_id = %s and month = %s", [team_id, month])


def changed_months(tx: Transaction, team_id: str | None = None) -> list[TeamMonth]:
    """Months with answers that came after their trends were computed, newest first; of one team, if it is named."""
    rows = tx.rows(
        """
        select team_id, month from llm_changed_months
        where %(team_id)s::text is null or team_id = %(team_id)s order by month desc, team_id
        """,
        {"team_id": team_id},
    )
    return [TeamMonth(row["team_id"], row["month"]) for row in rows]


def month_counts(tx: Transaction, team_id: str, month: date) -> dict[str, int]:
    """Pull requests of the month by where they stand: pull_requests, classified, pending, unclassified, again.

    `again` is how many of the classified are being asked once more. One that was never queued counts as pending.
    """
    start, end = month_bounds(month)
    row = tx.row(
        f"""
        select count(*) as pull_requests,
            count(*) filter (where c.status = 'classified') as classified,
            count(*) filter (where c.status = 'unclassified') as unclassified,
            count(*) filter (where coalesce(c.status, 'pending') = 'pending') as pending,
            count(*) filter (where c.status = 'classified' and c.queued_hash is not null) as again
        from (
            select team_id, repository, number from pull_requests where team_id = %(team_id)s and {IN_MONTH}
        ) p
        left join llm_classifications c using (team_id, repository, number)
        """,
        {"team_id": team_id, "start": start, "end": end},
    )
    return {name: int(value) for name, value in (row or {}).items()}


def mended_counts(tx: Transaction, team_id: str, month: date) -> dict[str, int]:
    """How many of the month's answers each rule mended."""
    start, end = month_bounds(month)
    rows = tx.rows(
        f"""
        select rule, count(*) as answers
        from pull_requests p
        join llm_classifications c using (team_id, repository, number)
        cross join lateral unnest(c.mended) as rule
        where p.team_id = %(team_id)s and {IN_MONTH} and c.status = 'classified'
        group by rule order by rule
        """,
        {"team_id": team_id, "start": start, "end": end},
    )
    return {row["rule"]: row["answers"] for row in rows}


def disagreements(tx: Transaction, team_id: str, month: date, *, least_confidence: float = 0.8) -> list[dict[str, Any]]:
    """Pull requests of the month where exact author evidence meets a confident "not AI": what a person should look at.

    Rows of repository, number, tool, quote, confidence, usage_type. The other way round (a verdict without exact
    evidence) is what the second opinion is for, and no disagreement.
    """
    start, end = month_bounds(month)
    return tx.rows(
        f"""
        select p.repository, p.number, e.tool, e.quote, c.confidence, c.usage_type
        from pull_requests p
        join llm_classifications c using (team_id, repository, number)
        join lateral (
            select tool, quote from ai_evidence e
            where e.team_id = p.team_id and e.repository = p.repository and e.number = p.number
              and e.role = 'author' and e.strength = 'exact'
            order by source, position limit 1
        ) e on true
        where p.team_id = %(team_id)s and {IN_MONTH}
          and c.status = 'classified' and not c.is_ai_assisted and c.confidence >= %(least_confidence)s
        order by c.confidence desc, p.repository, p.number
        """,
        {"team_id": team_id, "start": start, "end": end, "least_confidence": least_confidence},
    )
