"""The table of metrics as SQL: one query that gives every value of a team's month, per repository and segment.

`VALUES` reads the view `dashboard.pull_requests` once, groups it by grouping sets, and returns one row for each
(repository, metric, segment): gaps too, with a null value and n = 0. It stores nothing; see trends.py.

The query's parts, in order: `facts` (one row a pull request: which populations it is in, and its value for each
measure), `places` (the repositories and `*`), `frame_…` (each place × segment, so that gaps are rows), `cells_…` (the
aggregates of a kind of segment), and the long form of them all.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from historical_sync.trends.metrics import (
    ALL,
    CLOSED_VOCABULARIES,
    ENOUGH_TO_MATCH,
    METRICS,
    POPULATIONS,
    SIZE_MATCHED,
    Metric,
    Segment,
)

SEGMENT_OF: dict[Segment, str] = {
    "label": "case when is_ai_assisted then 'ai' when not is_ai_assisted then 'other' else 'pending' end",
    "size": "'size:' || size_bucket",
    "type": "'type:' || coalesce(pull_request_type, 'unknown')",
}
"""Kinds of segment of which a pull request lies in exactly one, as an expression over the view's columns."""

MADE_WITH = """
    case
        when is_ai_assisted is not true then '{}'::text[]
        when cardinality(array_remove(ai_tools, 'generic')) = 0 then array['unnamed tool']
        when cardinality(array_remove(ai_tools, 'generic')) = 1 then array_remove(ai_tools, 'generic')
        else array['several tools']
    end
"""
"""What an AI-assisted pull request was made with, in one word; `generic` is the tagging's word for a tool unnamed."""

LIST_OF: dict[Segment, str] = {"tool": "ai_tools", "made_with": MADE_WITH, "technology": "technologies"}
"""Kinds of segment with an open vocabulary: a pull request may lie in several or in none. Column or expression."""

MATCHED_STATISTICS = ("p50", "mean", "share")
"""The statistics that have a size-matched figure."""


def in_span(column: str) -> str:
    """The condition that a time lies in the span `%(start)s <= t < %(end)s`."""
    return f"({column} >= %(start)s and {column} < %(end)s)"


SEEN = f"""
    select *, {in_span("created_at")} as created_in_month, {in_span("merged_at")} as merged_in_month,
        {in_span("closed_at")} as closed_in_month
    from dashboard.pull_requests
    where team_id = %(team_id)s and ({in_span("created_at")} or {in_span("closed_at")} or {in_span("merged_at")})
"""
"""The pull requests of a span, with what happened in it: the ground on which populations are defined."""


def _values_query() -> str:
    kinds: list[Segment] = [*SEGMENT_OF, *LIST_OF]
    parts = [_long(metrics=[one for one in METRICS if one.is_whole], kind=None)]
    parts += [_long(metrics=_cut_by(kind), kind=kind) for kind in kinds]
    parts += [_matched_long()]
    tables = [
        f"facts as materialized ({_facts()})",
        f"places as ({PLACES})",
        *(f"frame_{kind} as ({_frame(kind)})" for kind in kinds),
        f"cells_all as ({_cells(None)})",
        *(f"cells_{kind} as ({_cells(kind)})" for kind in kinds),
        f"size_cells as ({_size_cells()})",
        f"matched as ({MATCHED})",
    ]
    return f"with {', '.join(tables)} {' union all '.join(parts)}"


def _cut_by(kind: Segment) -> list[Metric]:
    return [metric for metric in METRICS if kind in metric.segments]


def _families(metrics: Iterable[Metric]) -> dict[str, Metric]:
    """One metric a family: its members share population and value."""
    return {metric.family: metric for metric in metrics}


def _facts() -> str:
    populations = [f"coalesce({condition}, false) as in_{name}" for name, (_, condition) in POPULATIONS.items()]
    measures = [
        f"case when in_{metric.population} then ({metric.value}) end as v_{family}"
        for family, metric in _families(METRICS).items()
        if metric.value
    ]
    segments = [f"{expression} as segment_{kind}" for kind, expression in SEGMENT_OF.items()]
    lists = [f"{column} as list_{kind}" for kind, column in LIST_OF.items()]
    flags = [f"in_{name}" for name in POPULATIONS]
    return f"""
        select repository, {", ".join([*flags, *segments, *lists, *measures])}
        from (select *, {", ".join(populations)} from ({SEEN}) seen) sorted
    """


PLACES = f"""
    select repository from historical_sync.tracked_repositories where team_id = %(team_id)s
    union all select '{ALL}'
"""


def _frame(kind: Segment) -> str:
    """Each place with each segment of a kind: its closed vocabulary, or what the team ever had of an open one."""
    if kind in CLOSED_VOCABULARIES:
        names = ", ".join(f"('{name}')" for name in CLOSED_VOCABULARIES[kind])
        return f"select repository, segment from places cross join (values {names}) as known (segment)"
    return f"""
        select repository, segment from places cross join (
            select '{kind}:' || name as segment from facts cross join lateral unnest(list_{kind}) as listed (name)
            where in_merged
            union
            select segment from historical_sync.monthly_trends
            where team_id = %(team_id)s and metric = '{_cut_by(kind)[0].name}' and repository = '{ALL}'
                and segment like '{kind}:%%'
        ) known
    """


