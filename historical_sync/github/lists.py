"""The lists of pull requests, read to their end: several of them share a request, each by its next page."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

from historical_sync.errors import CursorRefused, GitHubError, QueryRefused, RateLimited, TokenRefused
from historical_sync.github import queries
from historical_sync.github.answers import Answer
from historical_sync.github.client import GitHubClient, is_heavy, well_formed
from historical_sync.github.hydrated import HydratedPullRequest, ListSoFar
from historical_sync.github.kept import Keep, keeper
from historical_sync.github.paging import PageSize
from historical_sync.github.readers import read_identity, read_list_page
from historical_sync.github.retries import Streak

LISTS_AT_ONCE = 10
"""Pages of 100 entries that share a request: a tenth of the requests, and a page that GitHub still computes in time."""
MOST_ENTRIES = 100
LEAST_ENTRIES = 10
TRIES = 3
MOST_FAILURES_IN_A_ROW = 24
"""Lists that failed alone at their smallest, all those of four pull requests: GitHub is ill, not they."""


@dataclass(eq=False)
class OpenList:
    """A list that has pages to come. `entries` is how many of them are asked for at once."""

    pull_request: HydratedPullRequest
    so_far: ListSoFar
    entries: int = MOST_ENTRIES
    tries: int = 0


class ListReader:
    """Reads lists to their end. Threads share it."""

    def __init__(self, client: GitHubClient, keep: Keep | None = None) -> None:
        self._client = client
        self._failures = Streak(MOST_FAILURES_IN_A_ROW)
        self._keep = keep
        self._width = PageSize(1, most=LISTS_AT_ONCE)

    def finish(self, pull_requests: Sequence[HydratedPullRequest]) -> None:
        """Read every unfinished list of these on, in place.

        A list that cannot be read keeps its problem; a pull request that changes meanwhile is marked as moved, and its
        lists are left as they are. Raises GitHubError when GitHub does not answer at all.
        """
        queue = deque(OpenList(one, so_far) for one in pull_requests if not one.has_moved for so_far in one.unfinished)
        while queue:
            batch = self._next_batch(queue)
            if self._ask(batch):
                queue.extend(one for one in batch if needs_more(one))
            else:
                queue.extendleft(reversed(batch))

    def _next_batch(self, queue: deque[OpenList]) -> list[OpenList]:
        """The lists that share the next request: those that are asked for as many entries as the first."""
        batch = [queue.popleft()]
        while queue and len(batch) < self._width.size and queue[0].entries == batch[0].entries:
            batch.append(queue.popleft())
        return batch

    def _ask(self, batch: Sequence[OpenList]) -> bool:
        """One request; False when it was too heavy and is to be asked smaller."""
        variables: dict[str, object] = {"first": batch[0].entries}
        for place, one in enumerate(batch):
            variables |= {f"id{place}": one.pull_request.node_id, f"after{place}": one.so_far.cursor}
        is_smallest = len(batch) == 1 and batch[0].entries <= LEAST_ENTRIES
        document = queries.list_pages([one.so_far.name for one in batch])
        asked = [[one.pull_request.node_id, one.so_far.name, one.so_far.cursor] for one in batch]
        keep = keeper(self._keep, document, asked)
        try:
            answer = self._client.ask(
                document, variables, lambda answer: answer, is_shrinkable=not is_smallest, keep=keep
            )
        except (RateLimited, TokenRefused, QueryRefused):
            raise
        except GitHubError as error:
            return self._ask_smaller(batch, error, is_smallest)
        self._width.grow()
        self._failures.end()
        for place, one in enumerate(batch):
            _take(one, answer, f"page{place}")
        return True

    def _ask_smaller(self, batch: Sequence[OpenList], error: GitHubError, is_smallest: bool) -> bool:
        if not is_heavy(error):
            self._client.ask(queries.IDENTITY, {}, read_identity)
        if len(batch) > 1:
            self._width.shrink(len(batch))
            return False
        if not isinstance(error, CursorRefused) and not is_smallest:
            batch[0].entries = max(LEAST_ENTRIES, batch[0].entries // 2)
            return False
        self._client.ask(queries.IDENTITY, {}, read_identity)
        if not isinstance(error, CursorRefused):
            self._failures.add(error)
        for one in batch:
            one.so_far.problem = str(error)
            one.tries = TRIES
        return True


def needs_more(one: OpenList) -> bool:
    """Whether a list is to be asked on: it has pages to come, or failed less often than it may."""
    if one.pull_request.has_moved:
        return False
    return one.tries < TRIES if one.so_far.problem else one.so_far.has_next


def _take(one: OpenList, answer: Answer, alias: str) -> None:
    if one.pull_request.has_moved:
        return
    read = partial(read_list_page, alias=alias, so_far=one.so_far, updated_at=one.pull_request.updated_at)
    try:
        one.pull_request.has_moved = not well_formed(read, answer)
    except GitHubError as error:
        one.so_far.problem = str(error)
    if one.so_far.problem:
        one.tries += 1
