"""A pull request put into the words of the question: the messages of one request, and the version of those words.

The content stands between lines that begin with a marker made from the content itself, so it cannot hold the marker,
and the same content always gives the same messages. What the signatures found is not shown: two independent opinions
are worth more than one repeated. Durations lie between events of the pull request, never between one and now.
"""

from __future__ import annotations

import hashlib
import json
from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from historical_sync.classification.excerpt import cleaned, cut_in_the_middle, one_line, visible
from historical_sync.classification.file_kinds import category
from historical_sync.classification.rubric import answer_schema, is_strict, response_format, schema_digest
from historical_sync.records import ChangedFile, Commit, PullRequest, Review

if TYPE_CHECKING:
    import jinja2

PROMPTS = Path(__file__).parent / "prompts"

BODY_CHARACTERS = 8_000
"""About 2,000 tokens: nine in ten descriptions are shorter, and longer ones repeat logs or release notes."""
COMMITS_SHOWN = 40
COMMIT_BODIES_SHOWN = 10
COMMIT_BODY_CHARACTERS = 300
TRAILERS_SHOWN = 30
FILES_SHOWN = 40
REVIEWS_SHOWN = 15
REVIEW_CHARACTERS = 300
ANSWER_TOKENS = {1: 4_096, 2: 8_192}
"""By attempt. Reasoning counts against the limit, so a small one gives JSON that ends early; answers take about 400."""


@cache
def _templates() -> jinja2.Environment:
    import jinja2  # Dagster's definitions need the prompt's version only

    return jinja2.Environment(  # noqa: S701 - plain text for a model, never HTML
        loader=jinja2.FileSystemLoader(PROMPTS),
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )


@cache
def prompt_version() -> str:
    """Digests of the prompts and of the schema, such as `3f2a9c01.77d0e1b4`: a change of either is a new version."""
    texts = [path.read_bytes() for path in sorted(PROMPTS.glob("*.jinja"))]
    return f"{hashlib.sha256(bytes(1).join(texts)).hexdigest()[:8]}.{schema_digest()}"


def request_body(pull_request: PullRequest, model: str, attempt: int = 1) -> dict[str, Any]:
    """The body of one chat completion that classifies the pull request."""
    body: dict[str, Any] = {
        "model": model,
        "messages": [
            {"role": "system", "content": system_message(model)},
            {"role": "user", "content": user_message(pull_request)},
        ],
        "response_format": response_format(model),
        "temperature": 0,
        "max_completion_tokens": ANSWER_TOKENS.get(attempt, max(ANSWER_TOKENS.values())),
    }
    if model.startswith("openai/gpt-oss-"):  # the only family that takes "low" and a hidden reasoning everywhere
        body |= {"reasoning_effort": "low", "include_reasoning": False}
    return body


@cache
def system_message(model: str) -> str:
    """The rules. A model without strict schemas is given the schema in words."""
    schema = None if is_strict(model) else json.dumps(answer_schema())
    return _templates().get_template("system.jinja").render(schema=schema).strip()


def user_message(pull_request: PullRequest) -> str:
    """The pull request between its markers."""
    blocks = [(name, text) for name, text in content_blocks(pull_request) if text]
    marker = _marker(text for _, text in blocks)
    return _templates().get_template("pull_request.jinja").render(marker=marker, blocks=blocks).strip()


def _marker(texts: Iterable[str]) -> str:
    content = "\n".join(texts)
    digest = hashlib.sha256(content.encode("utf-8", "surrogatepass")).hexdigest()
    while digest[:16] in content:  # nobody can aim at this; that it cannot happen costs one line
        digest = hashlib.sha256(digest.encode()).hexdigest()
    return f"=={digest[:16]}=="


def content_blocks(one: PullRequest) -> list[tuple[str, str]]:
    """Name and text of each block, in the order in which they are shown; empty ones included."""
    messages = [visible(commit.message) for commit in one.commits]
    return [
        ("facts", "\n".join(_facts(one))),
        ("description", cleaned(one.body, BODY_CHARACTERS)),
        ("commits", "\n".join(_commit_lines(messages, one.commit_count))),
        ("commit trailers and authors", "\n".join(_trailer_lines(one.commits, messages))),
        ("files", "\n".join(_file_lines(one.files, one.file_count))),
        ("reviews", "\n".join(_review_lines(one.reviews, one.review_count))),
    ]


def _facts(one: PullRequest) -> list[str]:
    named = {
        "title": one.title,
        "pull request": f"{one.repository}#{one.number}",
        "author": f"{one.author_login or 'deleted account'} ({one.author_type or 'unknown type'})",
        "branch": f"{one.head_ref} into {one.base_ref}",
        "labels": ", ".join(one.labels),
        "milestone": one.milestone or "",
        "closes": ", ".join(one.closing_issues),
        "state": f"{one.state.lower()}{', draft' if one.is_draft else ''}",
        "size": f"+{one.additions} -{one.deletions} lines in {one.changed_files} files, {one.commit_count} commits",
        "review": f"{one.review_count} reviews, {one.comment_count} comments",
        "timing": ", ".join(_timing(one)),
    }
    return [f"{name}: {one_line(value)}" for name, value in named.items() if value]


