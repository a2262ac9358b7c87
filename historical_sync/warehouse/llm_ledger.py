"""The ledger of batches: intents, the requests in them, and what became of those.

An intent goes claimed → uploaded → submitted → finished, and is committed in each state before the next step is tried.
The pull requests' side is in classifications.py, what holds new intents up in llm_holds.py, what they cost in
llm_costs.py.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from historical_sync.errors import WarehouseError
from historical_sync.records import TeamMonth, as_row, columns_of
from historical_sync.warehouse.llm_outcomes import Settled
from historical_sync.warehouse.postgres import Transaction, as_rows_of


@dataclass(frozen=True, slots=True)
class Intent:
    """A row of `llm_intents`. `tries` counts the steps or polls that came to nothing since the state changed.

    `troubled_since` is when Groq was first found not to know the batch or its files, or was asked to cancel it.
    """

    intent_id: str
    team_id: str
    month: date
    kind: str
    digest: str
    attempt: int
    model: str
    prompt_version: str
    state: str
    input_file_id: str | None
    batch_id: str | None
    claimed_at: datetime
    next_attempt_at: datetime
    tries: int
    troubled_since: datetime | None = None

    @property
    def is_batch_in_flight(self) -> bool:
        """Whether Groq has it, so that it is asked about it."""
        return self.kind == "batch" and self.state == "submitted"

    @property
    def sent_as(self) -> str:
        """The id of the batch that was made of it. Raises WarehouseError before there is one."""
        if self.batch_id is None:
            raise WarehouseError(f"Intent {self.intent_id} has not been submitted.")
        return self.batch_id


@dataclass(frozen=True, slots=True)
class Request:
    """A row of `llm_requests`: one pull request in an intent."""

    custom_id: str
    repository: str
    number: int
    content_hash: str
    sent_at: datetime | None
    outcome: str | None


_INTENT = ", ".join(columns_of(Intent))


def add_intent(tx: Transaction, intent: Intent, requests: Sequence[Request]) -> None:
    """Write an intent with its requests; the pull requests are claimed in the same transaction."""
    tx.insert("llm_intents", [as_row(intent)])
    of_intent = {"intent_id": intent.intent_id, "team_id": intent.team_id}
    tx.insert("llm_requests", [of_intent | as_row(one) for one in requests])


def read_intent(tx: Transaction, intent_id: str, *, for_update: bool = False) -> Intent | None:
    """The intent; None when its team is gone."""
    row = tx.row(
        f"select {_INTENT} from llm_intents where intent_id = %s{' for update' if for_update else ''}", [intent_id]
    )
    return Intent(**row) if row else None


def open_intents(
    tx: Transaction, *, now: datetime, team_id: str | None = None, month: date | None = None, only_due: bool = True
) -> list[Intent]:
    """Intents that are not finished and whose next step is due, the longest due first."""
    rows = tx.rows(
        f"""
        select {_INTENT} from llm_intents
        where state <> 'finished'
          and (not %(only_due)s or next_attempt_at <= %(now)s)
          and (%(team_id)s::text is null or team_id = %(team_id)s)
          and (%(month)s::date is null or month = %(month)s)
        order by next_attempt_at, intent_id
        """,
        {"now": now, "team_id": team_id, "month": month, "only_due": only_due},
    )
    return [Intent(**row) for row in rows]


def read_requests(tx: Transaction, intent_id: str) -> list[Request]:
    """The intent's requests, by custom id."""
    names = ", ".join(columns_of(Request))
    rows = tx.rows(f"select {names} from llm_requests where intent_id = %s order by custom_id", [intent_id])
    return [Request(**row) for row in rows]


def rename_requests(tx: Transaction, intent_id: str, renamed: Sequence[tuple[str, str, str]]) -> None:
    """Give requests that were not sent yet the custom id and hash of the content that will be: (old, new, hash)."""
    tx.execute_values(
        """
        update llm_requests r set custom_id = w.new, content_hash = w.content_hash
        from (values %s) as w (intent_id, old, new, content_hash)
        where r.intent_id = w.intent_id and r.custom_id = w.old
        """,
        [(intent_id, *one) for one in renamed],
    )


def drop_requests(tx: Transaction, intent_id: str, custom_ids: Sequence[str]) -> None:
    """Take requests out of an intent that was not sent."""
    tx.execute("delete from llm_requests where intent_id = %s and custom_id = any(%s)", [intent_id, list(custom_ids)])


def drop_intent(tx: Transaction, intent_id: str) -> None:
    """Forget an intent that was not sent."""
    tx.execute("delete from llm_intents where intent_id = %s", [intent_id])


def set_intent(tx: Transaction, intent_id: str, **changes: Any) -> None:
    """Change columns of an intent."""
    tx.execute(
        f"update llm_intents set {', '.join(f'{name} = %({name})s' for name in changes)} where intent_id = %(intent)s",
        {**changes, "intent": intent_id},
    )


# --- batches


