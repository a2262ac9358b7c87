"""From a pull request to its evidence: every place is looked at, every hit is kept with the words that prove it.

Pure. What counts is said elsewhere: rows in `table/`, what is masked in `text`, people's own words in `disclosure`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import field, replace
from functools import lru_cache

from historical_sync.ai_usage import signatures, trailers, words
from historical_sync.ai_usage.disclosure import Reading, read
from historical_sync.ai_usage.lexicon import GENERIC
from historical_sync.ai_usage.remarks import remarks
from historical_sync.ai_usage.rows import (
    AUTHOR,
    AUTOMATION,
    IN_AUTHOR,
    IN_BODY,
    IN_BRANCH,
    IN_COMMIT_AUTHOR,
    IN_MESSAGE,
    IN_REVIEWER,
    IN_TITLE,
    IN_TRAILER,
    MENTION,
    NOREPLY,
    REVIEWER,
    Signature,
    normal_address,
    normal_login,
)
from historical_sync.ai_usage.signatures import ANY_BRANCH, BRANCH_ROWS, EMAILS, LOGINS, NAME_ROWS, rows_of
from historical_sync.ai_usage.text import blanked, for_markers, own_words
from historical_sync.ai_usage.words import runs, spot, still_spotted
from historical_sync.records import Evidence, PullRequest, made_in_bulk, storable_text

QUOTE_LENGTH = 200

_CO_AUTHORS = re.compile(r"\nco-authored-by:[^\n]*")
"""Most pull requests by AI name it in such lines alone: they are read as trailers, and no reason to read the prose."""

_RELEASE = re.compile(
    r"^(?:\w+(?:\([^()]*\))?!?: )?(?:version packages|(?:prepare |cut |bump )?releases? (?:v?\d|notes|candidate)|"
    r"(?:prepare |cut )?release:?$|(?:update |add |sync )?(?:the )?changelog|v?\d+\.\d+\.\d)",
    re.IGNORECASE,
)
"""Titles of pull requests that list what others did: their prose is about the product."""

_LOOKED_FOR = words.WORDS | signatures.WORDS

QUOTES_OTHERS = frozenset(
    {
        "dependabot",
        "renovate",
        "snyk",
        "pyup",
        "greenkeeper",
        "scala_steward",
        "depfu",
        "dotnet_maestro",
        "pre_commit_ci",
    }
)
"""Automata whose pull requests carry the release notes, commits and trailers of other projects."""


def tag(pull_request: PullRequest) -> list[Evidence]:
    """Every hit of every enabled signature, one for each (signature, source, position); see `records.Evidence`."""
    found: dict[tuple[str, str, int], Evidence] = {}
    for hit in _hits(pull_request):
        found.setdefault((hit.signature_id, hit.source, hit.position), hit)
    return list(found.values())


def is_automation(pull_request: PullRequest, evidence: list[Evidence]) -> bool:
    """Whether neither a person nor an AI agent opened it: a known automaton, or an App that shows no sign of AI."""
    if any(hit.source == IN_AUTHOR and hit.role == AUTOMATION for hit in evidence):
        return not any(hit.role == AUTHOR for hit in evidence)
    return pull_request.author_type == "Bot" and not any(hit.role == AUTHOR for hit in evidence)


def _hits(pull_request: PullRequest) -> Iterator[Evidence]:
    opener = _account(pull_request.author_login, IN_AUTHOR, 0)
    yield from opener
    for position, review in enumerate(pull_request.reviews):
        yield from _account(review.reviewer_login, IN_REVIEWER, position)
    if not any(hit.tool in QUOTES_OTHERS for hit in opener):
        present = _Present.of(pull_request)
        made = list(_made(pull_request, present))
        yield from made
        if present.spotted and not any(hit.role == AUTHOR for hit in (*opener, *made)):
            yield from _remarks(pull_request, present)


@made_in_bulk
class _Present:
    """What a pull request's texts hold at all, found in one pass over all of them: rows one of whose words is there,
    and words that can name AI. Each text is asked only for these, and once: a title is often its commit's message."""

    rows: tuple[Signature, ...]
    spotted: tuple[str, ...]
    has_trailers: bool = False
    readings: dict[str, Reading] = field(default_factory=dict)

    def read(self, text: str, lower: str | None = None) -> Reading:
        """What one of the texts says of AI, read once."""
        reading = self.readings.get(text)
        if reading is None:
            reading = self.readings[text] = read(text, lower or text.lower(), self.spotted)
        return reading

    @property
    def is_silent(self) -> bool:
        """Whether no text of the pull request needs to be looked at."""
        return not (self.rows or self.spotted or self.has_trailers)

    @classmethod
    def of(cls, pull_request: PullRequest) -> _Present:
        messages = (commit.message for commit in pull_request.commits)
        text = "\n".join(dict.fromkeys((pull_request.title, pull_request.body, *messages)))
        lower = text.lower()
        found = _LOOKED_FOR.intersection(runs(lower))
        spotted = () if _RELEASE.match(pull_request.title) else spot(text, lower, found)
        if spotted and "\nco-authored-by:" in lower:
            spotted = still_spotted(_CO_AUTHORS.sub("", lower), spotted)
        return cls(rows_of(found), spotted, trailers.may_hold_trailers(lower))


