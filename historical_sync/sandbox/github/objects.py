"""Objects that GraphQL shows and the world does not keep: labels, git actors, entries of a time line."""

from __future__ import annotations

from typing import Any

from historical_sync.sandbox.world import Account, ChangedFile, Commit, Event, PullRequest, Repository, Review


class Named:
    """A label, milestone, branch, issue, …: an object that is little more than its name and where it lies."""

    __slots__ = ("name", "repository", "type_name")

    def __init__(self, type_name: str, name: Any, repository: Repository) -> None:
        self.type_name, self.name, self.repository = type_name, name, repository

    @property
    def node_id(self) -> str:
        """A global id made from the name."""
        return f"{self.type_name}_{self.repository.database_id:x}_{self.name}"


class GitActor:
    """The name and address that git recorded, with the account GitHub found for it."""

    __slots__ = ("date", "email", "name", "user")

    def __init__(self, name: str | None, email: str | None, user: Account | None, date: str) -> None:
        self.name, self.email, self.date = name, email, date
        self.user = user if user is not None and user.kind == "User" else None


class Entry:
    """A commit as an entry of a pull request."""

    __slots__ = ("commit", "pull_request")

    def __init__(self, commit: Commit, pull_request: PullRequest) -> None:
        self.commit, self.pull_request = commit, pull_request


class Moment:
    """An event of a pull request's time line."""

    __slots__ = ("event", "index", "pull_request")

    def __init__(self, event: Event, index: int, pull_request: PullRequest) -> None:
        self.event, self.index, self.pull_request = event, index, pull_request


TYPE_NAMES: dict[type, str] = {
    PullRequest: "PullRequest",
    Repository: "Repository",
    Commit: "Commit",
    Review: "PullRequestReview",
    ChangedFile: "PullRequestChangedFile",
    Entry: "PullRequestCommit",
}


def type_of(value: Any) -> str:
    """The GraphQL type of an object behind an interface or a union."""
    if isinstance(value, Account):
        return value.kind
    if isinstance(value, Named):
        return value.type_name
    if isinstance(value, Moment):
        return value.event.kind
    return next(TYPE_NAMES[kind] for kind in type(value).__mro__ if kind in TYPE_NAMES)
