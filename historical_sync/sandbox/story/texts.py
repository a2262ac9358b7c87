"""The words of the demo team: what they build, how they describe it, and how tools sign their work. All our own."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Codebase:
    """What a repository is made of: its subjects, and the folders and extensions of its files."""

    name: str
    subjects: tuple[str, ...]
    paths: tuple[str, ...]


CODEBASES = {
    "demo/storefront": Codebase(
        "storefront",
        (
            "basket totals",
            "product search",
            "checkout form",
            "gift cards",
            "size guide",
            "stock badges",
            "wish list",
            "voucher field",
            "delivery slots",
            "image gallery",
            "order history",
            "address book",
        ),
        (
            "web/components/{}.tsx",
            "web/pages/{}.tsx",
            "web/styles/{}.css",
            "web/hooks/use_{}.ts",
            "web/tests/{}.spec.ts",
            "docs/{}.md",
        ),
    ),
    "demo/payments": Codebase(
        "payments",
        (
            "refund queue",
            "card tokens",
            "ledger entries",
            "settlement report",
            "currency rounding",
            "dispute intake",
            "idempotency keys",
            "payout calendar",
            "fee schedule",
            "bank webhooks",
        ),
        (
            "payments/{}/service.py",
            "payments/{}/models.py",
            "payments/api/{}.py",
            "tests/{}_test.py",
            "migrations/{}.sql",
            "docs/{}.md",
        ),
    ),
    "demo/platform": Codebase(
        "platform",
        (
            "deploy pipeline",
            "cluster autoscaler",
            "secret rotation",
            "log retention",
            "build cache",
            "staging data",
            "alert routes",
            "node images",
        ),
        (
            "cmd/{}/main.go",
            "internal/{}/{}.go",
            "deploy/{}.yaml",
            "infra/{}.tf",
            ".github/workflows/{}.yml",
            "internal/{}/{}_test.go",
        ),
    ),
}

TITLES = {
    "feature": ("Add {}", "Show {} to signed-in customers", "Support several {}", "feat: {} behind a flag"),
    "bugfix": ("Fix {}", "Fix crash in {}", "fix: wrong {} after reload", "Correct {} on leap days"),
    "refactor": ("Refactor {}", "Simplify {}", "Extract {} from the old module", "refactor: split {}"),
    "docs": ("Document {}", "docs: explain {}", "Update the README for {}"),
    "test": ("Test {}", "test: cover {}", "Make the tests of {} less flaky"),
    "chore": ("Clean up {}", "chore: remove unused {}", "Upgrade what {} depends on"),
    "ci": ("ci: check {} on every push", "Cache the build of {}", "Run the checks of {} in parallel"),
}
TYPE_WEIGHTS = {"feature": 34, "bugfix": 27, "refactor": 14, "docs": 7, "test": 8, "chore": 6, "ci": 4}
LABELS = {"feature": "enhancement", "bugfix": "bug", "docs": "documentation", "test": "tests", "ci": "ci"}
BRANCHES = {"feature": "feature", "bugfix": "fix", "refactor": "refactor", "docs": "docs", "test": "test", "ci": "ci"}

REASONS = (
    "Support asked for it three times this month.",
    "It was the slowest step of the release.",
    "The old way counted some orders twice.",
    "We agreed on this in the last planning.",
    "It blocks the work on the next milestone.",
    "Nobody could say any more why it was there.",
)
WAYS = (
    "The rule now lives in one place and both callers use it.",
    "The query asks for one page less, and the index is used.",
    "State is kept on the server; the client only shows it.",
    "The two special cases became one table.",
    "It is behind a flag until Monday.",
)
PROOFS = (
    "Tested by hand on staging with four accounts.",
    "Covered by new unit tests; the end-to-end run is green.",
    "Compared last week's numbers before and after: equal.",
    "No tests: this is text only.",
)
STEPS = (
    "Address review",
    "Add tests",
    "Fix lint",
    "Rename for clarity",
    "Handle the empty case",
    "Merge branch 'main'",
)
REVIEW_WORDS = {
    "APPROVED": ("Looks good to me.", "Nice, much clearer than before.", "", ""),
    "CHANGES_REQUESTED": (
        "Please add a test for the second branch.",
        "This breaks when two people save at once.",
        "The old field is still read in the export.",
    ),
    "COMMENTED": (
        "Could we name this after what it holds?",
        "What happens when the list is empty?",
        "A question below.",
    ),
}
BOT_REVIEWS = {
    "coderabbitai": "**Actionable comments posted: {}**\n\nA walkthrough of the change follows.",
    "copilot-pull-request-reviewer": "## Pull request overview\n\nReviewed {} files and left comments.",
    "gemini-code-assist": "## Code Review\n\nThe change is sound; {} suggestions below.",
}

TRAILERS = {
    "claude": "Co-Authored-By: Claude <noreply@anthropic.com>",
    "copilot": "Co-authored-by: Copilot <223556219+Copilot@users.noreply.github.com>",
    "cursor": "Co-authored-by: Cursor <cursoragent@cursor.com>",
    "codex": "Co-authored-by: Codex <noreply@openai.com>",
    "aider": "Co-authored-by: aider (gpt-5) <aider@aider.chat>",
}
FOOTERS = {
    "claude": "🤖 Generated with [Claude Code](https://claude.com/claude-code)",
    "devin": "Link to Devin run: https://app.devin.ai/sessions/{}\nRequested by: @{}",
    "jules": "PR created automatically by Jules for task [{0}](https://jules.google.com/task/{0}) started by @{1}",
    "codex": "https://chatgpt.com/codex/tasks/task_{}",
    "copilot": "<!-- START COPILOT CODING AGENT TIPS -->\nTell the agent more about this repository.",
    "cursor": "<!-- CURSOR_AGENT_PR_BODY_BEGIN -->\nOpened by a background agent: https://cursor.com/agents",
}
DISCLOSURES = {
    "claude": "I paired with Claude on the parser, then rewrote the error paths by hand.",
    "copilot": "Copilot wrote the first version of the tests.",
    "cursor": "Mostly written with Cursor; I checked every line.",
    "codex": "Drafted by Codex from the ticket, finished by me.",
    "aider": "Made with aider in an afternoon.",
    "gemini": "Gemini helped to write the migration; the rest is mine.",
}
NEAR_MISSES = (
    "This adds a button that asks Claude for a summary; the model is configurable.",
    "The cursor of the list is now stable when rows move.",
    "No AI was used for this change.",
    "The docs list Copilot and Cursor among the editors that we support.",
    "Thanks to CodeRabbit for finding the bug; mended by hand.",
)
"""Sentences that name AI without disclosing that any wrote the change."""
