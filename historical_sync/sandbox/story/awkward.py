"""The awkward cases that every real history holds, put among the others: ghosts, giants, odd text, ties, reverts."""

from __future__ import annotations

import random
from collections.abc import Callable
from datetime import datetime

from historical_sync.sandbox.world import ChangedFile, Commit, PullRequest, Repository, Review, World

MANY_FILES = 350
MANY_COMMITS = 130
MANY_REVIEWS = 115
LONG_BODY_CHARACTERS = 65_536  # GitHub's limit of a body


def add_awkward_cases(world: World, repository: Repository, chance: random.Random, ends_at: datetime) -> None:
    """Turn some closed pull requests of people into awkward cases, each kind once per repository."""
    rows = [one for one in repository if one.author and one.author.kind == "User" and one.is_merged]
    spoilt = chance.sample(rows, len(CASES))
    for spoil, one in zip(CASES, spoilt, strict=True):
        spoil(world, one, chance)
    _revert_and_hotfix([one for one in rows if one not in spoilt])
    _tie(rows)


def ghost_author(world: World, one: PullRequest, chance: random.Random) -> None:
    """The author's account was deleted."""
    one.author, one.merged_by, one.assignees = None, None, []
    for commit in one.commits:
        commit.author = None


def ghost_reviewer(world: World, one: PullRequest, chance: random.Random) -> None:
    """A reviewer's account was deleted."""
    one.reviews = [Review(world.next_database_id(), None, "APPROVED", one.merged_at, "Fine."), *one.reviews]


def many_files(world: World, one: PullRequest, chance: random.Random) -> None:
    """A move of a whole folder."""
    one.title = "Move the generated clients"
    one.files = [ChangedFile(f"clients/v2/part_{index:03}.py", 4, 4, "RENAMED") for index in range(MANY_FILES)]
    one.additions = one.deletions = 4 * MANY_FILES


def many_commits(world: World, one: PullRequest, chance: random.Random) -> None:
    """A branch that lived long; the tool's trailer is in the last commit only."""
    start = one.commits[0]
    one.commits = [
        Commit(
            f"{chance.randrange(16**40):040x}",
            f"Step {index + 1}",
            start.authored_at,
            start.committed_at,
            start.author_name,
            start.author_email,
            start.author,
        )
        for index in range(MANY_COMMITS)
    ]
    one.commits[-1].message += "\n\nCo-Authored-By: Claude <noreply@anthropic.com>"


def many_reviews(world: World, one: PullRequest, chance: random.Random) -> None:
    """A discussion that would not end."""
    reviewer = next((review.author for review in one.reviews if review.author), one.merged_by)
    one.reviews += [
        Review(world.next_database_id(), reviewer, "COMMENTED", one.merged_at, f"Point {index + 1}.")
        for index in range(MANY_REVIEWS)
    ]


def empty_body(world: World, one: PullRequest, chance: random.Random) -> None:
    """No description at all."""
    one.body = ""


def long_body(world: World, one: PullRequest, chance: random.Random) -> None:
    """A body at GitHub's limit, with the disclosure at its very end."""
    tail = "\n\n🤖 Generated with [Claude Code](https://claude.com/claude-code)"
    line = "| run | result | the log went on and on |\n"
    one.body = (line * (LONG_BODY_CHARACTERS // len(line) + 1))[: LONG_BODY_CHARACTERS - len(tail)] + tail


def odd_text(world: World, one: PullRequest, chance: random.Random) -> None:
    """NUL, half of a surrogate pair, right-to-left text, and emoji with joiners."""
    one.title = "Fix naïve façade 👩🏽‍💻 in \u202eright-to-left\u202c text"
    one.body = "A NUL \x00 from a log, half a pair \ud83d, and عربي beside 漢字."
    one.labels = [*one.labels, "⚠️ needs QA"]
    one.commits[0].message += "\n\nNUL \x00 here too"


def dismissed_and_pending(world: World, one: PullRequest, chance: random.Random) -> None:
    """A dismissed review, and one that was begun and never sent."""
    one.reviews += [
        Review(world.next_database_id(), one.merged_by, "DISMISSED", one.merged_at, "Outdated."),
        Review(world.next_database_id(), one.merged_by, "PENDING", None, ""),
    ]


def self_merged(world: World, one: PullRequest, chance: random.Random) -> None:
    """Reviewed and merged by its own author, and by nobody else."""
    one.merged_by = one.author
    one.reviews = [Review(world.next_database_id(), one.author, "COMMENTED", one.merged_at, "Self-review: fine.")]


CASES: tuple[Callable[[World, PullRequest, random.Random], None], ...] = (
    ghost_author,
    ghost_reviewer,
    many_files,
    many_commits,
    many_reviews,
    empty_body,
    long_body,
    odd_text,
    dismissed_and_pending,
    self_merged,
)


def _revert_and_hotfix(rows: list[PullRequest]) -> None:
    """One in forty takes back an earlier one, one in forty is a hotfix."""
    by_number = sorted(rows, key=lambda one: one.number)
    for index in range(5, len(by_number), 40):
        one, earlier = by_number[index], by_number[index - 1]
        one.title = f'Revert "{earlier.title}"'
        one.body = f"Reverts {one.repository.full_name}#{earlier.number}"
        one.head_ref = f"revert-{earlier.number}-{earlier.head_ref}"
    for index in range(25, len(by_number), 40):
        one = by_number[index]
        one.title, one.labels = f"Hotfix: {one.title[:1].lower()}{one.title[1:]}", [*one.labels, "hotfix"]
        one.head_ref = f"hotfix/{one.number}"


def _tie(rows: list[PullRequest]) -> None:
    """Five pull requests that a bulk edit touched in the same second."""
    newest = sorted(rows, key=lambda one: one.updated_at)[-5:]
    for one in newest:
        one.updated_at = newest[-1].updated_at
        one.repository.version += 1