def _made(pull_request: PullRequest, present: _Present) -> Iterator[Evidence]:
    yield from _branch(pull_request.head_ref)
    is_silent = present.is_silent
    if not is_silent:
        yield from _text(pull_request.title, IN_TITLE, 0, present)
        yield from _text(pull_request.body, IN_BODY, 0, present)
    for position, commit in enumerate(pull_request.commits):
        yield from _account(commit.author_login, IN_COMMIT_AUTHOR, position)
        yield from _committer(commit.author_email or "", commit.author_name or "", position)
        if not is_silent:
            yield from _text(commit.message, IN_MESSAGE, position, present)


def _text(text: str, place: str, position: int, present: _Present) -> Iterator[Evidence]:
    text = own_words(text)
    lower = text.lower()
    rows = [row for row in present.rows if row.needle in lower and place in row.places]
    has_trailers = present.has_trailers and place != IN_TITLE and trailers.may_hold_trailers(lower)
    if rows or has_trailers:
        left = for_markers(text)
        for hit in _marks(left, lower if left is text else left.lower(), place, position, rows):
            yield hit
            if hit.role == REVIEWER:
                text = text.replace(hit.quote, blanked(hit.quote))
                lower = text.lower()
        if has_trailers:
            yield from _trailers(left, IN_TRAILER if place == IN_MESSAGE else place, position)
    if present.spotted:
        for said in present.read(text, lower).disclosures:
            for tool in said.tools:
                yield _said(f"words.{said.rule}.{tool}", place, position, tool, MENTION, text[said.start : said.end])


def _remarks(pull_request: PullRequest, present: _Present) -> Iterator[Evidence]:
    texts = [own_words(text) for text in (pull_request.body, *(commit.message for commit in pull_request.commits))]
    named = [present.read(text).clauses for text in texts]
    for index, said in remarks(pull_request.title, pull_request.repository, texts, named):
        place, position = (IN_MESSAGE, index - 1) if index else (IN_BODY, 0)
        for tool in said.tools:
            quote = texts[index][said.start : said.end]
            yield _said(f"words.{said.rule}.{tool}", place, position, tool, MENTION, quote)


def _evidence(row: Signature, source: str, position: int, quote: str) -> Evidence:
    return Evidence(
        row.signature_id,
        source,
        position,
        row.tool,
        row.role,
        row.strength,
        storable_text(quote.strip())[:QUOTE_LENGTH],
    )


@lru_cache(maxsize=4096)
def _row_of_login(login: str, place: str) -> Signature | None:
    return LOGINS.get((place, normal_login(login)))


def _account(login: str | None, place: str, position: int) -> Sequence[Evidence]:
    if not login or (row := _row_of_login(login, place)) is None:
        return ()
    return (_evidence(row, place, position, login),)


