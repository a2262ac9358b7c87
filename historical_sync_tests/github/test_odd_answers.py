"""Answers that GitHub should not give: out of order, in circles, with errors inside a list, from another address."""

import json
import random
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import pytest

from historical_sync.errors import (
    ConfigurationError,
    CursorRefused,
    RateLimited,
    RepositoryUnavailable,
    ServerFailure,
    TokenRefused,
)
from historical_sync.github import queries
from historical_sync.github.answers import Answer, read_answer
from historical_sync.github.hydrated import HydratedPullRequest, ListSoFar, Unreadable
from historical_sync.github.installations import read_installation_token
from historical_sync.github.readers import WalkPage, read_existence, read_hydration, read_list_page, read_walk_page
from historical_sync.github.retries import Streak
from historical_sync.github.survey import survey
from historical_sync.github.trail import MOST_EMPTY_PAGES, Trail
from historical_sync.sandbox import world as story
from historical_sync.warehouse.index import Walk
from historical_sync_tests.github.stage import Stage

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
SAML = "Resource protected by organization SAML enforcement. You must grant your OAuth token access."


def answer(data: dict[str, Any], *errors: dict[str, Any], status: int = 200, **headers: str) -> Answer:
    names = {name.replace("_", "-"): value for name, value in headers.items()}
    return read_answer(status, names, json.dumps({"data": data, "errors": list(errors)}).encode(), NOW)


def asked(stage: Stage, ids: Sequence[str]) -> Answer:
    return stage.client().ask(queries.HYDRATE, {"ids": list(ids)}, lambda one: one)


def test_nodes_out_of_order_are_told_apart_by_their_own_ids(small_stage: Stage) -> None:
    """`nodes(ids:)` shuffled: each pull request is its own; one that did not come is unread, and not gone."""
    stage = small_stage
    entries = stage.client().ask(
        queries.WALK,
        {"owner": "demo", "name": "payments", "first": 6, "after": None},
        lambda one: read_walk_page(one, "demo/payments").entries,
    )
    ids = [entry.node_id for entry in entries]
    whole = asked(stage, ids)
    random.Random(3).shuffle(whole.data["nodes"])
    read = read_hydration(whole, ids)
    assert [one.fields["number"] for one in read if isinstance(one, HydratedPullRequest)] == [
        entry.number for entry in entries
    ]
    whole.data["nodes"][2] = whole.data["nodes"][4]
    lost = [one for one in read_hydration(whole, ids) if isinstance(one, Unreadable) and one.is_gone]
    assert not lost


def test_what_came_elsewhere_in_the_answer_is_not_gone() -> None:
    """A null with NOT_FOUND in the place of an id that stands in another place deletes nothing."""
    gone = {"type": "NOT_FOUND", "path": ["nodes", 0], "message": "Could not resolve to a node"}
    shuffled = answer({"nodes": [None, {"id": "a"}], "repository": {"id": "R"}}, gone)
    assert read_existence(shuffled, ["a", "b"]) == set()
    assert read_existence(shuffled, ["b", "a"]) == {"b"}


def walk_page(*errors: dict[str, Any], nodes: Sequence[Any] = ()) -> WalkPage:
    connection = {"totalCount": 2, "pageInfo": {"hasNextPage": False, "endCursor": None}, "nodes": list(nodes)}
    data = {"repository": {"id": "R", "nameWithOwner": "acme/api", "pullRequests": connection}}
    return read_walk_page(answer(data, *errors), "acme/api")


def entry(number: int) -> dict[str, Any]:
    at = "2026-02-01T00:00:00Z"
    times = {"createdAt": at, "updatedAt": at, "mergedAt": None, "closedAt": None}
    return {"id": f"PR_{number}", "number": number, "state": "OPEN", **times}


def test_an_error_inside_the_list_costs_an_entry_and_not_the_repository() -> None:
    """An entry that may not be seen, or a field of one, is unknown, with GitHub's reason; the others are read."""
    hidden = {"type": "FORBIDDEN", "path": ["repository", "pullRequests", "nodes", 0], "message": SAML}
    page = walk_page(hidden, nodes=[None, entry(2)])
    assert ([one.number for one in page.entries], page.nulls) == ([2], 1)
    assert isinstance(page.problem, RepositoryUnavailable)
    assert page.problem.reason == "SAML"
    path = ["repository", "pullRequests", "nodes", 1, "closedAt"]
    page = walk_page({"type": "INTERNAL", "path": path, "message": "?"}, nodes=[entry(1), entry(2)])
    assert ([one.number for one in page.entries], page.nulls) == ([1], 1)


