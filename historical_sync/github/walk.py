"""The walk over a repository's list of pull requests, last updated first, and the second look from the top.

A walk goes down page by page; each page's rows, the cursor and the frontier are committed together, before the next
page is asked for, so that one that is killed asks no page twice but the one on the wire. It runs under an advisory lock
per (team, repository) that ends with its holder, so several processes may want the same repository: who waited finds
the frontier where the other left it. What is updated meanwhile jumps to the top, behind the walk's back; so a list
counts as complete only after a look from the top down to where the last look began, all of it in one answer.

An entry that comes as null leaves a hole: nobody knows what it was, but where. The place is asked for again by every
run, and only months that it may concern are incomplete until it comes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from functools import partial

from historical_sync.errors import CursorRefused, GitHubError, RateLimited, ServerFailure, TokenRefused
from historical_sync.github.client import GitHubClient
from historical_sync.github.entry_pages import EntryPages
from historical_sync.github.readers import WalkPage
from historical_sync.github.trail import Trail, has_come_down
from historical_sync.records import TrackedRepository
from historical_sync.warehouse.index import Walk, read_walk, save_walk, upsert_entries
from historical_sync.warehouse.postgres import Transaction, Warehouse
from historical_sync.warehouse.repository_months import reopen, save_repository
from historical_sync.warehouse.walk_holes import Hole, close_hole, forget_holes, holes, nulls_concerning, save_hole
from historical_sync.window import as_instant

MARGIN = timedelta(minutes=5)
"""How far a look goes below the start of the one before: GitHub's replicas and clocks are not of one second."""
MOST_LOOKS = 8
MOST_RESTARTS = 3
MOST_WALKS = 4
"""Each walk holds a connection for its lock and needs another to write, and a process has eight."""


