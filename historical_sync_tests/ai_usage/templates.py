"""Descriptions made of templates, with what a reader says of each: (name, discloses, text). All in our own words."""

ASKED = "### Did a generative AI tool write or co-write this patch?\n"
BOXES = (
    "## AI assistance\n- [{}] No AI tools were used\n- [{}] AI was used for research only (no generated "
    "code)\n- [{}] AI wrote some of the code\n"
)
USED_FOR = (
    "## AI usage\nI used AI assistance for:\n- [{}] Code generation (e.g. when writing a fix)\n- [{}] "
    "Tests\n- [{}] Research and understanding\n"
)
HELPED = (
    "- [{}] I did **not** use any AI tools for this pull request.\n- [{}] I **did** use AI tools to "
    "*help* with this pull request.\n- [x] I have read the AI policy\n"
)

TEMPLATES = (
    ("a question answered with yes and a name", True, ASKED + "Yes, with GitHub Copilot.\n"),
    ("a question answered with a key", True, ASKED + "Generated-by: Claude 4.5\n"),
    ("a question answered by a ticked box", True, ASKED + "\n- [X] Yes (name the tool below)\n\nCodex\n"),
    ("a question answered with no", False, ASKED + "No.\n"),
    ("a question answered with NO", False, ASKED + "\nNO\n\nCloses #12. Claude is one of the models.\n"),
    ("a question that nobody answered", False, ASKED + "\n---\n* Read the guide\n"),
    (
        "a question with the template's own words",
        False,
        ASKED + "If AI was used, please write 'Generated-by: ' and the tool.\nIf not, write 'No'.\n",
    ),
    ("unticked yes", False, ASKED + "- [ ] Yes (name the tool)\n<!-- Generated-by: [Tool] -->\n"),
    ("all boxes empty", False, BOXES.format(" ", " ", " ")),
    ("the box of none", False, BOXES.format("x", " ", " ") + "\n**AI tools used**: \n"),
    ("the box of research", False, BOXES.format(" ", "x", " ")),
    ("the box of code", True, BOXES.format(" ", " ", "x") + "\n**AI tools used**: Cursor\n"),
    ("used for code", True, USED_FOR.format("x", " ", " ")),
    ("used for tests", True, USED_FOR.format(" ", "X", "x")),
    ("used for research", False, USED_FOR.format(" ", " ", "x")),
    ("used for nothing", False, USED_FOR.format(" ", " ", " ")),
    ("did use", True, HELPED.format(" ", "x")),
    ("did not use", False, HELPED.format("x", " ")),
    (
        "statement ticked",
        True,
        "## LLM involvement\n- [x] This PR was created or changed with the assistance of an AI\n- [ ] A human "
        "wrote all of this\n",
    ),
    (
        "statement unticked",
        False,
        "## LLM involvement\n- [ ] This PR was created or changed with the assistance of an AI\n- [x] A human "
        "wrote all of this\n",
    ),
    (
        "with a promise",
        True,
        "## AI disclosure\n- [ ] No AI tools were used.\n- [x] Parts of this were created with an AI tool, "
        "and I take full responsibility for them.\n",
    ),
    (
        "only promises",
        False,
        "- [x] **Ownership:** If AI was used, I have declared it and understand every line.\n- [x] I have "
        "reviewed all AI-generated code\n",
    ),
    (
        "not an agent",
        False,
        "## Agents\nWe are overrun by pull requests written by code agents.\n- [x] I confirm that this is not "
        "a pure code agent PR.\n",
    ),
    (
        "ticked content box",
        True,
        "### AI disclosure\n- [x] This PR contains AI-generated content.\n  - [x] I have tested any "
        "AI-generated content.\n\nTools: Claude Code\n",
    ),
    (
        "unticked content box",
        False,
        "### AI disclosure\n- [ ] This PR contains AI-generated content.\n\nTools: {e.g. Claude, Codex, ChatGPT}\n",
    ),
    ("line yes", True, "- I have read the guide\n- AI usage disclosure: YES - code written with Opus 4.5\n"),
    ("line no", False, "- I have read the guide\n- AI usage disclosure: NO\n"),
    ("lines", True, "## Use of AI\n\nAI assistance: Yes\nTools: Claude Code\nUsed for: first version and tests\n"),
    ("lines none", False, "## Use of AI\n\nAI assistance: No\n"),
    ("inline boxes yes", True, "AI used: [x] yes [ ] no\n"),
    ("inline boxes no", False, "AI used: [ ] yes [x] no\n"),
    ("both offered", False, "Did you use AI? (yes/no)\n"),
    ("generated entirely", True, "## GAI policy\n- [ ] GAI was not used\n- [x] Code was generated entirely by GAI\n"),
    ("not used", False, "## GAI policy\n- [x] GAI was not used\n- [ ] Code was generated entirely by GAI\n"),
    ("a list of names", True, "## AI Disclosure\n- Claude Code\n- Copilot\n"),
    ("a name alone", True, "## AI Usage\n\nCursor\n\n## Tests\n\nBy hand\n"),
    ("a name with its work", True, "### AI\nCursor for boilerplate.\n"),
    (
        "each tool with its work",
        True,
        "> [!NOTE]\n> AI assistance was used in this PR:\n> - **Cursor**: for scaffolding\n> - **Claude**: "
        "for wording\n",
    ),
    ("autocomplete", True, "## AI Disclosure\nOnly Copilot autocompletion\n"),
    ("minimal", True, "## AI Disclosure\nMinimal, autocomplete only\n"),
    ("some help", True, "### AI disclosure:\n- some help to write tests\n"),
    ("one part", True, "## AI disclosure\nThe fix is mine; unit tests were generated with Claude.\n"),
    ("explore and write", True, "## AI Disclosure\nI used Claude to explore the code and to write the tests.\n"),
    (
        "explore",
        False,
        "## AI Disclosure\nI used Claude to explore the code and find the bug. The fix is written by me.\n",
    ),
    ("review", False, "### AI Disclosure\nClaude was used to review the PR before submission.\n"),
    ("brainstorm", False, "### AI disclosure\nUsed ChatGPT for brainstorming; all code is my own.\n"),
    ("questions", False, "**AI usage**: I asked Claude questions about the codebase\n"),
    ("description only", False, "AI disclosure: Claude helped me write this PR description\n"),
    ("none, then a topic", False, "## AI usage\nnone\n## Notes\nClaude 4 is the default model now.\n"),
    ("hand-written", False, "## AI Disclosure\n- No AI, written by hand\n"),
    ("bold question yes", True, "**Did you use AI tools to write this code?**\nYes, Claude Code for everything\n"),
    ("bold question no", False, "**Did you use AI tools to write this code?**\nNope!\n"),
    ("question and answer on a line", True, "Was AI used? Yes - ChatGPT helped with the regex\n"),
    ("question and denial on a line", False, "Was AI used? No, all me\n"),
    ("alert", True, "> [!NOTE]\n> This PR was written with Claude Code.\n"),
    ("quoted", False, "> This PR was written with Claude Code.\n\nWas it?\n"),
    ("fenced", False, "```\nThis PR was written with Claude Code.\n```\n"),
    ("in a comment", False, "<!-- This PR was written with Claude Code. -->\n"),
    ("folded", True, "<details><summary>AI disclosure</summary>\n\nWritten by Claude Code\n\n</details>\n"),
    ("footer in italics", True, "Fixes #12\n\n---\n*Generated with the help of Claude Code*\n"),
    ("footer in small print", True, "<sub>Created with GitHub Copilot</sub>\n"),
    ("release notes", False, "## What changed\n* Parser written with Claude (#12)\n* feat: vibe coded page (#13)\n"),
    ("product heading", False, "## AI assistant\n- Add Gemini support\n- Fix Claude streaming\n"),
    ("product tools", False, "## AI tools\n- Added the read_file tool for Claude\n"),
    ("product usage", False, "## AI usage tracking\nClaude tokens are counted per team.\n"),
    ("bug report", False, "## Steps to reproduce\n1. Ask Claude to write a file\n2. Claude wrote the file twice\n"),
    ("product history", False, "Previously the summary was written by GPT-4; now it is generated by Claude.\n"),
)
