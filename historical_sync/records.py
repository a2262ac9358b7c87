"""What passes between the rooms: frozen records, made at the border and trusted after it.

A record's fields are the list of columns; inserts and reads follow it (`columns_of`). Times are aware and UTC. A
deleted account is None, here and nowhere a surprise. Text is already such as PostgreSQL can hold (`storable_text`).
"""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from datetime import date, datetime
from functools import cache
from typing import Any, TypeVar, dataclass_transform

T = TypeVar("T")


@dataclass_transform(frozen_default=True, field_specifiers=(field,))
def made_in_bulk(cls: type[T]) -> type[T]:
    """A dataclass that is frozen for the type checker alone: one that is frozen takes five times as long to make."""
    return dataclass(slots=True, unsafe_hash=True)(cls)


@cache
def columns_of(record_type: type) -> tuple[str, ...]:
    """The names of a record's fields, in order: its table's columns."""
    return tuple(field.name for field in fields(record_type))


def as_row(record: Any) -> dict[str, Any]:
    """A record as its table's columns."""
    return {name: getattr(record, name) for name in columns_of(record.__class__)}


def storable_text(text: str) -> str:
    """`text` as PostgreSQL can hold it: without NUL, surrogate pairs joined, lone surrogates as U+FFFD."""
    if "\0" in text:
        text = text.replace("\0", "")
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    return text


def storable(value: Any) -> Any:
    """`storable_text` for every string in a JSON value, keys included."""
    if isinstance(value, str):
        return storable_text(value)
    if isinstance(value, list):
        return [storable(item) for item in value]
    if isinstance(value, dict):
        return {storable_text(key): storable(item) for key, item in value.items()}
    return value


@dataclass(frozen=True, slots=True)
class Team:
    """A row of `teams`."""

    team_id: str
    generation: int
    display_name: str | None
    status: str
    history_months: int
    github_token_ref: str | None
    created_at: datetime
    onboarding_started_at: datetime | None
    onboarded_at: datetime | None


@dataclass(frozen=True, slots=True)
class TrackedRepository:
    """A row of `tracked_repositories`."""

    team_id: str
    repository: str
    node_id: str | None
    current_name: str | None
    sync_status: str
    sync_progress: int
    sync_prs_total: int | None
    sync_prs_completed: int
    sync_started_at: datetime | None
    sync_error: str | None
    last_synced_at: datetime | None
    recent_prs: int | None


@made_in_bulk
class IndexEntry:
    """What the walk over a repository knows of a pull request: enough to say which months it belongs to."""

    number: int
    node_id: str
    state: str
    created_at: datetime
    updated_at: datetime
    merged_at: datetime | None
    closed_at: datetime | None


@made_in_bulk
class Commit:
    """A commit of a pull request, in the order GitHub lists them."""

    oid: str
    message: str
    authored_at: datetime | None
    committed_at: datetime | None
    author_login: str | None
    author_name: str | None
    author_email: str | None


@made_in_bulk
class Review:
    """A review of a pull request. `reviewer_type` is GitHub's `__typename` (User, Bot, Mannequin, …)."""

    review_id: str
    reviewer_login: str | None
    reviewer_type: str | None
    state: str
    submitted_at: datetime | None
    body: str


@made_in_bulk
class ChangedFile:
    """A file that a pull request changes. `change_type` is GitHub's PatchStatus (ADDED, MODIFIED, …)."""

    path: str
    additions: int
    deletions: int
    change_type: str


@made_in_bulk
class PullRequest:
    """A pull request with its lists. `state` is GitHub's: OPEN, CLOSED or MERGED.

    `first_commit_at` is the earliest authored time of its commits; `ready_at` the last time it left draft, or None when
    it never was one. Counts are GitHub's `totalCount`, so a list that is shorter is known to be; `comment_count` is
    None where GitHub does not tell it.
    """

    repository: str
    number: int
    node_id: str
    title: str
    body: str
    author_login: str | None
    author_type: str | None
    state: str
    is_draft: bool
    created_at: datetime
    updated_at: datetime
    merged_at: datetime | None
    closed_at: datetime | None
    first_commit_at: datetime | None
    ready_at: datetime | None
    merged_by: str | None
    additions: int
    deletions: int
    changed_files: int
    head_ref: str
    base_ref: str
    labels: list[str]
    milestone: str | None
    assignees: list[str]
    closing_issues: list[str]
    commit_count: int
    review_count: int
    file_count: int
    comment_count: int | None
    is_partial: bool
    partial_reason: str | None
    is_settled: bool = True
    """False when it was read within a second of its update: GitHub's times are whole seconds, so a second change in the
    same second would not show in `updated_at`, and it is read once more."""
    # The lists come last: what stands before them are the columns of the table (`warehouse.pull_requests.SCALARS`).
    commits: tuple[Commit, ...] = ()
    reviews: tuple[Review, ...] = ()
    files: tuple[ChangedFile, ...] = ()


@dataclass(frozen=True, slots=True)
class Evidence:
    """One hit of a signature: which tool, in which role, where, and the words that prove it (at most 200 characters).

    `source` is where it was seen: author, branch, title, body, commit_message, commit_author, commit_trailer, reviewer.
    `position` tells several hits of one signature in one source apart (the commit's index, or 0).
    """

    signature_id: str
    source: str
    position: int
    tool: str
    role: str
    strength: str
    quote: str


@dataclass(frozen=True, slots=True)
class TeamMonth:
    """A partition: one team, one month (its first day)."""

    team_id: str
    month: date
