"""What people say about AI in their own words, found in a title, a description or a commit message.

Cleans the text, walks its units, and asks `sections` for answers to templates and `statements` for free statements.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator

from historical_sync.ai_usage.clauses import Clause
from historical_sync.ai_usage.scope import is_attestation
from historical_sync.ai_usage.sections import Sections
from historical_sync.ai_usage.statements import statement_of
from historical_sync.ai_usage.text import ITEM, Unit, blocks, in_words, units, without_blocks
from historical_sync.ai_usage.words import holds, places
from historical_sync.records import made_in_bulk


@made_in_bulk
class Disclosure:
    """Words that disclose AI: the rule, the tools named (`generic` where none is), and where they stand in the text."""

    rule: str
    tools: tuple[str, ...]
    start: int
    end: int


@made_in_bulk
class Reading:
    """What a text says of AI: its disclosures, and every clause of its author's that names AI, disclosure or not."""

    disclosures: tuple[Disclosure, ...] = ()
    clauses: tuple[Clause, ...] = ()


def read(text: str, lower: str, spotted: tuple[str, ...]) -> Reading:
    """Every clause of `text` that says that AI made something of the change, and what else names AI. `lower` is it in
    lower case, `spotted` what `words.spot` says of it, or of a longer text that holds it."""
    if not holds(lower, spotted):
        return NOTHING
    base = without_blocks(text)
    if base is not text:
        lower = base.lower()
    if len(lower) != len(base):
        lower = base
    spots = places(lower, spotted)
    next_spot = 0
    sections = Sections()
    said: list[Disclosure] = []
    named: list[Clause] = []
    for number, (start, end) in enumerate(blocks(base)):
        if not sections.is_open:
            next_spot = bisect_left(spots, start, next_spot)
            if next_spot == len(spots):
                break
            if spots[next_spot] >= end:
                continue
        prose = in_words(base[start:end])
        if sections.is_open or holds(prose.lower(), spotted):
            for unit, clause, rule in _of_block(prose, number, sections, spotted):
                if rule:
                    said.append(Disclosure(rule, clause.tools, start + clause.start, start + clause.end))
                if clause.words and unit.is_ticked is None and not unit.is_quoted:
                    named.append(Clause(clause.plain, clause.words, start + clause.start, start + clause.end))
    return Reading(tuple(said), tuple(named))


NOTHING = Reading()


def _of_block(
    prose: str, number: int, sections: Sections, spotted: tuple[str, ...]
) -> Iterator[tuple[Unit, Clause, str | None]]:
    for unit in units(prose, number):
        if not (sections.is_open or holds(prose[unit.start : unit.end].lower(), spotted)):
            continue
        for answer in sections.answers(prose, unit):
            if isinstance(answer, tuple):
                yield unit, *answer
            else:
                yield unit, answer, _statement(prose, unit, answer)


def _statement(prose: str, unit: Unit, clause: Clause) -> str | None:
    if not clause.words and "vib" not in clause.plain:
        return None
    if unit.is_quoted and not _is_alert(prose, unit):
        return None
    if unit.is_ticked and is_attestation(clause.plain):
        return None
    if unit.kind == ITEM and _names_other_pull_request(prose, unit):
        return None
    wording = statement_of(clause)
    return wording.name if wording else None


def _is_alert(prose: str, unit: Unit) -> bool:
    """A quote of GitHub's `[!NOTE]` kind is the author's own word."""
    return "[!" in prose[max(0, unit.start - 200) : unit.end]


def _names_other_pull_request(prose: str, unit: Unit) -> bool:
    """A list item that ends with `(#123)` is a line of release notes, or of a squash that carries other work."""
    line = prose[unit.start : unit.end].rstrip()
    return line.endswith(")") and "(#" in line[-10:]
