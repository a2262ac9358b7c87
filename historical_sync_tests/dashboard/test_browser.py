"""A real Chromium on the page: the charts as drawn, every state, both themes, a keyboard.

The rows are written while the page is open, through the functions that the stages use; test_live.py has the real job.
Screenshots go to build/screenshots; look at them.
"""

from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, expect

from historical_sync.dashboard.access import signed_link
from historical_sync.warehouse.postgres import Warehouse
from historical_sync.warehouse.registry import add_team, read_team
from historical_sync_tests.dashboard.browsing import (
    DESKTOP,
    LIVE_MILLISECONDS,
    PHONE,
    Tab,
    chromium,
    drawn,
    require_no_finding,
)
from historical_sync_tests.dashboard.conftest import PageServer, Serve
from historical_sync_tests.dashboard.story import Story

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """A browser for this module's tests."""
    with chromium() as running:
        yield running


@pytest.fixture
def tab(browser: Browser) -> Iterator[Tab]:
    """A desktop tab; at the end its console must be silent (a blocked style or script speaks there)."""
    opened = Tab(browser)
    yield opened
    opened.context.close()
    assert opened.complaints == []


def test_a_settled_page_asks_no_more(tab: Tab, serve: Serve, warehouse: Warehouse) -> None:
    """After the end no request leaves the page."""
    story = Story(warehouse, history_months=0)
    story.register()
    story.load_all()
    asked: list[str] = []
    tab.page.goto(f"{serve().url}/teams/acme/progress")
    expect(tab.page.locator("#live")).to_have_attribute("data-settled", "")
    tab.page.on("request", lambda request: asked.append(request.url))
    tab.page.wait_for_timeout(4000)
    assert asked == []


def test_polling_takes_over_where_the_stream_is_blocked(browser: Browser, serve: Serve, warehouse: Warehouse) -> None:
    """A proxy that refuses event streams does not make the page stand still."""
    story = Story(warehouse, history_months=1)
    story.register()
    tab = Tab(browser)
    tab.page.route("**/progress/events", lambda route: route.abort())
    tab.page.goto(f"{serve().url}/teams/acme/progress")
    story.load_month(story.months[0])
    expect(tab.page.locator("#headline")).to_have_text("Loading your history", timeout=LIVE_MILLISECONDS)
    tab.context.close()


def test_what_is_drawn_is_what_the_tables_hold(tab: Tab, serve: Serve, warehouse: Warehouse) -> None:
    """Plotly's own data, read back from the browser, against `monthly_trends`."""
    story = Story(warehouse)
    story.register()
    story.load_all()
    tab.page.goto(f"{serve().url}/teams/acme/trends")
    with warehouse.transaction() as tx:
        rows = tx.rows("select month, metric, segment, value from monthly_trends where repository = '*'")
    known = {(row["metric"], row["segment"], f"{row['month']:%b %Y}"): row["value"] for row in rows}
    for key in ("throughput", "cycle", "ai", "pickup", "review", "size"):
        for trace in drawn(tab.page, key):
            if trace["role"] != "year":
                wanted = [known[trace["metric"], trace["segment"], label] for label in trace["x"]]
                assert trace["y"] == pytest.approx(wanted, nan_ok=True), (key, trace["metric"])


def test_a_click_on_a_point_opens_the_list_behind_it(tab: Tab, serve: Serve, warehouse: Warehouse) -> None:
    """The list has as many pull requests as the point says; the address holds the state; back closes it."""
    story = Story(warehouse)
    story.register()
    story.load_all()
    page = tab.page
    page.goto(f"{serve().url}/teams/acme/trends")
    drawn(page, "cycle")
    page.locator('[data-chart="cycle"] .points path.point').nth(11).click(force=True)
    expect(page.locator("#behind")).to_be_visible(timeout=LIVE_MILLISECONDS)
    assert "point=cycle_time_hours_p50%40" in page.url or "point=cycle_time_hours_p50@" in page.url
    with warehouse.transaction() as tx:
        n = tx.value(
            """select n from monthly_trends where metric = 'cycle_time_hours_p50' and repository = '*'
            and segment = '*' and month = %s""",
            [story.months[1]],
        )
    expect(page.locator("#behind .pull")).to_have_count(min(n, 25))
    page.locator("#behind details").first.locator("summary").click()
    tab.picture("behind-1280-light", is_full=False)
    page.reload()
    expect(page.locator("#behind .pull")).to_have_count(min(n, 25))
    page.locator("#behind-close").click()
    expect(page.locator("#behind")).to_have_count(0)
    page.go_back()
    expect(page.locator("#behind")).to_be_visible()


