"""What stands around a chart as text: its legend, and the table of its numbers that lead to the lists behind. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from historical_sync.dashboard.charts import DrawnChart
from historical_sync.dashboard.formatting import month_short


@dataclass(frozen=True, slots=True)
class TableRow:
    """A month: its name, why it is marked, its cells as (text, address of the list behind or nothing), and n."""

    month: str
    mark: str
    cells: tuple[tuple[str, str], ...]
    n: int


@dataclass(frozen=True, slots=True)
class LegendEntry:
    """A name and its mark: `bar`, `line`, `band` or `year`, in the colour of this number."""

    name: str
    mark: str
    color: int


def legend(drawn: DrawnChart) -> tuple[LegendEntry, ...]:
    """What each mark in the chart is; a quartile band is one entry. Empty where the title already says it all."""
    entries = []
    for one in (drawn_one.series for drawn_one in drawn.drawn):
        if one.role == "high":
            entries.append(LegendEntry("25th to 75th percentile", "band", one.color))
        elif one.role != "low":
            mark = "bar" if one.role in ("bar", "stack") else one.role
            entries.append(LegendEntry(one.name, mark, one.color))
    return tuple(entries) if len(entries) > 1 else ()


def table(drawn: DrawnChart, prefix: str) -> tuple[TableRow, ...]:
    """The rows of a chart's table. `prefix` is the address of a point up to its metric."""
    columns = [(one, "" if one.series.is_sum else f"{prefix}{one.series.metric}@", one.suffix) for one in drawn.drawn]
    rows = []
    for index in reversed(range(len(drawn.months))):
        cells = []
        for one, start, end in columns:
            point = one.points[index]
            cells.append((point.text, f"{start}{point.key}{end}" if start and point.value is not None else ""))
        month = drawn.months[index]
        n = drawn.drawn[0].points[index].n
        rows.append(TableRow(month_short(month), drawn.unsure.get(month, ""), tuple(cells), n))
    return tuple(rows)
