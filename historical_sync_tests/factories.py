"""Records for tests: plain, valid, and overridden only where a test cares."""

from datetime import UTC, datetime
from typing import Any

from historical_sync.records import ChangedFile, Commit, PullRequest, Review
from historical_sync.warehouse.postgres import Transaction


def at(text: str) -> datetime:
    """A UTC time from ISO text, such as '2025-03-01T12:00'."""
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def make_commit(**changes: Any) -> Commit:
    values: dict[str, Any] = {
        "oid": "c0ffee",
        "message": "Add the thing",
        "authored_at": at("2025-03-01T10:00"),
        "committed_at": at("2025-03-01T10:00"),
        "author_login": "ada",
        "author_name": "Ada",
        "author_email": "ada@example.com",
    }
    return Commit(**{**values, **changes})


def make_review(**changes: Any) -> Review:
    values: dict[str, Any] = {
        "review_id": "R1",
        "reviewer_login": "grace",
        "reviewer_type": "User",
        "state": "APPROVED",
        "submitted_at": at("2025-03-02T10:00"),
        "body": "",
    }
    return Review(**{**values, **changes})


def make_file(**changes: Any) -> ChangedFile:
    values: dict[str, Any] = {"path": "src/thing.py", "additions": 10, "deletions": 2, "change_type": "MODIFIED"}
    return ChangedFile(**{**values, **changes})


def make_pull_request(**changes: Any) -> PullRequest:
    """A pull request merged two days after it was opened; counts follow the lists unless they are given."""
    values: dict[str, Any] = {
        "repository": "acme/api",
        "number": 1,
        "node_id": f"PR_{changes.get('number', 1)}",
        "title": "Add the thing",
        "body": "It was missing.",
        "author_login": "ada",
        "author_type": "User",
        "state": "MERGED",
        "is_draft": False,
        "created_at": at("2025-03-01T12:00"),
        "updated_at": at("2025-03-03T12:00"),
        "merged_at": at("2025-03-03T12:00"),
        "closed_at": at("2025-03-03T12:00"),
        "first_commit_at": at("2025-03-01T10:00"),
        "ready_at": None,
        "merged_by": "grace",
        "additions": 10,
        "deletions": 2,
        "changed_files": 1,
        "head_ref": "add-the-thing",
        "base_ref": "main",
        "labels": [],
        "milestone": None,
        "assignees": [],
        "closing_issues": [],
        "comment_count": 0,
        "is_partial": False,
        "partial_reason": None,
        "commits": (),
        "reviews": (),
        "files": (),
    }
    values.update(changes)
    for field, count in (("commits", "commit_count"), ("reviews", "review_count"), ("files", "file_count")):
        values.setdefault(count, len(values[field]))
    return PullRequest(**values)


def add_team(tx: Transaction, team_id: str = "acme", *repositories: str) -> None:
    """A team with its repositories, as plain rows."""
    tx.execute("insert into teams (team_id) values (%s)", [team_id])
    for repository in repositories or ("acme/api",):
        tx.execute("insert into tracked_repositories (team_id, repository) values (%s, %s)", [team_id, repository])
