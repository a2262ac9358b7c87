"""Putting one pull request together: title, body, branch, files, commits and reviews, from author and life."""

from __future__ import annotations

import random
from dataclasses import dataclass
from datetime import datetime, timedelta

from historical_sync.sandbox.story import texts
from historical_sync.sandbox.story.authorship import Author
from historical_sync.sandbox.story.lifecycle import Habits, Life, live
from historical_sync.sandbox.story.people import AGENT_EMAILS, PEOPLE, REVIEW_BOTS, bot_account, person_account
from historical_sync.sandbox.story.texts import Codebase
from historical_sync.sandbox.world import (
    Account,
    ChangedFile,
    Commit,
    Event,
    PullRequest,
    Repository,
    Review,
    World,
    stamp,
)

LARGEST_PLAIN_FILES = 90


@dataclass(frozen=True)
class Scene:
    """Where a story plays: the repository and what it is made of, the dice, and the time it is told over."""

    world: World
    repository: Repository
    codebase: Codebase
    chance: random.Random
    starts_at: datetime
    ends_at: datetime

    def progress(self, moment: datetime) -> float:
        """How far into the story a moment lies: 0 at its start and before, 1 at its end."""
        return max(0.0, (moment - self.starts_at) / (self.ends_at - self.starts_at))


def compose(scene: Scene, number: int, opened: datetime, author: Author) -> PullRequest:
    """The pull request `number`, opened at `opened` by `author`, as it stands when the story ends."""
    chance = scene.chance
    kind = "chore" if author.kind == "automation" else _kind(chance)
    subject = chance.choice(scene.codebase.subjects)
    files = _files(chance, scene.codebase, subject, author)
    lines = sum(file.additions + file.deletions for file in files)
    habits = Habits(scene.progress(opened), lines, author.is_ai, author.kind == "automation")
    life = live(chance, opened, habits, len(PEOPLE))
    one = _opened(scene, number, _title(chance, kind, subject, author), author, life, files)
    one.head_ref = _branch(kind, subject, number, author)
    one.comment_count = int(chance.lognormvariate(0.5, 0.9))
    _describe(chance, one, author, kind)
    _end(scene, one, life)
    one.commits = _commits(scene.world, chance, one, life, author)
    one.reviews = _reviews(scene, one, life, habits.progress)
    one.events = _events(life, scene.ends_at, one.author)
    one.updated_at = _last_moment(one)
    return one


def _opened(scene: Scene, number: int, title: str, author: Author, life: Life, files: list[ChangedFile]) -> PullRequest:
    """The pull request as it is opened, or still stands when nobody ended it."""
    is_waiting = life.closed_at is None or life.closed_at >= scene.ends_at
    is_not_ready = is_waiting and life.ready_at is not None and life.ready_at >= scene.ends_at
    opened = stamp(life.created_at)
    return PullRequest(
        scene.repository,
        number,
        scene.world.next_database_id(),
        title,
        "",
        _account(scene.world, author),
        "OPEN",
        life.is_draft or is_not_ready,
        opened,
        opened,
        additions=sum(file.additions for file in files),
        deletions=sum(file.deletions for file in files),
        files=files,
    )


def _describe(chance: random.Random, one: PullRequest, author: Author, kind: str) -> None:
    """Body, labels, milestone, issues and assignees."""
    one.body = _body(chance, one, author, kind)
    one.labels = _labels(chance, kind, author)
    one.milestone = chance.choice(("Spring", "Summer", "Autumn")) if chance.random() < 0.2 else None
    one.closing_issues = [one.number - chance.randrange(2, 60)] if chance.random() < 0.3 else []
    one.assignees = [one.author] if one.author and author.kind == "person" and chance.random() < 0.4 else []


def _kind(chance: random.Random) -> str:
    return chance.choices(list(texts.TYPE_WEIGHTS), list(texts.TYPE_WEIGHTS.values()))[0]


def _account(world: World, author: Author) -> Account:
    return bot_account(world, author.login) if author.login else person_account(world, author.person)


def _title(chance: random.Random, kind: str, subject: str, author: Author) -> str:
    if author.kind == "automation":
        version = f"{chance.randrange(1, 9)}.{chance.randrange(30)}.{chance.randrange(9)}"
        return f"Bump {subject.replace(' ', '-')}-kit to {version}"
    return chance.choice(texts.TITLES[kind]).format(subject)


def _branch(kind: str, subject: str, number: int, author: Author) -> str:
    slug = subject.replace(" ", "-")
    if author.kind == "automation":
        return f"{author.login}/{slug}-{number}"
    if author.kind == "agent":
        prefix = {"devin": f"devin/17{number:08}-", "jules": f"jules-{number}-"}.get(
            author.tool or "", f"{author.tool}/"
        )
        return f"{prefix}{slug}-{number}"
    return f"{texts.BRANCHES.get(kind, kind)}/{slug}-{number}"


def _files(chance: random.Random, codebase: Codebase, subject: str, author: Author) -> list[ChangedFile]:
    if author.kind == "automation":
        return [ChangedFile("package-lock.json", chance.randrange(4, 60), chance.randrange(4, 60))]
    count = max(1, min(LARGEST_PLAIN_FILES, int(chance.lognormvariate(1.1, 1.0))))
    slug = subject.replace(" ", "_")
    paths = dict.fromkeys(_path(chance, codebase, slug, index) for index in range(count))
    return [_file(chance, path) for path in paths]


def _path(chance: random.Random, codebase: Codebase, slug: str, index: int) -> str:
    name = slug if index < 2 else f"{slug}_{chance.randrange(40)}"
    template = chance.choice(codebase.paths)
    return template.format(*([name] * template.count("{}")))