def test_an_error_at_the_list_itself_is_one_of_the_repository() -> None:
    """The whole list unknown: nothing of it counts."""
    with pytest.raises(RepositoryUnavailable):
        walk_page({"type": "FORBIDDEN", "path": ["repository", "pullRequests"], "message": SAML}, nodes=[entry(1)])


def page(cursor: str, entries: int = 1) -> WalkPage:
    found = walk_page(nodes=[entry(number) for number in range(entries)])
    return WalkPage("R", "acme/api", found.entries, 0, 9, True, cursor, NOW)


def test_a_list_that_goes_in_a_circle_is_left() -> None:
    """Cursors a, b, a: the walk ends there, however often GitHub says that there is more."""
    trail, walk = Trail(), Walk("history")
    for cursor in ("a", "b"):
        walk = trail.follow(walk, page(cursor))
    with pytest.raises(CursorRefused):
        trail.follow(walk, page("a"))


def test_empty_pages_without_end_are_left() -> None:
    """A few empty pages are passed; a list of nothing but them is not walked for ever."""
    trail, walk = Trail(), Walk("history")
    for place in range(MOST_EMPTY_PAGES):
        walk = trail.follow(walk, page(str(place), 0))
    with pytest.raises(CursorRefused):
        trail.follow(walk, page("more", 0))


def test_a_page_of_a_list_that_repeats_another_is_a_problem() -> None:
    """Labels a, then a again with more to come: unknown, so that nobody pages on for ever."""
    labels = {"totalCount": 200, "pageInfo": {"hasNextPage": True, "endCursor": "1"}, "nodes": [{"name": "a"}]}
    node = {"id": "PR_1", "updatedAt": "2026-02-01T00:00:00Z", "labels": labels}
    so_far = ListSoFar("labels")
    assert read_list_page(answer({"page0": node}), "page0", so_far, datetime(2026, 2, 1, tzinfo=UTC))
    assert so_far.problem is None
    labels["pageInfo"] = {"hasNextPage": True, "endCursor": "2"}
    assert read_list_page(answer({"page0": node}), "page0", so_far, datetime(2026, 2, 1, tzinfo=UTC))
    assert "nothing new" in (so_far.problem or "")


def test_another_address_is_named() -> None:
    """A redirect is not followed with a token in hand: the person reads where it points."""
    with pytest.raises(ConfigurationError, match=r"https://ghe\.example\.com/api/graphql"):
        answer({}, status=308, Location="https://ghe.example.com/api/graphql")


def test_a_refusal_of_a_server_without_limits_is_no_limit() -> None:
    """0 of 0 points left beside a 403: it is waited for nothing, the permission is missing."""
    body = json.dumps({"message": "Resource not accessible by personal access token"}).encode()
    headers = {"X-RateLimit-Limit": "0", "X-RateLimit-Remaining": "0", "X-RateLimit-Reset": "0"}
    with pytest.raises(RepositoryUnavailable):
        read_answer(403, headers, body, NOW)


def test_a_search_that_always_fails_is_given_up(small_stage: Stage) -> None:
    """Forty repositories, every search a time-out: halved down to one, and then the walk finds out by itself."""
    stage = small_stage
    client = stage.client()
    stage.sandbox.faults.add("504")
    names = [f"acme/{number}" for number in range(40)]
    assert survey(client, names, NOW) == dict.fromkeys(names)
    assert client.meter.requests <= 1 + 6


def test_a_path_longer_than_an_index_entry_is_stored(small_stage: Stage) -> None:
    """4,000 bytes that do not compress: git allows such a path, a key of PostgreSQL does not."""
    stage = small_stage
    with stage.world.lock:
        one = next(iter(stage.world.repositories["demo/payments"].pull_requests.values()))
        letters = random.Random(1).choices("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789", k=4000)
        one.files.append(story.ChangedFile("".join(letters), 1, 0, "ADDED"))
    stage.sync()
    stage.assert_all_true()


