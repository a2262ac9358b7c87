"""Results as files: one JSON a scenario, and its table in docs/benchmarks.md between two markers. Prose stays."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from bench.rows import Row

DOCUMENT = Path(__file__).parent.parent / "docs" / "benchmarks.md"
RESULTS = DOCUMENT.parent / "benchmarks"


def as_json(name: str, title: str, machine: dict[str, Any], rounds: int, rows: list[Row]) -> dict[str, Any]:
    """What a run of a scenario found, for its file."""
    return {
        "scenario": name,
        "title": title,
        "machine": machine,
        "rounds": rounds,
        "rows": [row.as_json() for row in rows],
    }


def save(result: dict[str, Any]) -> None:
    """Write the scenario's file of results and its table in the document."""
    RESULTS.mkdir(exist_ok=True)
    path = RESULTS / f"{result['scenario']}.json"
    path.write_text(json.dumps(result, indent=1) + "\n")
    DOCUMENT.write_text(with_table(DOCUMENT.read_text(), result))


def write_tables(names: Sequence[str]) -> None:
    """Write the tables of the scenarios that have results again, from their files."""
    for name in names:
        path = RESULTS / f"{name}.json"
        if path.exists():
            DOCUMENT.write_text(with_table(DOCUMENT.read_text(), json.loads(path.read_text())))


def with_table(document: str, result: dict[str, Any]) -> str:
    """The document with this scenario's table between its markers. Raises ValueError where they are missing."""
    name = result["scenario"]
    pattern = re.compile(rf"(<!-- bench:{name} -->\n).*?(<!-- /bench:{name} -->)", re.DOTALL)
    if not pattern.search(document):
        raise ValueError(f"{DOCUMENT.name} has no <!-- bench:{name} --> … <!-- /bench:{name} -->")
    return pattern.sub(lambda found: f"{found[1]}{table(result)}{found[2]}", document)


def table(result: dict[str, Any]) -> str:
    """The Markdown of a scenario: how it was taken, then its rows."""
    rows = [_row(one) for one in result["rows"]]
    lines = [
        caption(result),
        "",
        "| what | ours | floor | ratio | target | met |",
        "|---|---|---|---|---|---|",
        *rows,
    ]
    return "\n".join(lines) + "\n"


def caption(result: dict[str, Any]) -> str:
    """The command, the machine and how busy it was."""
    machine = result["machine"]
    before, after = machine["before"], machine["after"]
    return (
        f"`make bench SCENARIOS={result['scenario']}` on {machine['measured_at']}: {machine['cores']} cores, "
        f"Python {machine['python']}, PostgreSQL {machine['postgresql']}, load {before['load']} before and "
        f"{after['load']} after, a fixed loop in {before['loop_seconds']} and {after['loop_seconds']} CPU s; "
        f"medians of {result['rounds']}."
    )


def _row(one: dict[str, Any]) -> str:
    row = Row(**{name: one[name] for name in Row.__dataclass_fields__} | {"ours": tuple(one["ours"])})
    floor = "" if row.floor_value is None else f"{number(row.floor_value)} {row.unit} ({row.floor_is})"
    ratio = "" if row.ratio is None else f"× {row.ratio:.2f}"
    target = "" if row.most is None else f"≤ {'× ' if row.floor else ''}{number(row.most)}"
    met = {None: "", True: "yes", False: "**no**"}[row.is_met]
    shown = f"{number(row.value)} {row.unit}".strip() + (" (exact)" if row.is_exact else "")
    return f"| {row.what} | {shown} | {floor} | {ratio} | {target} | {met} |"


def number(value: float) -> str:
    """Three digits that count; whole numbers in full."""
    if float(value).is_integer():
        return f"{value:,.0f}"
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"
