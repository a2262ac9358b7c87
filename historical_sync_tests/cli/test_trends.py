"""`historical-sync trends`: the table, CSV and JSON of what is stored, and plain words where there is nothing."""

import csv
import io
import json
from datetime import timedelta

import pytest
from click.testing import CliRunner, Result

from historical_sync.cli import main
from historical_sync.cli.trends import change_text, sparkline
from historical_sync.trends.metrics import METRICS
from historical_sync.warehouse.postgres import Warehouse
from historical_sync.window import add_months, as_instant
from historical_sync_tests.factories import make_pull_request
from historical_sync_tests.trends.numbers import MARCH, complete, publish, store


@pytest.fixture
def loaded(warehouse: Warehouse, database_url: str, monkeypatch: pytest.MonkeyPatch) -> Warehouse:
    """Eight months of six pull requests each, eight hours faster every month; the last two lack a repository."""
    monkeypatch.setenv("HISTORICAL_SYNC_DATABASE_URL", database_url)
    for index in range(8):
        month = add_months(MARCH, index - 7)
        created = as_instant(month)
        merged = created + timedelta(hours=100 - 8 * index)
        times = {"created_at": created, "merged_at": merged, "closed_at": merged}
        pull_requests = [make_pull_request(number=10 * index + number, **times) for number in range(6)]
        store(warehouse, *pull_requests, repositories=["acme/api", "acme/web"])
        with warehouse.transaction() as tx:
            for repository in ("acme/api", "acme/web"):
                if index < 6 or repository == "acme/api":
                    complete(tx, repository, month)
        publish(warehouse, month)
    return warehouse


def run(*arguments: str) -> Result:
    return CliRunner().invoke(main, ["trends", *arguments])


@pytest.mark.usefixtures("loaded")
def test_the_table_shows_value_n_direction_and_sparkline() -> None:
    """The last full month's value, how many it rests on, where it goes and how it came."""
    result = run("acme", "--repo", "acme/API")
    assert result.exit_code == 0, result.output
    assert "acme/api, March 2025" in result.output
    (line,) = [line for line in result.output.splitlines() if line.startswith("Cycle time, median")]
    assert line.split()[3:] == ["1.8", "d", "6", "-15", "%", "improving", "█▇▆▅▄▃▂▁"]


@pytest.mark.usefixtures("loaded")
def test_incomplete_months_are_marked() -> None:
    """March lacks a repository: its team value carries a star, which is explained."""
    result = run("acme")
    (line,) = [line for line in result.output.splitlines() if line.startswith("Pull requests merged")]
    assert "6*" in line
    assert "not loaded yet" in result.output


def test_csv_is_what_is_stored(loaded: Warehouse) -> None:
    """Every month, metric and segment of the place, with the columns of the view."""
    result = run("acme", "--format", "csv")
    rows = list(csv.DictReader(io.StringIO(result.output)))
    with loaded.transaction() as tx:
        stored = tx.value("select count(*) from monthly_trends where repository = '*'")
    assert len(rows) == stored
    merged = [row for row in rows if (row["metric"], row["segment"]) == ("pull_requests_merged", "*")]
    assert [(row["month"], row["value"], row["n"]) for row in merged][-1] == ("2025-03-01", "6.0", "6")


@pytest.mark.usefixtures("loaded")
def test_json_holds_series_with_their_directions() -> None:
    """One object a series; a family stands for its statistics."""
    result = run("acme", "--metric", "cycle_time_hours", "--format", "json")
    series = json.loads(result.output)
    whole = [one for one in series if one["segment"] == "*"]
    assert [one["metric"] for one in whole] == [f"cycle_time_hours_{name}" for name in ("p25", "p50", "p75", "p90")]
    assert [month["value"] for month in whole[1]["months"]] == [100.0 - 8 * index for index in range(8)]
    assert whole[1]["unit"] == "hours"
    assert whole[1]["trends"][0]["as_of_month"] == "2025-03-01"


@pytest.mark.usefixtures("loaded")
def test_a_metric_of_segments_shows_them() -> None:
    """Sizes have no whole: the table has one line a size."""
    result = run("acme", "--metric", "size_share")
    assert result.exit_code == 0, result.output
    assert [line.split(":")[1].split()[0] for line in result.output.splitlines() if line.startswith("Sizes:")] == [
        "l",
        "m",
        "s",
        "xl",
        "xs",
    ]


@pytest.mark.usefixtures("loaded")
def test_every_metric_can_be_shown() -> None:
    """Whatever is in the table of metrics has a line; but tools and technologies, of which there are none here."""
    result = run("acme", *(f"--metric={metric.name}" for metric in METRICS))
    assert result.exit_code == 0, result.output
    shown = [metric.title for metric in METRICS if f"\n{metric.title}" in result.output]
    assert {metric.title for metric in METRICS} - set(shown) == {"AI tools", "AI-assisted, by tool", "Technologies"}


@pytest.mark.usefixtures("loaded")
@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["nobody"], "nobody"),
        (["acme", "--metric", "velocity"], "There is no metric 'velocity'."),
        (["acme", "--repo", "acme/gone"], "It has: acme/api, acme/web."),
    ],
)
def test_what_does_not_exist_is_said(arguments: list[str], words: str) -> None:
    """An unknown team, metric or repository ends with status 1 and a way on."""
    result = run(*arguments)
    assert result.exit_code == 1
    assert words in result.output


def test_a_team_without_trends(warehouse: Warehouse, database_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is published yet: a sentence and the way to the progress, not an empty table."""
    monkeypatch.setenv("HISTORICAL_SYNC_DATABASE_URL", database_url)
    store(warehouse)
    result = run("acme")
    assert result.exit_code == 0
    assert "historical-sync status acme" in result.output


@pytest.mark.parametrize(
    ("values", "line"),
    [([], ""), ([None], "·"), ([3.0, 3.0], "▅▅"), ([0.0, None, 7.0], "▁·█"), ([1.0, 2.0, 3.0], "▁▅█")],
)
def test_sparklines(values: list[float | None], line: str) -> None:
    """From the least to the greatest; equal values are level, a gap is a dot."""
    assert sparkline(values) == line


@pytest.mark.parametrize(
    ("change", "unit", "text"),
    [
        (None, "percent", ""),
        (25.0, "percent", "+25 %"),
        (-6.04, "percentage points", "-6.0 pp"),
        (0.0, "percent", "+0 %"),
    ],
)
def test_changes(change: float | None, unit: str, text: str) -> None:
    """Shares in percentage points, the rest in percent, no base no text."""
    assert change_text(change, unit) == text
