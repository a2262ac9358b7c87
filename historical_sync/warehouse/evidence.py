"""Evidence of AI use: the rows of a page of pull requests, replaced together with the flags that follow from them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from historical_sync.records import Evidence, PullRequest, as_row, columns_of
from historical_sync.warehouse.postgres import Transaction, as_rows_of
from historical_sync.warehouse.pull_requests import IN_MONTH, SCALARS, with_entries
from historical_sync.window import month_bounds

PAGE_SIZE = 200
_COLUMNS = columns_of(Evidence)

Key = tuple[str, int]
"""A pull request within its team: repository and number."""


@dataclass(frozen=True, slots=True)
class Tagged:
    """What tagging has to say about one pull request."""

    repository: str
    number: int
    evidence: Sequence[Evidence]
    is_automation: bool
    is_revert: bool
    is_hotfix: bool


def lock_page(tx: Transaction, team_id: str, month: date, after: Key) -> list[PullRequest]:
    """The month's next pull requests after `after`, by repository and number, their rows locked until the end of `tx`.

    Two months may hold the same pull request: locks are taken in the order of the key, so they wait for each other and
    never in a circle, and what is read is the newest version that is stored.
    """
    start, end = month_bounds(month)
    rows = tx.tuples(
        f"""
        select {", ".join(SCALARS)} from pull_requests
        where team_id = %(team_id)s and {IN_MONTH} and (repository, number) > (%(repository)s, %(number)s)
        order by repository, number limit {PAGE_SIZE} for no key update
        """,
        {"team_id": team_id, "start": start, "end": end, "repository": after[0], "number": after[1]},
    )
    return with_entries(tx, team_id, rows)


def replace_evidence(tx: Transaction, team_id: str, tagged: Sequence[Tagged], ruleset_version: str) -> None:
    """Replace the evidence of these pull requests and set their flags; their rows are locked (`lock_page`)."""
    tx.execute(
        """
        delete from ai_evidence t
        using unnest(%(repositories)s::text[], %(numbers)s::int[]) as gone (repository, number)
        where t.team_id = %(team_id)s and t.repository = gone.repository and t.number = gone.number
        """,
        {
            "team_id": team_id,
            "repositories": [one.repository for one in tagged],
            "numbers": [one.number for one in tagged],
        },
    )
    tx.insert(
        "ai_evidence",
        [
            {
                "team_id": team_id,
                "repository": one.repository,
                "number": one.number,
                "ruleset_version": ruleset_version,
                **as_row(hit),
            }
            for one in tagged
            for hit in one.evidence
        ],
    )
    tx.execute_on(
        [
            {
                "team_id": team_id,
                "repository": one.repository,
                "number": one.number,
                "is_automation": one.is_automation,
                "is_revert": one.is_revert,
                "is_hotfix": one.is_hotfix,
            }
            for one in tagged
        ],
        f"""
        update pull_requests t
        set is_automation = flags.is_automation, is_revert = flags.is_revert, is_hotfix = flags.is_hotfix
        from {as_rows_of("pull_requests")} flags
        where t.team_id = flags.team_id and t.repository = flags.repository and t.number = flags.number
        and (t.is_automation, t.is_revert, t.is_hotfix)
            is distinct from (flags.is_automation, flags.is_revert, flags.is_hotfix)
        """,
    )


def read_evidence(tx: Transaction, team_id: str, repository: str, number: int) -> list[Evidence]:
    """The evidence on one pull request, in the order of its key."""
    rows = tx.rows(
        f"""
        select {", ".join(_COLUMNS)} from ai_evidence
        where team_id = %s and repository = %s and number = %s order by signature_id, source, position
        """,
        [team_id, repository, number],
    )
    return [Evidence(**row) for row in rows]
