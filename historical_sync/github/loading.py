"""From the index's ids to rows: batches of what is wanted, fetched while others are written, nothing asked for twice.

An answer is kept in the database the moment it arrives, before the next request is sent; the transaction that writes
its pull requests deletes it. So reading and writing overlap the network, and yet a run that is killed loses no more
than the page on the wire: the next run of the month first writes what the dead one was told (`take_up`).
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import date
from typing import TypeVar

from historical_sync.errors import GitHubError
from historical_sync.github.answers import Answer
from historical_sync.github.client import GitHubClient
from historical_sync.github.hydration import Fetched, Hydrator
from historical_sync.github.kept import Question
from historical_sync.warehouse import index, pull_requests, repository_months, unwritten_answers
from historical_sync.warehouse.index import Wanted
from historical_sync.warehouse.postgres import Warehouse

In = TypeVar("In")
Out = TypeVar("Out")

WANTED_AT_ONCE = 500
"""Keys of pull requests to fetch that are held in memory at a time."""


class Loader:
    """Loads the pull requests of one (team, month). `first_month` is the oldest that the team wants."""

    def __init__(
        self, warehouse: Warehouse, client: GitHubClient, team_id: str, month: date, first_month: date
    ) -> None:
        self._warehouse = warehouse
        self._client = client
        self._team_id = team_id
        self._month = month
        self._first_month = first_month
        self._hydrator = Hydrator(client, self._keep)
        self.fetched = 0

    def take_up(self) -> Iterator[None]:
        """Write what an earlier run of the month was told and did not come to write; yields after each transaction."""
        with self._warehouse.transaction() as tx:
            left = unwritten_answers.kept_answers(tx, self._team_id, self._month)
        for answer_id in left:
            self._write(self._told_before(answer_id))
            yield
        if left:
            self._write(self._hydrator.flush())
            with self._warehouse.transaction() as tx:
                unwritten_answers.forget_answers(tx, left)

    def load(self, repositories: Sequence[str], *, with_partial: bool) -> Iterator[None]:
        """Fetch what the index has newer than the rows (`with_partial`: and what is there only in part).

        Yields after each transaction. Raises GitHubError when GitHub does not answer; what was written stays.
        """
        batches = self._batches(repositories, with_partial=with_partial)
        for fetched in overlapped(self._hydrator.fetch, batches, self._client.parallelism):
            self._write(fetched)
            yield
        self._write(self._hydrator.flush())

    def _batches(self, repositories: Sequence[str], *, with_partial: bool) -> Iterator[list[Wanted]]:
        """The month's wanted pull requests by the page; the last page is filled up from the months before."""
        held: list[Wanted] = []
        for found in self._wanted(repositories, with_partial=with_partial):
            held += found
            while len(held) >= (size := self._hydrator.page.next_size(len(held))):
                yield held[:size]
                held = held[size:]
        if held:
            yield held + self._filling(repositories, self._hydrator.page.size - len(held))

    def _wanted(self, repositories: Sequence[str], *, with_partial: bool) -> Iterator[list[Wanted]]:
        after = ("", -1)
        while True:
            with self._warehouse.transaction() as tx:
                found = index.wanted_in_month(
                    tx,
                    self._team_id,
                    self._month,
                    repositories,
                    after=after,
                    limit=WANTED_AT_ONCE,
                    with_partial=with_partial,
                )
            yield found
            if len(found) < WANTED_AT_ONCE:
                return
            after = (found[-1].repository, found[-1].number)

    def _filling(self, repositories: Sequence[str], room: int) -> list[Wanted]:
        if room <= 0:
            return []
        with self._warehouse.transaction() as tx:
            return index.wanted_before_month(tx, self._team_id, self._month, self._first_month, repositories, room)

    def _write(self, fetched: Fetched) -> None:
        """One transaction: a page's rows, what they tell the index, and the months that change by it."""
        if fetched.is_empty:
            return
        with self._warehouse.transaction() as tx:
            pull_requests.upsert_pull_requests(tx, self._team_id, fetched.pull_requests)
            changed = index.follow_hydration(tx, self._team_id, fetched.pull_requests)
            index.mark_missing(tx, self._team_id, fetched.gone)
            for one, reason in fetched.unread:
                pull_requests.mark_unread(tx, self._team_id, one.repository, one.number, reason)
            repository_months.reopen(tx, self._team_id, changed)
            unwritten_answers.forget_written(tx, self._team_id, self._month, fetched.node_ids)
        self.fetched += len(fetched.pull_requests)
        self._client.tell(f"{self._month:%Y-%m}: {self.fetched} pull requests fetched")

    def _keep(self, question: Question, body: bytes, answer: Answer) -> None:
        kept = unwritten_answers.UnwrittenAnswer(
            question.digest, question.asked, body, answer.asked_at, answer.answered_at
        )
        with self._warehouse.transaction() as tx:
            unwritten_answers.keep_answer(tx, self._team_id, self._month, kept, question.node_ids)

    def _told_before(self, answer_id: int) -> Fetched:
        """What a kept answer gives of what is still wanted; nothing where it cannot be read any more."""
        with self._warehouse.transaction() as tx:
            kept = unwritten_answers.read_kept(tx, answer_id)
            question = Question.read(kept.document, kept.asked) if kept else None
            wanted = index.still_wanted(tx, self._team_id, question.keys) if question else []
        if kept is None or question is None:
            return Fetched()
        try:
            return self._hydrator.hear_again(question, kept.body, kept.asked_at, kept.answered_at, wanted)
        except GitHubError as error:
            self._client.tell(f"An answer of an earlier run is asked for again: {error}")
            return Fetched()


def overlapped(fetch: Callable[[In], Out], batches: Iterable[In], streams: int) -> Iterator[Out]:
    """The results in order, while further batches are fetched: the network does not wait for whoever consumes them.

    While one result is consumed, as many batches are on their way as there are streams, and no more. One worker more
    reads an answer while a new request leaves.
    """
    pending: deque[Future[Out]] = deque()
    workers = ThreadPoolExecutor(streams + 1, thread_name_prefix="hydrate")
    try:
        for batch in batches:
            pending.append(workers.submit(fetch, batch))
            if len(pending) > streams:
                yield pending.popleft().result()
        while pending:
            yield pending.popleft().result()
    finally:
        workers.shutdown(wait=True, cancel_futures=True)