def _cells(kind: Segment | None) -> str:
    metrics = _cut_by(kind) if kind else [one for one in METRICS if one.is_whole]
    aggregates = ", ".join(_aggregates(metrics))
    place = f"case when grouping(repository) = 1 then '{ALL}' else repository end as repository"
    if kind is None:
        total = "count(*) filter (where in_merged) as merged"
        return f"select {place}, {total}, {aggregates} from facts group by grouping sets ((), (repository))"
    source = "facts"
    segment = f"segment_{kind}"
    if kind in LIST_OF:
        source = f"facts cross join lateral unnest(list_{kind}) as listed (name)"
        segment = f"'{kind}:' || name"
    return f"""
        select {place}, segment, {aggregates}
        from (select *, {segment} as segment from {source} where in_merged) cut
        group by grouping sets ((segment), (repository, segment))
    """


def _aggregates(metrics: Sequence[Metric]) -> list[str]:
    counts = [f"{_count(metric)} as n_{family}" for family, metric in _families(metrics).items()]
    return [*counts, *(f"{_aggregate(metric)} as a_{metric.name}" for metric in metrics)]


def _count(metric: Metric) -> str:
    """How many pull requests the family's values rest on."""
    if metric.value is None:
        return f"count(*) filter (where in_{metric.population})"
    if metric.statistic == "count":
        return f"count(*) filter (where v_{metric.family})"
    return f"count(v_{metric.family})"


def _aggregate(metric: Metric) -> str:
    value = f"v_{metric.family}"
    if metric.statistic in ("count", "part"):
        return _count(metric)
    if metric.statistic == "distinct":
        return f"count(distinct {value})"
    if metric.statistic == "share":
        return f"avg({value}::integer)::double precision"
    if metric.statistic == "mean":
        return f"avg({value})::double precision"
    return f"percentile_cont(0.{metric.statistic.removeprefix('p')}) within group (order by {value})"


def _long(metrics: Sequence[Metric], kind: Segment | None) -> str:
    """The wide cells of a kind as rows, one a metric; where there is no cell, a count is 0 and the rest null."""
    rows = ", ".join(f"('{one.name}', {_value(one)}, {_n(one)}, '{one.unit}')" for one in metrics)
    frame = f"select repository, '{ALL}' as segment from places" if kind is None else f"table frame_{kind}"
    cells = "cells_all" if kind is None else f"cells_{kind}"
    keys = "repository" if kind is None else "repository, segment"
    totals = "" if kind is None else "left join (select repository, merged from cells_all) total using (repository)"
    return f"""
        select repository, long.metric, segment, long.value, long.n, long.unit
        from ({frame}) frame left join {cells} using ({keys}) {totals}
        cross join lateral (values {rows}) as long (metric, value, n, unit)
    """


def _value(metric: Metric) -> str:
    if metric.statistic == "part":
        return f"coalesce(a_{metric.name}, 0)::double precision / nullif(total.merged, 0)"
    if metric.is_count:
        return f"coalesce(a_{metric.name}, 0)::double precision"
    return f"a_{metric.name}::double precision"


def _n(metric: Metric) -> str:
    """What the value rests on; for a part, the whole that it is a part of."""
    counted = "total.merged" if metric.statistic == "part" else f"n_{metric.family}"
    return f"coalesce({counted}, 0)::integer"


def _matched_metrics() -> list[Metric]:
    return [one for one in _cut_by("label") if one.statistic in MATCHED_STATISTICS and one.family != "size_lines"]


def _size_cells() -> str:
    """Value and n of `ai` and `other` in each size bucket, long: the ground of the size-matched figures."""
    metrics = _matched_metrics()
    rows = ", ".join(f"('{one.name}', a_{one.name}::double precision, n_{one.family})" for one in metrics)
    return f"""
        select repository, side, size, long.metric, long.value, long.n
        from (
            select case when grouping(repository) = 1 then '{ALL}' else repository end as repository,
                segment_label as side, segment_size as size, {", ".join(_aggregates(metrics))}
            from facts where in_merged and segment_label in ('ai', 'other')
            group by grouping sets ((segment_label, segment_size), (repository, segment_label, segment_size))
        ) cut cross join lateral (values {rows}) as long (metric, value, n)
        where long.n >= {ENOUGH_TO_MATCH}
    """


MATCHED = """
    select ai.repository, ai.metric,
        sum(ai.n * ai.value) / sum(ai.n) as ai_value, sum(ai.n) as ai_n,
        sum(ai.n * other.value) / sum(ai.n) as other_value, sum(other.n) as other_n
    from size_cells ai join size_cells other using (repository, metric, size)
    where ai.side = 'ai' and other.side = 'other'
    group by ai.repository, ai.metric
"""
"""Both sides over the size buckets that both have, weighted by how many AI-assisted pull requests lie in each."""


def _matched_long() -> str:
    suffix, sides = SIZE_MATCHED
    wanted = ", ".join(f"('{one.name}', '{one.unit}')" for one in _matched_metrics())
    rows = ", ".join(f"('{side}{suffix}', {side}_value, {side}_n)" for side in sides)
    return f"""
        select repository, metric, long.segment, long.value, coalesce(long.n, 0)::integer, unit
        from places cross join (values {wanted}) as wanted (metric, unit)
        left join matched using (repository, metric)
        cross join lateral (values {rows}) as long (segment, value, n)
    """


VALUES = _values_query()
"""Every value of the span `%(start)s <= t < %(end)s` of team `%(team_id)s`: columns repository, metric, segment,
value, n, unit."""
