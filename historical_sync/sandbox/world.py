"""The truth that the sandbox serves: repositories, their pull requests, and what they hold.

Times are text as GitHub writes them (`2025-03-01T12:00:00Z`), so that they can be served as they are and compared as
text. A test reads the truth here and changes it here, under `World.lock`, while the server answers. Knows no GraphQL
and no HTTP; see `github` for how it is asked, and `scenario` for how it is made.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

Clock = Callable[[], datetime]


def stamp(moment: datetime) -> str:
    """`moment` as GitHub writes it: UTC, whole seconds."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def moment(text: str) -> datetime:
    """The aware UTC time that `stamp` wrote."""
    return datetime.fromisoformat(text)


def utc_now() -> datetime:
    """The time on the wall."""
    return datetime.now(UTC)


@dataclass(slots=True, eq=False)
class Account:
    """Who acts. `kind` is GitHub's `__typename`; a bot's login carries no `[bot]`, as in GraphQL."""

    login: str
    kind: str = "User"
    database_id: int = 0
    name: str | None = None
    email: str | None = None


@dataclass(slots=True, eq=False)
class Commit:
    """A commit. `author` is the account behind the address, None where GitHub knows none."""

    oid: str
    message: str
    authored_at: str
    committed_at: str
    author_name: str | None = None
    author_email: str | None = None
    author: Account | None = None


@dataclass(slots=True, eq=False)
class Review:
    """A review. `state` is APPROVED, CHANGES_REQUESTED, COMMENTED, DISMISSED or PENDING (then without a time)."""

    database_id: int
    author: Account | None
    state: str
    submitted_at: str | None
    body: str = ""

    @property
    def node_id(self) -> str:
        """GitHub's global id."""
        return f"PRR_kwDOA{self.database_id:x}"


@dataclass(slots=True, eq=False)
class ChangedFile:
    """A changed file. `change_type` is ADDED, CHANGED, COPIED, DELETED, MODIFIED or RENAMED."""

    path: str
    additions: int
    deletions: int
    change_type: str = "MODIFIED"


@dataclass(slots=True, eq=False)
class Event:
    """An entry of the time line: `kind` is a GraphQL type such as ReadyForReviewEvent."""

    kind: str
    created_at: str
    actor: Account | None = None


@dataclass(slots=True, eq=False)
class PullRequest:
    """A pull request. An entry that is None in one of its lists is served as a null node."""

    repository: Repository
    number: int
    database_id: int
    title: str
    body: str
    author: Account | None
    state: str
    is_draft: bool
    created_at: str
    updated_at: str
    merged_at: str | None = None
    closed_at: str | None = None
    merged_by: Account | None = None
    additions: int = 0
    deletions: int = 0
    head_ref: str = "change"
    base_ref: str = "main"
    labels: list[str] = field(default_factory=list)
    milestone: str | None = None
    assignees: list[Account] = field(default_factory=list)
    closing_issues: list[int] = field(default_factory=list)
    commits: list[Commit] = field(default_factory=list)
    reviews: list[Review] = field(default_factory=list)
    files: list[ChangedFile] = field(default_factory=list)
    events: list[Event] = field(default_factory=list)
    comment_count: int = 0
    stated_changed_files: int | None = None

    @property
    def node_id(self) -> str:
        """GitHub's global id; it survives renames and transfers."""
        return f"PR_kwDOB{self.database_id:x}"

    @property
    def changed_files(self) -> int:
        """GitHub's `changedFiles`, which now and then is not the length of its own list."""
        return len(self.files) if self.stated_changed_files is None else self.stated_changed_files

    @property
    def is_merged(self) -> bool:
        """Whether it was merged."""
        return self.state == "MERGED"


@dataclass(slots=True, eq=False)
class Repository:
    """A repository and its pull requests by number.

    `access` says what a token meets: `open`, `missing` (NOT_FOUND), `forbidden` or `saml`; `access_of` says otherwise
    for some logins.
    `version` grows with every change, so that orders and filters know when they are stale.
    """

    owner: str
    name: str
    database_id: int
    created_at: str = "2020-01-01T00:00:00Z"
    default_branch: str = "main"
    is_archived: bool = False
    is_private: bool = False
    access: str = "open"
    access_of: dict[str, str] = field(default_factory=dict)
    pull_requests: dict[int, PullRequest] = field(default_factory=dict)
    version: int = 0

    @property
    def full_name(self) -> str:
        """`owner/name`, as GitHub spells it now."""
        return f"{self.owner}/{self.name}"

    @property
    def node_id(self) -> str:
        """GitHub's global id."""
        return f"R_kgDOC{self.database_id:x}"

    def __iter__(self) -> Iterator[PullRequest]:
        return iter(self.pull_requests.values())


