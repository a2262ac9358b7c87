"""Pages of repositories' lists, asked until they come: smaller where they are too heavy, again where entries are null.

Follows a repository to its new name, and never takes another of the old name for it. Writes nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from historical_sync.errors import GitHubError, RepositoryUnavailable
from historical_sync.github import queries
from historical_sync.github.client import GitHubClient, is_heavy, well_formed
from historical_sync.github.paging import PageSize
from historical_sync.github.readers import WalkPage, read_ids, read_walk_page
from historical_sync.records import TrackedRepository

LOOK_ENTRIES = 10
"""Entries per repository of a shared look: mostly nothing has changed, and 25 repositories of 10 take GitHub 2.5 s."""
LOOK_REPOSITORIES = 25
TRIES_AT_NULLS = 3


class EntryPages:
    """Asks for pages of index entries. Threads share it, so that they share what it learnt about page sizes."""

    def __init__(self, client: GitHubClient) -> None:
        self._client = client
        self._page = PageSize(0)
        self._look = PageSize(1, most=LOOK_REPOSITORIES)
        self._former_ids: dict[str, str | None] = {}
        self.problems: dict[str, GitHubError] = {}
        """By repository: what GitHub said of an entry that it did not give."""

    def read(self, repository: TrackedRepository, cursor: str | None) -> WalkPage:
        """One page; asked again, smaller, while it is too heavy, and a few times when entries are null or lacking.

        Raises RepositoryUnavailable, CursorRefused or another GitHubError.
        """
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
            is_short = page.has_next and len(page.entries) < size
            nulls += bool(page.nulls or is_short)
            if not (page.nulls or is_short) or nulls >= TRIES_AT_NULLS:
                self._page.grow()
                self._note_problem(repository, page)
                return page

    def _note_problem(self, repository: TrackedRepository, page: WalkPage) -> None:
        if page.problem is not None:
            self.problems[repository.repository] = page.problem

    def looks(self, repositories: Sequence[TrackedRepository]) -> list[WalkPage | GitHubError]:
        """The top of each list, many in one answer, or the error that stands in its way."""
        found: list[WalkPage | GitHubError] = []
        waiting = list(repositories)
        while waiting:
            batch = waiting[: self._look.size]
            try:
                found += self._shared_look(batch)
                self._look.grow()
            except GitHubError as error:
                if len(batch) > 1 and is_heavy(error):
                    self._look.shrink(len(batch))
                    continue
                found += [error] * len(batch)
            waiting = waiting[len(batch) :]
        return found

    def _ask_page(self, repository: TrackedRepository, cursor: str | None, size: int) -> WalkPage:
        error: RepositoryUnavailable | None = None
        for name in names_to_ask(repository):
            owner, _, short = name.partition("/")
            try:
                page = self._client.ask(
                    queries.WALK,
                    {"owner": owner, "name": short, "first": size, "after": cursor},
                    partial(read_walk_page, repository=repository.repository, is_first=cursor is None),
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
            found = self._client.ask(queries.KNOWN_ID, {"ids": [repository.node_id]}, read_ids)
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
        answer = self._client.ask(
            queries.look(len(repositories)), variables, lambda answer: answer, is_shrinkable=len(repositories) > 1
        )
        pages: list[WalkPage | GitHubError] = []
        for place, repository in enumerate(repositories):
            try:
                read = partial(read_walk_page, repository=repository.repository, alias=f"look{place}", is_first=True)
                pages.append(self._same_repository(repository, well_formed(read, answer)))
            except GitHubError as error:
                pages.append(error)
        return pages


def names_to_ask(repository: TrackedRepository) -> list[str]:
    """The names to try: the newest one known, then the registered one, which GitHub may still redirect."""
    return list(dict.fromkeys(name for name in (repository.current_name, repository.repository) if name))