def test_filters_change_every_chart_without_a_reload(tab: Tab, serve: Serve, warehouse: Warehouse) -> None:
    """Repository, span and metric go into the address and onto every chart; the focus stays where it was."""
    story = Story(warehouse)
    story.register()
    story.load_all()
    page = tab.page
    page.goto(f"{serve().url}/teams/acme/trends")
    before = drawn(page, "throughput")[0]["y"]
    page.evaluate("window.isSamePage = true")
    page.locator("#repository").select_option("acme/mobile")
    page.wait_for_url("**repository=acme**")
    after = drawn(page, "throughput")[0]["y"]
    assert sum(after) < sum(before)
    page.locator("#span").select_option("6")
    page.wait_for_url("**months=6**")
    expect(page.locator("#content")).not_to_have_attribute("aria-busy", "true")
    assert all(len(drawn(page, key)[0]["x"]) == 6 for key in ("throughput", "cycle", "size"))
    page.locator("#metric").select_option("pull_requests_merged")
    page.wait_for_url("**metric=pull_requests_merged**")
    page.locator("#by").focus()
    page.locator("#by").select_option("type")
    page.wait_for_url("**by=type**")
    expect(page.locator("#content")).not_to_have_attribute("aria-busy", "true")
    assert {trace["segment"].partition(":")[0] for trace in drawn(page, "chosen")} == {"type"}
    assert page.evaluate("window.isSamePage") is True
    assert page.evaluate("document.activeElement.id") == "by"


def test_a_new_month_appears_on_open_trends(tab: Tab, serve: Serve, warehouse: Warehouse) -> None:
    """While the history loads, the trends page fills by itself, from empty to its months."""
    story = Story(warehouse)
    story.register()
    page = tab.page
    page.goto(f"{serve().url}/teams/acme/trends")
    expect(page.locator("#empty")).to_contain_text("The first month is on its way")
    tab.picture("state-empty")
    for month in story.months[:3]:
        story.load_month(month)
    expect(page.locator("#banner")).to_contain_text("3 of 13 months are here", timeout=LIVE_MILLISECONDS)
    drawn(page, "throughput")
    tab.picture("state-partial")


def tell(warehouse: Warehouse, state: str) -> None:
    """Load a team in this state."""
    tiny: dict[str, Any] = {"repositories": ["acme/tiny"], "per_month": 2}
    story = Story(warehouse, **(tiny if state == "thin" else {}))
    story.register()
    failing = ["acme/mobile"] if state == "failed" else []
    months = {"empty": [], "partial": story.months[:3]}.get(state, story.months)
    for month in months:
        story.load_month(month, failing=failing)
    if state not in ("empty", "partial"):
        story.finish()
        story.add_batches(3, 3)


@pytest.mark.daemon
@pytest.mark.parametrize("state", ["empty", "partial", "failed", "thin", "complete"])
def test_no_state_has_an_accessibility_finding(
    browser: Browser, serve: Serve, warehouse: Warehouse, state: str
) -> None:
    """axe in both themes at a phone's and a desktop's width, on both pages, with the list open: nothing serious."""
    tell(warehouse, state)
    server = serve()
    with warehouse.transaction() as tx:
        newest = tx.value("select max(month) from monthly_trends")
    paths = ["progress", "trends"]
    if newest:
        paths.append(f"trends?point=ai_assisted_share@{newest:%Y-%m}")
    for size in (PHONE, DESKTOP):
        tab = Tab(browser, size)
        for place, path in enumerate(paths):
            tab.page.goto(f"{server.url}/teams/acme/{path}")
            if place and newest:
                drawn(tab.page, "throughput")
            name = ("progress", "trends", "list")[place]
            for theme in tab.themes():
                require_no_finding(tab.page, f"{path} at {size[0]} px, {theme}")
                tab.picture(f"{state}-{name}-{size[0]}-{theme}", is_full=place < 2)
        assert tab.complaints == []
        tab.context.close()


@pytest.mark.parametrize("width", [320, 360, 640, 768, 2560])
def test_nothing_goes_sideways_at_any_width(browser: Browser, serve: Serve, warehouse: Warehouse, width: int) -> None:
    """From 1280 px at 400 % (320) and 200 % (640) to a wall: the page never scrolls sideways."""
    tell(warehouse, "complete")
    server = serve()
    tab = Tab(browser, (width, 1000))
    for path in ("progress", "trends"):
        tab.page.goto(f"{server.url}/teams/acme/{path}")
        if path == "trends":
            drawn(tab.page, "size")
        assert tab.page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth") <= 0
        tab.picture(f"width-{path}-{width}")
    tab.context.close()


