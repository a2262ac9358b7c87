"""Wordings in which a person used the tool, or had its help: "I used Copilot for the tests", "with Claude's help"."""

from __future__ import annotations

from historical_sync.ai_usage.table.phrases import (
    ADVERB,
    AFTER,
    ANY,
    ARTICLE,
    CODE,
    FIRST_PERSON,
    HELP,
    HELPED,
    LEAD,
    LOOSE,
    NOT_THE_TEXT,
    TOOL,
    WORK,
    Wording,
)

HERE = (
    r"(?:here|for this|for this (?:pr|one|patch|change)|heavily|extensively|throughout|a lot|in this (?:pr|"
    r"change|patch)|"
    r"for (?:the |some |all )*(?:tests?|code|docs|implementation|boilerplate))"
)

USED_TOOL: tuple[Wording, ...] = (
    Wording(
        "tool_helped",
        rf"(?:^|[.,;:(] ?|\b(?:and|but|so|with|yes)\b ?){ARTICLE}{LOOSE} (?:\w+ly |also |has |have |which |"
        rf"that )*{HELPED}\b(?: (?:me|us|out|a lot|with|in|by|to|greatly|write|draft|on))*",
        (
            "Copilot helped with the tests",
            "Claude helped me write the migration",
            "All of it is mine, with Claude assisting in implementation",
            "Claude Opus helped draft parts of the test cases",
        ),
        (
            "Claude helped me understand the parser",
            "AI assisted search for products is slow",
            "Devin helped reproduce the bug",
        ),
        needs_making=True,
        signs=("help", "assist", "aided", "supported", "collaborated", "piloted"),
    ),
    Wording(
        "used",
        rf"(?:{FIRST_PERSON}(?:used|utili[sz]ed|leveraged|employed|tried|(?:relied|leaned|leant)(?: \w+ly)? on|"
        rf"worked with|made use of|"
        rf"took advantage of|turned to|enlisted)|\b(?:i|we)(?:'m| am| are|'ve been|"
        rf" have been)? (?:did )?(?:using|use|utili[sz]e)) {HELP}?{ARTICLE}{ANY}(?:'s \w+)?(?: (?:cli|agent|ai|"
        rf"mode|chat))?(?= (?:to|for|in|on|as|and|mostly|mainly|only|heavily|extensively|throughout|here|with|"
        rf"when|while|during)\b|\s*(?:$|[.,;:!)(]|-(?!\w)))",
        (
            "I used Copilot for writing the e2e tests",
            "Used Claude to implement the parser",
            "We leveraged ChatGPT to refactor this module",
            "I have used Claude Code for refactoring",
            "I used an LLM to port this from Python",
        ),
        (
            "I used Claude to understand the codebase",
            "Used ChatGPT to find the root cause",
            "I used Gemini to write the PR description",
            "Used cursor-based pagination",
            "Used ChatGPT to proofread the docs",
            "Use Claude to generate titles",
        ),
        needs_making=True,
        signs=(
            "used ",
            "use ",
            "using ",
            "utili",
            "leveraged ",
            "employed ",
            "tried ",
            "relied ",
            "leaned ",
            "leant ",
            "worked with ",
            "took advantage ",
            "turned to ",
            "enlisted ",
        ),
    ),
    Wording(
        "yes",
        rf"^(?:yes|yep|yeah|sure)\b[ ,:.-]+{ARTICLE}[TMHN] (?:for|to|with|on|wrote|helped|was|did|assisted|"
        rf"generated)\b",
        ("Yes: Claude for the SQL part", "yes, Copilot wrote the tests"),
        ("Yes, Claude for the review", "Yes, cursor for the table"),
        needs_making=True,
        signs=("yes", "yep", "yeah", "sure"),
    ),
    Wording(
        "used_plainly",
        rf"^(?:\W|fyi|note|disclaimer|disclosure|yes)*(?:i |we |i've |i have |we have )?(?:also |just )?(?:used|"
        rf"utili[sz]ed|leveraged) "
        rf"(?:{ARTICLE}(?:[TH]|M(?=\s*$))|L(?=$))(?: {HERE})?[.!)\s]*$|^(?:\W|fyi|note|disclaimer|disclosure|"
        rf"yes)*(?:[TH]|N) "
        rf"(?:was |were )(?:\w+ly )?(?:used|utili[sz]ed)(?: {HERE})?[.!)\s]*$|^[TH] used(?: {HERE})?[.!)\s]*$",
        ("Used GitHub Copilot.", "I used Claude Code for this PR", "Disclaimer: AI was used.", "used claude"),
        ("Used cursors", "I used the cursor", "Claude Code is used by the action"),
        signs=("used", "utili", "leveraged"),
    ),
    Wording(
        "was_used",
        rf"(?:^|[.,;:(] ?|\b(?:and|but)\b ?){ARTICLE}{ANY} (?:assistance |tools? |features? )?(?:was|were|has been|"
        rf"have been|got) (?:\w+ly |also |only |just )*(?:used|utili[sz]ed|leveraged|employed|involved|"
        rf"consulted)\b",
        (
            "AI was used in this PR to make the change",
            "GitHub Copilot was used for syntax suggestions",
            "Cursor was utilized to assist with code suggestions",
        ),
        ("AI was used to review this", "Claude was used to find the cause", "No AI was used to write this"),
        needs_making=True,
        signs=(" used", " utili", " leveraged", " employed", " involved", " consulted"),
    ),
    Wording(
        "asked",
        rf"(?:^|(?<!to )\b(?:i|we|i've|just|and|then|so)\b,? ?|[,;(] ?){ADVERB}(?:(?:asked|prompted|instructed|"
        rf"told|tasked|directed)(?: for)? {ARTICLE}[TMHN]|(?:had|got|let|made) {ARTICLE}[TH]|"
        rf"let {ARTICLE}[MN](?= (?:take|have) (?:a|the|another) | (?:do|handle) (?:this|it|most|the (?:rest|"
        rf"work))\b)) (?:to )?(?:\w+ly |just |"
        rf"go )?{WORK}\b|^(?:had|got) {ARTICLE}[MN] (?:to )?{WORK} (?:\w+ ){{0,3}}?{CODE}{NOT_THE_TEXT}|\b(?:i|"
        rf"we|i've)\b (?:\w+ly |then |also |just )*(?:had|got|let|made|have|"
        rf"let's) {ARTICLE}[TMN] (?:to )?(?:\w+ly |just |go )?{WORK}\b",
        ("I asked Claude to fix the flaky tests", "Had Codex write the boilerplate", "Let Cursor refactor the module"),
        ("When I asked Claude to read a file it crashed", "I asked Claude to review this", "Had cursor moved"),
        needs_making=True,
        signs=(
            "asked ",
            "prompted ",
            "instructed ",
            "told ",
            "directed ",
            "had ",
            "got ",
            "let ",
            "made ",
            "have ",
            "let's ",
        ),
    ),
    Wording(
        "with_help",
        rf"\b(?:with|took|got|taking|getting|had|having|thanks to|through|via|by) (?:the |some |a lot of |"
        rf"lots of |a bit of |a little(?: bit of)? |much |significant |heavy |substantial |minor |minimal |"
        rf"partial |great |big |small |my |its |an? )*(?:help|assistance|assist|aid|support|collaboration|"
        rf"partnership|guidance and help) (?:of|from|by|with|via|in the form of) {ARTICLE}{LOOSE}{AFTER}",
        (
            "Took some help from GitHub Copilot for refactoring the code",
            "Ported with the help of Claude",
            "This adds the parser, with assistance from an LLM",
        ),
        ("Reviewed with the help of Claude", "Add login with support for Claude", "Found with the help of AI"),
        needs_making=True,
        signs=("help ", "assistance ", "assist ", " aid ", "support ", "collaboration ", "partnership "),
    ),
    Wording(
        "had_help",
        rf"\b(?:i|we)(?:'ve)? (?:\w+ly |also |have )*(?:had|got|took|received) (?:some |a lot of |lots of |"
        rf"a bit of |a little(?: bit of)? |much |significant |minor |great |big |the )*(?:help|assistance|aid|"
        rf"support) (?:of|from|by|with) {ARTICLE}{ANY}{AFTER}|{LEAD}in (?:close )?(?:collaboration|cooperation|"
        rf"partnership) with {ARTICLE}{ANY}{AFTER}|{LEAD}(?:with |using |some |lots of |a lot of |"
        rf"a little |heavy )*(?:help|assistance) (?:of|from|by) {ARTICLE}{ANY}[.!)]*$",
        ("I had some help from AI for this", "With help from Claude Code.", "In collaboration with Claude Code"),
        ("I had help from Ada", "Get help from AI in the sidebar", "I got help from Claude to understand this"),
        signs=("help ", "assistance ", " aid ", "support ", "collaboration ", "cooperation ", "partnership "),
    ),
    Wording(
        "help_alone",
        rf"{LEAD}with N[.!)]*$",
        ("With AI assistance.", "Also with AI help"),
        ("With AI", "Deal with LLMs"),
        needs_help=True,
        signs=("with N",),
    ),
    Wording(
        "excepted",
        rf"\b(?:no|not|never|without|didn't|did not|don't|none)\b.{{0,60}}\b(?:except|other than|apart from|"
        rf"besides|aside from|beyond)(?: for| from)? (?:(?:the |some |a )?(?:[\w-]+ ){{1,4}}(?:which|that|where)"
        rf" )?{ARTICLE}{LOOSE}",
        ("No AI was used except Copilot autocomplete for the tests",),
        ("No AI was used except for reviews by Copilot", "Nothing changes except cursor"),
        needs_making=True,
        signs=("except", "other than", "apart from", "besides", "aside from", "beyond"),
    ),
    Wording(
        "tools_help",
        rf"\bwith {ARTICLE}{TOOL}'s? (?:\w+ )?(?:help|assistance|aid|support)\b|\bwith {ARTICLE}N (?:help|assistance|"
        rf"assist)\b|\b(?:with|using) (?:some |a bit of |heavy |a little |lots of )*N(?: (?:help|"
        rf"assistance))?[.!)]*$",
        ("Rewrote the scheduler with Claude's help", "Implemented the parser with AI assistance"),
        ("Chat with Claude's models", "Found this with Claude's help", "Implement loop check with LLM"),
        needs_making=True,
        needs_help=True,
        signs=("with ", "using "),
    ),
    Wording(
        "together",
        rf"(?:{LEAD}|\b(?:i|we|was|were|been|and|myself)\b )(?:\w+ly )?(?:pair(?:ed|ing)?(?:[- ]?(?:programm\w+|"
        rf"cod\w+))?|peer[- ]programm\w+|"
        rf"collaborat\w+|co-?(?:authored|written|wrote|developed|created|coded|programmed|piloted)|"
        rf"vibe[- ]?coded|vibing|vibed|"
        rf"hack(?:ed|ing)|jamm(?:ed|ing)|worked|built|wrote|done|made) (?:(?:on )?(?:this|it|that|"
        rf"these)(?: one)? )?(?:closely |together |heavily |up )*"
        rf"(?:with|by|alongside|using)[: ]+{ARTICLE}{ANY}{AFTER}|\bco-?(?:authored|written|developed|created|"
        rf"coded)[- ](?:with|by)[: ]+{ARTICLE}{ANY}{AFTER}|"
        rf"\b(?:{ANY} and (?:i|me|myself)|(?:i|me|myself) and {ANY})\b(?: \w+ly)? (?:pair|wrote|built|made|"
        rf"worked|did|created|implemented|co-)|"
        rf"\bcollaboration (?:between|of) (?:me and {ANY}|{ANY} and me)",
        (
            "Pair-programmed with Claude",
            "I paired with Copilot on the tests",
            "Co-written with GPT-5",
            "Claude and I pair programmed this",
            "This was a collaboration between me and Claude",
            "co-authored: Claude Opus 4.8".replace("d:", "d by:"),
        ),
        (
            "Worked around Claude",
            "Works with Claude",
            "Talk: pair programming with Copilot",
            "Example app built with Claude",
        ),
        signs=(
            "with ",
            "with:",
            "by ",
            "by:",
            "alongside",
            "using",
            " and i ",
            " and me ",
            " and myself ",
            " and T",
            " and M",
            " and H",
            " and N",
            "collaboration ",
        ),
    ),
    Wording(
        "key",
        r"^(?:co-?authored?|co-?author|assisted|generated|written|created|made|coded|implemented|developed|"
        r"authored|pair[- ]programm\w+|programmed|built|drafted|co-?developed|co-?generated|coding agent|"
        r"code agent)(?:[ -](?:by|with|using))? ?(?::|=|-(?= )) ?(?:\w+ )?" + LOOSE + AFTER,
        (
            "Assisted by: GPT-5.5",
            "Co-authored: Claude Opus 4.8",
            "Generated-by Cursor with Claude Sonnet".replace("-by ", "-by: "),
        ),
        ("Assisted by: Ada", "Generated by: protoc"),
        signs=(":", "=", "-"),
    ),
)