@lru_cache(maxsize=4096)
def _row_of_address(address: str) -> Signature | None:
    address = address.strip().lower()
    bare = normal_address(address)
    row = EMAILS.get((IN_TRAILER, address)) or EMAILS.get((IN_TRAILER, bare))
    if row is None and bare.endswith(NOREPLY):
        row = LOGINS.get((IN_TRAILER, normal_login(bare.removesuffix(NOREPLY))))
    return row


def _committer(address: str, name: str, position: int) -> Sequence[Evidence]:
    rows, tools = _known_committer(address, name)
    if not rows and not tools:
        return ()
    quote = f"{name} <{address}>"
    return (
        *(_evidence(row, IN_COMMIT_AUTHOR, position, quote) for row in rows),
        *(_said(f"name.{tool}", IN_COMMIT_AUTHOR, position, tool, MENTION, quote) for tool in tools),
    )


@lru_cache(maxsize=4096)
def _known_committer(address: str, name: str) -> tuple[tuple[Signature, ...], tuple[str, ...]]:
    """Who made a commit: the row of a tool's address, or where that is unknown the rows and tools of the name."""
    if row := _row_of_address(address):
        return (row,), ()
    return tuple(row for row in NAME_ROWS if row.matches(name)), trailers.tool_as_name(name, address)


def _branch(head_ref: str) -> Sequence[Evidence]:
    if not ANY_BRANCH.match(head_ref):
        return ()
    return [_evidence(row, IN_BRANCH, 0, head_ref) for row in BRANCH_ROWS if row.expression.match(head_ref)]


def _marks(text: str, lower: str, place: str, position: int, rows: list[Signature]) -> Iterator[Evidence]:
    """What tools leave behind: footers, links, comments. `text` is what `for_markers` left, `rows` those to try."""
    found = [(row, line) for row in rows if (line := _line_of(row, text, lower))]
    is_named = any(row.role == AUTHOR and row.tool != GENERIC for row, _ in found)
    for row, line in found:
        if row.tool != GENERIC or not is_named:
            evidence = _evidence(row, place, position, line)
            yield evidence
            yield from _models(row, text[text.find(line) :][: len(line) + 120], evidence)


def _line_of(row: Signature, text: str, lower: str) -> str | None:
    """The first line of `text` that the row recognises; only lines that hold its needle are tried."""
    at = lower.find(row.needle)
    while at >= 0:
        start, end = lower.rfind("\n", 0, at) + 1, lower.find("\n", at)
        end = len(lower) if end < 0 else end
        if hit := row.expression.search(text, start, end):
            return _cut(text[start:end], hit.start() - start)
        at = lower.find(row.needle, end)
    return None


def _models(row: Signature, around: str, hit: Evidence) -> Iterator[Evidence]:
    """A tool's own mark may name the model that it ran: `Model: anthropic:claude-…`."""
    if row.is_by_model and "claude" in around.lower():
        yield replace(hit, signature_id=f"{row.signature_id}.claude", tool="claude")


def _trailers(text: str, source: str, position: int) -> Iterator[Evidence]:
    for trailer in trailers.read_trailers(text):
        quote = text[trailer.start : trailer.end]
        if trailer.address and (row := _row_of_address(trailer.address)):
            yield _evidence(row, source, position, quote)
        else:
            for tool, strength in trailers.tools_named(trailer):
                yield _said(f"trailer.{trailer.key}.{tool}", source, position, tool, strength, quote)


def _said(signature_id: str, source: str, position: int, tool: str, strength: str, quote: str) -> Evidence:
    """Evidence of a rule that reads the tool from the words themselves."""
    quote = storable_text(" ".join(quote.split()))[:QUOTE_LENGTH]
    return Evidence(signature_id, source, position, tool, AUTHOR, strength, quote)


def _cut(line: str, at: int) -> str:
    """A line as far as a quote holds it, with the hit at `at` in it."""
    return line if len(line) <= QUOTE_LENGTH else line[max(0, at - 40) :][:QUOTE_LENGTH]