@dataclass
class Walker:
    """Walks the repositories of one team. Threads may walk different repositories at once."""

    warehouse: Warehouse
    client: GitHubClient
    team_id: str

    def __post_init__(self) -> None:
        self._pages = EntryPages(self.client)

    @property
    def problems(self) -> Mapping[str, GitHubError]:
        """By repository: what GitHub said of an entry that it did not give."""
        return self._pages.problems

    def walk_all(
        self, repositories: Sequence[TrackedRepository], month: date
    ) -> Iterator[tuple[TrackedRepository, datetime | GitHubError | None]]:
        """Walk each history down to the month, several at once where there are streams for it, holes first.

        Gives each repository, in their order, with what `walk_history` returns, or the error that stopped it. A limit
        that does not end, or that no token is left, stops all that have not begun.
        """
        with self.warehouse.transaction() as tx:
            with_holes = nulls_concerning(tx, self.team_id, month, [one.repository for one in repositories])
        stopped: list[GitHubError] = []

        def walk(repository: TrackedRepository) -> datetime | GitHubError | None:
            if stopped:
                return stopped[0]
            try:
                if repository.repository in with_holes:
                    self.close_holes(repository)
                return self.walk_history(repository, as_instant(month))
            except GitHubError as error:
                if isinstance(error, RateLimited | TokenRefused):
                    stopped.append(error)
                return error

        with ThreadPoolExecutor(min(self.client.parallelism, MOST_WALKS), thread_name_prefix="walk") as walkers:
            yield from zip(repositories, walkers.map(walk, repositories), strict=True)

    def walk_history(self, repository: TrackedRepository, down_to: datetime) -> datetime | None:
        """Walk until everything updated at `down_to` or later is in the index; go on where the last walk stopped.

        Returns GitHub's time as of which the list is complete if a single answer gave all of it, else None: then a look
        is needed. Raises RepositoryUnavailable or another GitHubError; what was committed stays.
        """
        with self.walking(repository.repository):
            history = self._read(repository, "history")
            if history.has_passed(down_to):
                return None
            walked, pages = self._descend(repository, history, lambda walk: walk.has_passed(down_to))
            if pages > 1 or history.started_at is not None:
                return None
            with self.warehouse.transaction() as tx:
                save_walk(tx, self.team_id, repository.repository, Walk("look", finished_at=walked.walked_at))
            return walked.walked_at

    def walk_full(self, repository: TrackedRepository) -> Walk:
        """Walk again from the top to the history's frontier, marking what is seen; goes on after an interruption."""
        with self.walking(repository.repository):
            history = self._read(repository, "history")
            full = self._read(repository, "full")
            walk = full if full.cursor is not None else Walk("full", finished_at=full.finished_at)
            frontier = history.frontier

            def is_done(walk: Walk) -> bool:
                return walk.is_at_end or (not history.is_at_end and frontier is not None and walk.has_passed(frontier))

            return self._descend(repository, walk, is_done)[0]

    def look(self, repositories: Sequence[TrackedRepository]) -> dict[str, datetime | GitHubError]:
        """Look from the top of each list down to where the last look began.

        Returns GitHub's time as of which each list is complete, or the error that prevented it. Fifty quiet
        repositories take two requests.
        """
        pages = self._pages.looks(repositories)
        return {one.repository: self._finish_look(one, page) for one, page in zip(repositories, pages, strict=True)}

    def close_holes(self, repository: TrackedRepository) -> None:
        """Ask again for the pages in which an entry came as null. Raises GitHubError.

        What is updated leaves its place for the top, where looks see it, and nothing comes in its stead. Where the
        place itself is no longer known, the history is walked again.
        """
        with self.walking(repository.repository):
            with self.warehouse.transaction() as tx:
                known = holes(tx, self.team_id, repository.repository)
            try:
                for hole in known:
                    self._close(repository, hole)
            except CursorRefused:
                with self.warehouse.transaction() as tx:
                    forget_holes(tx, self.team_id, repository.repository)
                    save_walk(tx, self.team_id, repository.repository, Walk("history"))

    def _close(self, repository: TrackedRepository, hole: Hole) -> None:
        """Read on from where the hole begins until everything that was in its page has been passed.

        Unknown entries may have been its last ones: so as many are read below the last known one.
        """
        walk, trail = Walk("hole", cursor=hole.cursor or None), Trail()
        nulls = below = 0
        while not walk.is_at_end and below < hole.nulls:
            page = self._pages.read(repository, walk.cursor)
            walk = trail.follow(walk, page)
            nulls += page.nulls
            below += page.nulls + sum(entry.updated_at < hole.down_to for entry in page.entries)
            with self.warehouse.transaction() as tx:
                reopen(tx, self.team_id, upsert_entries(tx, self.team_id, repository.repository, page.entries))
        if not nulls:
            with self.warehouse.transaction() as tx:
                close_hole(tx, self.team_id, repository.repository, hole)

    @contextmanager
    def walking(self, repository: str) -> Iterator[None]:
        """Hold the walk's lock, in a transaction of its own that ends with this process at the latest."""
        with self.warehouse.transaction() as tx:
            tx.execute("set local idle_in_transaction_session_timeout = 0")
            tx.lock("walk", self.team_id, repository)
            yield

    def _read(self, repository: TrackedRepository, kind: str) -> Walk:
        with self.warehouse.transaction() as tx:
            return read_walk(tx, self.team_id, repository.repository, kind)

    def _finish_look(self, repository: TrackedRepository, page: WalkPage | GitHubError) -> datetime | GitHubError:
        if isinstance(page, WalkPage):
            with self.walking(repository.repository):
                since = self._looked_since(repository)
                if not page.nulls and (not page.has_next or (since and page.oldest and page.oldest < since)):
                    self._commit(repository, Walk("look", finished_at=page.answered_at), page)
                    return page.answered_at
        try:
            return self._look_alone(repository)
        except GitHubError as error:
            return error

    def _look_alone(self, repository: TrackedRepository) -> datetime:
        """Look until one answer holds all that changed since the look before."""
        with self.walking(repository.repository):
            for _ in range(MOST_LOOKS):
                since = self._looked_since(repository)
                look = self._read(repository, "look")
                is_resumed = look.cursor is not None
                start = look if is_resumed else Walk("look", finished_at=look.finished_at)
                walked, pages = self._descend(repository, start, partial(has_come_down, since=since))
                with self.warehouse.transaction() as tx:
                    save_walk(tx, self.team_id, repository.repository, Walk("look", finished_at=walked.started_at))
                if pages == 1 and not is_resumed and walked.started_at:
                    return walked.started_at
        raise ServerFailure(f"{repository.repository} changes faster than its list can be read.")

    def _looked_since(self, repository: TrackedRepository) -> datetime | None:
        """Down to where a look must go: below the start of the last one, or of the history's walk."""
        since = self._read(repository, "look").finished_at or self._read(repository, "history").started_at
        return since - MARGIN if since else None

    def _descend(self, repository: TrackedRepository, walk: Walk, is_done: Callable[[Walk], bool]) -> tuple[Walk, int]:
        """Go down from the walk's cursor until `is_done`; returns the walk as it is then and how many pages it took."""
        restarts = pages = 0
        above: datetime | None = None
        trail = Trail()
        while True:
            try:
                page = self._pages.read(repository, walk.cursor)
                went_on = trail.follow(walk, page)
            except CursorRefused as error:
                restarts += 1
                if restarts > MOST_RESTARTS or (walk.cursor is None and restarts > 1):
                    raise
                self.client.tell(f"{repository.repository}: the walk starts again from the top ({error})")
                walk, above, trail = replace(walk, cursor=None), None, Trail()
                continue
            self._commit(repository, went_on, page, hole_in(page, walk, above))
            walk, above = went_on, page.oldest or above
            pages += 1
            if is_done(walk):
                return walk, pages

    def _commit(self, repository: TrackedRepository, walk: Walk, page: WalkPage, hole: Hole | None = None) -> None:
        """One transaction: the page's rows, the cursor that says they are here, and the months they reopen."""
        seen_at = walk.started_at if walk.kind == "full" else None
        with self.warehouse.transaction() as tx:
            changed = upsert_entries(tx, self.team_id, repository.repository, page.entries, seen_at=seen_at)
            save_walk(tx, self.team_id, repository.repository, walk)
            if hole is not None:
                save_hole(tx, self.team_id, repository.repository, hole)
            self._note_repository(tx, repository, page)
            reopen(tx, self.team_id, changed)
        if walk.frontier is not None:
            self.client.tell(f"{repository.repository}: read down to {walk.frontier:%Y-%m-%d %H:%M}")

    def _note_repository(self, tx: Transaction, repository: TrackedRepository, page: WalkPage) -> None:
        is_renamed = page.name.lower() != repository.repository.lower()
        save_repository(tx, self.team_id, repository.repository, page.node_id, page.name if is_renamed else None)


def hole_in(page: WalkPage, walk: Walk, above: datetime | None) -> Hole | None:
    """The hole that a page leaves in the list, after `walk` came down to it and to `above`; None where all is known.

    A full walk leaves none: it looks for what is gone, and that is asked for by id. Raises ServerFailure where nothing
    of a page came at all.
    """
    if not page.nulls or walk.kind == "full":
        return None
    if page.oldest is None:
        raise ServerFailure(f"{page.name}: all {page.nulls} entries of a page of GitHub's list came as null.")
    return Hole(walk.cursor or "", page.nulls, above, page.oldest)
