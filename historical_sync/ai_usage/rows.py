"""What a row of the table of signatures is, and short ways to write one. The rows themselves are in `table/`.

A row says which tool, in which role, where it may appear, how it is recognised, how strong that is and where it was
learnt, with examples that it must match and near misses that it must not.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import cached_property

AUTHOR, REVIEWER, SUGGESTION, AUTOMATION = "author", "reviewer", "suggestion", "automation"
ROLES = (AUTHOR, REVIEWER, SUGGESTION, AUTOMATION)

EXACT, MENTION = "exact", "mention"

IN_AUTHOR, IN_BRANCH, IN_TITLE, IN_BODY = "author", "branch", "title", "body"
IN_MESSAGE, IN_COMMIT_AUTHOR, IN_TRAILER, IN_REVIEWER = "commit_message", "commit_author", "commit_trailer", "reviewer"
PLACES = (IN_AUTHOR, IN_BRANCH, IN_TITLE, IN_BODY, IN_MESSAGE, IN_COMMIT_AUTHOR, IN_TRAILER, IN_REVIEWER)
IN_TEXT = (IN_TITLE, IN_BODY, IN_MESSAGE)
IN_PROSE = (IN_BODY, IN_MESSAGE)

ACCOUNT, ADDRESS, BRANCH, PATTERN, GRAMMAR = "account", "address", "branch", "pattern", "grammar"
"""How a row is recognised: a login, a full e-mail address, the start of a branch, a regular expression, or by
`disclosure` (whose rows have no pattern of their own)."""

_NUMERIC_ID = re.compile(r"^\d+\+")
NOREPLY = "@users.noreply.github.com"


def normal_login(login: str) -> str:
    """A login as GraphQL gives it: lower case, without REST's `[bot]` and the `gh` command's `app/`."""
    return login.strip().lower().removeprefix("app/").removesuffix("[bot]")


def normal_address(address: str) -> str:
    """An address in lower case without GitHub's numeric prefix, which agents copy from each other."""
    return _NUMERIC_ID.sub("", address.strip().lower())


@dataclass(frozen=True)
class Signature:
    """One row. `needle` is a lower-case literal that is in every line that `pattern` matches; `words` are runs of
    the letters a to z, by `|`, of which one stands whole in such a line. Texts without them are skipped."""

    signature_id: str
    tool: str
    role: str
    places: tuple[str, ...]
    kind: str
    pattern: str
    strength: str
    source: str
    examples: tuple[str, ...]
    near_misses: tuple[str, ...]
    needle: str = ""
    words: str = ""
    is_enabled: bool = True
    is_by_model: bool = False
    """The tool is only the carrier; the model that the text names beside it is a tool as well."""

    @cached_property
    def expression(self) -> re.Pattern[str]:
        """The compiled pattern of a PATTERN or BRANCH row."""
        return re.compile(self.pattern, re.IGNORECASE | re.MULTILINE)

    def matches(self, text: str) -> bool:
        """Whether this row alone recognises `text`: a login, an address, a branch or a piece of prose."""
        if self.kind == ACCOUNT:
            return normal_login(text) == self.pattern
        if self.kind == ADDRESS:
            return self.pattern in (text.strip().lower(), normal_address(text))
        if self.kind == BRANCH:
            return self.expression.match(text) is not None
        return (not self.needle or self.needle in text.lower()) and self.expression.search(text) is not None


def weak(row: Signature) -> Signature:
    """The row switched off: seen once, or unverified (W in the table of facts)."""
    return replace(row, is_enabled=False)


def account(tool: str, login: str, role: str, places: Iterable[str], source: str) -> Signature:
    """A row for an account, whichever way its login is written."""
    login = normal_login(login)
    return Signature(
        signature_id=f"{tool}.{role}.login.{login}",
        tool=tool,
        role=role,
        places=tuple(places),
        kind=ACCOUNT,
        pattern=login,
        strength=EXACT,
        source=source,
        examples=(login, f"{login}[bot]", f"app/{login}", login.upper()),
        near_misses=(f"{login}-fan", f"the{login}", f"{login}@example.com"),
    )


def agent(tool: str, *logins: str, source: str) -> tuple[Signature, ...]:
    """Accounts of a tool that writes code: author of what it opens or commits, reviewer of what it reviews."""
    return tuple(
        row
        for login in logins
        for row in (
            account(tool, login, AUTHOR, (IN_AUTHOR, IN_COMMIT_AUTHOR, IN_TRAILER), source),
            account(tool, login, REVIEWER, (IN_REVIEWER,), source),
        )
    )


def reviewer(tool: str, *logins: str, source: str) -> tuple[Signature, ...]:
    """Accounts of a tool that reviews: its commits and trailers in other people's pull requests are suggestions that
    were accepted; only a pull request that it opened itself is of its making."""
    return tuple(
        row
        for login in logins
        for row in (
            account(tool, login, REVIEWER, (IN_REVIEWER,), source),
            account(tool, login, SUGGESTION, (IN_COMMIT_AUTHOR, IN_TRAILER), source),
            account(tool, login, AUTHOR, (IN_AUTHOR,), source),
        )
    )


def automation(tool: str, *logins: str, source: str) -> tuple[Signature, ...]:
    """Accounts that are neither people nor AI: dependencies, releases, formatters."""
    return tuple(
        account(tool, login, AUTOMATION, (IN_AUTHOR, IN_COMMIT_AUTHOR, IN_TRAILER), source) for login in logins
    )


def address(
    tool: str, *addresses: str, source: str, role: str = AUTHOR, strength: str = EXACT
) -> tuple[Signature, ...]:
    """Full addresses that a tool commits with. With a numeric prefix, only that very account's; else any prefix."""
    return tuple(
        Signature(
            signature_id=f"{tool}.{role}.address.{one.lower()}",
            tool=tool,
            role=role,
            places=(IN_COMMIT_AUTHOR, IN_TRAILER),
            kind=ADDRESS,
            pattern=one.lower(),
            strength=strength,
            source=source,
            examples=(one, one.upper()),
            near_misses=(f"someone.else@{one.partition('@')[2]}", f"x{one}", f"{one}.example.org"),
        )
        for one in addresses
    )


def branch(
    tool: str, pattern: str, *, examples: tuple[str, ...], near_misses: tuple[str, ...], source: str
) -> Signature:
    """A branch that a tool names so, matched from its start."""
    return Signature(
        signature_id=f"{tool}.{AUTHOR}.branch.{pattern}",
        tool=tool,
        role=AUTHOR,
        places=(IN_BRANCH,),
        kind=BRANCH,
        pattern=pattern,
        strength=EXACT,
        source=source,
        examples=examples,
        near_misses=near_misses,
    )


def marker(
    tool: str,
    name: str,
    pattern: str,
    *,
    needle: str = "",
    words: str = "",
    examples: tuple[str, ...],
    near_misses: tuple[str, ...],
    source: str,
    role: str = AUTHOR,
    places: tuple[str, ...] = IN_PROSE,
    strength: str = EXACT,
    is_by_model: bool = False,
) -> Signature:
    """A text that a tool leaves behind: a footer, a link to a session, an HTML comment, a trailer of its own."""
    return Signature(
        signature_id=f"{tool}.{role}.{name}",
        tool=tool,
        role=role,
        places=places,
        kind=PATTERN,
        pattern=pattern,
        strength=strength,
        source=source,
        examples=examples,
        near_misses=near_misses,
        needle=needle,
        words=words or max(re.findall(r"[a-z]+", needle) or [""], key=len),
        is_by_model=is_by_model,
    )
