"""The trends page, its JSON and its CSV against the tables: chart count equals list count, state by state."""

import csv
import io
import json
import re
from typing import Any

import httpx
import pytest

from historical_sync.trends.metrics import METRICS
from historical_sync.trends.publication import publish_month
from historical_sync.warehouse.postgres import Warehouse
from historical_sync_tests.dashboard.story import Story


@pytest.fixture
def story(warehouse: Warehouse) -> Story:
    """A team with three months, loaded."""
    told = Story(warehouse, history_months=2, per_month=24)
    told.register()
    told.load_all()
    return told


def charts_of(html: str) -> dict[str, dict[str, Any]]:
    """The charts' data in a page, by their key."""
    found = re.search(r'<script type="application/json" id="chart-data">(.*?)</script>', html, re.DOTALL)
    assert found
    return {chart["key"]: chart for chart in json.loads(found[1])["charts"]}


def test_the_charts_hold_the_tables_values(local: httpx.Client, story: Story, warehouse: Warehouse) -> None:
    """Every value on every chart is the table's value of its metric, segment and month."""
    charts = charts_of(local.get("/teams/acme/trends").text)
    assert {"throughput", "cycle", "ai", "pickup", "review", "size", "chosen"} == set(charts)
    with warehouse.transaction() as tx:
        rows = tx.rows("select month, metric, segment, value, n from monthly_trends where repository = '*'")
    known = {(one["metric"], one["segment"], f"{one['month']:%Y-%m}"): one for one in rows}
    compared = 0
    for chart in charts.values():
        for series in chart["series"]:
            for month, value, n in zip(chart["months"], series["values"], series["n"], strict=True):
                if series["role"] == "year":
                    continue
                assert value == known[series["metric"], series["segment"], month]["value"]
                assert n == known[series["metric"], series["segment"], month]["n"]
                compared += 1
    assert compared > 50


def test_the_stack_of_tools_is_as_high_as_the_ai_assisted_share(
    local: httpx.Client, story: Story, warehouse: Warehouse
) -> None:
    """Also where a pull request names two tools: it lies in one layer, not in both."""
    with warehouse.transaction() as tx:
        tx.execute(
            """insert into ai_evidence
            select team_id, repository, number, 'second', source, 9, 'Another Tool', role, strength, quote, 'r1'
            from ai_evidence where number % 2 = 0"""
        )
    for month in story.months:
        publish_month(warehouse, "acme", month, now=story.now)
    series = charts_of(local.get("/teams/acme/trends").text)["ai"]["series"]
    layers = [one["values"] for one in series if one["role"] == "stack"]
    whole = next(one["values"] for one in series if one["role"] == "line")
    assert len(layers) > 1
    assert [sum(value or 0 for value in month) for month in zip(*layers, strict=True)] == pytest.approx(whole)


@pytest.mark.parametrize("repository", ["*", "acme/web-app"])
def test_a_point_and_the_list_behind_it_have_the_same_count(local: httpx.Client, story: Story, repository: str) -> None:
    """For every metric: as many pull requests in the list as the value's n, in JSON and in CSV."""
    month = f"{story.months[1]:%Y-%m}"
    values = local.get("/api/teams/acme/trends", params={"repository": repository}).json()["values"]
    whole = {one["metric"]: one for one in values if one["month"] == month and one["segment"] == "*"}
    assert set(whole) == {metric.name for metric in METRICS if metric.is_whole}
    for metric, value in whole.items():
        query = {"metric": metric, "month": month, "repository": repository, "limit": "1000"}
        found = local.get("/api/teams/acme/pull-requests", params=query).json()
        assert len(found["pull_requests"]) == value["n"], metric
        text = local.get("/teams/acme/pull-requests.csv", params=query).text
        assert len(list(csv.DictReader(io.StringIO(text)))) == value["n"], metric


