"""What holds the LLM's work up: a reason that people are shown, and the time at which it is looked at again.

Subjects are `service` (Groq, or the key), `batches` (the plan has none), `chat` (single calls), `model:NAME` and
`budget:TEAM`. Every process obeys them.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from historical_sync.warehouse.postgres import Transaction

LISTED_AGAIN = "listed_again"
"""The code of a hold on a model that Groq lists again: not in force, but its count goes on."""


@dataclass(frozen=True, slots=True)
class Hold:
    """Why nothing is sent, and until when it is not looked at again; None is until somebody mends it."""

    subject: str
    code: str
    reason: str
    since: datetime
    until: datetime | None
    tries: int

    @property
    def is_of_a_model(self) -> bool:
        """Whether it is a model that Groq has refused."""
        return self.subject.startswith("model:")

    def is_active(self, now: datetime) -> bool:
        """Whether it is in force at `now`. A model's is until Groq lists the model: time alone mends none."""
        if self.is_of_a_model:
            return self.code != LISTED_AGAIN
        return not self.is_due(now)

    def is_due(self, now: datetime) -> bool:
        """Whether it is time to look again."""
        return self.until is not None and self.until <= now


def holds(tx: Transaction) -> dict[str, Hold]:
    """Every hold by its subject: `service`, `batches`, `model:NAME`, `budget:TEAM`."""
    return {row["subject"]: Hold(**row) for row in tx.rows("select * from llm_holds order by subject")}


def hold(
    tx: Transaction,
    subject: str,
    code: str,
    reason: str,
    *,
    now: datetime,
    first_seconds: float | None,
    most_seconds: float = 0.0,
    least_seconds: float = 0.0,
) -> None:
    """Hold a subject up: for `first_seconds`, doubled up to `most_seconds` each time it is held again. None: for good.

    Never for less than `least_seconds`, Groq's own word.
    """
    known = tx.row("select tries, since from llm_holds where subject = %s for update", [subject])
    tries = (known["tries"] if known else 0) + 1
    until = None
    if first_seconds is not None:
        backoff = min(first_seconds * 2 ** min(tries - 1, 16), max(most_seconds, first_seconds))
        until = now + timedelta(seconds=max(backoff, least_seconds))
    tx.execute(
        """
        insert into llm_holds (subject, code, reason, since, until, tries) values (%s, %s, %s, %s, %s, %s)
        on conflict (subject) do update
        set code = excluded.code, reason = excluded.reason, until = excluded.until, tries = excluded.tries
        """,
        [subject, code, reason[:1000], now, until, tries],
    )


def look_again(tx: Transaction, subject: str, until: datetime, is_back: bool) -> None:
    """Somebody has looked: the subject may be tried again, or is held on `until` then, not counted as another time."""
    tx.execute(
        """
        update llm_holds set until = case when %(is_back)s then now() else %(until)s end,
            code = case when %(is_back)s then %(code)s else code end
        where subject = %(subject)s
        """,
        {"subject": subject, "until": until, "is_back": is_back, "code": LISTED_AGAIN},
    )


def release(tx: Transaction, subject: str) -> None:
    """The subject answers again."""
    tx.execute("delete from llm_holds where subject = %s", [subject])
