"""docs/metrics.md: up to date, whole, and true to what it says about checking a number."""

import re
from datetime import timedelta
from pathlib import Path

import pytest

import historical_sync
from historical_sync.trends.benchmarks import published_bands
from historical_sync.trends.documentation import PAGE, bands_text, page
from historical_sync.trends.metrics import BY_NAME, CLOSED_VOCABULARIES, HEADLINE, METRICS, POPULATIONS, SIZE_MATCHED
from historical_sync.warehouse.access import team_transaction
from historical_sync.warehouse.aggregation import LIST_OF, SEGMENT_OF
from historical_sync.warehouse.postgres import Warehouse
from historical_sync_tests.factories import at, make_pull_request
from historical_sync_tests.trends.numbers import publish, row, store


def test_the_page_is_current() -> None:
    """Whoever changes the table of metrics writes the page again: python -m historical_sync.trends.documentation."""
    assert PAGE.read_text("utf-8") == page()


def test_the_page_names_every_metric_and_caution() -> None:
    """Nothing in the table is left out of the page."""
    text = page()
    for metric in METRICS:
        assert f"`{metric.name}`" in text
        assert metric.definition in text
        assert metric.caution in text


@pytest.mark.parametrize("metric", METRICS, ids=lambda metric: metric.name)
def test_entries_are_well_formed(metric: object) -> None:
    """A definition is a sentence, a name tells its statistic, a share's change is small, segments are known."""
    assert isinstance(metric, type(METRICS[0]))
    assert metric.definition.endswith(".")
    assert metric.source.strip()
    assert metric.population in POPULATIONS
    assert metric.smallest_change > 0
    assert not metric.is_share or metric.smallest_change < 1
    assert set(metric.segments) <= {*SEGMENT_OF, *LIST_OF}
    assert not metric.segments or metric.population == "merged", "segments are cut from merged pull requests"
    if metric.statistic.startswith("p") and metric.statistic != "part":
        assert metric.name == f"{metric.family}_{metric.statistic}"
    assert (metric.unit == "share") == metric.name.endswith("_share")


def test_names_and_families_are_consistent() -> None:
    """No name twice; a family shares population and value, since one column holds it."""
    assert len(BY_NAME) == len(METRICS)
    assert set(HEADLINE) <= set(BY_NAME)
    for metric in METRICS:
        (first,) = {(one.population, one.value) for one in METRICS if one.family == metric.family}
        assert first == (metric.population, metric.value)
    assert set(CLOSED_VOCABULARIES) == set(SEGMENT_OF)
    assert set(SIZE_MATCHED[1]) <= set(CLOSED_VOCABULARIES["label"])


def test_the_designs_metrics_are_there() -> None:
    """What was promised at least."""
    families = {metric.family for metric in METRICS}
    promised = {"pull_requests_created", "pull_requests_merged", "pull_requests_closed_unmerged", "active_authors"}
    promised |= {"cycle_time_hours", "lead_time_hours", "coding_time_hours", "pickup_time_hours", "review_time_hours"}
    promised |= {"review_rounds", "unreviewed_share", "size_lines", "size_share", "revert_share", "hotfix_share"}
    promised |= {"ai_assisted_share", "ai_tool_share", "ai_reviewed_share", "agent_authored_share", "classified_share"}
    promised |= {"type_share", "technology_share"}
    assert promised <= families


def test_published_bands_are_for_metrics_that_exist() -> None:
    """Each row names its source, year and sample, and a metric of the same statistic, lower being better."""
    for name, bands in published_bands().items():
        assert BY_NAME[name].better == "lower"
        assert bands.statistic == {"p75": "75th percentile"}[BY_NAME[name].statistic]
        assert bands.source.startswith("https://")
        assert bands.year > 2000
        assert bands.sample


def test_bands_by_hand() -> None:
    """LinearB's pickup: below an hour, to three, to fourteen, and above; a bound belongs to the next band."""
    bands = published_bands()["pickup_time_hours_p75"]
    assert [bands.band_of(value) for value in (0.0, 0.99, 1.0, 13.9, 14.0, 500.0)] == [
        "Elite",
        "Elite",
        "Strong",
        "Fair",
        "Needs improvement",
        "Needs improvement",
    ]
    assert bands_text(bands) == "Elite < 1, Strong 1–3, Fair 3–14, Needs improvement ≥ 14"


def test_no_band_where_nobody_published_one() -> None:
    """Cycle time has no published band: LinearB's includes deployment, and DORA measures no such thing."""
    assert not [name for name in published_bands() if name.startswith(("cycle_time", "lead_time"))]


def test_the_recipe_on_the_page_gives_the_stored_number(warehouse: Warehouse) -> None:
    """The query that the page hands to a doubter, run as that team, gives value and n to the last digit."""
    for number, hours in enumerate((1, 2, 4, 8, 16, 33)):
        ended = at("2025-03-01T12:00") + timedelta(hours=hours)
        store(warehouse, make_pull_request(number=number, merged_at=ended, closed_at=ended))
    publish(warehouse)
    (recipe,) = re.findall(r"```sql\n(.*?)```", page(), re.DOTALL)
    with team_transaction(warehouse, "acme") as tx:
        (found,) = tx.rows(recipe)
    stored = row(warehouse, "cycle_time_hours_p50")
    assert (found["month"], found["value"], found["n"]) == (stored["month"], stored["value"], stored["n"])


def test_the_template_ships_with_the_package() -> None:
    """The page's template and the bands lie beside the code."""
    folder = Path(historical_sync.__file__).parent / "trends"
    assert (folder / "metrics.md.jinja").exists()
    assert (folder / "published_bands.json").exists()
