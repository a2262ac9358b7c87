"""Answers of GitHub's that are not rows yet: kept the moment they arrive, for a killed run asks no page twice.

Each is deleted in the transaction that writes the last of its pull requests; what a dead run left is read by the next
run of the same month. The table is not logged: it outlives our processes, which is what it is for, and not a crash of
PostgreSQL, after which the pages are simply asked for again; so keeping an answer waits for no disk.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import psycopg2

from historical_sync.warehouse.postgres import Transaction


@dataclass(frozen=True, slots=True)
class UnwrittenAnswer:
    """An answer as it came. `document` names what was asked by its digest, `asked` what for, as JSON."""

    document: str
    asked: list[list[Any]]
    body: bytes
    asked_at: datetime
    answered_at: datetime


def keep_answer(tx: Transaction, team_id: str, month: date, answer: UnwrittenAnswer, node_ids: Sequence[str]) -> None:
    """Keep an answer until the pull requests of these ids are written."""
    tx.execute(
        """
        insert into unwritten_answers (team_id, month, document, asked, node_ids, body, asked_at, answered_at)
        values (%s, %s, %s, %s, %s, %s, %s, %s)
        """,
        [
            team_id,
            month,
            answer.document,
            json.dumps(answer.asked),
            list(node_ids),
            psycopg2.Binary(answer.body),
            answer.asked_at,
            answer.answered_at,
        ],
    )


def kept_answers(tx: Transaction, team_id: str, month: date) -> list[int]:
    """The ids of the answers that are kept for a month, oldest first."""
    rows = tx.rows(
        "select answer_id from unwritten_answers where team_id = %s and month = %s order by answer_id", [team_id, month]
    )
    return [row["answer_id"] for row in rows]


def read_kept(tx: Transaction, answer_id: int) -> UnwrittenAnswer | None:
    """A kept answer; None when it is written by now."""
    row = tx.row(
        "select document, asked, body, asked_at, answered_at from unwritten_answers where answer_id = %s", [answer_id]
    )
    return UnwrittenAnswer(**{**row, "body": bytes(row["body"])}) if row else None


def forget_written(tx: Transaction, team_id: str, month: date, node_ids: Sequence[str]) -> None:
    """The pull requests of these ids are written in this transaction: nothing is owed to them any more."""
    written = {"team_id": team_id, "month": month, "ids": list(node_ids)}
    tx.execute(
        """
        delete from unwritten_answers
        where team_id = %(team_id)s and month = %(month)s and node_ids <@ %(ids)s::text[]
        """,
        written,
    )
    tx.execute(
        """
        update unwritten_answers
        set node_ids = array(select unnest(node_ids) except select unnest(%(ids)s::text[]))
        where team_id = %(team_id)s and month = %(month)s and node_ids && %(ids)s::text[]
        """,
        written,
    )


def forget_answers(tx: Transaction, answer_ids: Sequence[int]) -> None:
    """Delete these, whatever became of them."""
    tx.execute("delete from unwritten_answers where answer_id = any(%s)", [list(answer_ids)])
