"""Labelled pull requests in files: one JSON object a line, in the flat form of labels or in the nested one of exports.

Flat: `author_login`, `commit_messages`, `commit_authors` ("Name <address>"). Nested: `author {login, type}`,
`commits [{message, author {name, email, login}}]`, `reviews [{author {login, type}, body}]`. Both: `repo`, `number`,
`title`, `body`, `head_ref`, and the label `is_ai_authored`, with `tools` and `hard_kind` where they are known.
"""

from __future__ import annotations

import gzip
import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import zip_longest
from pathlib import Path
from typing import Any, TextIO

from historical_sync.errors import ConfigurationError
from historical_sync.records import Commit, PullRequest, Review, storable

_NAMED = re.compile(r"^(?P<name>.*?)\s*<(?P<email>[^<>]*)>\s*$")
_NO_TIME = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Labelled:
    """A pull request with what a reader said of it. `is_ai_authored` is None where nobody did."""

    pull_request: PullRequest
    is_ai_authored: bool | None
    tools: frozenset[str]
    kind: str


def read_labelled(path: Path) -> Iterator[Labelled]:
    """The pull requests in `path` (`.jsonl`, or `.jsonl.gz`). Raises ConfigurationError that names the line."""
    try:
        with _open(path) as lines:
            yield from parse_lines(lines, str(path))
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigurationError(f"{path} cannot be read: {error}.") from error


def parse_lines(lines: Iterable[str], name: str) -> Iterator[Labelled]:
    """The pull requests on these lines; empty lines are passed over."""
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        try:
            yield parse_labelled(storable(json.loads(line)))
        except (ValueError, TypeError, KeyError, AttributeError) as error:
            raise ConfigurationError(
                f"{name}, line {number}: not a labelled pull request ({type(error).__name__}: {error}).",
                remedy="Each line is an object with repo, number, title, body, is_ai_authored; see docs/detection.md.",
            ) from error


def parse_labelled(record: dict[str, Any]) -> Labelled:
    """One object of such a file. Raises KeyError, TypeError or ValueError where it is none."""
    label = record.get("is_ai_authored")
    if label is not None and not isinstance(label, bool):
        raise TypeError("is_ai_authored is neither true, false nor null")
    return Labelled(
        pull_request=_pull_request(record),
        is_ai_authored=label,
        tools=frozenset(record.get("tools") or ()),
        kind=record.get("hard_kind") or "",
    )


def _open(path: Path) -> TextIO:
    if path.suffix == ".gz":
        return gzip.open(path, "rt", encoding="utf-8")
    return path.open(encoding="utf-8")


def _pull_request(record: dict[str, Any]) -> PullRequest:
    author = record.get("author") or {}
    commits = tuple(_commits(record))
    reviews = tuple(_reviews(record))
    return PullRequest(
        repository=str(record["repo"]),
        number=int(record["number"]),
        node_id="",
        title=record.get("title") or "",
        body=record.get("body") or "",
        author_login=record.get("author_login") or author.get("login"),
        author_type=author.get("type"),
        state=record.get("state") or "MERGED",
        is_draft=bool(record.get("is_draft")),
        created_at=_NO_TIME,
        updated_at=_NO_TIME,
        merged_at=None,
        closed_at=None,
        first_commit_at=None,
        ready_at=None,
        merged_by=None,
        additions=0,
        deletions=0,
        changed_files=0,
        head_ref=record.get("head_ref") or "",
        base_ref=record.get("base_ref") or "",
        labels=[],
        milestone=None,
        assignees=[],
        closing_issues=[],
        commit_count=len(commits),
        review_count=len(reviews),
        file_count=0,
        comment_count=0,
        is_partial=False,
        partial_reason=None,
        commits=commits,
        reviews=reviews,
    )


def _commits(record: dict[str, Any]) -> Iterator[Commit]:
    for commit in record.get("commits") or ():
        author = commit.get("author") or {}
        yield _commit(commit.get("message"), author.get("login"), author.get("name"), author.get("email"))
    if "commits" not in record:
        pairs = zip_longest(record.get("commit_messages") or (), record.get("commit_authors") or ())
        for message, named in pairs:
            match = _NAMED.match(named or "")
            yield _commit(message, None, match["name"] if match else named, match["email"] if match else None)


def _commit(message: str | None, login: str | None, name: str | None, email: str | None) -> Commit:
    return Commit(
        oid="",
        message=message or "",
        authored_at=None,
        committed_at=None,
        author_login=login,
        author_name=name,
        author_email=email,
    )


def _reviews(record: dict[str, Any]) -> Iterator[Review]:
    for position, review in enumerate(record.get("reviews") or ()):
        author = review.get("author") or {}
        yield Review(
            review_id=str(position),
            reviewer_login=author.get("login"),
            reviewer_type=author.get("type"),
            state=review.get("state") or "COMMENTED",
            submitted_at=None,
            body=review.get("body") or "",
        )
