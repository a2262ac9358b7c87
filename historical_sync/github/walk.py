"""The walk over a repository's list of pull requests, last updated first, and the second look from the top.

A walk goes down page by page; each page's rows, the cursor and the frontier are committed together. It runs under an
advisory lock per (team, repository) that ends with its holder, so several processes may want the same repository: who
waited finds the frontier where the other left it. What is updated meanwhile jumps to the top, behind the walk's back;
so a list counts as complete only after a look from the top down to where the last look began, all of it in one answer.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import partial

from historical_sync.errors import CursorRefused, GitHubError, RepositoryUnavailable, ServerFailure
from historical_sync.github import queries
from historical_sync.github.client import GitHubClient, is_heavy, well_formed
from historical_sync.github.paging import PageSize
from historical_sync.github.readers import WalkPage, read_ids, read_walk_page
from historical_sync.github.trail import Trail, has_come_down
from historical_sync.records import TrackedRepository
from historical_sync.warehouse.index import Walk, read_walk, save_walk, upsert_entries
from historical_sync.warehouse.postgres import Transaction, Warehouse
from historical_sync.warehouse.repository_months import reopen, save_repository

MARGIN = timedelta(minutes=5)
"""How far a look goes below the start of the one before: GitHub's replicas and clocks are not of one second."""
LOOK_ENTRIES = 10
"""Entries per repository of a shared look: mostly nothing has changed, and 25 repositories of 10 take GitHub 2.5 s."""
LOOK_REPOSITORIES = 25
MOST_LOOKS = 8
MOST_RESTARTS = 3
TRIES_AT_NULLS = 3