def test_the_panel_shows_evidence_and_summary(local: httpx.Client, story: Story) -> None:
    """Behind a point: the pull requests with the quote that proves AI use and the LLM's summary."""
    month = f"{story.months[1]:%Y-%m}"
    page = local.get("/teams/acme/trends", params={"point": f"ai_assisted_share@{month}"}).text
    assert 'id="behind"' in page
    assert "Co-Authored-By: Claude &lt;noreply@anthropic.com&gt;" in page
    assert "Summary by the LLM." in page


def test_a_long_list_has_pages(local: httpx.Client, warehouse: Warehouse) -> None:
    """Twenty-five a page, without one twice or left out."""
    story = Story(warehouse, history_months=1, per_month=60)
    story.register()
    story.load_all()
    month = f"{story.months[1]:%Y-%m}"
    seen: list[tuple[str, int]] = []
    offset: int | None = 0
    while offset is not None:
        query = {"metric": "pull_requests_merged", "month": month, "limit": "25", "offset": str(offset)}
        found = local.get("/api/teams/acme/pull-requests", params=query).json()
        seen += [(one["repository"], one["number"]) for one in found["pull_requests"]]
        offset = found["next_offset"]
    assert len(seen) == len(set(seen)) > 50
    page = local.get("/teams/acme/trends", params={"point": f"pull_requests_merged@{month}"}).text
    assert "offset=25" in page
    assert f"1–25 of {len(seen)}" in page


def test_the_repository_filter_reaches_every_chart(local: httpx.Client, story: Story, warehouse: Warehouse) -> None:
    """One filter, all charts: each shows the repository's own values."""
    charts = charts_of(local.get("/teams/acme/trends", params={"repository": "acme/mobile"}).text)
    with warehouse.transaction() as tx:
        rows = tx.rows("select month, metric, segment, value from monthly_trends where repository = 'acme/mobile'")
    known = {(one["metric"], one["segment"], f"{one['month']:%Y-%m}"): one["value"] for one in rows}
    for chart in charts.values():
        series = chart["series"][0]
        assert series["values"] == [known[series["metric"], series["segment"], month] for month in chart["months"]]


def test_a_span_takes_the_newest_months(local: httpx.Client, story: Story) -> None:
    """Two of three months: the newest two, on the page and in the API."""
    newest = [f"{month:%Y-%m}" for month in reversed(story.months[:2])]
    charts = charts_of(local.get("/teams/acme/trends", params={"months": "2"}).text)
    assert all(chart["months"] == newest for chart in charts.values())
    values = local.get("/api/teams/acme/trends", params={"months": "2"}).json()["values"]
    assert sorted({one["month"] for one in values}) == newest


def test_the_csv_holds_every_value(local: httpx.Client, story: Story, warehouse: Warehouse) -> None:
    """Each repository, each segment: as many rows as the table, with the same numbers."""
    text = local.get("/teams/acme/trends.csv", params={"repository": "each"}).text
    rows = list(csv.DictReader(io.StringIO(text)))
    with warehouse.transaction() as tx:
        assert len(rows) == tx.value("select count(*) from monthly_trends")
    cycle = next(row for row in rows if row["metric"] == "cycle_time_hours_p50" and row["repository"] == "*")
    assert float(cycle["value"]) > 0
    assert re.fullmatch(r"\d{4}-\d{2}", cycle["month"])


def test_a_title_that_is_a_formula_stays_text(local: httpx.Client, story: Story, warehouse: Warehouse) -> None:
    """What a pull request's author wrote does not run in a reader's spreadsheet, nor in the page."""
    with warehouse.transaction() as tx:
        tx.execute("update pull_requests set title = '=HYPERLINK(\"http://evil\")<img src=x onerror=alert(1)>'")
    month = f"{story.months[1]:%Y-%m}"
    query = {"metric": "pull_requests_merged", "month": month}
    rows = list(csv.DictReader(io.StringIO(local.get("/teams/acme/pull-requests.csv", params=query).text)))
    assert all(row["title"].startswith("'=") for row in rows)
    page = local.get("/teams/acme/trends", params={"point": f"pull_requests_merged@{month}"}).text
    assert "<img src=x" not in page


