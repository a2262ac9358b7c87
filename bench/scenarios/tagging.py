"""Tagging alone: milliseconds of one core for 1,000 pull requests, beside trying each pattern in turn.

With HISTORICAL_SYNC_CORPUS set to a folder that has `prs/*.jsonl` or `*.jsonl.gz` (as `historical-sync evaluate` reads
them) also on real pull requests: the target is 5,000 of those a second. Time is the processor's own.
"""

from __future__ import annotations

import os
import random
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from bench.rows import Row, alternate
from historical_sync.ai_usage.clauses import clauses
from historical_sync.ai_usage.labelled import parse_labelled, read_labelled
from historical_sync.ai_usage.rows import ACCOUNT, ADDRESS, BRANCH, PATTERN
from historical_sync.ai_usage.signatures import SIGNATURES
from historical_sync.ai_usage.statements import WORDINGS, statement_of
from historical_sync.ai_usage.tagging import tag
from historical_sync.ai_usage.text import for_prose, units
from historical_sync.records import PullRequest

TITLE = "Tagging alone"

GENERATED = 4_000
SLOW_SAMPLE = 300
REAL_A_SECOND = 5_000
WORDS = [
    "the",
    "a",
    "parser",
    "test",
    "fix",
    "of",
    "when",
    "user",
    "fails",
    "page",
    "adds",
    "returns",
    "config",
    "client",
    "value",
    "to",
    "for",
    "with",
    "main",
    "email",
    "run",
]
MARKS = (
    "🤖 Generated with [Claude Code](https://claude.com/claude-code)",
    "Co-Authored-By: Claude <noreply@anthropic.com>",
    "## AI disclosure\n\nUsed Copilot for the tests.",
    "## AI disclosure\n\nNone.",
    "Add gemini to the list of models.",
)


def generated(count: int) -> list[PullRequest]:
    """Pull requests of about 1,000 characters; half of them speak of AI in some way."""
    chance = random.Random(0)

    def prose(words: int) -> str:
        return "\n".join(" ".join(chance.choices(WORDS, k=11)) + "." for _ in range(words // 11))

    return [
        parse_labelled(
            {
                "repo": "acme/api",
                "number": number,
                "title": prose(11),
                "body": prose(150) + "\n\n" + (chance.choice(MARKS) if chance.random() < 0.5 else ""),
                "author_login": "ada",
                "commit_messages": [prose(22), prose(11)],
            }
        ).pull_request
        for number in range(count)
    ]


def texts_of(one: PullRequest) -> list[str]:
    return [one.title, one.body, *(commit.message for commit in one.commits)]


def tag_in_turn(one: PullRequest) -> int:
    """The plain way: every pattern on every text, every row on every account, every wording on every clause."""
    logins = [one.author_login, *(commit.author_login for commit in one.commits)]
    addresses = [commit.author_email for commit in one.commits]
    texts = texts_of(one)
    hits = 0
    for row in SIGNATURES:
        if row.kind == ACCOUNT:
            hits += any(row.matches(login) for login in logins if login)
        elif row.kind == ADDRESS:
            hits += any(row.matches(address) for address in addresses if address)
        elif row.kind == BRANCH:
            hits += row.matches(one.head_ref)
        elif row.kind == PATTERN:
            hits += any(row.expression.search(text) is not None for text in texts)
    for text in texts:
        prose = for_prose(text)
        for unit in units(prose):
            for clause in clauses(prose, unit.start, unit.end):
                hits += any(wording.expression.search(clause.plain) is not None for wording in WORDINGS)
                hits += statement_of(clause) is not None
    return hits


def cpu_seconds_for_1000(work: Callable[[PullRequest], object], pull_requests: Sequence[PullRequest]) -> float:
    start = time.process_time()
    for one in pull_requests:
        work(one)
    return 1000 * (time.process_time() - start) / len(pull_requests)


def run(rounds: int, quick: bool) -> list[Row]:
    """Generated text, and real text where there is some."""
    rows = [compare("generated", generated(200 if quick else GENERATED), rounds)]
    folder = os.environ.get("HISTORICAL_SYNC_CORPUS")
    if folder and not quick:
        paths = [path for path in sorted((Path(folder) / "prs").iterdir()) if ".jsonl" in path.name]
        real = [labelled.pull_request for path in paths for labelled in read_labelled(path)]
        one = compare("real", real, rounds)
        rows += [one, Row("real pull requests", "CPU s for 1,000", one.ours, most=1000 / REAL_A_SECOND)]
    return rows


def compare(kind: str, pull_requests: Sequence[PullRequest], rounds: int) -> Row:
    """Ours on all of them beside each pattern in turn on a sample."""
    sample = random.Random(0).sample(pull_requests, min(SLOW_SAMPLE, len(pull_requests)))
    characters = sum(len(text) for one in pull_requests for text in texts_of(one)) / len(pull_requests)
    ours, slow = alternate(
        rounds,
        lambda: cpu_seconds_for_1000(tag, pull_requests),
        lambda: cpu_seconds_for_1000(tag_in_turn, sample),
    )
    what = f"{len(pull_requests):,} {kind} pull requests of {characters:,.0f} characters"
    return Row(what, "CPU s for 1,000", ours, slow, "each pattern in turn")