@dataclass
class Walker:
    """Walks the repositories of one team."""

    warehouse: Warehouse
    client: GitHubClient
    team_id: str
    problems: dict[str, GitHubError] = field(default_factory=dict)
    """By repository: what GitHub said of an entry that it did not give."""
    _former_ids: dict[str, str | None] = field(default_factory=dict)
    _page: PageSize = field(default_factory=lambda: PageSize(0))
    _look: PageSize = field(default_factory=lambda: PageSize(1, most=LOOK_REPOSITORIES))

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
            if pages > 1 or history.started_at is not None or walked.nulls:
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
        found: dict[str, datetime | GitHubError] = {}
        waiting = list(repositories)
        while waiting:
            batch, waiting = waiting[: self._look.size], waiting[self._look.size :]
            try:
                pages = self._shared_look(batch)
            except GitHubError as error:
                if len(batch) > 1 and is_heavy(error):
                    self._look.shrink(len(batch))
                    waiting = batch + waiting
                    continue
                pages = [error] * len(batch)
            else:
                self._look.grow()
            for repository, page in zip(batch, pages, strict=True):
                found[repository.repository] = self._finish_look(repository, page)
        return found

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
                    ended = Walk("look", finished_at=walked.started_at, nulls=walked.nulls)
                    save_walk(tx, self.team_id, repository.repository, ended)
                if pages == 1 and not is_resumed and walked.started_at:
                    return walked.started_at
        raise ServerFailure(f"{repository.repository} changes faster than its list can be read.")

    def _looked_since(self, repository: TrackedRepository) -> datetime | None:
        """Down to where a look must go: below the start of the last one, or of the history's walk."""
        since = self._read(repository, "look").finished_at or self._read(repository, "history").started_at
        return since - MARGIN if since else None

    def _descend(self, repository: TrackedRepository, walk: Walk, is_done: Callable[[Walk], bool]) -> tuple[Walk, int]:
        """Go down from the walk's cursor until `is_done`; the next page is fetched while one is written.

        Returns the walk as it is then, and how many pages it took.
        """
        with ThreadPoolExecutor(1, thread_name_prefix="walk") as carrier:
            ahead = carrier.submit(self._fetch, repository, walk.cursor)
            restarts = pages = 0
            trail = Trail()
            while True:
                try:
                    page = ahead.result()
                    went_on = trail.follow(walk, page)
                except CursorRefused as error:
                    restarts += 1
                    if restarts > MOST_RESTARTS or (walk.cursor is None and restarts > 1):
                        raise
                    self.client.tell(f"{repository.repository}: the walk starts again from the top ({error})")
                    walk, trail = replace(walk, cursor=None), Trail()
                    ahead = carrier.submit(self._fetch, repository, None)
                    continue
                is_over = is_done(went_on)
                if not is_over:
                    ahead = carrier.submit(self._fetch, repository, went_on.cursor)
                self._commit(repository, went_on, page)
                walk = went_on
                pages += 1
                if is_over:
                    return walk, pages

    def _commit(self, repository: TrackedRepository, walk: Walk, page: WalkPage) -> None:
        """One transaction: the page's rows, the cursor that says they are here, and the months they reopen."""
        seen_at = walk.started_at if walk.kind == "full" else None
        with self.warehouse.transaction() as tx:
            changed = upsert_entries(tx, self.team_id, repository.repository, page.entries, seen_at=seen_at)
            save_walk(tx, self.team_id, repository.repository, walk)
            self._note_repository(tx, repository, page)
            reopen(tx, self.team_id, changed)
        if walk.frontier is not None:
            self.client.tell(f"{repository.repository}: read down to {walk.frontier:%Y-%m-%d %H:%M}")

    def _note_repository(self, tx: Transaction, repository: TrackedRepository, page: WalkPage) -> None:
        is_renamed = page.name.lower() != repository.repository.lower()
        save_repository(tx, self.team_id, repository.repository, page.node_id, page.name if is_renamed else None)

    def _fetch(self, repository: TrackedRepository, cursor: str | None) -> WalkPage:
        """One page; asked again, smaller, while it is too heavy, and a few times when entries come as null."""
        nulls = 0
        while True:
            size = self._page.size
            try:
                page = self._ask_page(repository, cursor, size)
            except GitHubError as error:
                if size > 1 and is_heavy(error):
                    self._page.shrink(size)
                    continue
                raise
            if size > 1 and page.problem is not None and is_heavy(page.problem):
                self._page.shrink(size)
                continue
            nulls += bool(page.nulls)
            if not page.nulls or nulls >= TRIES_AT_NULLS:
                self._page.grow()
                self._note_problem(repository, page)
                return page

    def _note_problem(self, repository: TrackedRepository, page: WalkPage) -> None:
        if page.problem is not None:
            self.problems[repository.repository] = page.problem

    def _ask_page(self, repository: TrackedRepository, cursor: str | None, size: int) -> WalkPage:
        error: RepositoryUnavailable | None = None
        for name in names_to_ask(repository):
            owner, _, short = name.partition("/")
            try:
                page = self.client.ask(
                    queries.WALK,
                    {"owner": owner, "name": short, "first": size, "after": cursor},
                    partial(read_walk_page, repository=repository.repository),
                    is_shrinkable=size > 1,
                )
                return self._same_repository(repository, page)
            except RepositoryUnavailable as refusal:
                error = error or refusal
        raise error or GitHubError(f"{repository.repository} has no name to ask for.")

    def _same_repository(self, repository: TrackedRepository, page: WalkPage) -> WalkPage:
        """The page, if it is of the repository that was walked before. GitHub has changed the form of its ids once.

        Raises RepositoryUnavailable when the name now belongs to another one.
        """
        if repository.node_id is None or repository.node_id == page.node_id:
            return page
        if repository.node_id not in self._former_ids:
            found = self.client.ask(queries.KNOWN_ID, {"ids": [repository.node_id]}, read_ids)
            self._former_ids[repository.node_id] = found[0] if found else None
        if self._former_ids[repository.node_id] == page.node_id:
            return page
        raise RepositoryUnavailable(
            f"{repository.repository}: this name now belongs to another repository.",
            repository=repository.repository,
            reason="not found",
            remedy="Remove the repository from the team and add it under its present name.",
        )

    def _shared_look(self, repositories: Sequence[TrackedRepository]) -> list[WalkPage | GitHubError]:
        variables: dict[str, object] = {"first": LOOK_ENTRIES}
        for place, repository in enumerate(repositories):
            owner, _, name = names_to_ask(repository)[0].partition("/")
            variables |= {f"owner{place}": owner, f"name{place}": name}
        answer = self.client.ask(
            queries.look(len(repositories)), variables, lambda answer: answer, is_shrinkable=len(repositories) > 1
        )
        pages: list[WalkPage | GitHubError] = []
        for place, repository in enumerate(repositories):
            try:
                read = partial(read_walk_page, repository=repository.repository, alias=f"look{place}")
                pages.append(self._same_repository(repository, well_formed(read, answer)))
            except GitHubError as error:
                pages.append(error)
        return pages


def names_to_ask(repository: TrackedRepository) -> list[str]:
    """The names to try: the newest one known, then the registered one, which GitHub may still redirect."""
    return list(dict.fromkeys(name for name in (repository.current_name, repository.repository) if name))
