"""An onboarding watched in a browser while the real job runs: the sensor's tick, the runs, the sandbox's faults.

The sensor is ticked and its runs are carried out in this process, as `historical-sync sync` does; the same under the
daemon is end_to_end/test_up.py. Screenshots go to build/screenshots; look at them.
"""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import date
from typing import TypeVar

import dagster as dg
import pytest
from playwright.sync_api import Browser, Page, expect

from historical_sync.orchestration import direct
from historical_sync.orchestration.home import open_instance
from historical_sync.orchestration.partitions import read_key
from historical_sync.orchestration.resources import Pipeline
from historical_sync.sandbox import scenario
from historical_sync.sandbox.server import Sandbox
from historical_sync.settings import Settings
from historical_sync.warehouse.address import dagster_url
from historical_sync.warehouse.postgres import Warehouse
from historical_sync.warehouse.registry import add_team
from historical_sync_tests.dashboard.browsing import Tab, chromium, drawn, look_everywhere
from historical_sync_tests.dashboard.conftest import ADMIN_TOKEN, PageServer, Serve
from historical_sync_tests.orchestration.ticking import backfills, requested, tick

pytestmark = [pytest.mark.daemon, pytest.mark.browser, pytest.mark.xdist_group("browser"), pytest.mark.timeout(900)]

T = TypeVar("T")
REPOSITORIES = ["demo/storefront", "demo/payments", "demo/platform"]


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """A browser for this module's tests."""
    with chromium() as running:
        yield running


@pytest.fixture
def tab(browser: Browser) -> Iterator[Tab]:
    """A desktop tab whose console stays silent."""
    opened = Tab(browser)
    yield opened
    opened.context.close()
    assert opened.complaints == []


@pytest.fixture
def sandbox(request: pytest.FixtureRequest) -> Iterator[Sandbox]:
    """GitHub and Groq with the demo team's world, or the one that the test is parametrised with."""
    with Sandbox(getattr(request, "param", scenario.demo)()) as running:
        yield running


class Works:
    """The pipeline on this test's database: what the daemon would do, when the test says so."""

    def __init__(self, settings: Settings, instance: dg.DagsterInstance, pipeline: Pipeline, page: PageServer) -> None:
        self.settings, self.instance, self.pipeline, self.page = settings, instance, pipeline, page

    def add(self, team_id: str, repositories: list[str], months: int) -> None:
        """A row in the registry."""
        with self.pipeline.warehouse.transaction() as tx:
            add_team(tx, team_id, repositories, history_months=months, display_name="Demo Storefront")

    def tick(self) -> list[date]:
        """One tick of the onboarding sensor; the months it starts, in the order of its runs."""
        asked = requested(tick("onboard_teams", self.instance, self.pipeline))
        names = [name for one in backfills(self.instance) for name in one.partition_names or ()]
        return [read_key(name).month for name in [*asked, *names]]

    def run(self, team_id: str, month: date) -> direct.MonthOutcome:
        """One run of the job, in a thread of its own: Playwright's loop has this one."""
        return self._in_thread(lambda: direct.run_month(self.settings, self.instance, team_id, month))

    def collect(self, team_id: str) -> None:
        """What the sensor of the LLM's batches does."""
        self._in_thread(lambda: direct.collect(self.settings, self.instance, team_id, wait_seconds=30))

    @staticmethod
    def _in_thread(work: Callable[[], T]) -> T:
        with ThreadPoolExecutor(1) as threads:
            return threads.submit(work).result()