def test_nothing_jumps_while_it_loads(tab: Tab, serve: Serve, warehouse: Warehouse) -> None:
    """Chrome's own measure of layout shift stays under 0.02 (0.1 is called good) while the charts appear."""
    tell(warehouse, "complete")
    tab.page.add_init_script(
        """window.shifted = 0; new PerformanceObserver(list => list.getEntries().forEach(
            entry => { window.shifted += entry.value; })).observe({type: 'layout-shift', buffered: true});"""
    )
    tab.page.goto(f"{serve().url}/teams/acme/trends")
    drawn(tab.page, "chosen")
    tab.page.wait_for_timeout(500)
    assert tab.page.evaluate("window.shifted") < 0.02


def test_the_keyboard_reaches_everything(tab: Tab, serve: Serve, warehouse: Warehouse) -> None:
    """Skip link, filter, a chart's numbers, the list behind one of them, Escape, and the focus is back where it was."""
    tell(warehouse, "complete")
    page = tab.page
    page.goto(f"{serve().url}/teams/acme/trends")
    drawn(page, "throughput")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "main"
    page.locator("#chart-cycle summary").focus()
    page.keyboard.press("Enter")
    for _ in range(2):  # past the scrolling region to its first number
        page.keyboard.press("Tab")
    address = page.evaluate("document.activeElement.getAttribute('href')")
    assert "point=" in address
    page.keyboard.press("Enter")
    expect(page.locator("#behind")).to_be_visible(timeout=LIVE_MILLISECONDS)
    expect(page.locator("#behind-title")).to_be_focused()
    page.keyboard.press("Escape")
    expect(page.locator("#behind")).to_have_count(0)
    assert page.evaluate("document.activeElement.getAttribute('href')") == address


def test_the_theme_can_be_chosen_and_stays(tab: Tab, serve: Serve, warehouse: Warehouse) -> None:
    """A click changes the page and the charts' colours; the next page keeps it."""
    tell(warehouse, "complete")
    page = tab.page
    server = serve()
    page.goto(f"{server.url}/teams/acme/trends")
    drawn(page, "cycle")
    color = "document.querySelector('[data-chart=cycle]').data.find(t => t.meta.role === 'line').line.color"
    before = page.evaluate(color)
    page.locator("#theme").click()
    assert page.evaluate(color) != before
    page.goto(f"{server.url}/teams/acme/progress")
    assert page.evaluate("document.documentElement.dataset.theme") == "dark"


def test_the_page_works_without_scripts(browser: Browser, serve: Serve, warehouse: Warehouse) -> None:
    """Numbers, lists and filters are there without JavaScript; only the drawings are missing."""
    tell(warehouse, "complete")
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(f"{serve().url}/teams/acme/trends")
    page.locator("#repository").select_option("acme/mobile")
    page.locator("#apply").click()
    assert "repository=acme" in page.url
    page.locator("#chart-cycle summary").click()
    page.locator("#chart-cycle tbody a").first.click()
    expect(page.locator("#behind .pull").first).to_be_visible()
    context.close()


def test_a_teams_link_does_not_lead_into_another_team(
    browser: Browser, public: PageServer, warehouse: Warehouse
) -> None:
    """In a browser: the link opens its team; the address of another team is refused with a page that says so."""
    tell(warehouse, "complete")
    with warehouse.transaction() as tx:
        add_team(tx, "rival", ["rival/secret-plans"])
        link = signed_link(public.settings, read_team(tx, "acme"), base_url=public.url)
    tab = Tab(browser)
    # Chromium takes loopback for a secure place, so the cookie that is for https alone is kept here too.
    tab.page.goto(link)
    tab.page.wait_for_url("**/teams/acme/trends")
    for address in ("/teams/rival/progress", "/teams/rival/trends", "/api/teams/rival/progress"):
        answer = tab.page.goto(public.url + address)
        assert answer is not None
        assert answer.status == 401
        assert "secret-plans" not in tab.page.content()
    tab.page.goto(f"{public.url}/teams/rival/progress")
    expect(tab.page.locator("h1")).to_have_text("This page needs a link")
    tab.picture("refused-1280-light")
    tab.context.close()
