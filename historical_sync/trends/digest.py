"""The last thirteen months at a glance: a team's main numbers as Markdown, for the Dagster UI. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date
from typing import Any

from historical_sync.trends.metrics import BY_NAME, HEADLINE

MONTHS_SHOWN = 13
NOTHING = "–"


def headline_markdown(rows: Iterable[Mapping[str, Any]]) -> str:
    """A table of the main numbers, newest month first, from rows of `dashboard.monthly_trends` of a whole team.

    A value that rests on too few stands in parentheses with its n; a month that is open or incomplete says so.
    """
    months: dict[date, dict[str, Mapping[str, Any]]] = {}
    for row in rows:
        months.setdefault(row["month"], {})[row["metric"]] = row
    shown = sorted(months, reverse=True)[:MONTHS_SHOWN]
    head = ["month", *(_title(name) for name in HEADLINE)]
    lines = [_line(head), _line(["---", *("---:" for _ in HEADLINE)])]
    return "\n".join([*lines, *(_line([_month(month, months[month]), *_cells(months[month])]) for month in shown)])


def _title(name: str) -> str:
    metric = BY_NAME[name]
    return f"{metric.title} ({'%' if metric.is_share else metric.unit})"


def _month(month: date, values: Mapping[str, Mapping[str, Any]]) -> str:
    row = next(iter(values.values()))
    marks = ["open"] if row["is_open"] else []
    if not row["is_complete"]:
        marks.append(f"{row['repositories_complete']} of {row['repositories']} repositories")
    return f"{month:%Y-%m} ({', '.join(marks)})" if marks else f"{month:%Y-%m}"


def _cells(values: Mapping[str, Mapping[str, Any]]) -> list[str]:
    return [_cell(values.get(name)) for name in HEADLINE]


def _cell(row: Mapping[str, Any] | None) -> str:
    if row is None or row["value"] is None:
        return NOTHING
    scale = 100 if row["unit"] == "share" else 1
    text = f"{row['value'] * scale:,.1f}".removesuffix(".0")
    return text if row["is_enough"] else f"({text}, n {row['n']})"


def _line(cells: Iterable[str]) -> str:
    return f"| {' | '.join(cells)} |"