@pytest.fixture
def works(
    database_url: str,
    serve: Serve,
    sandbox: Sandbox,
    tmp_path_factory: pytest.TempPathFactory,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[Works]:
    """A machine with the page, the sandbox as GitHub and Groq, and Dagster's instance."""
    home = tmp_path_factory.mktemp("home")
    for name, value in {
        "HISTORICAL_SYNC_HOME": str(home),
        "HISTORICAL_SYNC_DATABASE_URL": database_url,
        "HISTORICAL_SYNC_DAGSTER_URL": dagster_url(database_url),
        "DAGSTER_HOME": str(home / "dagster"),
        "GITHUB_API_URL": sandbox.github_url,
        "GROQ_BASE_URL": sandbox.groq_url,
        "GITHUB_TOKEN": "planted-token",
        "GROQ_API_KEY": "planted-key",
    }.items():
        monkeypatch.setenv(name, value)
    settings = Settings.from_environment()
    pipeline = Pipeline(settings)
    with open_instance(settings) as instance:
        yield Works(settings, instance, pipeline, serve())
    pipeline.warehouse.close()


@contextmanager
def beside(work: Callable[[], object]) -> Iterator[None]:
    """Work that goes on while the browser is looked at; it has ended, without an error, when the block does."""
    with ThreadPoolExecutor(1) as threads:
        going_on = threads.submit(work)
        yield
        going_on.result(timeout=120)


def overall(page: Page) -> int:
    """The value of the overall bar."""
    return int(page.locator("#overall").get_attribute("value") or 0)


def test_an_onboarding_from_the_first_tick_to_the_trends(
    tab: Tab, browser: Browser, works: Works, sandbox: Sandbox
) -> None:
    """Without one reload: onboarded over the API, a tick, a wait for GitHub, the first month with its insights, three
    of thirteen, the end; then the trends, whose charts hold what the tables hold."""
    with works.page.client() as client:
        answer = client.post(
            "/api/teams",
            headers={"Authorization": f"Bearer {ADMIN_TOKEN}"},
            json={"team_id": "demo", "repositories": REPOSITORIES, "display_name": "Demo Storefront"},
        )
    page, url = tab.page, f"{works.page.url}/teams/demo"
    page.goto(answer.json()["progress_url"])
    page.evaluate("window.isSamePage = true")
    headline = page.locator("#headline")
    expect(headline).to_have_text("Your history is about to load")
    tab.picture("live-1-waiting")

    newest, *rest = works.tick()
    assert len(rest) == 12
    limit = sandbox.faults.add("rate_limited", nth=6, retry_after=8)
    with beside(lambda: works.run("demo", newest)):
        expect(page.locator("#wait")).to_contain_text("Waiting for GitHub until")
        assert limit.struck == 1
        shown = [overall(page)]
        tab.picture("live-2-waiting-for-github")
        expect(page.locator("#wait")).to_have_count(0)
    expect(page.locator("#insights .figure-value")).to_have_count(4)
    shown.append(overall(page))
    tab.picture("live-3-first-insights")

    trends = Tab(browser)
    trends.page.goto(f"{url}/trends")
    trends.page.evaluate("window.isSamePage = true")
    for place, month in enumerate(rest, start=2):
        assert works.run("demo", month).status == "completed"
        if place in (3, 8):
            expect(page.locator("#strip .is-complete")).to_have_count(place)
            expect(trends.page.locator("#banner")).to_contain_text(f"{place} of 13 months are here")
            shown.append(overall(page))
            tab.picture(f"live-4-{place}-months")
            trends.picture(f"live-4-{place}-months-trends")
    expect(trends.page.locator("#banner")).to_have_count(0)
    assert trends.page.evaluate("window.isSamePage") is True
    assert trends.complaints == []
    trends.context.close()

    works.collect("demo")
    expect(headline).to_have_text("Your history is complete")
    expect(page.locator("#live")).to_have_attribute("data-settled", "")
    shown.append(overall(page))
    assert shown == sorted(shown)
    assert shown[-1] == 100
    assert page.evaluate("window.isSamePage") is True
    tab.picture("live-5-complete")

    page.locator("#insights .go").click()
    assert_drawn_as_stored(page, works.pipeline.warehouse)
    look_everywhere(browser, f"{url}/trends", "live-6-trends", draws="chosen")
    page.goto(f"{url}/trends?point=ai_assisted_share@{rest[0]:%Y-%m}")
    drawn(page, "chosen")
    page.locator("#behind details summary").first.click()
    tab.picture("live-7-list", is_full=False)


def assert_drawn_as_stored(page: Page, warehouse: Warehouse) -> None:
    """Every point of every chart, read back from Plotly, is the row of `monthly_trends`."""
    with warehouse.transaction() as tx:
        rows = tx.rows("select month, metric, segment, value from monthly_trends where repository = '*'")
    known = {(row["metric"], row["segment"], f"{row['month']:%b %Y}"): row["value"] for row in rows}
    for key in ("throughput", "cycle", "ai", "pickup", "review", "size", "chosen"):
        for trace in drawn(page, key):
            if trace["role"] != "year" and trace["segment"] != "made_with:*":
                assert len(trace["x"]) == 13
                wanted = [known.get((trace["metric"], trace["segment"], label)) for label in trace["x"]]
                assert trace["y"] == pytest.approx(wanted, nan_ok=True), (key, trace["metric"], trace["segment"])


def test_a_repository_that_fails_is_mended_and_retried(tab: Tab, works: Works) -> None:
    """GitHub does not know one of three: the others are loaded, the page says why and what to do; mended and run again,
    it is whole."""
    works.add("demo", [*REPOSITORIES[:2], "demo/unheard-of"], 1)
    months = works.tick()
    page = tab.page
    page.goto(f"{works.page.url}/teams/demo/progress")
    for month in months:
        works.run("demo", month)
    works.collect("demo")
    expect(page.locator("#headline")).to_have_text("Your history is loaded, with gaps")
    why = page.locator("tr.why")
    expect(why).to_have_count(1)
    expect(why).to_contain_text("2 months, are failed: demo/unheard-of: not found")
    expect(why).to_contain_text("Check the repository's name")
    expect(why.locator("code")).to_have_text("historical-sync retry demo")
    tab.picture("state-failed")

    with works.pipeline.warehouse.transaction() as tx:
        tx.execute("delete from tracked_repositories where repository = 'demo/unheard-of'")
    for month in direct.months_missing(works.settings, "demo"):
        works.run("demo", month)
    page.reload()
    expect(page.locator("#headline")).to_have_text("Your history is complete")
    expect(page.locator("tr.why")).to_have_count(0)


def test_groq_is_away(tab: Tab, works: Works, sandbox: Sandbox) -> None:
    """The history is complete without the LLM, and the page says that it waits; Groq back, so are its answers."""
    away = sandbox.faults.add("groq_503")
    works.add("demo", REPOSITORIES[:1], 0)
    for month in works.tick():
        works.run("demo", month)
    page = tab.page
    page.goto(f"{works.page.url}/teams/demo/progress")
    expect(page.locator("#headline")).to_have_text("Your history is complete")
    expect(page.locator("#llm-note")).to_contain_text("Signatures are counted meanwhile")
    tab.picture("state-groq-away")
    away.times = away.struck
    works.collect("demo")
    page.reload()
    expect(page.locator("#llm-note")).to_have_count(0)
    expect(page.locator("#level-llm")).to_contain_text("classified")


@pytest.mark.parametrize("sandbox", [lambda: scenario.scale(6, 1, months=2)], indirect=True, ids=["six"])
def test_too_little_data(tab: Tab, works: Works, sandbox: Sandbox) -> None:
    """A handful of pull requests: values are shown and called too few, nothing is compared, no direction is claimed."""
    works.add("tiny", list(sandbox.world.repositories), 1)
    for month in works.tick():
        assert works.run("tiny", month).status == "completed"
    works.collect("tiny")
    tab.page.goto(f"{works.page.url}/teams/tiny/trends")
    drawn(tab.page, "throughput")
    tab.picture("state-thin")
    expect(tab.page.locator("#ai-panel")).to_contain_text("Too few to compare")
    expect(tab.page.locator("#chart-cycle .thin")).to_contain_text("Too little data")
    expect(tab.page.locator("#figure-cycle_time_hours_p50")).to_contain_text("Too little data")


def test_a_load_that_was_killed_is_said_to_have_stopped(tab: Tab, works: Works, sandbox: Sandbox) -> None:
    """The process dies in the middle: after five minutes without news the page says so and what to do; run again, it
    goes on where it was. The minutes are taken off the tables instead of waited for."""
    works.add("demo", REPOSITORIES, 0)
    (newest,) = works.tick()
    sandbox.faults.add("slow", seconds=60, more_than=0, nth=2)
    page = tab.page
    page.goto(f"{works.page.url}/teams/demo/progress")
    command = [sys.executable, "-m", "historical_sync", "sync", "demo"]
    running = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    expect(page.locator("#headline")).to_have_text("Loading your history")
    while not sandbox.faults.rules[0].struck:
        assert running.poll() is None
        time.sleep(0.05)
    os.kill(running.pid, signal.SIGKILL)
    running.wait()
    with works.pipeline.warehouse.transaction() as tx:
        tx.execute("update teams set created_at = created_at - interval '9 minutes', onboarding_started_at = null")
        tx.execute("update repository_months set attempted_at = attempted_at - interval '9 minutes'")
        tx.execute("update pull_requests set fetched_at = fetched_at - interval '9 minutes'")
        tx.execute("update repository_walks set walked_at = walked_at - interval '9 minutes'")
    expect(page.locator("#stalled")).to_contain_text("No news since")
    tab.picture("state-stalled")
    with beside(lambda: works.run("demo", newest)):
        expect(page.locator("#stalled")).to_have_count(0)
    expect(page.locator("#headline")).to_have_text("Your history is complete")