def _timing(one: PullRequest) -> list[str]:
    submitted = [review.submitted_at for review in one.reviews if review.submitted_at]
    opened = max(one.ready_at or one.created_at, one.created_at)
    spans = [
        ("first commit to opening", one.first_commit_at, one.created_at),
        ("opening to first review", opened, min(submitted, default=None)),
        ("opening to merge", one.created_at, one.merged_at),
    ]
    shown = [f"{name} {_hours(start, end)}" for name, start, end in spans if start and end and end >= start]
    first = min(submitted, default=None)
    if first:
        later = sum(1 for commit in one.commits if commit.committed_at and commit.committed_at > first)
        shown.append(f"{later} commits after the first review")
    return shown


def _hours(start: datetime, end: datetime) -> str:
    return f"{(end - start).total_seconds() / 3600:.1f} hours"


def _middle_left_out(lines: Sequence[str], most: int, total: int) -> list[str]:
    if len(lines) <= most and total <= len(lines):
        return list(lines)
    head = lines[: most - most // 3]
    tail = lines[len(head) :][-(most // 3) :]
    missing = max(total, len(lines)) - len(head) - len(tail)
    return [*head, f"[… {missing} more …]", *tail] if missing else list(lines)


def _commit_lines(messages: Sequence[str], total: int) -> list[str]:
    lines = [_commit_line(message, index < COMMIT_BODIES_SHOWN) for index, message in enumerate(messages)]
    return _middle_left_out(lines, COMMITS_SHOWN, total)


def _commit_line(message: str, with_body: bool) -> str:
    subject, _, rest = message.partition("\n")
    if not (with_body and rest):
        return f"- {one_line(subject)}"
    prose = " ".join(line for line in rest.splitlines() if not _looks_like_trailer(line.strip()))
    said = one_line(cut_in_the_middle(one_line(prose, 5_000), COMMIT_BODY_CHARACTERS))
    return f"- {one_line(subject)}{' | ' + said if said else ''}"


def _trailers(message: str) -> list[str]:
    """`Key: value` lines of a message."""
    lines = map(str.strip, message.splitlines()[1:])
    return list(filter(_looks_like_trailer, lines))


def _looks_like_trailer(line: str) -> bool:
    key, colon, value = line.partition(":")
    return bool(colon and value.startswith(" ") and key and " " not in key and key[0].isupper() and "-" in key)


def _trailer_lines(commits: Sequence[Commit], messages: Sequence[str]) -> list[str]:
    counted: dict[str, int] = defaultdict(int)
    for commit, message in zip(commits, messages, strict=True):
        for line in (*_trailers(message), _author_line(commit)):
            counted[one_line(line)] += 1
    shown = [line if count == 1 else f"{line} (×{count})" for line, count in counted.items() if line]
    return _middle_left_out(shown, TRAILERS_SHOWN, len(shown))


def _author_line(commit: Commit) -> str:
    who = " ".join(filter(None, (commit.author_name, commit.author_email and f"<{commit.author_email}>")))
    return f"commit author: {who or commit.author_login}" if who or commit.author_login else ""


def _file_lines(files: Sequence[ChangedFile], total: int) -> list[str]:
    by_kind: dict[str, list[ChangedFile]] = defaultdict(list)
    for file in files:
        by_kind[category(file.path)].append(file)
    share = max(3, FILES_SHOWN // max(1, len(by_kind)))
    lines = []
    for kind, members in sorted(by_kind.items(), key=lambda item: (-len(item[1]), item[0])):
        added, removed = sum(file.additions for file in members), sum(file.deletions for file in members)
        lines.append(f"{kind} ({len(members)} files, +{added} -{removed}):")
        busiest = sorted(members, key=lambda file: (-file.additions - file.deletions, file.path))
        lines += [f"  {one_line(file.path)} +{file.additions} -{file.deletions}" for file in busiest[:share]]
        if len(members) > share:
            lines.append(f"  [… {len(members) - share} more …]")
    if total > len(files):
        lines.append(f"[… {total - len(files)} files not listed …]")
    return lines


def _review_lines(reviews: Sequence[Review], total: int) -> list[str]:
    lines = []
    for review in reviews:
        said = cut_in_the_middle(one_line(review.body, 2_000), REVIEW_CHARACTERS).replace("\n", " ")
        who = f"{review.reviewer_login or 'deleted account'} ({review.reviewer_type or 'unknown type'})"
        lines.append(f"- {who} {review.state.lower()}{': ' + said if said else ''}")
    return _middle_left_out(lines, REVIEWS_SHOWN, total)
