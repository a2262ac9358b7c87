"""Reverts and hotfixes: what counts, and what only sounds like it."""

import pytest

from historical_sync.trends.kinds import is_hotfix, is_revert


@pytest.mark.parametrize(
    ("title", "body", "head_ref"),
    [
        ('Revert "Add retries"', "", "x"),
        ("Add retries differently", "Reverts acme/api#12 and replaces it by hand.", "x"),
        ("Restore login", "Because of the outage.\n\nReverts #12\n", "x"),
        ("Undo it", "", "revert-12-add-retries"),
        ("Undo it", "", "ada/revert-12-add-retries"),
        ("revert(ui): new select", "", "x"),
        ("🤖 revert: file tool", "", "x"),
        ('fix: Revert "feat(taps): queue contexts"', "", "x"),
        ('[GLUTEN-7437][CH]Revert "Auxiliary commit"', "", "x"),
        ("hotfix: Revert cache steps in Makefile", "", "x"),
        ("Revert docker install in the image", "", "x"),
        ("Revert #7731 and disable the tests", "", "x"),
        ('Revert "Revert "Add retries""', "", "x"),
    ],
)
def test_a_revert_is_recognised(title: str, body: str, head_ref: str) -> None:
    """GitHub's own title, line and branch count, and a title whose first word, after its tags, is to revert."""
    assert is_revert(title, body, head_ref)


@pytest.mark.parametrize(
    ("title", "body", "head_ref"),
    [
        ("Add a revert command", "", "x"),
        ("Revert button does nothing", "", "x"),
        ("Revertible migrations", "", "x"),
        ("fix: handle empty addedLines in revertDiff", "", "x"),
        ("Mend the parser", "> Reverts acme/api#12 was what broke it", "x"),
        ("Mend the parser", "The default reverts to 3 after #12.", "x"),
        ("Mend the parser", "Reverts the check that dropped blocks", "x"),
        ("Large change", "* step one\n* Revert step one\n\nThis reverts commit 040cb3b.", "x"),
        ("Add history", "", "revert-button"),
        ("Add history", "", "no-revert-12-x"),
    ],
)
def test_talk_of_reverting_is_no_revert(title: str, body: str, head_ref: str) -> None:
    """A title, a body or a branch that only speaks of reverting does not count."""
    assert not is_revert(title, body, head_ref)


@pytest.mark.parametrize(
    ("title", "head_ref", "base_ref", "labels"),
    [
        ("Hotfix: tokens go stale", "x", "main", []),
        ("[Hotfix, V1 CLI]: missing template", "x", "main", []),
        ("(Hotfix): tokens", "x", "main", []),
        ("fix(CLI): HOTFIX allow default config", "x", "main", []),
        ("[VL] Hot fix - wrong log", "x", "main", []),
        ("Mend login", "hotfix/login", "main", []),
        ("Mend login", "ada/hotfix-login", "main", []),
        ("Mend login", "hotfix-250613", "main", []),
        ("Mend login", "hotfix", "main", []),
        ("Mend login", "x", "hotfix/2.1", []),
        ("Mend login", "x", "main", ["bug", "Hotfix"]),
        ("Mend login", "x", "main", ["type: hotfix"]),
    ],
)
def test_a_hotfix_is_recognised(title: str, head_ref: str, base_ref: str, labels: list[str]) -> None:
    """The team's own word for it in the title's tags or first word, in a branch, or as a label."""
    assert is_hotfix(title, head_ref, base_ref, labels)


@pytest.mark.parametrize(
    ("title", "head_ref", "base_ref", "labels"),
    [
        ("Add original PR number into hotfix branch", "x", "main", []),
        ("Document how hotfixes are made", "x", "main", []),
        ("hotfixes page", "x", "main", []),
        ("Screenshot fix", "screenshot-fix", "main", []),
        ("snapshot fix", "fix-snapshot-fix", "main", []),
        ("Mend login", "docs/remove-hotfix", "main", []),
        ("Mend login", "x", "main", ["no hotfix needed", "hotfix-docs"]),
    ],
)
def test_talk_of_hotfixes_is_no_hotfix(title: str, head_ref: str, base_ref: str, labels: list[str]) -> None:
    """A title, a branch or a label that only mentions hotfixes does not count."""
    assert not is_hotfix(title, head_ref, base_ref, labels)