class World:
    """Repositories, accounts and the clock.

    Change it under `lock` while a server runs, and let go before asking the server anything: it answers under the lock.
    """

    def __init__(self, clock: Clock = utc_now) -> None:
        self.clock = clock
        self.lock = threading.RLock()
        self.accounts: dict[str, Account] = {}
        self.deleted_ids: set[str] = set()
        self.former_ids: dict[str, str] = {}
        """Ids of an older form, which are still understood, and those that took their place."""
        self._by_name: dict[str, Repository] = {}
        self._by_node_id: dict[str, PullRequest] = {}
        self._last_database_id = 1_000_000_000

    @property
    def repositories(self) -> dict[str, Repository]:
        """Every repository by its present name."""
        return {repository.full_name: repository for repository in self._by_name.values()}

    def repository(self, name: str) -> Repository | None:
        """The repository of this or an earlier name (`owner/name`), whatever its case."""
        return self._by_name.get(name.lower())

    def pull_request(self, name: str, number: int) -> PullRequest:
        """The pull request `number` of repository `name`; KeyError where there is none."""
        return self._by_name[name.lower()].pull_requests[number]

    def pull_requests(self) -> Iterator[PullRequest]:
        """Every pull request there is."""
        for repository in self.repositories.values():
            yield from repository

    def node(self, node_id: str) -> PullRequest | Repository | None:
        """What has this global id."""
        node_id = self.former_ids.get(node_id, node_id)
        found = self._by_node_id.get(node_id)
        if found is not None:
            return found
        return next((one for one in self._by_name.values() if one.node_id == node_id), None)

    def next_database_id(self) -> int:
        """A number no other object has."""
        self._last_database_id += 1
        return self._last_database_id

    def account(self, login: str, kind: str = "User", **details: str) -> Account:
        """The account of this login, made when it is first named."""
        found = self.accounts.get(login)
        if found is None:
            found = Account(login, kind, self.next_database_id(), **details)
            self.accounts[login] = found
        return found

    def add_repository(self, full_name: str, **details: object) -> Repository:
        """A new, empty repository."""
        owner, _, name = full_name.partition("/")
        repository = Repository(owner, name, self.next_database_id(), **details)  # type: ignore[arg-type]
        self._by_name[full_name.lower()] = repository
        return repository

    def add(self, pull_request: PullRequest) -> PullRequest:
        """Put a pull request into its repository."""
        with self.lock:
            pull_request.repository.pull_requests[pull_request.number] = pull_request
            self._by_node_id[pull_request.node_id] = pull_request
            pull_request.repository.version += 1
        return pull_request

    def add_all(self, pull_requests: Iterable[PullRequest]) -> None:
        """`add` for many."""
        for pull_request in pull_requests:
            self.add(pull_request)

    def remove(self, pull_request: PullRequest) -> None:
        """Delete a pull request: its id is NOT_FOUND from now on."""
        with self.lock:
            del pull_request.repository.pull_requests[pull_request.number]
            del self._by_node_id[pull_request.node_id]
            self.deleted_ids.add(pull_request.node_id)
            pull_request.repository.version += 1

    def touch(self, pull_request: PullRequest, at: str | None = None) -> PullRequest:
        """Say that a pull request changed: it moves to `at`, or to the top, in the order of updates."""
        with self.lock:
            pull_request.updated_at = at or max(stamp(self.clock()), pull_request.updated_at)
            pull_request.repository.version += 1
        return pull_request

    def rename(self, old_name: str, new_name: str) -> Repository:
        """Give a repository another name or owner; the old name goes on leading to it, as at GitHub."""
        with self.lock:
            repository = self._by_name[old_name.lower()]
            repository.owner, _, repository.name = new_name.partition("/")
            self._by_name[new_name.lower()] = repository
        return repository

    def shift(self, days: int) -> None:
        """Move every time of every pull request by whole days."""
        for pull_request in list(self.pull_requests()):
            _shift(pull_request, timedelta(days=days))
            pull_request.repository.version += 1


def _shift(pull_request: PullRequest, by: timedelta) -> None:
    holders: list[tuple[object, tuple[str, ...]]] = [
        (pull_request, ("created_at", "updated_at", "merged_at", "closed_at")),
        *((commit, ("authored_at", "committed_at")) for commit in pull_request.commits),
        *((review, ("submitted_at",)) for review in pull_request.reviews),
        *((event, ("created_at",)) for event in pull_request.events),
    ]
    for holder, names in holders:
        for name in names:
            text = getattr(holder, name)
            if text is not None:
                setattr(holder, name, stamp(moment(text) + by))
