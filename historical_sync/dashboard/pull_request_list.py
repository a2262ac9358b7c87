"""The pull requests behind a point, as people read them: what each brought, the evidence, the LLM's summary. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from historical_sync.dashboard.charts import segment_name
from historical_sync.dashboard.formatting import counted, day, hours, month_name, number, thousands
from historical_sync.dashboard.trends_state import Place
from historical_sync.trends.metrics import ALL, BY_NAME, POPULATIONS, Metric

SOURCE_WORDS = {
    "evidence": "signature",
    "llm": "LLM's verdict",
    "mention": "mention in the text",
    "pending": "classification pending",
}
PLACE_WORDS = {
    "author": "author's account",
    "branch": "branch name",
    "title": "title",
    "body": "description",
    "commit_message": "commit message",
    "commit_author": "commit author",
    "commit_trailer": "commit trailer",
    "reviewer": "reviewer's account",
}
STATE_WORDS = {"OPEN": "open", "CLOSED": "closed", "MERGED": "merged"}


@dataclass(frozen=True, slots=True)
class Quote:
    """One piece of evidence: the tool, where it was seen, and the words."""

    tool: str
    role: str
    place: str
    strength: str
    text: str


@dataclass(frozen=True, slots=True)
class ListedPullRequest:
    """One row of the list."""

    name: str
    address: str | None
    title: str
    facts: str
    contribution: str
    label: str
    label_text: str
    tools: tuple[str, ...]
    quotes: tuple[Quote, ...]
    summary_title: str
    summary: str
    summary_type: str
    insights: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Behind:
    """The list behind a point. `total` is the n of the point, or None where the point has no value."""

    title: str
    subtitle: str
    rows: tuple[ListedPullRequest, ...]
    total: int
    first: int
    has_more: bool


def behind(
    place: Place,
    row: Mapping[str, Any] | None,
    found: Sequence[Mapping[str, Any]],
    evidence: Iterable[Mapping[str, Any]],
    *,
    offset: int,
    most: int,
    web_address: str | None,
) -> Behind:
    """The list of a point: `row` is its value, `found` its pull requests (one more than `most` when there are more)."""
    metric = BY_NAME[place.metric]
    quotes: dict[tuple[str, int], list[Quote]] = {}
    for one in evidence:
        quotes.setdefault((one["repository"], one["number"]), []).append(_quote(one))
    rows = tuple(
        _listed(one, metric, quotes.get((one["repository"], one["number"]), []), web_address) for one in found[:most]
    )
    value = number(row["value"], metric.unit) if row else "–"
    segment = f" · {segment_name(place.segment)}" if place.segment != ALL else ""
    return Behind(
        title=f"{metric.title}{segment}",
        subtitle=f"{month_name(place.month)}: {value}",
        rows=rows,
        total=row["n"] if row else 0,
        first=offset + 1,
        has_more=len(found) > most,
    )


def population_words(metric: Metric) -> str:
    """What the list is of, in words."""
    return POPULATIONS[metric.population][0]


def _quote(one: Mapping[str, Any]) -> Quote:
    return Quote(one["tool"], one["role"], PLACE_WORDS.get(one["source"], one["source"]), one["strength"], one["quote"])


def _listed(
    one: Mapping[str, Any], metric: Metric, quotes: Sequence[Quote], web_address: str | None
) -> ListedPullRequest:
    label, label_text = _label(one)
    summary = (one["llm_summary"] or {}).get("summary") or {}
    health = (one["llm_summary"] or {}).get("health") or {}
    return ListedPullRequest(
        name=f"{one['repository']}#{one['number']}",
        address=f"{web_address}/{one['repository']}/pull/{one['number']}" if web_address else None,
        title=one["title"] or "(no title)",
        facts=_facts(one),
        contribution=_contribution(one["contribution"], metric),
        label=label,
        label_text=label_text,
        tools=tuple(one["ai_tools"] or ()),
        quotes=tuple(quotes),
        summary_title=one["summary_title"] or "",
        summary=str(summary.get("description") or ""),
        summary_type=one["pull_request_type"] or "",
        insights=tuple(str(text) for text in health.get("insights") or ()),
    )


def _label(one: Mapping[str, Any]) -> tuple[str, str]:
    source = SOURCE_WORDS.get(one["ai_source"], one["ai_source"])
    if one["is_ai_assisted"] is None:
        return "pending", "AI: pending"
    if one["is_ai_assisted"]:
        return "ai", f"AI-assisted · {source}"
    return "other", "No AI disclosed"


def _facts(one: Mapping[str, Any]) -> str:
    ended_at = one["merged_at"] or one["closed_at"]
    parts = [
        one["author_login"] or "deleted account",
        f"{STATE_WORDS[one['state']]} {day(ended_at)}" if ended_at else f"opened {day(one['created_at'])}",
        f"+{thousands(one['additions'])} −{thousands(one['deletions'])}",
    ]
    if one["cycle_time_hours"] is not None:
        parts.append(f"cycle {hours(one['cycle_time_hours'])}")
    parts.append(counted(one["review_count"], "review"))
    return " · ".join(parts)


def _contribution(value: Any, metric: Metric) -> str:
    """What this pull request brought to the value: hours, lines, rounds; nothing where it is only counted."""
    if value is None or isinstance(value, bool | str) or metric.is_count:
        return ("counts" if value else "does not count") if isinstance(value, bool) and metric.is_share else ""
    return number(float(value), metric.unit)
