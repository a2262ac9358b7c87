"""GitHub's issue search, as far as pull requests are looked for: qualifiers, ranges, and the end at 1,000 results."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from historical_sync.sandbox.world import PullRequest, World, stamp

SEARCH_CAP = 1000
"""Results that a search gives at most, whatever `issueCount` says."""

_QUALIFIER = re.compile(r'(-?)([a-z-]+):("[^"]*"|\S+)')
_TIMES = {"created": "created_at", "updated": "updated_at", "merged": "merged_at", "closed": "closed_at"}
Test = Callable[[PullRequest], bool]


def found_by_search(world: World, text: str, kind: str) -> tuple[list[PullRequest], int]:
    """The first 1,000 pull requests that match, and how many match in all."""
    qualifiers = _QUALIFIER.findall(text)
    if kind != "ISSUE":
        return [], 0
    names = [value for sign, name, value in qualifiers if name == "repo" and not sign]
    tests = [_test(name, value.strip('"'), bool(sign)) for sign, name, value in qualifiers]
    repositories = [world.repository(name) for name in names] or list(world.repositories.values())
    rows = [
        row
        for repository in repositories
        if repository is not None and repository.access == "open"
        for row in repository
        if all(test(row) for test in tests)
    ]
    wanted = next((value for _, name, value in qualifiers if name == "sort"), "created-desc")
    field, _, direction = wanted.partition("-")
    rows.sort(key=lambda row: (getattr(row, _TIMES.get(field, "created_at")) or "", row.database_id))
    if direction != "asc":
        rows.reverse()
    return rows[:SEARCH_CAP], len(rows)


def _test(name: str, value: str, is_negated: bool) -> Test:
    test = _positive_test(name, value)
    return (lambda row: not test(row)) if is_negated else test


def _positive_test(name: str, value: str) -> Test:
    if name in {"is", "state", "type"}:
        return _is(value)
    if name in _TIMES:
        low, high = _range(value)
        return lambda row: low <= (getattr(row, _TIMES[name]) or "") <= high
    if name == "author":
        login = value.removeprefix("app/").lower()
        return lambda row: row.author is not None and row.author.login.lower() == login
    if name in {"base", "head"}:
        return lambda row: bool(getattr(row, f"{name}_ref") == value)
    if name == "label":
        return lambda row: value in row.labels
    return lambda row: True


def _is(value: str) -> Test:
    known: dict[str, Test] = {
        "merged": lambda row: row.is_merged,
        "unmerged": lambda row: not row.is_merged,
        "open": lambda row: row.state == "OPEN",
        "closed": lambda row: row.state != "OPEN",
        "draft": lambda row: row.is_draft,
        "issue": lambda row: False,
    }
    return known.get(value, lambda row: True)


def _range(value: str) -> tuple[str, str]:
    """The first and last instant of `A..B`, `>=A`, `>A`, `<=B`, `<B` or a day; days are whole UTC days."""
    low, high = "0", "9"
    if ".." in value:
        first, _, last = value.partition("..")
        return (low if first == "*" else _instant(first, False)), (high if last == "*" else _instant(last, True))
    if value.startswith(">="):
        return _instant(value[2:], False), high
    if value.startswith(">"):
        return _next(_instant(value[1:], True), 1), high
    if value.startswith("<="):
        return low, _instant(value[2:], True)
    if value.startswith("<"):
        return low, _next(_instant(value[1:], False), -1)
    return _instant(value, False), _instant(value, True)


def _instant(text: str, is_end: bool) -> str:
    moment = datetime.fromisoformat(text)
    moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    if len(text) == len("2025-03-01") and is_end:
        moment += timedelta(days=1, seconds=-1)
    return stamp(moment)


def _next(text: str, seconds: int) -> str:
    return stamp(datetime.fromisoformat(text) + timedelta(seconds=seconds))
