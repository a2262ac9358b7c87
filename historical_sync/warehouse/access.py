"""A team's own eyes: transactions in which row-level security shows one team's rows and nothing else.

The rules themselves are in migration 0006 (`visible_team`, `protect`); a BI tool's login role falls under them by its
name. Who may open a team's transaction is not decided here: that is the caller's authentication.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from historical_sync.warehouse.postgres import Transaction, Warehouse

PAGE_ROLE = "historical_sync_dashboard"
"""The only role that may choose its team."""


READ_SECONDS = 30
"""A page that takes so long is given up by its reader; the database need not go on for it."""


@contextmanager
def team_transaction(warehouse: Warehouse, team_id: str) -> Iterator[Transaction]:
    """A transaction as the page's role that sees the rows of `team_id` only; an unknown team sees none.

    Role and team are set for this transaction alone, so nothing is left on the connection for whoever has it next.
    """
    with warehouse.transaction() as tx:
        tx.execute(
            """
            select set_config('app.team_id', %s, true), set_config('statement_timeout', %s, true),
                set_config('role', %s, true)
            """,
            [team_id, f"{READ_SECONDS}s", PAGE_ROLE],
        )
        yield tx
