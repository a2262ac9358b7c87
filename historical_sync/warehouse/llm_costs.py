"""What the LLM costs: tokens and dollars of a team's batches, by partition month and by calendar month."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from historical_sync.warehouse.postgres import Transaction


@dataclass(frozen=True, slots=True)
class BatchTotals:
    """Batches of a (team, month), how many of them are done, and what they took. Dollars without unpriced ones."""

    batches_total: int
    batches_done: int
    requests: int
    succeeded: int
    failed: int
    input_tokens: int
    output_tokens: int
    cost_usd: float
    unpriced_models: list[str]


def batch_totals(tx: Transaction, team_id: str, month: date | None = None) -> BatchTotals:
    """What the team's batches of this partition month (None: of all) came to."""
    (row,) = tx.rows(
        """
        select count(*)::int as batches_total, count(finished_at)::int as batches_done,
            coalesce(sum(requests), 0)::int as requests, coalesce(sum(succeeded), 0)::int as succeeded,
            coalesce(sum(failed), 0)::int as failed,
            coalesce(sum(input_tokens), 0)::bigint as input_tokens,
            coalesce(sum(output_tokens), 0)::bigint as output_tokens,
            coalesce(sum(cost_usd), 0)::float8 as cost_usd,
            coalesce(array_agg(distinct model) filter (where cost_usd is null), '{}') as unpriced_models
        from llm_batches
        where team_id = %(team_id)s and (%(month)s::date is null or month = %(month)s)
        """,
        {"team_id": team_id, "month": month},
    )
    return BatchTotals(**row)


def spent_usd(tx: Transaction, team_id: str, *, now: datetime) -> float:
    """Dollars of the team in the calendar month of `now`: what ended batches cost, and what open ones are to cost."""
    return float(
        tx.value(
            """
            select coalesce(sum(greatest(b.cost_usd, case when b.finished_at is null then i.estimated_cost_usd end)), 0)
            from llm_intents i left join llm_batches b using (batch_id)
            where i.team_id = %(team_id)s
              and coalesce(b.submitted_at, i.claimed_at) >= date_trunc('month', %(now)s::timestamptz)
            """,
            {"team_id": team_id, "now": now},
        )
    )


def monthly_costs(tx: Transaction, team_id: str) -> list[dict[str, Any]]:
    """Dollars and tokens per calendar month in which batches were submitted: month, batches, tokens, cost_usd."""
    return tx.rows(
        """
        select date_trunc('month', submitted_at)::date as month, count(*)::int as batches,
            sum(input_tokens)::bigint as input_tokens, sum(output_tokens)::bigint as output_tokens,
            coalesce(sum(cost_usd), 0)::float8 as cost_usd
        from llm_batches where team_id = %s and submitted_at is not null group by 1 order by 1
        """,
        [team_id],
    )
