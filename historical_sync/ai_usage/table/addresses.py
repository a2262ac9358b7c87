"""Full e-mail addresses that AI tools put into commits and trailers, and the branches they name.

Full addresses only: people work at anthropic.com, openai.com, sourcegraph.com and continue.dev, and people are called
Devin, Cody and Claude. GitHub's numeric prefix is no proof (agents copy each other's), so it is ignored; the one
exception is `Copilot@users.noreply.github.com`, which three products share and only the number tells apart.
"""

from __future__ import annotations

from historical_sync.ai_usage.rows import MENTION, SUGGESTION, Signature, address, branch, weak

SEEN = "seen in public commit histories, 2024-2026"
LISTED = "public lists of agent trailers (git-ai, CHAOSS, aiblame)"

ADDRESSES: tuple[Signature, ...] = (
    *address("claude", "noreply@anthropic.com", source="https://code.claude.com/docs/en/settings (attribution)"),
    *address("claude", "claude@anthropic.com", "claude-code@anthropic.com", source=f"{SEEN}; made up by agents"),
    *address("copilot", "198982749+Copilot@users.noreply.github.com", source="GitHub Copilot coding agent"),
    *address("copilot", "223556219+Copilot@users.noreply.github.com", source="GitHub Copilot CLI and App"),
    *address(
        "copilot",
        "175728472+Copilot@users.noreply.github.com",
        "copilot@github.com",
        source="editor and review: written with it, or a suggestion of its review that was accepted",
        strength=MENTION,
    ),
    *address("copilot", "copilot-swe-agent[bot]@users.noreply.github.com", source=SEEN),
    *address(
        "copilot",
        "github-advanced-security[bot]@users.noreply.github.com",
        source="Copilot Autofix powered by AI: a code-scanning suggestion that was accepted",
        role=SUGGESTION,
    ),
    *address("cursor", "cursoragent@cursor.com", source="Cursor, local and cloud agents"),
    *address("codex", "codex@openai.com", "noreply@openai.com", source="OpenAI Codex CLI and cloud"),
    *address("gemini", "gemini-cli@google.com", "gemini@google.com", source=f"{SEEN}; Gemini CLI has no default"),
    *address("gemini", "gemini-cli-agent@google.com", "noreply-gemini@google.com", source=f"{SEEN}; made up by agents"),
    *address(
        "aider",
        "aider@aider.chat",
        "noreply@aider.chat",
        "noreply@aider.dev",
        source="https://aider.chat/docs/git.html",
    ),
    *address("openhands", "openhands@all-hands.dev", "opendevin@all-hands.dev", "opendevin@opendevin.ai", source=SEEN),
    *address("openhands", "openhands@openhands.dev", source="https://docs.openhands.dev"),
    *address("amp", "amp@ampcode.com", source="https://ampcode.com/manual"),
    *address("roo", "roomote@roocode.com", "roo@roocode.com", source=SEEN),
    *address("crush", "crush@charm.land", "noreply@crush.charm.land", source="https://github.com/charmbracelet/crush"),
    *address("opencode", "noreply@opencode.ai", source="https://opencode.ai/docs"),
    *address("goose", "goose@opensource.block.xyz", source=LISTED),
    *address("qwen", "qwen-coder@alibabacloud.com", source="https://github.com/QwenLM/qwen-code"),
    *address("junie", "junie@jetbrains.com", source=LISTED),
    *address("warp", "agent@warp.dev", "oz-agent@warp.dev", source=LISTED),
    *address("continue", "noreply@continue.dev", "agent@continue.dev", source=SEEN),
    *address("mux", "noreply@coder.com", "mux-bot@coder.com", "bot@mux.coder.com", source=SEEN),
    *address("replit", "agent@replit.com", source=LISTED),
    *address("lovable", "noreply@lovable.dev", source=LISTED),
    *address("v0", "it+v0agent@vercel.com", source=LISTED),
    *address("mistral", "vibe@mistral.ai", source=LISTED),
    *address("pi", "pi@earendil.works", source=SEEN),
    *address("factory", "droid@factory.ai", source=SEEN),
    *address("ona", "no-reply@ona.com", source=SEEN),
    *address("letta", "noreply@letta.com", source="https://github.com/letta-ai/letta-code"),
    *address("sisyphus", "clio-agent@sisyphuslabs.ai", source="https://github.com/code-yeongyu/oh-my-opencode"),
    *address("charlie", "charlie@charlielabs.ai", source=LISTED),
    *address("sageox", "ox@sageox.ai", source=SEEN),
    *address("kiro", "kiro-agent@users.noreply.github.com", source=LISTED),
    *address("cline", "cline-agent@users.noreply.github.com", source=SEEN),
    *address("cline", "bot@cline.bot", source=SEEN),
    *address("augment", "agent@augmentcode.com", "augment@augmentcode.com", source=LISTED),
    *(weak(row) for row in address("cline", "noreply@cline.bot", source="unverified")),
    *(weak(row) for row in address("kiro", "noreply@kiro.dev", source="unverified")),
    *(
        weak(row)
        for row in address(
            "windsurf", "windsurf@codeium.com", "noreply@windsurf.com", "noreply@codeium.com", source="unverified"
        )
    ),
    *(weak(row) for row in address("trae", "noreply@bytedance.com", source="unverified")),
    *(weak(row) for row in address("zed", "agent@zed.dev", source="unverified")),
)

