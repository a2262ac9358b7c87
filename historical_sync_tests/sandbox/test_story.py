"""The demo team's story and the bulk histories: the same each time, realistic, and awkward where it matters."""

from collections import Counter
from datetime import UTC, datetime, timedelta
from statistics import median

import pytest

from historical_sync.sandbox import scenario
from historical_sync.sandbox.story.bulk import KEPT_LISTS, BulkPullRequest
from historical_sync.sandbox.world import PullRequest, World, moment, stamp
from historical_sync_tests.sandbox.fixtures import NOW


@pytest.fixture(scope="module")
def world() -> World:
    return scenario.demo(now=NOW)


def told(world: World) -> list[tuple[object, ...]]:
    """Everything that a client can see of a world."""
    return [
        (
            *(one.repository.full_name, one.number, one.database_id, one.title, one.body, one.state, one.updated_at),
            *(one.author and one.author.login, one.labels, one.head_ref, one.closing_issues, one.comment_count),
            [(commit.oid, commit.message, commit.authored_at) for commit in one.commits],
            [(review.database_id, review.state, review.submitted_at, review.body) for review in one.reviews],
            [(file.path, file.additions, file.deletions) for file in one.files],
            [(event.kind, event.created_at) for event in one.events],
        )
        for one in world.pull_requests()
    ]


def test_the_story_is_the_same_all_day(world: World) -> None:
    """Same seed and day: equal to the last commit id. Another seed: another story."""
    assert told(scenario.demo(now=NOW.replace(hour=23))) == told(world)
    assert told(scenario.demo(seed=8, now=NOW)) != told(world)


def test_three_repositories_some_six_hundred_pull_requests_thirteen_months(world: World) -> None:
    """The size that the demo promises, every month of every repository with something in it."""
    sizes = {name: len(one.pull_requests) for name, one in world.repositories.items()}
    assert len(sizes) == 3
    assert 560 <= sum(sizes.values()) <= 640
    months = {f"{2024 + (11 + index) // 12}-{(11 + index) % 12 + 1:02}" for index in range(13)}
    for repository in world.repositories.values():
        merged = {one.merged_at[:7] for one in repository if one.merged_at}
        assert months <= merged


@pytest.mark.parametrize("now", [datetime(2025, 3, 1, 1, tzinfo=UTC), datetime(2024, 2, 29, 9, tzinfo=UTC)])
def test_the_story_can_end_on_any_day(now: datetime) -> None:
    """The first of a month, a leap day: it is told, and nothing lies in the future."""
    rows = list(scenario.demo(now=now).pull_requests())
    assert len(rows) > 500
    assert max(one.updated_at for one in rows) <= stamp(now)


def test_times_are_in_order(world: World) -> None:
    """Created before closed, closed by the last update; merged means closed; drafts become ready after they opened."""
    for one in world.pull_requests():
        assert one.created_at <= (one.closed_at or one.updated_at) <= one.updated_at
        assert (one.state == "MERGED") == (one.merged_at is not None)
        assert (one.state == "OPEN") == (one.closed_at is None)
        assert all(event.created_at >= one.created_at for event in one.events)
        assert not (one.is_draft and one.state != "OPEN")


def ai_share(rows: list[PullRequest]) -> float:
    words = ("anthropic", "claude code", "cursoragent", "copilot", "codex", "aider", "devin-ai", "jules")
    texts = [
        (one.body + "".join(commit.message + (commit.author_email or "") for commit in one.commits)).lower()
        for one in rows
    ]
    return sum(any(word in text for word in words) for text in texts) / len(texts)


def hours(rows: list[PullRequest]) -> float:
    ends = [(moment(one.created_at), moment(one.merged_at)) for one in rows if one.merged_at]
    return median((end - start).total_seconds() / 3600 for start, end in ends)


