"""The words for AI in prose, as data: names of tools and models, and the nouns that name none in particular.

Some names are ordinary words or people's (`cursor`, `goose`, `Devin`); they are marked, and the grammar asks more of
them. How they are found in a text is in `words`.
"""

from __future__ import annotations

from dataclasses import dataclass

GENERIC = "generic"


@dataclass(frozen=True, slots=True)
class Name:
    """A tool's name in prose. `pattern` is a lower-case regular expression; `words` are runs of the letters a to z,
    by `|`, of which one stands whole in every match: a text without them is not looked at.

    `is_homonym`: also an ordinary word, a person's or a thing's name. `is_model`: a model, named beside the tool that
    runs it.
    """

    tool: str
    pattern: str
    words: str
    is_homonym: bool = False
    is_model: bool = False


_VERSION = r"(?:[ -]?v?\d+(?:[.-]\d+)*[a-z]?)?"
_TIER = r"(?:opus|sonnet|haiku|fable|mythos)"
_EDITION = (
    r"(?:[ -](?:pro|max|plus|mini|nano|high|xhigh|medium|low|thinking|flash|ultra|turbo|preview|lite|latest|free))*"
)

NAMES: tuple[Name, ...] = (
    Name(
        "claude",
        rf"(?:anthropic(?:'s|’s)? )?claude(?:[ -]code| agent| cli| desktop|"
        rf" web)(?:[ -]{_TIER})?{_VERSION}(?:[ -]{_TIER})?{_VERSION}",
        "claude",
    ),
    Name(
        "claude",
        rf"(?:anthropic(?:'s|’s)? )?claude(?: ai| max|"
        rf" pro)?(?:[ -]{_TIER})?{_VERSION}(?:[ -]{_TIER})?{_VERSION}(?: \(?1m(?: context)?\)?)?",
        "claude",
        is_model=True,
    ),
    *(
        Name("claude", rf"{tier}[ -]v?\d+(?:[.-]\d+)*", tier, is_model=True)
        for tier in ("opus", "sonnet", "haiku", "fable")
    ),
    Name(
        "copilot",
        r"(?:github(?:'s|’s)? |gh |ms |microsoft |vs ?code )?co-?pilot(?: chat| cli| agent| coding agent|"
        r" workspace| pro\+?| edits| autocomplete| completions?| swe agent)?",
        "copilot|pilot",
    ),
    Name(
        "cursor",
        r"cursor[ -](?:ai|ide|agents?|tab|pro|composer|auto(?:[ -]?complete)?|cli|editor|background agent|"
        r"bot)(?: (?:ai|agent|tab))?",
        "cursor",
    ),
    Name("cursor", r"cursor(?! bug ?bot)", "cursor", is_homonym=True),
    Name(
        "codex",
        rf"(?:openai(?:'s|’s)? |chatgpt |gpt[- ]?\d*(?:\.\d+)?[- ])codex{_EDITION}|codex (?:cli|cloud|agent|"
        rf"web)|codex{_VERSION}[ -](?:mini|max)",
        "codex",
    ),
    Name("codex", r"codex", "codex"),
    Name(
        "chatgpt",
        rf"chat[ -]?gpt{_VERSION}{_EDITION}|openai(?:'s|’s)? gpt{_VERSION}{_EDITION}|"
        rf"gpt[ -]?\d+(?:\.\d+)?o?(?: sol| luna| terra)?{_EDITION}|gpt",
        "gpt|chatgpt",
        is_model=True,
    ),
    Name("gemini", r"(?:google(?:'s|’s)? )?gemini (?:cli|code assist)", "gemini"),
    Name("gemini", rf"(?:google(?:'s|’s)? )?gemini{_VERSION}{_EDITION}", "gemini", is_model=True),
    Name("antigravity", r"(?:google(?:'s|’s)? )?antigravity(?: ide| cli)?", "antigravity", is_homonym=True),
    Name("devin", r"devin(?:\.ai| ai)", "devin"),
    Name("devin", r"devin", "devin", is_homonym=True),
    Name("jules", r"google(?:'s|’s)? jules|jules agent", "jules"),
    Name("jules", r"jules", "jules", is_homonym=True),
    Name("aider", r"aider(?:\.chat)?", "aider"),
    Name("openhands", r"open ?hands|opendevin", "openhands|hands|opendevin"),
    Name("amp", r"sourcegraph amp|amp ?code|amp (?:cli|agent)", "amp|ampcode"),
    Name("amp", r"amp", "amp", is_homonym=True),
    Name("roo", r"roo ?code|roomote|roo cline", "roo|roocode|roomote"),
    Name("crush", r"(?:charm(?:'s|bracelet)? )crush|crush (?:cli|agent)", "crush"),
    Name("crush", r"crush", "crush", is_homonym=True),
    Name("opencode", r"opencode(?: cli)?", "opencode"),
    Name(
        "goose",
        r"block(?:'s|’s)? goose|codename goose|goose (?:ai|cli|agent)",
        "goose",
    ),
    Name("goose", r"goose", "goose", is_homonym=True),
    Name("qwen", rf"qwen[ -]?(?:coder|code|cli)?{_VERSION}(?:[ -]coder)?{_EDITION}", "qwen", is_model=True),
    Name("junie", r"(?:jetbrains(?:'s|’s|')? )?junie", "junie"),
    Name("jetbrains_ai", r"jetbrains ai(?: assistant)?", "jetbrains"),
    Name("kiro", r"(?:aws |amazon )?kiro(?: cli| ide)?", "kiro"),
    Name("amazon_q", r"amazon q(?: developer| cli)?|codewhisperer", "amazon|codewhisperer"),
    Name("warp", r"warp (?:ai|agent|terminal)|warp\.dev", "warp"),
    Name("warp", r"warp", "warp", is_homonym=True),
    Name("continue", r"continue\.dev|continue (?:agent|cli)", "continue"),
    Name("cline", r"cline", "cline"),
    Name("kilo", r"kilo ?code", "kilo|kilocode"),
    Name("mux", r"mux", "mux", is_homonym=True),
    Name("augment", r"augment ?code|augment agent|auggie", "augment|augmentcode|auggie"),
    Name("windsurf", r"windsurf(?: cascade| ide| editor)?", "windsurf"),
    Name("windsurf", r"codeium", "codeium"),
    Name("cody", r"sourcegraph cody|cody ai", "cody"),
    Name("cody", r"cody", "cody", is_homonym=True),
    Name("trae", r"trae(?: ai| ide| cli)?", "trae"),
    Name("replit", r"replit (?:agent|ai|assistant)|ghostwriter", "replit|ghostwriter"),
    Name("lovable", r"lovable(?:\.dev)", "lovable"),
    Name("lovable", r"lovable", "lovable", is_homonym=True),
    Name("v0", r"v0 by vercel|vercel(?:'s|’s)? v0", "vercel"),
    Name("bolt", r"bolt\.new", "bolt"),
    Name("sweep", r"sweep ai", "sweep"),
    Name("tabnine", r"tabnine", "tabnine"),
    Name("supermaven", r"supermaven", "supermaven"),
    Name("phind", r"phind", "phind"),
    Name("perplexity", r"perplexity(?:\.ai| ai)?", "perplexity", is_homonym=True),
    Name("rovo", r"rovo ?dev", "rovo|rovodev"),
    Name("zed", r"zed (?:ai|agent|agent panel)", "zed"),
    Name("factory", r"(?:factory(?:'s|’s)? )droid|factory ai|droid cli", "droid"),
    Name("firebender", r"firebender", "firebender"),
    Name("codebuff", r"codebuff", "codebuff"),
    Name("manus", r"manus ai|manus", "manus", is_homonym=True),
    Name(
        "deepseek",
        rf"deep ?seek(?:[ -](?:coder|chat|reasoner|harness))?(?:[ -]?[vr]\d+(?:\.\d+)?)?{_EDITION}",
        "deepseek|seek",
        is_model=True,
    ),
    Name("glm", rf"(?:z\.?ai |zhipu )?glm[ -]?\d+(?:\.\d+)?{_EDITION}", "glm", is_model=True),
    Name("kimi", rf"kimi(?:[ -](?:code|cli|k\d+(?:\.\d+)?))*{_EDITION}", "kimi", is_model=True),
    Name("minimax", r"minimax(?:[ -]m\d+(?:\.\d+)?)?", "minimax", is_model=True),
    Name("grok", rf"grok(?:[ -](?:code|build))?{_VERSION}{_EDITION}", "grok", is_model=True),
    Name(
        "mistral",
        r"mistral vibe|mistral(?: le chat| ai)|codestral|devstral(?: \w+)?",
        "mistral|codestral|devstral",
        is_model=True,
    ),
    Name("llama", r"code ?llama|llama[ -]?\d(?:\.\d)?", "llama", is_model=True),
    Name("pi", r"pi coding agent", "pi"),
    Name("bard", r"google bard", "bard"),
)
"""Longest and surest first: where two names begin at one place, the earlier row wins."""

