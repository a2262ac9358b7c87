"""How many pull requests a second are tagged on one core, against trying each pattern in turn.

    python bench/tagging.py [FOLDER]

FOLDER holds `*.jsonl` or `*.jsonl.gz` in the form that `historical-sync evaluate` reads; without one, text is
made. Time is the processor's own, so that other work on the machine counts less; the best of three rounds is shown.
"""

from __future__ import annotations

import random
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from historical_sync.ai_usage.clauses import clauses
from historical_sync.ai_usage.labelled import parse_labelled, read_labelled
from historical_sync.ai_usage.rows import ACCOUNT, ADDRESS, BRANCH, PATTERN
from historical_sync.ai_usage.signatures import RULESET_VERSION, SIGNATURES
from historical_sync.ai_usage.statements import WORDINGS, statement_of
from historical_sync.ai_usage.tagging import tag
from historical_sync.ai_usage.text import for_prose, units
from historical_sync.records import PullRequest

ROUNDS = 3
GENERATED = 4_000
SLOW_SAMPLE = 300
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


def per_second(work: Callable[[PullRequest], object], pull_requests: Sequence[PullRequest], rounds: int) -> float:
    best = float("inf")
    for _ in range(rounds):
        start = time.process_time()
        for one in pull_requests:
            work(one)
        best = min(best, time.process_time() - start)
    return len(pull_requests) / best


def main(arguments: Sequence[str]) -> None:
    if arguments:
        paths = [path for path in sorted(Path(arguments[0]).iterdir()) if ".jsonl" in path.name]
        pull_requests = [labelled.pull_request for path in paths for labelled in read_labelled(path)]
    else:
        pull_requests = generated(GENERATED)
    characters = sum(len(text) for one in pull_requests for text in texts_of(one)) / len(pull_requests)
    print(f"{len(pull_requests):,} pull requests of {characters:,.0f} characters; ruleset {RULESET_VERSION}")
    fast = per_second(tag, pull_requests, ROUNDS)
    sample = random.Random(0).sample(pull_requests, min(SLOW_SAMPLE, len(pull_requests)))
    slow = per_second(tag_in_turn, sample, 1)
    print(f"tag:                  {fast:>8,.0f} a second")
    print(f"each pattern in turn: {slow:>8,.0f} a second")
    print(f"ratio:                {fast / slow:>8.1f}")


if __name__ == "__main__":
    main(sys.argv[1:])
