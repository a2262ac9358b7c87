"""The table below a chart: the same numbers as text, newest month first, each leading to the list behind it. Pure."""

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
