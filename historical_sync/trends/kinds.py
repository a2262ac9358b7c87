"""What kind of change a pull request is by its own words: a revert, a hotfix. Pure; `tag_month` stores the answers.

Both rules look at how a title *begins*, after its tags (`[core]`, `(ui)`, `fix(api):`, an emoji), since a title that
merely speaks of reverting or of hotfixes further on is about something else. docs/metrics.md shows the rules.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

TAGS = re.compile(r"(?: \W* (?: \[[^\]]*\] | \([^)]*\) | [A-Za-z]+ (?:\([^)]*\))? !? : ) )* \W*", re.VERBOSE)
"""What may stand before a title's first word: bracketed tags, conventional types with a colon, symbols."""

REVERT_TYPE = re.compile(r"\W*revert(\([^)]*\))?!?:", re.IGNORECASE)
"""Conventional Commits' type: `revert: …`, `revert(ui): …` (https://www.conventionalcommits.org)."""

REVERT_VERB = re.compile(
    r"""revert s? [ ] (?! (?: button | icon | link | menu | dialog | command | option | action | flow | feature
        | functionality | support | logic | endpoint | api | handler | function | method | tests? | is | does | should
        | doesn | fails ) \b )""",
    re.IGNORECASE | re.VERBOSE,
)
"""`Revert "…"`, which is GitHub's own title, `Revert #12`, `Revert the upgrade`; not a noun's `Revert button …`."""

REVERT_LINE = re.compile(r"^[ \t]*Reverts (?:[\w.-]+/[\w.-]+)?#\d+\b", re.MULTILINE)
"""GitHub's own first line of a revert's description: `Reverts owner/repo#123`.

https://docs.github.com/en/pull-requests/collaborating-with-pull-requests/incorporating-changes-from-a-pull-request/reverting-a-pull-request
Git's `This reverts commit …` does not count: squashed descriptions quote it for steps inside one pull request.
"""

REVERT_BRANCH = re.compile(r"(?:^|/)revert-\d+-")
"""GitHub's own branch for a revert: `revert-123-the-old-branch`."""

HOTFIX_WORD = re.compile(r"\bhot[ _-]?fix\b", re.IGNORECASE)
HOTFIX_BRANCH = re.compile(r"(?:^|/)hot[_-]?fix(?:[/_-]|\d|$)", re.IGNORECASE)
HOTFIX_LABEL = re.compile(r"(?:^|[:/]\s*)hot[ _-]?fix$", re.IGNORECASE)


def is_revert(title: str, body: str, head_ref: str) -> bool:
    """Whether the pull request undoes an earlier one: by title, GitHub's own line in the body, or GitHub's branch."""
    first_words = title[_tags_end(title) :]
    return bool(
        REVERT_TYPE.match(title)
        or REVERT_VERB.match(first_words)
        or REVERT_LINE.search(body)
        or REVERT_BRANCH.search(head_ref)
    )


def is_hotfix(title: str, head_ref: str, base_ref: str, labels: Sequence[str]) -> bool:
    """Whether the pull request is an urgent fix by its team's own word for it.

    True when the title's tags or first word say hotfix, when a part of the head or base branch begins with it
    (`hotfix/…`, `ada/hotfix-login`), or when a label is it (`hotfix`, `type: hotfix`).
    """
    return bool(
        HOTFIX_WORD.search(_head(title))
        or HOTFIX_BRANCH.search(head_ref)
        or HOTFIX_BRANCH.search(base_ref)
        or any(HOTFIX_LABEL.search(label.strip()) for label in labels)
    )


def _tags_end(title: str) -> int:
    found = TAGS.match(title)
    return found.end() if found else 0


def _head(title: str) -> str:
    """The title's tags and its first word (two where it is written `hot fix`)."""
    end = _tags_end(title)
    rest = re.match(r"hot[ _-]fix\b|\S*", title[end:], re.IGNORECASE)
    return title[:end] + (rest.group() if rest else "")
