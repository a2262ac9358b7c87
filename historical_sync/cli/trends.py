"""`historical-sync trends`: a team's monthly numbers, as a table with sparklines, as CSV or as JSON.

The table shows one line a metric, of the last full month; CSV and JSON hold every month and every column.
"""

from __future__ import annotations

import csv
import json
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import click

from historical_sync.cli.errors import reports_errors
from historical_sync.cli.opening import open_warehouse
from historical_sync.errors import ConfigurationError
from historical_sync.trends.metrics import ALL, BY_NAME, HEADLINE, METRICS
from historical_sync.warehouse.trends import VALUE_COLUMNS, read_values

if TYPE_CHECKING:
    from historical_sync.warehouse.postgres import Transaction

Rows = list[dict[str, Any]]

BARS = "▁▂▃▄▅▆▇█"
MONTHS_SHOWN = 13
WIDTH_OF_FILES = 160
"""Where the output is no terminal, nothing is cut off to fit one."""


@click.command()
@click.argument("team")
@click.option(
    "--metric", "metrics", multiple=True, help="A metric or a family such as cycle_time_hours; may be given often."
)
@click.option("--repo", "repository", default=ALL, help="One repository as registered; all together by default.")
@click.option("--format", "form", type=click.Choice(["table", "csv", "json"]), default="table", show_default=True)
@reports_errors
def trends(team: str, metrics: Sequence[str], repository: str, form: str) -> None:
    """A team's monthly numbers and their direction. docs/metrics.md says what each is.

    \b
    historical-sync trends acme                                  the main numbers, with sparklines
    historical-sync trends acme --metric cycle_time_hours        one family: median, p75, p90
    historical-sync trends acme --repo acme/api --format csv     every value of a repository, with its n
    """
    names = _names(metrics) or (list(HEADLINE) if form == "table" else [metric.name for metric in METRICS])
    with open_warehouse() as (_, warehouse), warehouse.transaction() as tx:
        repository = _registered(tx, team, repository)
        values, directions = _read(tx, team, names, repository)
    if form == "csv":
        _print_csv(values)
    elif form == "json":
        click.echo(json.dumps(_as_json(names, values, directions), indent=2, default=str))
    else:
        _print_table(team, repository, names, values, directions)


def _names(asked: Sequence[str]) -> list[str]:
    """The metrics that were asked for, families taken apart. Raises ConfigurationError for an unknown one."""
    found: list[str] = []
    for name in asked:
        members = [metric.name for metric in METRICS if name in (metric.name, metric.family)]
        if not members:
            families = ", ".join(dict.fromkeys(metric.family for metric in METRICS))
            raise ConfigurationError(f"There is no metric {name!r}.", remedy=f"There are: {families}.")
        found += [member for member in members if member not in found]
    return found


def _registered(tx: Transaction, team: str, repository: str) -> str:
    """The repository's registered name, whatever its case. Raises ConfigurationError for an unknown team or name."""
    from historical_sync.warehouse.registry import read_team, tracked_repositories

    read_team(tx, team)
    names = {one.repository.lower(): one.repository for one in tracked_repositories(tx, team)}
    if repository != ALL and repository.lower() not in names:
        known = ", ".join(sorted(names.values())) or "none yet"
        raise ConfigurationError(f"Team {team!r} has no repository {repository!r}.", remedy=f"It has: {known}.")
    return names.get(repository.lower(), ALL)


def _read(tx: Transaction, team: str, names: Sequence[str], repository: str) -> tuple[Rows, Rows]:
    from historical_sync.warehouse.directions import read_directions

    values = read_values(tx, team, metrics=names, repository=repository)
    directions = read_directions(tx, team, repository=repository, segments=None)
    return values, [row for row in directions if row["metric"] in names]


def _print_csv(values: Rows) -> None:
    writer = csv.DictWriter(sys.stdout, VALUE_COLUMNS, extrasaction="ignore", lineterminator="\n")
    writer.writeheader()
    writer.writerows(values)


