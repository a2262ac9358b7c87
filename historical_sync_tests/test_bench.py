"""The measurements themselves: each scenario still runs, and its results reach the document whole."""

import importlib

import pytest

from bench import report
from bench.__main__ import main, measure
from bench.rows import Row, alternate, count, exponent
from bench.scenarios import NAMES

LONG = {"onboarding", "thousand_teams", "thirty_teams", "stages", "again", "million", "page"}
"""Scenarios that start Dagster's processes, a process for each of many stages, or two installations."""


@pytest.mark.timeout(1800)
@pytest.mark.parametrize("name", [pytest.param(one, marks=pytest.mark.daemon) if one in LONG else one for one in NAMES])
def test_each_scenario_runs(name: str) -> None:
    """In its quick mode a scenario gives rows with a number for every run, and a table."""
    result = measure(name, 1, quick=True)
    assert result["rows"]
    assert all(row["ours"] for row in result["rows"])
    assert len(report.table(result).splitlines()) == 4 + len(result["rows"])


@pytest.mark.parametrize("name", NAMES)
def test_each_scenario_has_its_place_in_the_document(name: str) -> None:
    """docs/benchmarks.md has a table for every scenario, and says what it is; prose around it is kept."""
    document = report.DOCUMENT.read_text()
    title = importlib.import_module(f"bench.scenarios.{name}").TITLE
    result = report.as_json(name, title, MACHINE, 5, [Row("a thing", "s", (2.0,), (1.0,), "bare", most=1.5)])
    changed = report.with_table(document, result)
    assert "| a thing | 2 s | 1 s (bare) | × 2.00 | ≤ × 1.5 | **no** |" in changed
    assert report.with_table(changed, result) == changed
    assert changed.splitlines()[:5] == document.splitlines()[:5]


MACHINE = {
    "measured_at": "2026-01-01 00:00 UTC",
    "cores": 2,
    "python": "3.11",
    "postgresql": "18",
    "before": {"load": 1, "loop_seconds": 0.2},
    "after": {"load": 1, "loop_seconds": 0.2},
}


def test_ratios_are_of_pairs() -> None:
    """A burst of other work that slows one pair does not move the ratio."""
    row = Row("x", "s", (2.0, 20.0, 2.2), (1.0, 10.0, 1.0), "bare", most=2.0)
    assert row.ratio == 2.0
    assert row.is_met is True


def test_counts_have_bounds_of_their_own() -> None:
    """A count is judged by itself; without a target nothing is judged."""
    assert count("requests", 2, most=1).is_met is False
    assert count("requests", 2).is_met is None


def test_alternation_changes_the_order() -> None:
    """Each round measures both, the second round the other way round."""
    order: list[str] = []
    alternate(2, lambda: order.append("ours") or 1.0, lambda: order.append("floor") or 1.0)
    assert order == ["ours", "floor", "floor", "ours"]


def test_a_straight_line_has_exponent_one() -> None:
    """Ten times the work at ten times the cost is linear."""
    assert exponent((1, 10, 100), (3, 30, 300)) == pytest.approx(1.0)


def test_an_unknown_scenario_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    """The command names the scenarios there are."""
    with pytest.raises(SystemExit):
        main(["nonsense"])
    assert "ingestion" in capsys.readouterr().err