def add_batch(tx: Transaction, intent: Intent, batch_id: str, status: str, requests: int, *, now: datetime) -> None:
    """Write a batch that Groq has taken, or calls one by one that begin."""
    tx.execute(
        """
        insert into llm_batches (
            batch_id, team_id, month, status, digest, model, prompt_version, requests, submitted_at, kind, attempt
        ) values (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)
        on conflict (batch_id) do nothing
        """,
        [
            batch_id,
            intent.team_id,
            intent.month,
            status,
            intent.digest,
            intent.model,
            intent.prompt_version,
            requests,
            now,
            intent.kind,
            intent.attempt,
        ],
    )


def set_batch(tx: Transaction, batch_id: str, **changes: Any) -> None:
    """Change columns of a batch."""
    tx.execute(
        f"update llm_batches set {', '.join(f'{name} = %({name})s' for name in changes)} where batch_id = %(batch)s",
        {**changes, "batch": batch_id},
    )


def add_to_batch(tx: Transaction, batch_id: str, **amounts: Any) -> None:
    """Add to counters of a batch; a cost that is not known makes the sum unknown."""
    tx.execute(
        f"""
        update llm_batches set {", ".join(f"{name} = {name} + %({name})s" for name in amounts)}
        where batch_id = %(batch)s
        """,
        {**amounts, "batch": batch_id},
    )


def settle_requests(tx: Transaction, intent_id: str, settled: Iterable[tuple[str, Settled]]) -> None:
    """Write the outcome of each request: pairs of custom id and what became of it."""
    tx.execute_on(
        [
            {"intent_id": intent_id, "custom_id": name, "outcome": one.outcome, "error": one.error}
            for name, one in settled
        ],
        f"""
        update llm_requests r set outcome = w.outcome, error = w.error from {as_rows_of("llm_requests")} w
        where r.intent_id = w.intent_id and r.custom_id = w.custom_id
        """,
    )


def mark_sent(tx: Transaction, intent_id: str, custom_id: str, *, now: datetime) -> None:
    """Note that a single call is about to be made."""
    tx.execute(
        "update llm_requests set sent_at = %s where intent_id = %s and custom_id = %s", [now, intent_id, custom_id]
    )


@dataclass(frozen=True, slots=True)
class Balance:
    """sent = classified + unclassified + requeued, over ended batches; `unbalanced` names those that break it."""

    sent: int
    classified: int
    unclassified: int
    requeued: int
    in_flight: int
    unbalanced: list[str]

    @property
    def is_balanced(self) -> bool:
        return not self.unbalanced and self.sent == self.classified + self.unclassified + self.requeued


def balance(tx: Transaction, team_id: str, month: date | None = None) -> Balance:
    """What was sent by the batches' own count, against what became of it by the requests' count."""
    rows = tx.rows(
        """
        select b.batch_id, b.requests, b.finished_at is not null as is_done,
            count(*) filter (where r.outcome = 'classified') as classified,
            count(*) filter (where r.outcome = 'unclassified') as unclassified,
            count(*) filter (where r.outcome = 'requeued') as requeued
        from llm_batches b
        left join llm_intents i using (batch_id)
        left join llm_requests r using (intent_id)
        where b.team_id = %(team_id)s and (%(month)s::date is null or b.month = %(month)s)
        group by b.batch_id order by b.batch_id
        """,
        {"team_id": team_id, "month": month},
    )
    done = [row for row in rows if row["is_done"]]
    parts = {name: sum(row[name] for row in done) for name in ("classified", "unclassified", "requeued")}
    return Balance(
        sent=sum(row["requests"] for row in done),
        in_flight=sum(row["requests"] for row in rows if not row["is_done"]),
        unbalanced=[row["batch_id"] for row in done if row["requests"] != sum(row[name] for name in parts)],
        **parts,
    )


# --- what is to be done


def work_waiting(tx: Transaction, *, now: datetime, team_id: str | None = None) -> bool:
    """Whether there is anything to do now: an intent whose next step is due, or queued work that is due. One query."""
    return bool(
        tx.value(
            """
            select exists (
                select from llm_intents where state <> 'finished' and next_attempt_at <= %(now)s
                  and (%(team_id)s::text is null or team_id = %(team_id)s)
            ) or exists (
                select from llm_classifications
                where queued_hash is not null and intent_id is null
                  and (next_attempt_at is null or next_attempt_at <= %(now)s)
                  and (%(team_id)s::text is null or team_id = %(team_id)s)
            )
            """,
            {"now": now, "team_id": team_id},
        )
    )


def months_in_flight(tx: Transaction, team_id: str | None = None) -> set[TeamMonth]:
    """The (team, month)s with an intent that is not finished."""
    rows = tx.rows(
        """
        select distinct team_id, month from llm_intents
        where state <> 'finished' and (%(team_id)s::text is null or team_id = %(team_id)s)
        """,
        {"team_id": team_id},
    )
    return {TeamMonth(row["team_id"], row["month"]) for row in rows}
