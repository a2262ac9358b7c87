"""Every metric once more, from the raw tables, in pandas: written from docs/metrics.md, sharing no code with the SQL.

`recompute(tables, month)` gives {(repository, metric, segment): (value, n)}; see test_recomputation.py.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date
from typing import Any

import numpy as np
import pandas as pd

from historical_sync.warehouse.postgres import Transaction

RAW = ("pull_requests", "pull_request_reviews", "ai_evidence", "llm_classifications", "tracked_repositories")
KEY = ["repository", "number"]
QUANTILES = {"p25": 0.25, "p50": 0.5, "p75": 0.75, "p90": 0.9}

Values = dict[tuple[str, str, str], tuple[float | None, int]]


def read_raw(tx: Transaction, team_id: str) -> dict[str, pd.DataFrame]:
    return {table: as_frame(tx.rows(f"select * from {table} where team_id = %s", [team_id])) for table in RAW}


def as_frame(rows: list[dict[str, Any]]) -> pd.DataFrame:
    """As objects, so that pandas turns no None into a number."""
    return pd.DataFrame(rows, dtype=object)


def hours(later: pd.Series, earlier: pd.Series) -> pd.Series:
    return (times(later) - times(earlier)).dt.total_seconds() / 3600


def times(column: pd.Series) -> pd.Series:
    return pd.to_datetime(column, utc=True)


def whole_frame(raw: dict[str, pd.DataFrame]) -> pd.DataFrame:
    """One row a pull request, with everything that a metric needs."""
    prs = raw["pull_requests"].copy()
    for name in ("created_at", "merged_at", "closed_at", "ready_at", "first_commit_at"):
        prs[name] = times(prs[name])
    for name in ("is_automation", "is_draft", "is_revert", "is_hotfix"):
        prs[name] = prs[name].astype(bool)
    prs = prs.set_index(KEY, drop=False)
    prs["waiting_since"] = prs["ready_at"].fillna(prs["created_at"])
    add_reviews(prs, raw["pull_request_reviews"], raw["ai_evidence"])
    add_label(prs, raw["ai_evidence"], raw["llm_classifications"])
    lines = (prs["additions"] + prs["deletions"]).astype(int)
    prs["lines"] = lines.astype(float)
    prs["size"] = ["size:" + size_name(count) for count in lines]
    return prs


def size_name(lines: int) -> str:
    for name, most in (("xs", 10), ("s", 50), ("m", 200), ("l", 500)):
        if lines <= most:
            return name
    return "xl"


def add_reviews(prs: pd.DataFrame, reviews: pd.DataFrame, evidence: pd.DataFrame) -> None:
    hits = evidence.to_dict("records")
    tools = {(hit["repository"], hit["number"], hit["quote"]) for hit in hits if hit["source"] == "reviewer"}
    rounds: dict[Any, int] = {}
    first: dict[Any, pd.Timestamp] = {}
    facts = {row["key"]: row for row in iterate(prs, "author_login", "merged_at", "waiting_since")}
    for row in reviews.to_dict("records"):
        key = (row["repository"], row["number"])
        submitted = row["submitted_at"]
        if submitted is None or pd.isna(submitted) or row["state"] == "PENDING":
            continue
        login = row["reviewer_login"]
        is_bot = row["reviewer_type"] == "Bot" or (login or "").lower().endswith("[bot]")
        author = facts[key]["author_login"]
        is_own = (login or "").lower() == (author or "").lower()
        merged = facts[key]["merged_at"]
        is_tool = (*key, login) in tools
        if is_bot or is_own or is_tool or (merged is not None and submitted > merged):
            continue
        rounds[key] = rounds.get(key, 0) + (row["state"] == "CHANGES_REQUESTED")
        if submitted >= facts[key]["waiting_since"]:
            first[key] = min(first.get(key, submitted), submitted)
    prs["reviewed"] = [key in rounds for key in prs.index]
    prs["rounds"] = [float(rounds[key]) if key in rounds else np.nan for key in prs.index]
    prs["first_review"] = times(pd.Series([first.get(key) for key in prs.index], index=prs.index, dtype=object))


def iterate(prs: pd.DataFrame, *columns: str) -> Iterator[dict[str, Any]]:
    for key, *values in zip(prs.index, *(prs[name] for name in columns), strict=True):
        yield {"key": key} | {
            name: None if value is None or (not isinstance(value, str) and pd.isna(value)) else value
            for name, value in zip(columns, values, strict=True)
        }


@dataclass
class Label:
    is_assisted: bool | None
    tools: list[str]
    is_ai_reviewed: bool
    is_agent: bool
    has_suggestion: bool
    is_classified: bool
    type: str
    technologies: list[str]


def add_label(prs: pd.DataFrame, evidence: pd.DataFrame, llm: pd.DataFrame) -> None:
    hits: dict[Any, list[dict[str, Any]]] = {}
    for row in evidence.to_dict("records"):
        hits.setdefault((row["repository"], row["number"]), []).append(row)
    answers = {(row["repository"], row["number"]): row for row in llm.to_dict("records")}
    labels = [label_of(hits.get(key, []), answers.get(key)) for key in prs.index]
    prs["label"] = [{True: "ai", False: "other", None: "pending"}[one.is_assisted] for one in labels]
    for name in ("tools", "is_ai_reviewed", "is_agent", "has_suggestion", "is_classified", "type", "technologies"):
        prs[name] = pd.Series([getattr(one, name) for one in labels], index=prs.index, dtype=object)


def label_of(hits: list[dict[str, Any]], answer: dict[str, Any] | None) -> Label:
    """The truth table of the effective label, row by row."""
    exact = sorted({hit["tool"] for hit in hits if hit["role"] == "author" and hit["strength"] == "exact"})
    mentioned = sorted({hit["tool"] for hit in hits if hit["role"] == "author" and hit["strength"] == "mention"})
    status = answer["status"] if answer else "pending"
    verdict = None
    if answer and status == "classified" and answer["confidence"] >= 0.5:
        verdict = answer["is_ai_assisted"]
    if exact:
        assisted, tools = True, exact
    elif verdict is not None:
        assisted, tools = bool(verdict), (list(answer["tools"]) if answer and verdict else [])
    elif mentioned:
        assisted, tools = True, mentioned
    elif status in ("classified", "unclassified"):
        assisted, tools = False, []
    else:
        assisted, tools = None, []
    is_classified = status == "classified"
    summary = answer["llm_summary"] if answer and is_classified and isinstance(answer["llm_summary"], dict) else {}
    tech = summary.get("tech", {})
    return Label(
        is_assisted=assisted,
        tools=tools,
        is_ai_reviewed=any(hit["role"] == "reviewer" for hit in hits)
        or bool(verdict is not None and answer and answer["usage_type"] == "reviewed"),
        is_agent=any(
            hit["role"] == "author" and hit["source"] == "author" and hit["strength"] == "exact" for hit in hits
        ),
        has_suggestion=any(hit["role"] == "suggestion" for hit in hits),
        is_classified=is_classified,
        type=f"type:{(answer or {}).get('summary_type') or 'unknown'}" if is_classified else "type:unknown",
        technologies=sorted({name.lower() for name in [*tech.get("languages", []), *tech.get("frameworks", [])]}),
    )


def recompute(prs: pd.DataFrame, repositories: list[str], start: pd.Timestamp, end: pd.Timestamp) -> Values:
    """Every value of the span, by place, metric and segment, apart from open segments that the span does not show."""
    values: Values = {}
    for place in ["*", *repositories]:
        here = prs if place == "*" else prs[prs["repository"] == place]
        for (metric, segment), found in of_place(here, start, end).items():
            values[place, metric, segment] = found
    return values


def of_place(prs: pd.DataFrame, start: pd.Timestamp, end: pd.Timestamp) -> dict[tuple[str, str], Any]:
    def in_span(column: str) -> pd.Series:
        return (prs[column] >= start) & (prs[column] < end)

    people, bots = prs[~prs["is_automation"]], prs[prs["is_automation"]]
    created = people[in_span("created_at").loc[people.index]]
    merged = people[in_span("merged_at").loc[people.index]]
    closed = people[in_span("closed_at").loc[people.index] & people["merged_at"].isna()]
    active = people[(in_span("created_at") | in_span("merged_at")).loc[people.index]]
    waiting = created[(created["state"] == "OPEN") & ~created["is_draft"] & ~created["reviewed"]]
    authors = active["author_login"].dropna().str.lower()
    values: dict[tuple[str, str], Any] = {
        ("pull_requests_created", "*"): count(created),
        ("pull_requests_closed_unmerged", "*"): count(closed),
        ("waiting_for_review", "*"): count(waiting),
        ("automation_merged", "*"): count(bots[in_span("merged_at").loc[bots.index]]),
        ("active_authors", "*"): (float(authors.nunique()), len(authors)),
    }
    add(values, "*", of_merged(merged))
    for segment, part in cuts(merged):
        for metric, found in of_merged(part).items():
            if metric in metrics_cut_by(segment):
                values[metric, segment] = found
        share = {
            "size": "size_share",
            "type": "type_share",
            "tool": "ai_tool_share",
            "made_with": "ai_made_with_share",
            "technology": "technology_share",
        }
        if ":" in segment:
            values[share[segment.partition(":")[0]], segment] = (
                len(part) / len(merged) if len(merged) else None,
                len(merged),
            )
    values.update(size_matched(merged))
    return values


def add(values: dict[tuple[str, str], Any], segment: str, found: dict[str, Any]) -> None:
    values.update({(metric, segment): one for metric, one in found.items()})


def count(frame: pd.DataFrame) -> tuple[float, int]:
    return float(len(frame)), len(frame)


def of_merged(merged: pd.DataFrame) -> dict[str, tuple[float | None, int]]:
    """Every metric of merged pull requests, of whichever of them."""
    coding = hours(merged["created_at"], merged["first_commit_at"])
    lead = hours(merged["merged_at"], merged["first_commit_at"])
    measures = {
        "cycle_time_hours": hours(merged["merged_at"], merged["created_at"]),
        "lead_time_hours": lead[lead >= 0],
        "coding_time_hours": coding[coding >= 0],
        "pickup_time_hours": hours(merged["first_review"], merged["waiting_since"]),
        "review_time_hours": hours(merged["merged_at"], merged["first_review"]),
        "review_rounds": merged["rounds"],
        "size_lines": merged["lines"],
    }
    found: dict[str, tuple[float | None, int]] = {"pull_requests_merged": count(merged)}
    for family, series in measures.items():
        known = series.dropna()
        for name, fraction in QUANTILES.items():
            if name != "p25" or family in ("cycle_time_hours", "pickup_time_hours", "review_time_hours"):
                found[f"{family}_{name}"] = aggregate(known, lambda x, f=fraction: np.quantile(x, f))
    found["review_rounds_mean"] = aggregate(merged["rounds"].dropna(), np.mean)
    flags = {
        "unreviewed_share": ~merged["reviewed"].astype(bool),
        "revert_share": merged["is_revert"],
        "hotfix_share": merged["is_hotfix"],
        "ai_assisted_share": merged["label"] == "ai",
        "ai_pending_share": merged["label"] == "pending",
        "ai_reviewed_share": merged["is_ai_reviewed"],
        "agent_authored_share": merged["is_agent"],
        "ai_suggestion_share": merged["has_suggestion"],
        "classified_share": merged["is_classified"],
    }
    found.update({name: aggregate(flag.astype(float), np.mean) for name, flag in flags.items()})
    found["reverts_merged"] = count(merged[merged["is_revert"].astype(bool)])
    found["hotfixes_merged"] = count(merged[merged["is_hotfix"].astype(bool)])
    return found


def aggregate(series: pd.Series, how: Callable[[Any], Any]) -> tuple[float | None, int]:
    return (float(how(series.to_numpy(float))), len(series)) if len(series) else (None, 0)


def made_with(tools: list[str]) -> str:
    named = [name for name in tools if name != "generic"]
    return "several tools" if len(named) > 1 else named[0] if named else "unnamed tool"


def cuts(merged: pd.DataFrame) -> Iterator[tuple[str, pd.DataFrame]]:
    for label in ("ai", "other", "pending"):
        yield label, merged[merged["label"] == label]
    for name in ("xs", "s", "m", "l", "xl"):
        yield f"size:{name}", merged[merged["size"] == f"size:{name}"]
    for name in ("feature", "bugfix", "refactor", "docs", "test", "chore", "ci", "unknown"):
        yield f"type:{name}", merged[merged["type"] == f"type:{name}"]
    assisted = merged[merged["label"] == "ai"]
    words = pd.Series([made_with(tools) for tools in assisted["tools"]], index=assisted.index, dtype=object)
    for word in sorted(set(words)):
        yield f"made_with:{word}", assisted[words == word]
    for kind, column in (("tool", "tools"), ("technology", "technologies")):
        for name in sorted({name for names in merged[column] for name in names}):
            yield f"{kind}:{name}", merged[[name in names for names in merged[column]]]


TIMES = [f"{stage}_time_hours" for stage in ("cycle", "lead", "coding", "pickup", "review")]
COMPARED = [*TIMES, "review_rounds", "size_lines"]
EVERYWHERE = {"pull_requests_merged", *(f"cycle_time_hours_{name}" for name in QUANTILES)}
BY_LABEL = {
    *EVERYWHERE,
    *(f"{family}_{name}" for family in COMPARED for name in QUANTILES),
    "review_rounds_mean",
    "unreviewed_share",
    "revert_share",
    "hotfix_share",
}


def metrics_cut_by(segment: str) -> set[str]:
    if segment.startswith("made_with:"):
        return set()
    return EVERYWHERE if ":" in segment else BY_LABEL


def size_matched(merged: pd.DataFrame) -> dict[tuple[str, str], Any]:
    """Both sides over the sizes that both have at least three of, weighted by the AI-assisted ones in each."""
    metrics = [f"{family}_p50" for family in COMPARED if family != "size_lines"]
    metrics += ["review_rounds_mean", "unreviewed_share", "revert_share", "hotfix_share"]
    sides = {
        (side, size): of_merged(merged[(merged["label"] == side) & (merged["size"] == size)])
        for side in ("ai", "other")
        for size in ("size:xs", "size:s", "size:m", "size:l", "size:xl")
    }
    found: dict[tuple[str, str], Any] = {}
    for metric in metrics:
        sizes = [
            size
            for side, size in sides
            if side == "ai" and min(sides["ai", size][metric][1], sides["other", size][metric][1]) >= 3
        ]
        weights = [sides["ai", size][metric][1] for size in sizes]
        for side in ("ai", "other"):
            cells = [sides[side, size][metric] for size in sizes]
            value = float(np.average([cell[0] for cell in cells], weights=weights)) if cells else None
            found[metric, f"{side}:size_matched"] = (value, sum(cell[1] for cell in cells))
    return found


def month_span(month: date) -> tuple[pd.Timestamp, pd.Timestamp]:
    start = pd.Timestamp(month, tz="UTC")
    return start, start + pd.offsets.MonthBegin(1)
