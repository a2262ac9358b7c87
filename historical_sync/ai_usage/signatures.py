"""The whole table of signatures in the forms that tagging asks: by login, by address, by branch, by text; its version.

A new tool is one row in `table/`. What people say in their own words is in `disclosure`.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable
from pathlib import Path

from historical_sync.ai_usage.rows import ACCOUNT, ADDRESS, BRANCH, IN_COMMIT_AUTHOR, PATTERN, Signature
from historical_sync.ai_usage.table.accounts import ACCOUNTS
from historical_sync.ai_usage.table.addresses import ADDRESSES, BRANCHES
from historical_sync.ai_usage.table.footers import FOOTERS
from historical_sync.ai_usage.table.links import LINKS, TITLES
from historical_sync.ai_usage.table.reviewers import AUTOMATION, REVIEW_TEXTS, REVIEWERS

SIGNATURES: tuple[Signature, ...] = (
    *ACCOUNTS,
    *ADDRESSES,
    *BRANCHES,
    *REVIEWERS,
    *REVIEW_TEXTS,
    *AUTOMATION,
    *FOOTERS,
    *LINKS,
    *TITLES,
)
"""Every row, disabled ones included."""


def of_kind(kind: str) -> list[Signature]:
    """The enabled rows that are recognised in this way."""
    return [row for row in SIGNATURES if row.kind == kind and row.is_enabled]


def by_key(rows: Iterable[Signature]) -> dict[tuple[str, str], Signature]:
    """Rows by (place, what is compared there)."""
    return {(place, row.pattern): row for row in rows for place in row.places}


LOGINS = by_key(of_kind(ACCOUNT))
EMAILS = by_key(of_kind(ADDRESS))
BRANCH_ROWS = tuple(of_kind(BRANCH))
ANY_BRANCH = re.compile("|".join(f"(?:{row.pattern})" for row in BRANCH_ROWS), re.IGNORECASE | re.MULTILINE)
"""What one of them matches: most branches are nobody's."""
NAME_ROWS = tuple(row for row in of_kind(PATTERN) if IN_COMMIT_AUTHOR in row.places)
TEXT_ROWS = tuple(row for row in of_kind(PATTERN) if IN_COMMIT_AUTHOR not in row.places)


def _by_word() -> dict[str, list[Signature]]:
    rows: dict[str, list[Signature]] = {}
    for row in TEXT_ROWS:
        for word in row.words.split("|"):
            rows.setdefault(word, []).append(row)
    return rows


_BY_WORD = _by_word()


WORDS = frozenset(_BY_WORD)
"""The runs of letters by which `rows_of` chooses."""


def rows_of(words: Iterable[str]) -> tuple[Signature, ...]:
    """The rows for texts that can match where these runs of letters stand."""
    rows = {row.signature_id: row for word in words if word in _BY_WORD for row in _BY_WORD[word]}
    return tuple(rows[key] for key in sorted(rows))


HERE = Path(__file__).parent
DECIDE_NOTHING = {"evaluation.py", "retagging.py", "labelled.py"}


def ruleset_version(sources: Iterable[bytes]) -> str:
    """Digest of rules, given the text of the modules that hold them: any change of a row or of a rule changes it."""
    digest = hashlib.sha256()
    for source in sources:
        digest.update(hashlib.sha256(source).digest())
    return digest.hexdigest()[:12]


def rule_modules() -> list[Path]:
    """The modules of this room that decide what is evidence, in a fixed order."""
    return sorted(path for path in HERE.rglob("*.py") if path.name not in DECIDE_NOTHING)


RULESET_VERSION = ruleset_version(path.read_bytes() for path in rule_modules())
