"""Everything as `make run` does it: a team that nobody touches becomes thirteen green months; it all stops again."""

import signal
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest

from historical_sync.warehouse.embedded import EmbeddedPostgres
from historical_sync.warehouse.postgres import Warehouse
from historical_sync_tests.end_to_end.household import Household
from historical_sync_tests.end_to_end.processes import command_line, kill_all

pytestmark = [pytest.mark.daemon, pytest.mark.timeout(2700)]

ONBOARDED_WITHIN_SECONDS = 1500.0
"""Far more than it takes: forty seconds on a quiet machine with two cores."""


@pytest.fixture
def household() -> Iterator[Household]:
    """`up --sandbox` on a home with a space in its path, not started.

    Not under pytest's folder: the next pytest that starts closes that to PostgreSQL's own user.
    """
    with tempfile.TemporaryDirectory(prefix="hs_up_") as folder:
        made = Household(Path(folder) / "the home", "--sandbox")
        yield made
        made.make_sure_it_is_gone()


def months_complete(household: Household) -> int:
    return sum(team["months_complete"] for team in household.progress())


def months_published(household: Household) -> int:
    with warehouse_of(household) as warehouse, warehouse.transaction() as tx:
        months: int = tx.value(
            "select count(distinct month) from monthly_trends where is_complete and repository = '*'"
        )
        return months


@contextmanager
def warehouse_of(household: Household) -> Iterator[Warehouse]:
    opened = Warehouse(EmbeddedPostgres(household.home / "postgres").url())
    yield opened
    opened.close()


def wait_for_all_months(household: Household) -> None:
    household.wait_until(
        lambda: months_complete(household) == 13 and months_published(household) == 13,
        seconds=ONBOARDED_WITHIN_SECONDS,
        what="thirteen complete months",
    )


def test_thirteen_green_months(household: Household) -> None:
    """The demo team is onboarded with no other command; what is stored is what was expected; pages show it.

    Meanwhile kill -9 of the daemon, the code server and PostgreSQL is mended by `up` itself. Ctrl-C leaves no process,
    and a second `up` goes on with the same data.
    """
    household.start()
    household.wait_until(lambda: months_complete(household) >= 2, seconds=ONBOARDED_WITHIN_SECONDS, what="first months")
    household.named("dagster._daemon").kill()
    household.named("dagster", "api", "grpc").kill()
    psutil.Process(int((household.home / "postgres" / "postmaster.pid").read_text().split()[0])).kill()
    wait_for_all_months(household)

    check_tables(household)
    assert "demo" in household.get(household.page_port, "/teams/demo/trends")
    backfills = household.graphql("{partitionBackfillsOrError{...on PartitionBackfills{results{title}}}}")
    titles = [one["title"] for one in backfills["partitionBackfillsOrError"]["results"]]
    assert len(titles) == 1
    assert titles[0].startswith("demo")
    check_command_lines(household)

    assert household.stop() == 0, household.last_lines()
    assert household.processes() == []

    household.start()
    household.wait_until(lambda: months_complete(household) == 13, seconds=120, what="the same data again")
    assert household.stop(signal.SIGTERM) == 0, household.last_lines()
    assert household.processes() == []


def check_tables(household: Household) -> None:
    with warehouse_of(household) as warehouse, warehouse.transaction() as tx:
        assert tx.rows("select * from repository_months where stored is distinct from expected") == []
        assert tx.value("select count(*) from repository_months where status = 'completed'") == 3 * 13
        assert tx.value("select count(*) from pull_requests") >= 500
        assert tx.value("select count(*) from llm_classifications where status = 'classified'") > 0
        assert tx.value("select count(*) from ai_evidence where role = 'author'") > 0


def check_command_lines(household: Household) -> None:
    """What `ps` shows holds no address of a database."""
    for process in household.processes():
        assert "postgresql" not in command_line(process), command_line(process)


def test_killing_up_leaves_nothing(household: Household) -> None:
    """kill -9 of `up` alone: its guardian ends everything, and the next `up` starts as if nothing had been."""
    household.start()
    household.wait_until(
        lambda: months_complete(household) >= 1, seconds=ONBOARDED_WITHIN_SECONDS, what="the first month"
    )
    assert household.process is not None
    household.process.kill()
    household.process.wait()
    _, alive = psutil.wait_procs(household.processes(), timeout=60)
    assert alive == []

    household.start()
    household.wait_until(
        lambda: months_complete(household) >= 2, seconds=ONBOARDED_WITHIN_SECONDS, what="another month"
    )
    assert household.stop() == 0, household.last_lines()
    assert household.processes() == []


def test_killing_everything_at_once(household: Household) -> None:
    """kill -9 of every process, the guardian first, as in a power cut: the next `up` finishes all thirteen months."""
    household.start()
    household.wait_until(
        lambda: months_complete(household) >= 1, seconds=ONBOARDED_WITHIN_SECONDS, what="the first month"
    )
    kill_all(sorted(household.processes(), key=lambda one: "guardian" not in command_line(one)))
    household.start()
    wait_for_all_months(household)
    check_tables(household)
    assert household.stop() == 0, household.last_lines()