def test_the_empty_state_is_designed(local: httpx.Client, warehouse: Warehouse) -> None:
    """Before the first month the page says that it is on its way, and leads to the progress."""
    Story(warehouse).register()
    page = local.get("/teams/acme/trends").text
    assert "The first month is on its way" in page
    assert 'href="/teams/acme/progress"' in page


def test_the_partial_state_says_how_much_is_here(local: httpx.Client, warehouse: Warehouse) -> None:
    """Three of thirteen months: the axis shows all thirteen, the banner says how many are here."""
    story = Story(warehouse)
    story.register()
    for month in story.months[:3]:
        story.load_month(month)
    page = local.get("/teams/acme/trends").text
    assert "3 of 13 months are here" in page
    chart = charts_of(page)["throughput"]
    assert len(chart["months"]) == 13
    assert [value is None for value in chart["series"][0]["values"]] == [True] * 10 + [False] * 3


def test_the_failed_state_names_what_is_missing(local: httpx.Client, warehouse: Warehouse) -> None:
    """A repository that could not be read is named, and the months that lack it are marked."""
    story = Story(warehouse, history_months=1)
    story.register()
    for month in story.months:
        story.load_month(month, failing=["acme/mobile"])
    story.finish()
    page = local.get("/teams/acme/trends").text
    assert "acme/mobile is missing in part" in page
    assert all("2 of 3 repositories complete" in why for why in charts_of(page)["cycle"]["unsure"])


def test_the_thin_state_judges_nothing(local: httpx.Client, warehouse: Warehouse) -> None:
    """Two pull requests a month: shown, but with no direction, no comparison and no benchmark."""
    story = Story(warehouse, repositories=["tiny/only"], per_month=2, history_months=3)
    story.register()
    story.load_all()
    page = local.get("/teams/acme/trends").text
    assert "Too little data" in page
    assert "Too few to compare" in page
    assert "No benchmark for this month" in page
    assert "Improving" not in page


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ({"repository": "rival/web"}, 404),
        ({"months": "many"}, 422),
        ({"metric": "nonsense"}, 422),
        ({"point": "cycle_time_hours_p50@yesterday"}, 422),
        ({"repository": "acme/web-app\0"}, 422),
        ({"point": "cycle_time_hours_p50@2025-10~tool:\0"}, 422),
    ],
)
def test_an_address_that_makes_no_sense_is_answered(
    local: httpx.Client, story: Story, query: dict[str, str], status: int
) -> None:
    """Pages and API alike say what is wrong with it."""
    assert local.get("/teams/acme/trends", params=query).status_code == status
    if "point" not in query:
        assert local.get("/api/teams/acme/trends", params=query).status_code == status


def test_a_page_weighs_little_apart_from_plotly(local: httpx.Client, warehouse: Warehouse) -> None:
    """What the browser loads for the trends page, compressed: under 150 KB without Plotly."""
    story = Story(warehouse, history_months=12)
    story.register()
    story.load_all()
    page = local.get("/teams/acme/trends")
    addresses = set(re.findall(r'(?:href|src)="(/static/[^"]+)"', page.text))
    assert any("plotly.min.js" in address for address in addresses)
    weight = int(page.headers["content-length"]) if "content-length" in page.headers else page.num_bytes_downloaded
    for address in addresses:
        if "plotly.min.js" not in address:
            weight += local.get(address).num_bytes_downloaded
    assert weight < 150_000


def test_an_open_page_looks_again_until_nothing_more_comes(local: httpx.Client, warehouse: Warehouse) -> None:
    """Often while a loaded month is not counted yet, seldom while the LLM's batches are out, then not at all."""
    story = Story(warehouse, history_months=1)
    story.register()
    story.load_month(story.months[0])
    story.load_month(story.months[1], publish=False)
    story.finish()
    story.add_batches(1, 2)
    assert 'data-look="4"' in local.get("/teams/acme/trends").text
    publish_month(warehouse, "acme", story.months[1], now=story.now)
    assert 'data-look="30"' in local.get("/teams/acme/trends").text
    story.add_batches(2, 2)
    assert "data-look" not in local.get("/teams/acme/trends").text
