"""Hydration: from ids to whole pull requests, whatever GitHub does. Fetches; does not write rows.

Ids of many repositories share a request. A page that is too heavy is halved; a pull request that is too heavy alone is
asked without its lists, and each list by itself; what even then cannot be read makes it partial, with the reason, and
only if GitHub answers something else meanwhile: an outage is not the pull request's fault. A pull request that changes
while its lists are read is read again.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from threading import Lock

from historical_sync.errors import GitHubError, QueryRefused, RateLimited, TokenRefused
from historical_sync.github import queries
from historical_sync.github.answers import Answer, read_again
from historical_sync.github.client import GitHubClient, is_heavy, well_formed
from historical_sync.github.hydrated import HydratedPullRequest, Unreadable
from historical_sync.github.kept import Keep, Question, keeper
from historical_sync.github.lists import LISTS_AT_ONCE, ListReader
from historical_sync.github.paging import PageSize
from historical_sync.github.readers import read_hydration, read_identity, read_list_page
from historical_sync.github.retries import Streak
from historical_sync.records import PullRequest
from historical_sync.warehouse.index import Wanted

Result = HydratedPullRequest | Unreadable

TRIES = 3
"""How often something is asked again that came back incomplete without a change to explain it."""
TRIES_WHILE_MOVING = 8
MOST_FAILURES_IN_A_ROW = 8
"""Pull requests that failed alone, each after all its retries, with no answer between: GitHub is ill, not they."""


@dataclass
class Fetched:
    """What became of a batch: rows to write, ids that GitHub does not know, and those of which nothing was read."""

    pull_requests: list[PullRequest] = field(default_factory=list)
    gone: list[Wanted] = field(default_factory=list)
    unread: list[tuple[Wanted, str]] = field(default_factory=list)
    node_ids: list[str] = field(default_factory=list)
    """The ids of all of these."""

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to write."""
        return not (self.pull_requests or self.gone or self.unread)