NOUNS: tuple[str, ...] = (
    r"(?:ai|llm)[ -](?:assisted|powered|based|driven)(?: (?:coding|development|programming|code))? (?:tools?|tooling|"
    r"editors?|ides?|"
    r"assistants?|coding|development|programming|engineering|workflow)(?: tools?)?",
    r"(?:an? |the |my |some )?(?:generative )?(?:ai|llm|genai|gpt|ml|agent)s?(?: ?[/&] ?(?:ai|llm|genai|ml|agent|"
    r"copilot)s?)+"
    r"(?:[ -](?:agents?|assistants?|assistance|tools?|tooling|models?|help|support|coding|generation))*",
    r"(?:an? |the |my |our |some |various |other )?(?:agentic |generative |gen ?)?ai(?: (?:coding|code|"
    r"programming|pair|language|dev|development|software))*"
    r"(?:[ -](?:agents?|assistants?|assistance|tools?|tooling|models?|llms?|help|support|companions?|"
    r"copilots?|programmers?|code generation|generation|auto-?complet\w+|ide|editor|chat ?bots?|systems?|"
    r"bots?|software))*",
    r"(?:an? |the |my |some )?(?:local |coding )?llms?(?:[ -](?:agents?|assistants?|tools?|tooling|models?|"
    r"assistance|help))?",
    r"(?:an? |the |my |our |some )?(?:large )?language models?",
    r"(?:an? |the |my |our |some )?(?:agentic|coding|code|programming|autonomous|ai|llm)(?: (?:ai|coding|software|"
    r"development|"
    r"engineering|programming))*[- ](?:agents?|assistants?|tools?|tooling)",
    r"(?:an? |the |some )?(?:gen[ -]?|g)ai(?: (?:tools?|tooling|assistance))?",
    r"artificial intelligence",
    r"(?:l'|d'|la |una? |une |uma |d[ae] )?ia(?: (?:générative|generativa))?",
    r"ki(?=-(?:generiert|gestützt|unterstützt|erstellt))|нейросет\w*|ии|人工智能|人工知能|大模型|生成ai",
)
"""What AI is called when no tool is named. Lower case."""

NOUN_WORDS = frozenset(
    {
        "ai",
        "ia",
        "ki",
        "llm",
        "llms",
        "genai",
        "gai",
        "agentic",
        "artificial",
        "language",
        "coding",
        "assistant",
        "assistants",
        "autonomous",
    }
    | {"vibe", "vibing", "vibed", "vibecoded", "vibecoding", "programming"}
)
"""Of these one stands whole in every match of a noun that is written in Latin letters; vibe coding needs no name."""

OTHER_SCRIPTS = ("нейросет", "ии", "人工", "大模型", "生成ai")
"""What nouns in other scripts hold."""

PEOPLE = frozenset({"devin", "jules", "cody"})
"""First names: in prose they are people's, and a tool's only where a template asked for one."""

LOWER_CASE_NAMES = frozenset({"cursor", "antigravity"})
"""Homonyms that people write in lower case when they mean the tool; `goose` or `amp` then mean something else."""