def test_there_are_trends_to_see(world: World) -> None:
    """Over the year AI's share more than doubles, and the median cycle time falls by a fifth at least."""
    merged = sorted((one for one in world.pull_requests() if one.merged_at), key=lambda one: one.merged_at or "")
    first, last = merged[: len(merged) // 3], merged[-len(merged) // 3 :]
    assert ai_share(last) > 2 * ai_share(first)
    assert hours(last) < 0.8 * hours(first)


def test_sizes_have_heavy_tails(world: World) -> None:
    """Many small changes, a few that are ten times the median and more."""
    lines = sorted(one.additions + one.deletions for one in world.pull_requests())
    middle = median(lines)
    assert 30 < middle < 200
    assert sum(1 for count in lines if count > 10 * middle) >= 5


def test_weekends_are_quiet(world: World) -> None:
    """A weekend day sees less than a third of what a weekday sees."""
    days = Counter(moment(one.created_at).weekday() for one in world.pull_requests())
    assert days[5] + days[6] < 2 * sum(days[day] for day in range(5)) / 5 / 3


def test_every_awkward_case_is_there(world: World) -> None:
    """Ghosts, giants, odd text, ties and the rest, in each repository."""
    for repository in world.repositories.values():
        rows = list(repository)
        assert any(one.author is None for one in rows)
        assert any(review.author is None for one in rows for review in one.reviews)
        assert any(len(one.files) == 350 for one in rows)
        assert any(len(one.commits) > 100 for one in rows)
        assert any(len(one.reviews) > 100 for one in rows)
        assert any(one.body == "" for one in rows)
        assert any(len(one.body) == 65_536 for one in rows)
        assert any("\x00" in one.body and "\ud83d" in one.body for one in rows)
        assert any(review.state == "PENDING" and review.submitted_at is None for one in rows for review in one.reviews)
        assert any(one.title.startswith("Revert ") for one in rows)
        assert any("hotfix" in one.labels for one in rows)
        assert max(Counter(one.updated_at for one in rows).values()) >= 5
        assert any(event.kind == "ConvertToDraftEvent" for one in rows for event in one.events)


def test_all_kinds_of_authors_write(world: World) -> None:
    """People, agents, dependency bots; reviewer bots review; someone called Devin is a person."""
    authors = {one.author.login: one.author.kind for one in world.pull_requests() if one.author}
    assert {"claude", "copilot-swe-agent", "devin-ai-integration", "dependabot", "renovate"} <= set(authors)
    assert authors["devin-walsh"] == "User"
    reviewers = {review.author.login for one in world.pull_requests() for review in one.reviews if review.author}
    assert {"coderabbitai", "copilot-pull-request-reviewer", "gemini-code-assist"} <= reviewers


def test_some_are_opened_before_the_window_and_merged_inside_it(world: World) -> None:
    """What selection by creation date would miss."""
    early = [one for one in world.pull_requests() if one.created_at < "2024-12"]
    assert any((one.merged_at or "") >= "2024-12" for one in early)


def test_bulk_histories_have_the_size_asked_for() -> None:
    """Spread over repositories to the last one, within the window."""
    world = scenario.scale(1003, 10, now=NOW)
    sizes = [len(one.pull_requests) for one in world.repositories.values()]
    assert sum(sizes) == 1003
    assert max(sizes) - min(sizes) <= 1
    oldest = min(one.created_at for one in world.pull_requests())
    assert timedelta(days=300) < NOW - moment(oldest) < timedelta(days=13 * 31)


def test_bulk_lists_are_forgotten_and_made_again_alike() -> None:
    """Memory holds a few hundred pull requests' lists; who asks again gets the same."""
    world = scenario.scale(KEPT_LISTS + 200, now=NOW)
    rows = list(world.pull_requests())
    before = [(one.body, [file.path for file in one.files], [c.oid for c in one.commits]) for one in rows]
    held = [one for one in rows if isinstance(one, BulkPullRequest) and one.shelf.count(one)]
    assert len(held) == KEPT_LISTS
    after = [(one.body, [file.path for file in one.files], [c.oid for c in one.commits]) for one in rows]
    assert before == after


def test_bulk_changes_are_kept() -> None:
    """A list that a test or a change replaced is not forgotten."""
    world = scenario.scale(KEPT_LISTS + 200, now=NOW)
    rows = list(world.pull_requests())
    rows[0].files = rows[0].files[:0]
    _ = [one.files for one in rows]
    assert rows[0].files == []
