"""The progress page: its words in every state, its JSON, and the stream that keeps it live."""

import json
from datetime import UTC, datetime, timedelta

import httpx
import pytest

from historical_sync.dashboard.progress_page import HEADLINES, NO_OTHER_REMEDY, progress_page
from historical_sync.progress import LlmProgress, MonthProgress, RepositoryProgress, TeamProgress, Wait
from historical_sync.warehouse.postgres import Warehouse
from historical_sync_tests.dashboard.story import Story
from historical_sync_tests.factories import at

NOW = at("2025-12-25T12:00")


def team(*repositories: RepositoryProgress, months: tuple[MonthProgress, ...] = (), **changes: object) -> TeamProgress:
    values: dict[str, object] = {
        "team_id": "acme",
        "display_name": None,
        "status": "active",
        "generation": 1,
        "history_months": 0,
        "read_at": NOW,
        "onboarding_started_at": NOW,
        "repositories": repositories,
        "months": months or (MonthProgress(NOW.date().replace(day=1), 1, 0, 0, 0, 0),),
        "llm": LlmProgress(),
    }
    return TeamProgress(**{**values, **changes})  # type: ignore[arg-type]


def repository(**changes: object) -> RepositoryProgress:
    values: dict[str, object] = {
        "repository": "acme/api",
        "sync_status": "syncing",
        "sync_progress": 40,
        "sync_prs_total": 10,
        "sync_prs_completed": 4,
        "sync_error": None,
        "months_total": 1,
        "months_indexed": 1,
    }
    return RepositoryProgress(**{**values, **changes})  # type: ignore[arg-type]


def test_a_wait_is_shown_with_its_hour() -> None:
    """Waiting for GitHub names the hour; once the history is complete there is nothing to wait for."""
    wait = Wait(NOW + timedelta(hours=2, minutes=32), "hourly limit")
    assert progress_page(team(repository(), wait=wait), web_address=None).wait == "Waiting for GitHub until 14:32 UTC"
    done = (MonthProgress(NOW.date().replace(day=1), 1, 1, 0, 10, 10),)
    complete = team(repository(sync_status="completed"), wait=wait, months=done)
    assert progress_page(complete, web_address=None).wait is None


@pytest.mark.parametrize(
    ("changes", "stalled"),
    [
        ({"last_attempted_at": NOW - timedelta(minutes=20)}, "No news since 11:40 UTC"),
        ({"last_completed_at": NOW - timedelta(minutes=6)}, "No news since 11:54 UTC"),
        ({"last_attempted_at": NOW - timedelta(minutes=4)}, None),
        ({"last_attempted_at": NOW - timedelta(minutes=20), "last_walked_at": NOW - timedelta(seconds=5)}, None),
        ({"wait": Wait(NOW + timedelta(minutes=9), "hourly limit")}, None),
        ({"status": "paused"}, None),
    ],
)
def test_a_load_without_news_says_so(changes: dict[str, object], stalled: str | None) -> None:
    """Five minutes without a thing begun, listed, fetched or completed, unless GitHub asked to wait or it is paused."""
    long_ago = NOW - timedelta(hours=1)
    view = progress_page(
        team(repository(), onboarding_started_at=long_ago, added_at=long_ago, **changes), web_address=None
    )
    assert view.stalled == stalled
    assert view.time_left == ""


def test_repositories_link_to_github_where_it_has_pages() -> None:
    """An imitation of GitHub has no pages to link to."""
    real, imitation = (
        progress_page(team(repository()), web_address=address).repositories[0].address
        for address in ("https://github.com", None)
    )
    assert (real, imitation) == ("https://github.com/acme/api", None)


def test_an_estimate_is_called_one() -> None:
    """`of about` while the total is an estimate, the plain number once every month is counted."""
    guess = progress_page(team(repository(months_indexed=0, recent_prs=600)), web_address=None).levels[1]
    known = progress_page(team(repository()), web_address=None).levels[1]
    assert (guess.total, known.total) == ("about 100", "10")


def test_every_error_says_what_to_do() -> None:
    """The error's own remedy stands beside it; where it has none, a retry is the advice; without an error, nothing."""
    shown = [
        progress_page(team(repository(sync_error=error, sync_remedy=remedy)), web_address=None).repositories[0].remedy
        for error, remedy in (("401 Bad credentials", "Renew the token."), ("a new one", None), (None, None))
    ]
    assert shown == ["Renew the token.", NO_OTHER_REMEDY, None]