@pytest.mark.parametrize("written", ["0000-12-31T23:00:00Z", "10000-01-01T00:00:00Z", "soon"])
def test_a_commit_of_no_calendar_is_a_commit_without_a_time(written: str) -> None:
    """Git stores any number as a time; one that is no date loses itself, not the pull request."""
    times = {"authoredDate": written, "committedDate": "2026-02-01T00:00:00Z"}
    commit = {"oid": "a", "message": "m", "author": None, **times}
    commits = {"totalCount": 1, "pageInfo": {"hasNextPage": False, "endCursor": "1"}, "nodes": [{"commit": commit}]}
    node = {"id": "PR_1", "updatedAt": "2026-02-01T00:00:00Z", "commits": commits}
    so_far = ListSoFar("commits")
    read_list_page(answer({"page0": node}), "page0", so_far, datetime(2026, 2, 1, tzinfo=UTC))
    assert (so_far.is_complete, so_far.entries[0].authored_at) == (True, None)


def test_an_outage_of_pull_requests_alone_is_an_outage(small_stage: Stage) -> None:
    """GitHub lists and says who we are, but gives no pull request: after a few it is left, not tried one by one.

    The months say why, and once it passes all is there.
    """
    stage = small_stage
    failing = stage.sandbox.faults.add("502", more_than=0)
    stage.sync()
    assert failing.struck < 600
    stage.assert_true_or_told()
    stage.sandbox.faults.clear()
    stage.sync()
    stage.assert_all_true()


def test_failures_in_a_row_are_an_outage() -> None:
    """Two, an answer, two more: still each one's own; the third in a row is raised."""
    streak, error = Streak(3), ServerFailure("502")
    for _ in range(2):
        streak.add(error)
        streak.add(error)
        streak.end()
    streak.add(error)
    streak.add(error)
    with pytest.raises(ServerFailure):
        streak.add(error)


def test_a_new_form_of_ids_is_not_another_repository(small_stage: Stage) -> None:
    """GitHub has replaced its ids once: what the old id leads to, and the name too, is the same repository."""
    stage = small_stage
    stage.sync()
    repository = stage.world.repositories["demo/payments"]
    with stage.warehouse.transaction() as tx:
        tx.execute("update tracked_repositories set node_id = 'MDEwOlJlcG8x' where repository = 'demo/payments'")
    stage.sync()
    assert stage.statuses()["demo/payments"] == {"failed"}
    stage.world.former_ids["MDEwOlJlcG8x"] = repository.node_id
    stage.sync()
    stage.assert_all_true()


def test_a_secondary_limit_as_a_page_of_html_is_a_limit() -> None:
    """403 and HTML that speaks of abuse detection: waited for, and no missing permission."""
    page = b"<html><title>Rate limit</title><p>Whoa there! You have triggered an abuse detection mechanism.</p></html>"
    with pytest.raises(RateLimited) as caught:
        read_answer(403, {}, page, NOW)
    assert caught.value.is_secondary
    with pytest.raises(RepositoryUnavailable):
        read_answer(403, {}, b"<html>Forbidden</html>", NOW)


def test_a_limit_on_installation_tokens_is_no_refusal() -> None:
    """An App that asks too often is not a suspended one: it asks again later."""
    body = json.dumps({"message": "You have exceeded a secondary rate limit."}).encode()
    with pytest.raises(ServerFailure):
        read_installation_token(403, body, "app:1:2:env:KEY")
    with pytest.raises(TokenRefused):
        read_installation_token(403, b'{"message": "This installation has been suspended"}', "app:1:2:env:KEY")


@pytest.mark.parametrize("nth", [1, 5])
def test_a_single_refusal_of_a_token_passes(small_stage: Stage, nth: int) -> None:
    """One 401 among good answers, at the first question or later: the token is shown once more, and nothing fails."""
    stage = small_stage
    struck = stage.sandbox.faults.add("unauthorized", nth=nth)
    stage.sync()
    assert struck.struck == 1
    stage.assert_all_true()


def test_a_list_that_is_shorter_than_it_says_is_not_whole() -> None:
    """All in one page, two by its own count, but one entry: the other counts as null. Further down nobody can tell."""
    connection = {"totalCount": 2, "pageInfo": {"hasNextPage": False, "endCursor": None}, "nodes": [entry(1)]}
    one = answer({"repository": {"id": "R", "nameWithOwner": "acme/api", "pullRequests": connection}})
    assert read_walk_page(one, "acme/api", is_first=True).nulls == 1
    assert read_walk_page(one, "acme/api").nulls == 0
