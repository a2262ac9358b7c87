"""Small worlds for tests of the sandbox: few pull requests, each a known thing."""

from datetime import UTC, datetime, timedelta

from historical_sync.sandbox.world import (
    ChangedFile,
    Commit,
    Event,
    PullRequest,
    Repository,
    Review,
    World,
    stamp,
)

START = datetime(2025, 3, 1, 12, tzinfo=UTC)


def frozen(at: datetime = START + timedelta(days=30)) -> World:
    """An empty world whose clock stands still."""
    return World(lambda: at)


def add_pull_request(world: World, repository: Repository, number: int, **changes: object) -> PullRequest:
    """A merged pull request, updated `number` hours after the start."""
    at = stamp(START + timedelta(hours=number))
    author = world.account("ada", name="Ada", email="ada@example.com")
    values: dict[str, object] = {
        "title": f"Change {number}",
        "body": "Because.",
        "author": author,
        "state": "MERGED",
        "is_draft": False,
        "created_at": at,
        "updated_at": at,
        "merged_at": at,
        "closed_at": at,
        "merged_by": author,
        "additions": 3,
        "deletions": 1,
        "labels": ["bug"],
        "assignees": [author],
        "closing_issues": [number + 1000],
        "commits": [Commit(f"{number:040x}", f"Change {number}", at, at, "Ada", "ada@example.com", author)],
        "reviews": [Review(world.next_database_id(), world.account("grace"), "APPROVED", at, "Good")],
        "files": [ChangedFile(f"src/part_{number}.py", 3, 1)],
        "events": [Event("ReadyForReviewEvent", at, author)],
        "comment_count": 2,
    }
    values.update(changes)
    return world.add(PullRequest(repository, number, world.next_database_id(), **values))  # type: ignore[arg-type]


def numbered(count: int, name: str = "acme/api") -> World:
    """A world with one repository of `count` pull requests."""
    world = frozen()
    repository = world.add_repository(name)
    for number in range(1, count + 1):
        add_pull_request(world, repository, number)
    return world