BRANCHES: tuple[Signature, ...] = (
    branch(
        "claude",
        r"claude/",
        examples=("claude/fix-login-01AbC", "claude/issue-12-20250801-1200"),
        near_misses=("claude", "feat/claude/models", "claude-4-support", "claudette/fix"),
        source="https://code.claude.com/docs/en/github-actions",
    ),
    branch(
        "copilot",
        r"copilot/",
        examples=("copilot/fix-123", "copilot/add-tests"),
        near_misses=("copilot-instructions", "feat/copilot/x"),
        source="https://docs.github.com/copilot/concepts/agents/coding-agent",
    ),
    branch(
        "cursor",
        r"cursor/[\w.-]+-[0-9a-f]{4}$|cursor/[A-Z]+-\d+-",
        examples=("cursor/fix-flaky-test-1a2b", "cursor/ENG-12-add-login-77fe"),
        near_misses=("cursor/pagination", "cursor-pagination-1a2b", "feat/cursor/fix-1a2b"),
        source=f"Cursor cloud agents; {SEEN}",
    ),
    branch(
        "devin",
        r"devin/\d{9,}-",
        examples=("devin/1754000000-add-tests",),
        near_misses=("devin/add-tests", "fix/devin/1754000000-x", "devin/12-x"),
        source="https://docs.devin.ai",
    ),
    branch(
        "codex",
        r"codex/",
        examples=("codex/fix-the-build", "codex/2025-06-01-add-docs"),
        near_misses=("codex", "feat/codex/provider", "codex-provider"),
        source="https://developers.openai.com/codex/cloud",
    ),
    branch(
        "jules",
        r"jules-\d{6,}-[0-9a-f]{6,}|jules/",
        examples=("jules-1234567890123-abcdef01", "jules/fix-typo"),
        near_misses=("jules-patch-1", "jules", "fix/jules-1234567890123-abcdef01"),
        source="https://jules.google/docs",
    ),
    branch(
        "openhands",
        r"openhands-fix-(?:issue|pr)-\d+|openhands/",
        examples=("openhands-fix-issue-12", "openhands-fix-issue-12-try2", "openhands/add-tests"),
        near_misses=("openhands-cloud-docs", "fix/openhands/x"),
        source="https://docs.openhands.dev (resolver)",
    ),
    branch(
        "sweep",
        r"sweep/",
        examples=("sweep/add-tests",),
        near_misses=("sweep-old-files", "chore/sweep/x"),
        source=LISTED,
    ),
    branch(
        "v0", r"v0/", examples=("v0/landing-page",), near_misses=("v0.8.58-release", "v0", "fix/v0/x"), source=LISTED
    ),
    weak(
        branch("amazon_q", r"Q-DEV-", examples=("Q-DEV-issue-1-17",), near_misses=("q-developer",), source="unverified")
    ),
    weak(branch("codegen", r"codegen-", examples=("codegen-bot/x",), near_misses=("codegen",), source="unverified")),
)
