"""Recorded pull requests as a world: every field arrives, times move by whole days, plain and gzipped alike."""

import gzip
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from historical_sync.sandbox import scenario
from historical_sync.sandbox.corpus import read_records
from historical_sync.sandbox.world import World, moment

RECORD: dict[str, Any] = {
    "repo": "Acme/API",
    "number": 7,
    "title": "Add the thing",
    "body": "Because \ud83d.",
    "author": {"login": "helper[bot]", "type": "Bot"},
    "state": "MERGED",
    "is_draft": False,
    "created_at": "2025-01-30T22:00:00Z",
    "updated_at": "2025-02-02T08:00:00Z",
    "merged_at": "2025-02-01T08:00:00Z",
    "closed_at": "2025-02-01T08:00:00Z",
    "additions": 5,
    "deletions": 2,
    "changed_files": 3,
    "head_ref": "topic",
    "base_ref": "main",
    "labels": ["size/S"],
    "milestone": None,
    "assignees": ["user-1"],
    "closing_issues": [12],
    "commits": [
        {
            "oid": "ab12",
            "message": "Add\n\nCo-authored-by: X <x@example.com>",
            "authored_at": "2025-01-30T21:00:00Z",
            "committed_at": "2025-01-30T21:30:00Z",
            "author": {"name": "User One", "email": "one@example.com", "login": None},
            "co_authors": [],
        }
    ],
    "reviews": [
        {
            "author": {"login": "user-2", "type": "User"},
            "state": "APPROVED",
            "submitted_at": "2025-01-31T09:00:00Z",
            "body": "ok",
        }
    ],
    "files": [{"path": "a.py", "additions": 5, "deletions": 2, "change_type": "RENAMED"}],
    "provenance": {"sample": "all"},
}


def folder(tmp_path: Path, *records: dict[str, Any]) -> Path:
    """The records as a plain and as a gzipped file, half and half."""
    lines = [json.dumps(one) + "\n" for one in records]
    (tmp_path / "plain.jsonl").write_text("".join(lines[::2]))
    with gzip.open(tmp_path / "packed.jsonl.gz", "wt") as packed:
        packed.write("".join(lines[1::2]))
    return tmp_path


def test_a_record_arrives_whole(tmp_path: Path) -> None:
    """Fields, lists, a bot's login without its suffix, an author unknown to GitHub, and the stated file count."""
    one = scenario.from_folder(folder(tmp_path, RECORD)).pull_request("acme/api", 7)
    assert (one.repository.full_name, one.title, one.body) == ("Acme/API", "Add the thing", "Because \ud83d.")
    assert one.author is not None
    assert (one.author.login, one.author.kind) == ("helper", "Bot")
    assert (one.changed_files, len(one.files), one.files[0].change_type) == (3, 1, "RENAMED")
    assert one.commits[0].author is None
    assert one.commits[0].author_email == "one@example.com"
    assert one.reviews[0].state == "APPROVED"
    assert one.reviews[0].author is not None
    assert (one.reviews[0].author.login, one.reviews[0].body) == ("user-2", "ok")
    assert (one.closing_issues, one.labels, one.head_ref) == ([12], ["size/S"], "topic")
    assert [account.login for account in one.assignees] == ["user-1"]


@pytest.mark.parametrize(
    ("now", "newest"),
    [
        (datetime(2025, 12, 25, 12, tzinfo=UTC), "2025-12-25T08:00:00Z"),
        (datetime(2025, 12, 25, 6, tzinfo=UTC), "2025-12-24T08:00:00Z"),
        (datetime(2024, 12, 25, 12, tzinfo=UTC), "2024-12-25T08:00:00Z"),
    ],
)
def test_times_move_by_whole_days_and_never_into_the_future(tmp_path: Path, now: datetime, newest: str) -> None:
    """The newest lands on today, or on yesterday when its hour has not come yet; distances stay."""
    files = folder(tmp_path, RECORD, {**RECORD, "number": 8, "updated_at": "2025-02-01T09:00:00Z"})
    moved, still = scenario.from_folder(files, now), scenario.from_folder(files)
    assert max(one.updated_at for one in moved.pull_requests()) == newest

    def distances(world: World) -> list[float]:
        times = [
            time
            for one in world.pull_requests()
            for time in (
                *(one.created_at, one.updated_at, one.merged_at, one.closed_at),
                *(one.commits[0].authored_at, one.commits[0].committed_at, one.reviews[0].submitted_at),
            )
        ]
        return [(moment(time or "") - moment(times[0] or "")).total_seconds() for time in times]

    assert distances(moved) == distances(still)


def test_a_folder_without_records_is_an_error(tmp_path: Path) -> None:
    """Never an empty world by mistake."""
    with pytest.raises(ValueError, match=r"no \.jsonl"):
        scenario.from_folder(tmp_path)


def test_real_records_are_served_whole(corpus: Path) -> None:
    """Each repository and number of the corpus is in the world, with its lists."""
    world = scenario.from_folder(corpus / "prs")
    for file in sorted((corpus / "prs").glob("*.gz"))[:4]:
        for record in read_records(file):
            one = world.pull_request(record["repo"], record["number"])
            assert (len(one.commits), len(one.files), len(one.reviews)) == (
                len(record["commits"]),
                len(record["files"]),
                len(record["reviews"]),
            )
            assert one.updated_at == record["updated_at"]