def _file(chance: random.Random, path: str) -> ChangedFile:
    kind = chance.choices(("MODIFIED", "ADDED", "DELETED", "RENAMED"), (80, 14, 4, 2))[0]
    additions = 0 if kind == "DELETED" else int(chance.lognormvariate(2.6, 1.5))
    deletions = 0 if kind == "ADDED" else int(chance.lognormvariate(1.8, 1.3))
    return ChangedFile(path, additions, deletions, kind)


def _body(chance: random.Random, one: PullRequest, author: Author, kind: str) -> str:
    if author.kind == "automation":
        return f"{one.title}.\n\nRelease notes and commits are linked from the package's page."
    if author.kind == "person" and author.sign not in {"footer", "words"} and chance.random() < 0.12:
        return ""
    parts = [f"## Why\n\n{chance.choice(texts.REASONS)}", f"## What\n\n{chance.choice(texts.WAYS)}"]
    if chance.random() < 0.7:
        parts.append(f"## How it was tested\n\n{chance.choice(texts.PROOFS)}")
    if author.is_near_miss:
        parts.insert(1, chance.choice(texts.NEAR_MISSES))
    if author.tool and author.sign == "words":
        parts.append(texts.DISCLOSURES[author.tool])
    if author.tool and author.sign == "footer":
        parts.append(texts.FOOTERS[author.tool].format(f"{chance.randrange(16**12):012x}", author.person.login))
    return "\n\n".join(parts)


def _labels(chance: random.Random, kind: str, author: Author) -> list[str]:
    if author.kind == "automation":
        return ["dependencies"]
    return [texts.LABELS[kind]] if kind in texts.LABELS and chance.random() < 0.6 else []


def _end(scene: Scene, one: PullRequest, life: Life) -> None:
    """Close or merge it, if that happened before the story ends."""
    if life.closed_at is None or life.closed_at >= scene.ends_at:
        return
    one.state, one.closed_at = "MERGED" if life.is_merged else "CLOSED", stamp(life.closed_at)
    if life.is_merged:
        one.merged_at = one.closed_at
        one.merged_by = person_account(scene.world, scene.chance.choice(PEOPLE))


def _commits(world: World, chance: random.Random, one: PullRequest, life: Life, author: Author) -> list[Commit]:
    count = 1 if author.kind == "automation" else max(1, int(chance.lognormvariate(0.8, 0.8)))
    count += len(life.rounds[1:])
    last = life.rounds[-1].at if len(life.rounds) > 1 else life.created_at
    first = life.first_commit_at
    commits = []
    for index in range(count):
        at = first + (last - first) * index / max(1, count - 1)
        message = one.title if index == 0 else chance.choice(texts.STEPS)
        commits.append(
            _commit(world, chance, author, message, stamp(at), is_signed=index == 0 or chance.random() < 0.5)
        )
    return commits


def _commit(world: World, chance: random.Random, author: Author, message: str, at: str, is_signed: bool) -> Commit:
    oid = f"{chance.randrange(16**40):040x}"
    if author.kind == "agent" and author.tool in AGENT_EMAILS:
        name, email = AGENT_EMAILS[author.tool]
        return Commit(oid, message, at, at, name, email, None)
    if author.kind == "automation":
        return Commit(oid, message, at, at, f"{author.login}[bot]", f"{author.login}@users.noreply.github.com", None)
    if author.tool and author.sign == "trailer" and author.tool in texts.TRAILERS and is_signed:
        message = f"{message}\n\n{texts.TRAILERS[author.tool]}"
    person = author.person
    return Commit(oid, message, at, at, person.name, person.email, person_account(world, person))


def _reviews(scene: Scene, one: PullRequest, life: Life, progress: float) -> list[Review]:
    world, chance = scene.world, scene.chance
    found: list[tuple[datetime, Account, str, str]] = []
    opened = life.ready_at or life.created_at
    if chance.random() < 0.15 + 0.5 * progress:
        login = chance.choice(REVIEW_BOTS)
        body = texts.BOT_REVIEWS[login].format(chance.randrange(1, 9))
        found.append(
            (opened + timedelta(minutes=chance.randrange(2, 15)), bot_account(world, login), "COMMENTED", body)
        )
    for look in life.rounds:
        reviewer = person_account(world, PEOPLE[look.reviewer])
        state = "COMMENTED" if reviewer is one.author else look.state
        found.append((look.at, reviewer, state, chance.choice(texts.REVIEW_WORDS[state])))
        if state == "CHANGES_REQUESTED" and one.author and one.author.kind == "User" and chance.random() < 0.4:
            found.append((look.at + timedelta(minutes=chance.randrange(5, 200)), one.author, "COMMENTED", "Done."))
    present = sorted((row for row in found if row[0] < scene.ends_at), key=lambda row: row[0])
    return [Review(world.next_database_id(), who, state, stamp(at), body) for at, who, state, body in present]


def _events(life: Life, ends_at: datetime, actor: Account | None) -> list[Event]:
    found = []
    if life.drafted_at is not None:
        found.append(("ConvertToDraftEvent", life.drafted_at))
        found.append(("ReadyForReviewEvent", life.drafted_at - timedelta(minutes=30)))
    if life.ready_at is not None:
        found.append(("ReadyForReviewEvent", life.ready_at))
    return [Event(kind, stamp(at), actor) for kind, at in sorted(found, key=lambda row: row[1]) if at < ends_at]


def _last_moment(one: PullRequest) -> str:
    """The latest thing that happened to it, as GitHub's `updatedAt` has it."""
    moments = [one.created_at, one.closed_at or "", *(review.submitted_at or "" for review in one.reviews)]
    return max([*moments, *(event.created_at for event in one.events)])