def test_a_failed_repository_is_shown_with_its_error_and_the_command(local: httpx.Client, warehouse: Warehouse) -> None:
    """The others go on; the page says what failed, why, what to do, and how to retry."""
    story = Story(warehouse, history_months=1)
    story.register()
    for month in story.months:
        story.load_month(month, failing=["acme/mobile"])
    story.finish()
    page = local.get("/teams/acme/progress").text
    assert HEADLINES["incomplete"] in page
    assert "not found, or the token has no access" in page
    assert "token&#39;s access to it, then run <code>historical-sync retry acme</code>." in page
    assert "data-settled" in page


def test_the_first_insights_are_there_as_soon_as_the_newest_month_is(local: httpx.Client, warehouse: Warehouse) -> None:
    """Not before; and they are the newest month's values from the table."""
    story = Story(warehouse)
    story.register()
    assert 'id="insights"' not in local.get("/teams/acme/progress").text
    story.load_month(story.months[0])
    page = local.get("/teams/acme/progress").text
    with warehouse.transaction() as tx:
        merged = tx.value(
            """select value from monthly_trends
            where metric = 'pull_requests_merged' and repository = '*' and segment = '*'"""
        )
    assert f'<span class="figure-value">{merged:.0f}</span>' in page
    assert HEADLINES["loading"] in page


def test_the_json_is_that_of_status_with_details(local: httpx.Client, warehouse: Warehouse) -> None:
    """Everything that `status --json` promises, and what the page adds."""
    story = Story(warehouse, history_months=2)
    story.register()
    story.load_month(story.months[0])
    body = local.get("/api/teams/acme/progress").json()
    assert (body["months_total"], body["months_complete"], body["state"]) == (3, 1, "loading")
    assert {one["repository"] for one in body["repositories"]} == set(story.repositories)
    assert body["llm"]["classified"] == body["pull_requests"]["completed"] > 0
    assert [month["is_complete"] for month in body["months"]] == [True, False, False]


def events(answer: httpx.Response) -> list[tuple[str, str]]:
    """The events of a stream that ends: name and HTML."""
    blocks = [block for block in answer.text.split("\n\n") if block.startswith("event:")]
    return [(name[7:], json.loads(data[6:])) for name, data in (block.split("\n", 1) for block in blocks)]


def test_the_stream_ends_when_nothing_moves_any_more(local: httpx.Client, warehouse: Warehouse) -> None:
    """A complete history sends the page once, says that it is settled, and closes: nobody polls for ever."""
    story = Story(warehouse, history_months=0)
    story.register()
    story.load_all()
    found = events(local.get("/teams/acme/progress/events"))
    assert [name for name, _ in found] == ["progress", "settled"]
    assert HEADLINES["complete"] in found[-1][1]


def test_the_stream_tells_what_happens_meanwhile(local: httpx.Client, warehouse: Warehouse) -> None:
    """A month that arrives while the stream is open comes through it, and so does the end."""
    story = Story(warehouse, history_months=1)
    story.register()
    seen: list[str] = []
    with local.stream("GET", "/teams/acme/progress/events") as answer:
        assert answer.headers["content-type"].startswith("text/event-stream")
        for line in answer.iter_lines():
            if not line.startswith("event:"):
                continue
            seen.append(line[7:])
            if len(seen) == 1:
                story.load_month(story.months[0])
            elif len(seen) == 2:
                story.load_month(story.months[1])
                story.finish()
    assert seen[0] == "progress"
    assert seen[-1] == "settled"
    assert seen.count("progress") >= 3


def test_the_page_of_a_paused_team_says_so(local: httpx.Client, warehouse: Warehouse) -> None:
    """Nothing moves, and the page does not pretend that something does."""
    Story(warehouse, now=datetime.now(UTC)).register()
    with warehouse.transaction() as tx:
        tx.execute("update teams set status = 'paused'")
    page = local.get("/teams/acme/progress").text
    assert HEADLINES["paused"] in page
    assert "data-settled" in page


def test_why_the_llm_waits_is_shown_and_another_teams_budget_is_not(local: httpx.Client, warehouse: Warehouse) -> None:
    """An outage is everybody's to know, a spent budget only its own team's."""
    story = Story(warehouse, history_months=0)
    story.register()
    story.load_all()
    with warehouse.transaction() as tx:
        tx.execute("update llm_classifications set status = 'pending', is_ai_assisted = null")
        tx.execute(
            """insert into llm_holds (subject, code, reason, since)
            values ('budget:rival', 'budget', 'The rival spent its dollars.', now())"""
        )
    assert "rival" not in local.get("/teams/acme/progress").text
    with warehouse.transaction() as tx:
        tx.execute(
            """insert into llm_holds (subject, code, reason, since, until)
            values ('service', 'outage', 'Groq does not answer.', now(), now() + interval '1 hour')"""
        )
    assert "Groq does not answer." in local.get("/teams/acme/progress").text
