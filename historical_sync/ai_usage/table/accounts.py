"""Accounts that AI tools open pull requests and commit with. Their reviews are reviews; see `reviewers` for the rest.

A bot's login has `[bot]` in REST and in commit addresses and none in GraphQL; rows match both. "Seen" means in the
histories of 62 public repositories, June 2024 to August 2026.
"""

from __future__ import annotations

from historical_sync.ai_usage.rows import Signature, agent, weak

SEEN = "seen in public commit histories, 2024-2026"
APP = "the tool's GitHub App"
LISTED = "public lists of agent accounts (AIDev, PRarena, git-ai, CHAOSS)"

ACCOUNTS: tuple[Signature, ...] = (
    *agent("claude", "claude", "claude-code-action", "anthropic-claude", source=APP),
    *agent("claude", "claude-code", source=LISTED),
    *agent(
        "copilot", "copilot-swe-agent", "Copilot", source="https://docs.github.com/copilot/concepts/agents/coding-agent"
    ),
    *agent("cursor", "cursoragent", "cursor", source=APP),
    *agent("devin", "devin-ai-integration", source="https://docs.devin.ai/integrations/gh"),
    *agent("codex", "openai-codex", "codex", source=LISTED),
    *agent("jules", "google-labs-jules", source="https://jules.google/docs"),
    *agent("gemini", "gemini-cli", source=SEEN),
    *agent("openhands", "openhands-agent", "openhands-ai", "all-hands-bot", source=SEEN),
    *agent("factory", "factory-droid", source=SEEN),
    *agent("roo", "roomote", "roomote-agent", source=SEEN),
    *agent("opencode", "opencode-agent", source="https://opencode.ai/docs/github"),
    *agent("goose", "aaif-goose", source=LISTED),
    *agent("junie", "jetbrains-ai", "jetbrains-junie", source=LISTED),
    *agent("kiro", "kiro-agent", source=LISTED),
    *agent("amazon_q", "amazon-q-developer", source="https://docs.aws.amazon.com/amazonq (GitHub integration)"),
    *agent("warp", "oz-agent", "warp-dev-agent", source=LISTED),
    *agent("continue", "continue", "continue-staging", "continue-agent", source=SEEN),
    *agent("cline", "cline", "cline-cloud", source=SEEN),
    *agent("kilo", "kilo-code-bot", "kiloconnect", source=LISTED),
    *agent("mux", "mux-bot", "mux-auto-cleanup", source=SEEN),
    *agent("blink", "blink-so", "blinkagent", source=SEEN),
    *agent("cody", "sourcegraph-cody", source=LISTED),
    *agent("lovable", "gpt-engineer-app", "lovable-dev", source=LISTED),
    *agent("v0", "v0", source=LISTED),
    *agent("bolt", "bolt-new-by-stackblitz", source=LISTED),
    *agent("replit", "replit-agent", source=LISTED),
    *agent("codegen", "codegen-sh", source=LISTED),
    *agent("sweep", "sweep-ai", "sweep-nightly", source=LISTED),
    *agent("mentat", "mentatbot", source=LISTED),
    *agent("charlie", "charliecreates", "charliehelps", source=LISTED),
    *agent("tembo", "tembo", "tembo-io", source=LISTED),
    *agent("jules", "jules-fleet", source=LISTED),
    *agent("posthog", "posthog", source=SEEN),
    *agent("pullfrog", "pullfrog", source=SEEN),
    *agent("mendral", "mendral-app", source=SEEN),
    *agent("linear", "linear-code", source=SEEN),
    *agent("ai_sdk_factory", "ai-sdk-factory", source=SEEN),
    *agent("sentry_seer", "sentry-junior", "fix-it-felix-sentry", source=SEEN),
    *agent("marvin", "marvin-context-protocol", source=SEEN),
    *agent("aikido", "aikido-autofix", source=SEEN),
    *agent("blacksmith", "blacksmith-sh", source=SEEN),
    *(weak(row) for row in agent("augment", "augment-agent", source="seen once, unverified")),
)
