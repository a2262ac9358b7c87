"""Real pull requests through the real processes: a team of four repositories is onboarded by the sensor alone."""

import tempfile
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from historical_sync.sandbox import scenario
from historical_sync.sandbox.server import Sandbox
from historical_sync.sandbox.world import moment
from historical_sync.warehouse.embedded import EmbeddedPostgres
from historical_sync.warehouse.postgres import Warehouse
from historical_sync.window import first_of_month, months_wanted
from historical_sync_tests.end_to_end.household import Household

pytestmark = [pytest.mark.daemon, pytest.mark.timeout(2400), pytest.mark.xdist_group("daemon")]

REPOSITORIES = ("coder/mux", "getmoto/moto", "meltano/sdk", "simonw/llm")
HISTORY_MONTHS = 12
ONBOARDED_WITHIN_SECONDS = 1800.0
"""It took twenty minutes on two cores with a load of forty."""


@pytest.fixture
def sandbox(corpus: Path) -> Iterator[Sandbox]:
    """The real pull requests, their newest moved to today."""
    with Sandbox(scenario.from_folder(corpus / "prs", shift_to=datetime.now(UTC))) as running:
        yield running


@pytest.fixture
def household(sandbox: Sandbox) -> Iterator[Household]:
    """`up` for a team of these repositories, as with real services: only the two addresses differ."""
    repositories = [word for repository in REPOSITORIES for word in ("--repo", repository)]
    services = {"GITHUB_API_URL": sandbox.github_url, "GITHUB_TOKEN": "ghp_planted"}
    services |= {"GROQ_BASE_URL": sandbox.groq_url, "GROQ_API_KEY": "gsk_planted"}
    with tempfile.TemporaryDirectory(prefix="hs_corpus_") as folder:
        made = Household(Path(folder) / "home", "--team", "acme", *repositories, variables=services)
        yield made
        made.make_sure_it_is_gone()


def expected_of(sandbox: Sandbox) -> dict[tuple[str, date], int]:
    """How many pull requests were created or closed in each month of the window, by repository and month."""
    wanted = set(months_wanted(datetime.now(UTC), HISTORY_MONTHS))
    counts: Counter[tuple[str, date]] = Counter({(name, month): 0 for name in REPOSITORIES for month in wanted})
    for name in REPOSITORIES:
        for one in sandbox.world.repositories[name]:
            touched = {first_of_month(moment(at)) for at in (one.created_at, one.closed_at) if at}
            counts.update((name, month) for month in touched & wanted)
    return dict(counts)


def test_four_real_repositories_are_onboarded_by_the_sensor(household: Household, sandbox: Sandbox) -> None:
    """For each repository and month `stored` is what GitHub has; all is classified; the trends are on the page."""
    household.start()
    household.wait_until(lambda: is_done(household), seconds=ONBOARDED_WITHIN_SECONDS, what="thirteen months")
    warehouse = Warehouse(EmbeddedPostgres(household.home / "postgres").url())
    with warehouse.transaction() as tx:
        rows = tx.rows("select repository, month, expected, stored, status from repository_months")
        assert {(row["repository"], row["month"]): row["stored"] for row in rows} == expected_of(sandbox)
        assert {(row["status"], row["expected"] - row["stored"]) for row in rows} == {("completed", 0)}
        assert tx.rows("select distinct status from llm_classifications") == [{"status": "classified"}]
        published = "select count(distinct month) from monthly_trends where is_complete and repository = '*' and n > 0"
        assert tx.value(published) == HISTORY_MONTHS + 1
    warehouse.close()
    assert max(sandbox.groq.tally.sent.values()) == 1
    page = household.get(household.page_port, "/teams/acme/trends")
    assert all(repository in page for repository in REPOSITORIES)
    assert household.stop() == 0, household.last_lines()


def is_done(household: Household) -> bool:
    """Whether every month is complete and the LLM owes nothing."""
    found = household.progress()
    return bool(found) and found[0]["months_complete"] == HISTORY_MONTHS + 1 and not found[0]["llm"]["pending"]
