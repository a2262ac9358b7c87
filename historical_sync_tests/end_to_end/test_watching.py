"""What a person sees while `up` works: the team's page live in a browser, and Dagster's own pages afterwards.

Everything is real: daemon, code server, runs in processes of their own. Screenshots go to build/screenshots.
"""

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import expect

from historical_sync_tests.dashboard.browsing import Tab, chromium, drawn
from historical_sync_tests.end_to_end.household import Household

pytestmark = [pytest.mark.daemon, pytest.mark.browser, pytest.mark.timeout(1500)]

PATIENCE_MILLISECONDS = 600_000
DAGSTERS_PAGES = {
    "/runs?view=backfills": "demo",
    "/assets/raw_pull_requests?view=partitions": "Materialized",
    "/assets/raw_pull_requests?view=checks": "repositories are complete",
    "/assets/monthly_trends": "Description",
    "/automation": "onboard_teams",
    "/locations/historical_sync/jobs/retry_failed_months/playground": "the-team",
}
"""Address → a text that is there once the page has loaded."""


@pytest.fixture
def household() -> Iterator[Household]:
    """`up --sandbox` with a short history, not started."""
    with tempfile.TemporaryDirectory(prefix="hs_up_") as folder:
        made = Household(Path(folder) / "home", "--sandbox", variables={"SYNC_HISTORY_MONTHS": "2"})
        yield made
        made.make_sure_it_is_gone()


def is_served(household: Household) -> bool:
    """Whether the page is there, and the team that `up` registers."""
    try:
        return "headline" in household.get(household.page_port, "/teams/demo/progress")
    except OSError:
        return False


def test_a_new_user_watches_the_first_onboarding(household: Household) -> None:
    """From `up` to the finished trends without one reload; then Dagster's pages say what was done."""
    household.start()
    household.wait_until(lambda: is_served(household), seconds=300, what="the page is served")
    with chromium() as browser:
        tab = Tab(browser)
        page = tab.page
        page.goto(f"http://127.0.0.1:{household.page_port}/teams/demo/progress")
        page.evaluate("window.isSamePage = true")
        expect(page.locator("#insights .figure-value")).to_have_count(4, timeout=PATIENCE_MILLISECONDS)
        tab.picture("up-1-first-insights")
        expect(page.locator("#headline")).to_have_text("Your history is complete", timeout=PATIENCE_MILLISECONDS)
        assert page.evaluate("window.isSamePage") is True
        page.locator("#insights .go").click()
        assert len(drawn(page, "throughput")[0]["x"]) == 3
        tab.picture("up-2-trends")
        assert tab.complaints == []
        for place, (address, text) in enumerate(DAGSTERS_PAGES.items(), start=1):
            page.goto(f"http://127.0.0.1:{household.dagster_port}{address}")
            if "view=checks" in address:
                # The overview shows the check of the run created last, and calls it "not evaluated" once a run that was
                # created before it has materialised another month after it. The history has every month's.
                page.get_by_text("Execution history").click(timeout=PATIENCE_MILLISECONDS)
            expect(page.get_by_text(text).first).to_be_visible(timeout=PATIENCE_MILLISECONDS)
            tab.picture(f"dagster-{place}", is_full=False)
        tab.context.close()
    assert household.stop() in (0, 130)
