"""Checks of what is stored: each a question to the tables whose answer should be no row.

A check that warns points at something a person should look at; the others mean that a number is wrong. They read what
is published, so they can run after any materialisation, for one partition or for all.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from historical_sync.trends.metrics import LABELS, SIZES, TYPES
from historical_sync.warehouse.postgres import Transaction

LEAST_CLASSIFIED_SHARE = 0.9
"""Below this share of a full month's merged pull requests the LLM's part of the trends deserves a warning."""

VOLUME_FACTOR, VOLUME_DIFFERENCE = 3, 20
"""A month with three times, or a third of, its neighbour's pull requests, and at least so many more or fewer."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One place where a check did not hold, in words."""

    team_id: str
    month: date
    message: str


@dataclass(frozen=True, slots=True)
class Check:
    """A check: its name, what it claims, whether a finding is only a warning, and the question (see `findings`)."""

    name: str
    description: str
    is_warning: bool
    question: str


IS_ASKED = """(%(team_id)s::text is null or team_id = %(team_id)s) and (%(month)s::date is null or month = %(month)s)"""


def _dividing(names: tuple[str, ...]) -> str:
    return ", ".join(f"'{name}'" for name in names)


STORED_IS_EXPECTED = Check(
    "stored_is_expected",
    "Every month holds as many pull requests as GitHub lists for it.",
    True,
    """
    select team_id, month, format('%%s: %%s of %%s pull requests are stored (%%s).', repository,
        coalesce(stored::text, 'none'), coalesce(expected::text, 'an unknown number'), status) as message
    from repository_months where stored is distinct from expected
    """,
)

TRENDS_ARE_CURRENT = Check(
    "trends_are_current",
    "What is published rests on the pull requests and classifications that are stored: nothing changed since.",
    True,
    """
    select team_id, month, format(
        '%%s merged pull requests are stored and %%s of them classified, published are %%s and %%s: '
        'publish the month again.', stored.merged, stored.classified, published.merged, published.classified) as message
    from (
        select t.team_id, t.month, t.n as merged, round(coalesce(t.value, 0) * t.n)::integer as classified
        from monthly_trends t
        where t.metric = 'classified_share' and t.repository = '*' and t.segment = '*' and exists (
            select from monthly_trends m where m.team_id = t.team_id and m.month = t.month and m.repository = '*'
                and m.metric = 'pull_requests_merged' and m.segment = '*' and m.value is not null
        )
    ) published
    cross join lateral (
        select count(*) as merged, count(*) filter (where c.status = 'classified') as classified
        from pull_requests p
        left join llm_classifications c
            on c.team_id = p.team_id and c.repository = p.repository and c.number = p.number
        where p.team_id = published.team_id and not p.is_automation
            and p.merged_at >= published.month and p.merged_at < published.month + interval '1 month'
    ) stored
    where (stored.merged, stored.classified) <> (published.merged, published.classified)
    """,
)

SHARES_ARE_SHARES = Check(
    "shares_are_shares",
    "Every share lies between 0 and 1.",
    False,
    """
    select team_id, month, format('%%s of %%s (%%s) is %%s.', metric, repository, segment, value) as message
    from monthly_trends where unit = 'share' and value not between 0 and 1
    """,
)

SEGMENTS_ADD_UP = Check(
    "segments_add_up",
    "Labels, sizes, types and repositories each divide the merged pull requests; tools divide the AI-assisted share.",
    False,
    f"""
    select team_id, month, format('%%s of %%s add up to %%s, not to %%s.', kind, repository, parts, whole) as message
    from (
        select w.team_id, w.month, w.repository, w.value as whole, kind.name as kind, sum(p.value) as parts
        from monthly_trends w
        cross join (values ('labels', array[{_dividing(LABELS)}]), ('sizes', array[{_dividing(SIZES)}]),
            ('types', array[{_dividing(TYPES)}])) as kind (name, segments)
        left join monthly_trends p on p.team_id = w.team_id and p.month = w.month and p.repository = w.repository
            and p.metric = w.metric and p.segment = any(kind.segments)
        where w.metric = 'pull_requests_merged' and w.segment = '*'
        group by w.team_id, w.month, w.repository, w.value, kind.name
        union all
        select w.team_id, w.month, w.repository, w.value, 'repositories', sum(p.value)
        from monthly_trends w
        left join monthly_trends p on p.team_id = w.team_id and p.month = w.month and p.repository <> '*'
            and p.metric = w.metric and p.segment = '*'
        where w.metric = 'pull_requests_merged' and w.segment = '*' and w.repository = '*'
        group by w.team_id, w.month, w.repository, w.value
        union all
        select w.team_id, w.month, w.repository, w.value, 'tools', coalesce(sum(p.value), 0)
        from monthly_trends w
        left join monthly_trends p on p.team_id = w.team_id and p.month = w.month and p.repository = w.repository
            and p.metric = 'ai_made_with_share'
        where w.metric = 'ai_assisted_share' and w.segment = '*' and w.value is not null
        group by w.team_id, w.month, w.repository, w.value
    ) compared where parts is null and whole is not null or abs(parts - whole) > 1e-9
    """,
)

NO_NEGATIVE_DURATION = Check(
    "no_negative_duration",
    "No duration is negative.",
    False,
    """
    select team_id, month, format('%%s of %%s (%%s) is %%s hours.', metric, repository, segment, value) as message
    from monthly_trends where unit = 'hours' and value < 0
    """,
)

MOSTLY_CLASSIFIED = Check(
    "mostly_classified",
    f"The LLM has classified at least {LEAST_CLASSIFIED_SHARE:.0%} of a full month's merged pull requests.",
    True,
    f"""
    select team_id, month,
        format('%%s %%%% of %%s merged pull requests are classified.', round(100 * value::numeric), n) as message
    from monthly_trends
    where metric = 'classified_share' and repository = '*' and segment = '*' and not is_open
        and value < {LEAST_CLASSIFIED_SHARE}
    """,
)

VOLUME_IS_STEADY = Check(
    "volume_is_steady",
    f"No full month has {VOLUME_FACTOR} times, or a {VOLUME_FACTOR}rd of, the pull requests of the month before.",
    True,
    f"""
    select team_id, month, format('%%s pull requests were created, %%s in the month before.', value, before) as message
    from (
        select team_id, month, value, is_open, is_complete,
            lag(value) over by_month as before, lag(is_complete) over by_month as was_complete
        from monthly_trends
        where metric = 'pull_requests_created' and repository = '*' and segment = '*'
        window by_month as (partition by team_id order by month)
    ) pairs
    where not is_open and is_complete and was_complete and abs(value - before) >= {VOLUME_DIFFERENCE}
        and (value > {VOLUME_FACTOR} * before or before > {VOLUME_FACTOR} * value)
    """,
)

CHECKS: tuple[Check, ...] = (
    STORED_IS_EXPECTED,
    TRENDS_ARE_CURRENT,
    SHARES_ARE_SHARES,
    SEGMENTS_ADD_UP,
    NO_NEGATIVE_DURATION,
    MOSTLY_CLASSIFIED,
    VOLUME_IS_STEADY,
)


def findings(
    tx: Transaction, check: Check, *, team_id: str | None = None, month: date | None = None, limit: int = 100
) -> list[Finding]:
    """Where a check does not hold, newest month first, for one team or month or for all; at most `limit`."""
    rows = tx.rows(
        f"""
        select team_id, month, message from ({check.question}) asked where {IS_ASKED}
        order by month desc, team_id, message limit %(limit)s
        """,
        {"team_id": team_id, "month": month, "limit": limit},
    )
    return [Finding(**row) for row in rows]