def _as_json(names: Sequence[str], values: Rows, directions: Rows) -> list[dict[str, Any]]:
    """One object a series: what it is, its directions (newest first), and its months (oldest first)."""
    series: dict[tuple[str, str], dict[str, Any]] = {}
    for row in values:
        metric = BY_NAME[row["metric"]]
        entry = series.setdefault(
            (row["metric"], row["segment"]),
            {
                "metric": metric.name,
                "title": metric.title,
                "definition": metric.definition,
                "unit": metric.unit,
                "better": metric.better,
                "repository": row["repository"],
                "segment": row["segment"],
                "trends": [],
                "months": [],
            },
        )
        entry["months"].append({key: row[key] for key in VALUE_COLUMNS if key not in entry})
    for row in directions:
        if found := series.get((row["metric"], row["segment"])):
            found["trends"].append({key: one for key, one in row.items() if key not in (*found, "team_id")})
    return sorted(series.values(), key=lambda entry: (names.index(entry["metric"]), entry["segment"]))


def _print_table(team: str, repository: str, names: Sequence[str], values: Rows, directions: Rows) -> None:
    from rich.console import Console

    if not values:
        click.echo(f"Team {team} has no trends yet: `historical-sync status {team}` shows how far its load is.")
        return
    console = Console(width=None if sys.stdout.isatty() else WIDTH_OF_FILES)
    console.print(_table(repository, names, values, directions))
    if any(not row["is_complete"] for row in values):
        console.print("* some repositories of that month are not loaded yet", highlight=False)


def _table(repository: str, names: Sequence[str], values: Rows, directions: Rows) -> Any:
    from rich.table import Table

    last = _last_full_month(values)
    title = "all repositories" if repository == ALL else repository
    table = Table(title=f"{title}, {last:%B %Y}", title_justify="left", box=None, pad_edge=False)
    for column, justify in (("metric", "left"), ("value", "right"), ("n", "right"), ("change", "right")):
        table.add_column(column, justify=justify, no_wrap=True)  # type: ignore[arg-type]
    table.add_column("direction", no_wrap=True)
    table.add_column(f"last {MONTHS_SHOWN} months", no_wrap=True)
    for (name, segment), series in _series(names, values).items():
        verdict = _verdict(directions, name, segment, last)
        table.add_row(*_line(name, segment, series, verdict, last))
    return table


def _last_full_month(values: Rows) -> Any:
    full = [row["month"] for row in values if not row["is_open"]]
    return max(full or [row["month"] for row in values])


def _series(names: Sequence[str], values: Rows) -> dict[tuple[str, str], Rows]:
    """The lines of the table: each metric's whole, or its segments where it has no whole."""
    series: dict[tuple[str, str], Rows] = {}
    for name in names:
        for row in values:
            if row["metric"] == name and (row["segment"] == ALL or not BY_NAME[name].is_whole):
                series.setdefault((name, row["segment"]), []).append(row)
    return series


def _verdict(directions: Rows, name: str, segment: str, month: Any) -> dict[str, Any]:
    for row in directions:
        if (row["metric"], row["segment"], row["as_of_month"]) == (name, segment, month):
            return row
    return {}


def _line(name: str, segment: str, series: Rows, verdict: dict[str, Any], month: Any) -> list[str]:
    from historical_sync.dashboard.formatting import NOTHING, number

    metric = BY_NAME[name]
    row = next((one for one in series if one["month"] == month), None)
    value = number(row["value"] if row else None, metric.unit)
    if row and row["value"] is not None and not row["is_enough"]:
        value = f"({value})"
    return [
        metric.title if segment == ALL else f"{metric.title}: {segment.partition(':')[2]}",
        f"{value}{'' if row is None or row['is_complete'] else '*'}",
        str(row["n"]) if row else NOTHING,
        change_text(verdict.get("change_previous"), verdict.get("change_unit")),
        str(verdict.get("direction") or verdict.get("movement") or ""),
        sparkline([one["value"] for one in series[-MONTHS_SHOWN:]]),
    ]


def change_text(change: float | None, unit: str | None) -> str:
    """`+25 %`, `−6.0 pp`, or nothing where there is no base to compare with."""
    if change is None:
        return ""
    return f"{change:+.1f} pp" if unit == "percentage points" else f"{change:+.0f} %"


def sparkline(values: Sequence[float | None]) -> str:
    """One bar a month from the least to the greatest value; a dot is a month without data."""
    known = [value for value in values if value is not None]
    if not known:
        return "·" * len(values)
    least, span = min(known), max(known) - min(known)
    levels = [None if value is None else (value - least) / span if span else 0.5 for value in values]
    return "".join("·" if level is None else BARS[round(level * (len(BARS) - 1))] for level in levels)
