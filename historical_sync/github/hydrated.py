"""What is known of one pull request while it is read: its fields, its lists so far, and what is missing. Pure."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from historical_sync.errors import GitHubError
from historical_sync.records import Commit, PullRequest, storable_text

GITHUB_CLOCK_TICK = timedelta(seconds=1)


@dataclass
class ListSoFar:
    """What is known of one list of a pull request. `problem` says why it cannot be trusted; None when it can."""

    name: str
    entries: list[Any] = field(default_factory=list)
    total: int | None = None
    nulls: int = 0
    repeated: int = 0
    cursor: str | None = None
    has_next: bool = True
    problem: str | None = None

    @property
    def is_complete(self) -> bool:
        """Whether every entry that GitHub counts was read. More than it counts is nothing missing: counts lag."""
        is_read = self.total is not None and self._read >= self.total
        return self.problem is None and not self.has_next and is_read

    @property
    def shortfall(self) -> str | None:
        """What is missing, in words; None when nothing is."""
        if self.is_complete:
            return None
        if self.problem:
            return f"{self.name}: {self.problem}"
        nulls = f", {self.nulls} came as null" if self.nulls else ""
        return f"{self.name}: {self._read} of {self.total}{nulls}"

    @property
    def _read(self) -> int:
        return len(self.entries) + self.repeated


@dataclass
class HydratedPullRequest:
    """A pull request as one answer gave it; its lists may still have pages to come."""

    fields: dict[str, Any]
    lists: dict[str, ListSoFar]
    problems: list[str]
    asked_at: datetime
    own_name: str
    """The repository's name now, which may not be the one it is registered under."""
    has_moved: bool = False
    """It changed while its lists were read, so that they are of two versions."""

    @property
    def node_id(self) -> str:
        return str(self.fields["node_id"])

    @property
    def updated_at(self) -> datetime:
        moment: datetime = self.fields["updated_at"]
        return moment

    @property
    def unfinished(self) -> list[ListSoFar]:
        """The lists that have pages to come, or must be asked for again."""
        return [one for one in self.lists.values() if one.problem or one.has_next]

    @property
    def shortfalls(self) -> list[str]:
        """Everything that is missing, in words."""
        moved = ["it kept changing while it was read"] if self.has_moved else []
        return moved + self.problems + [text for one in self.lists.values() if (text := one.shortfall)]

    def as_record(self, repository: str) -> PullRequest:
        """The record; `is_partial` with the reason where something is missing."""
        lists = {name: one.entries for name, one in self.lists.items()}
        commits: list[Commit] = lists["commits"]
        totals = {name: max(one.total or 0, len(one.entries)) for name, one in self.lists.items()}
        reason = "; ".join(self.shortfalls) or None
        return PullRequest(
            repository=repository,
            **self.fields,
            labels=lists["labels"],
            assignees=lists["assignees"],
            closing_issues=[_closing_issue(issue, self.own_name) for issue in lists["closingIssuesReferences"]],
            first_commit_at=min((one.authored_at for one in commits if one.authored_at), default=None),
            commit_count=totals["commits"],
            review_count=totals["reviews"],
            file_count=totals["files"],
            is_partial=reason is not None,
            partial_reason=reason,
            commits=tuple(commits),
            reviews=tuple(lists["reviews"]),
            files=tuple(lists["files"]),
            is_settled=self.asked_at >= self.updated_at + GITHUB_CLOCK_TICK,
        )


@dataclass(frozen=True, slots=True)
class Unreadable:
    """A pull request that this answer does not give. `is_gone` when GitHub says that the id does not exist.

    `error` is the failure of the request, where it was asked alone and in the smallest way there is.
    """

    node_id: str
    reason: str
    is_gone: bool = False
    is_heavy: bool = False
    error: GitHubError | None = None


def _closing_issue(issue: tuple[str, int], own_name: str) -> str:
    """`12` for an issue of the same repository, `owner/name#12` for another's."""
    name, number = issue
    return str(number) if name.lower() == own_name.lower() else f"{storable_text(name)}#{number}"