class Hydrator:
    """Fetches pull requests by id. Threads share it, so that they share what it learnt about page sizes.

    `keep` is given every answer that came without errors, before another request is sent.
    """

    def __init__(self, client: GitHubClient, keep: Keep | None = None) -> None:
        self._client = client
        self._keep = keep
        self._lists = ListReader(client, keep)
        self._guard = Lock()
        self._long: list[tuple[Wanted, HydratedPullRequest]] = []
        self._tries: Counter[Wanted] = Counter()
        self._heavy_among: dict[Wanted, int] = {}
        self._failures = Streak(MOST_FAILURES_IN_A_ROW)
        self.page = PageSize(queries.LISTS_PER_PULL_REQUEST)

    def fetch(self, wanted: Sequence[Wanted]) -> Fetched:
        """Fetch these with all their lists. Raises GitHubError when GitHub does not answer at all.

        Those with long lists are kept until enough of them are together to share a request: they come with a later
        result, at the latest with `flush`.
        """
        return self._work(deque(wanted), is_last=False)

    def flush(self) -> Fetched:
        """The pull requests that were kept because of their long lists."""
        return self._work(deque(), is_last=True)

    def hear_again(
        self, question: Question, body: bytes, asked_at: datetime, answered_at: datetime, wanted: Sequence[Wanted]
    ) -> Fetched:
        """What an answer that was kept gives of the `wanted`; nothing is asked. Raises ServerFailure if it is spoilt.

        Answers are to be heard in the order in which they came, and `flush` afterwards gives those with long lists.
        """
        answer = read_again(body, asked_at, answered_at)
        if question.is_of_lists:
            held = {result.node_id: result for _, result in self._long}
            well_formed(lambda answer: hear_list_pages(held, question, answer), answer)
            return Fetched()
        ids = question.node_ids
        results = dict(zip(ids, well_formed(lambda answer: read_hydration(answer, ids), answer), strict=True))
        fetched = Fetched()
        for one in wanted:
            result = _of(one, results[one.node_id])
            if isinstance(result, Unreadable):
                continue
            if result.unfinished:
                self._long = [*(pair for pair in self._long if pair[0] != one), (one, result)]
            elif is_final(result, 1):
                self._settle(one, result, fetched)
        return fetched

    def _work(self, queue: deque[Wanted], *, is_last: bool) -> Fetched:
        fetched = Fetched()
        while queue or (is_last and self._long):
            batch = [queue.popleft() for _ in range(min(self.page.limit, len(queue)))]
            results = self._read(batch) if batch else []
            self._weigh(results, len(batch))
            for one, result in self._finish_lists(results, is_last=is_last and not queue):
                if self._is_final(one, result):
                    self._settle(one, result, fetched)
                else:
                    queue.append(one)
        return fetched

    def _finish_lists(self, results: Iterable[tuple[Wanted, Result]], *, is_last: bool) -> list[tuple[Wanted, Result]]:
        """The results that need nothing more, and those kept earlier, once enough of them share a request."""
        ready: list[tuple[Wanted, Result]] = []
        with self._guard:
            for one, result in results:
                if isinstance(result, HydratedPullRequest) and result.unfinished:
                    self._long.append((one, result))
                else:
                    ready.append((one, result))
            if not is_last and sum(len(result.unfinished) for _, result in self._long) < LISTS_AT_ONCE:
                return ready
            long, self._long = self._long, []
        self._lists.finish([result for _, result in long])
        return [*ready, *long]

    def _is_final(self, one: Wanted, result: Result) -> bool:
        with self._guard:
            tries = self._tries.pop(one, 0) + 1
            if not is_final(result, tries):
                self._tries[one] = tries
                return False
        return True

    def _read(self, batch: Sequence[Wanted]) -> list[tuple[Wanted, Result]]:
        """The results of a batch. Where it fails, those of its parts: one of it may be poisonous, and then costs a few
        requests and its neighbours nothing."""
        results = self._ask(batch, is_suspect=False)
        return self._read_parts(batch) if results is None else list(zip(batch, results, strict=True))

    def _read_parts(self, batch: Sequence[Wanted]) -> list[tuple[Wanted, Result]]:
        """The results of a batch that fails as a whole. If each part is read at once, the batch was too large."""
        if len(batch) == 1:
            return [(batch[0], self._ask_alone(batch[0]))]
        found: list[tuple[Wanted, Result]] = []
        is_too_large = True
        while rest := batch[len(found) :]:
            part = rest[: min(self.page.size, -(-len(batch) // 2))]
            results = self._ask(part, is_suspect=True)
            if results is None:
                is_too_large = False
                found += self._read_parts(part)
            else:
                found += zip(part, results, strict=True)
        if is_too_large:
            self.page.shrink(len(batch))
        return found

    def _ask(self, batch: Sequence[Wanted], *, is_suspect: bool) -> list[Result] | None:
        """One request for a batch; None when it was too heavy, or GitHub fails at it and answers otherwise."""
        try:
            results = self._nodes(queries.HYDRATE, batch, is_shrinkable=True, is_suspect=is_suspect)
        except (RateLimited, TokenRefused, QueryRefused):
            raise
        except GitHubError as error:
            if not is_suspect and not is_heavy(error):
                self.require_answers()
            return None
        if not any(isinstance(one, Unreadable) and one.is_heavy for one in results):
            self.page.grow()
        return results

    def _weigh(self, results: Sequence[tuple[Wanted, Result]], size: int) -> None:
        """A page was too large if what was too heavy in it is read with fewer beside it."""
        with self._guard:
            for one, result in results:
                if isinstance(result, Unreadable) and result.is_heavy:
                    self._heavy_among[one] = size
                elif (failed := self._heavy_among.pop(one, 0)) > size:
                    self.page.shrink(failed)

    def _ask_alone(self, wanted: Wanted) -> Result:
        """A pull request that is too heavy in one piece: its own fields first; its lists follow one by one."""
        self._heavy_among.pop(wanted, None)
        try:
            return self._nodes(queries.HYDRATE_SCALARS, [wanted])[0]
        except (RateLimited, TokenRefused, QueryRefused):
            raise
        except GitHubError as error:
            self.require_answers()
            self._failures.add(error)
            return Unreadable(wanted.node_id, str(error), error=error)

    def require_answers(self) -> None:
        """Raise GitHubError unless GitHub answers the cheapest question there is."""
        self._client.ask(queries.IDENTITY, {}, read_identity)

    def _nodes(
        self, document: str, batch: Sequence[Wanted], *, is_shrinkable: bool = False, is_suspect: bool = False
    ) -> list[Result]:
        ids = list(dict.fromkeys(one.node_id for one in batch))
        keep = keeper(self._keep, document, [[one.node_id, one.repository, one.number] for one in batch])

        def read(answer: Answer) -> list[Result]:
            if document == queries.HYDRATE:
                self.page.learn_cost(len(ids), answer.cost)
            return read_hydration(answer, ids)

        found = self._client.ask(
            document, {"ids": ids}, read, is_shrinkable=is_shrinkable, is_suspect=is_suspect, keep=keep
        )
        results: dict[str, Result] = dict(zip(ids, found, strict=True))
        self._failures.end()
        return [_of(one, results[one.node_id]) for one in batch]

    @staticmethod
    def _settle(one: Wanted, result: Result, fetched: Fetched) -> None:
        fetched.node_ids.append(one.node_id)
        if isinstance(result, HydratedPullRequest):
            fetched.pull_requests.append(result.as_record(one.repository))
        elif result.is_gone:
            fetched.gone.append(one)
        else:
            fetched.unread.append((one, result.reason))


def _of(wanted: Wanted, result: Result) -> Result:
    """The result, if it is of the pull request that was asked for: a row under another's name were a silent lie."""
    if isinstance(result, HydratedPullRequest) and result.fields["number"] != wanted.number:
        return Unreadable(wanted.node_id, f"GitHub answered with #{result.fields['number']}")
    return result


def is_final(result: Result, tries: int) -> bool:
    """Whether to take a result as it is. Otherwise it is asked again: it moved, or is short without a reason.

    A list with a problem has been tried in every way there is, so another round would only repeat that.
    """
    if isinstance(result, Unreadable):
        return result.is_gone or result.error is not None or tries >= TRIES
    if result.has_moved:
        return tries >= TRIES_WHILE_MOVING
    return not result.shortfalls or tries >= TRIES or any(one.problem for one in result.lists.values())


def hear_list_pages(held: Mapping[str, HydratedPullRequest], question: Question, answer: Answer) -> None:
    """Add the pages of a kept answer to the lists that were read just so far."""
    for place, (node_id, name, after) in enumerate(question.asked):
        one = held.get(node_id)
        if one is None or one.has_moved or one.lists[name].cursor != after:
            continue
        if not read_list_page(answer, f"page{place}", one.lists[name], one.updated_at):
            one.has_moved = True
