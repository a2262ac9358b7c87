"""Recorded pull requests, one JSON object a line, as a world. The format is described in docs/sandbox.md."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterable, Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

from historical_sync.sandbox.world import (
    Account,
    ChangedFile,
    Commit,
    PullRequest,
    Repository,
    Review,
    World,
    moment,
    stamp,
)

Record = dict[str, Any]


def load_folder(world: World, folder: Path, shift_to: datetime | None = None) -> World:
    """Fill `world` with every `*.jsonl` and `*.jsonl.gz` of a folder; ValueError when there is none."""
    files = sorted([*folder.glob("*.jsonl"), *folder.glob("*.jsonl.gz")])
    if not files:
        raise ValueError(f"{folder} holds no .jsonl or .jsonl.gz file")
    for file in files:
        load_records(world, read_records(file))
    if shift_to is not None:
        newest = max((one.updated_at for one in world.pull_requests()), default=None)
        if newest is not None:
            world.shift(_whole_days(newest, shift_to))
    return world


def _whole_days(newest: str, shift_to: datetime) -> int:
    """Days that bring `newest` onto the day of `shift_to`, or the day before, so that nothing lies in the future."""
    days = (shift_to.date() - moment(newest).date()).days
    return days - 1 if newest[11:] > stamp(shift_to)[11:] else days


def read_records(file: Path) -> Iterator[Record]:
    """The records of one file, plain or gzipped."""
    with gzip.open(file, "rt") if file.suffix == ".gz" else file.open() as lines:
        for line in lines:
            if line.strip():
                yield json.loads(line)


def load_records(world: World, records: Iterable[Record]) -> None:
    """Add records to `world`, making their repositories as they are named."""
    for record in records:
        repository = world.repository(record["repo"]) or world.add_repository(record["repo"])
        world.add(pull_request_from(world, repository, record))


def account_from(world: World, person: Record | str | None) -> Account | None:
    """The account of a record's author; a bot's login loses the `[bot]` that GraphQL does not show."""
    if person is None:
        return None
    login = person if isinstance(person, str) else person.get("login")
    if not login:
        return None
    stated = person.get("type") if isinstance(person, dict) else None
    kind = "Bot" if login.endswith("[bot]") else stated or "User"
    return world.account(login.removesuffix("[bot]"), kind)


def _accounts(world: World, people: Iterable[Record | str | None]) -> list[Account]:
    return [account for account in (account_from(world, person) for person in people) if account is not None]


def pull_request_from(world: World, repository: Repository, record: Record) -> PullRequest:
    """One record as a pull request of `repository`."""
    database_id = world.next_database_id()
    return PullRequest(
        repository,
        record["number"],
        database_id,
        record["title"],
        record.get("body") or "",
        account_from(world, record.get("author")),
        record["state"],
        bool(record.get("is_draft")),
        record["created_at"],
        record["updated_at"],
        record.get("merged_at"),
        record.get("closed_at"),
        account_from(world, record.get("merged_by")),
        record.get("additions", 0),
        record.get("deletions", 0),
        record.get("head_ref") or "change",
        record.get("base_ref") or "main",
        list(record.get("labels", [])),
        record.get("milestone"),
        _accounts(world, record.get("assignees", [])),
        [int(str(issue).rpartition("#")[2]) for issue in record.get("closing_issues", [])],
        [_commit(world, commit) for commit in record.get("commits", [])],
        [_review(world, database_id * 1000 + index, one) for index, one in enumerate(record.get("reviews", []))],
        [_file(file) for file in record.get("files", [])],
        comment_count=record.get("comment_count", 0),
        stated_changed_files=record.get("changed_files"),
    )


def _commit(world: World, record: Record) -> Commit:
    person = record.get("author") or {}
    message = record["message"]
    return Commit(
        record["oid"],
        message,
        record["authored_at"],
        record["committed_at"],
        person.get("name"),
        person.get("email"),
        account_from(world, person.get("login")),
    )


def _review(world: World, database_id: int, record: Record) -> Review:
    author = account_from(world, record.get("author"))
    return Review(database_id, author, record["state"], record.get("submitted_at"), record.get("body") or "")


def _file(record: Record) -> ChangedFile:
    return ChangedFile(record["path"], record["additions"], record["deletions"], record["change_type"])
