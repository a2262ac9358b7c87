"""The sandbox's "model": reads a prompt by rule and fills whatever JSON schema the request carries.

It knows nothing of our prompts. It looks in the user's message for what a careful reader would: words that disclose an
AI tool, file names, a title. Properties are filled by what their names ask for, and by their type where they ask for
nothing it knows. The same messages give the same answer.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from historical_sync.sandbox.groq.schemas import Schema, resolved

TOOLS = {
    "claude": r"claude(?: code)?",
    "copilot": r"copilot",
    "cursor": r"cursor(?:agent| agent| ai| ide)?",
    "devin": r"devin(?: ai)?",
    "codex": r"codex",
    "jules": r"jules",
    "gemini": r"gemini(?: cli)?",
    "chatgpt": r"chatgpt|gpt-?[45][\w.-]*",
    "aider": r"aider",
    "windsurf": r"windsurf",
    "amp": r"ampcode|\bamp\b",
    "openhands": r"openhands",
}
_VERBS = r"(?:generated|written|authored|created|drafted|built|implemented|made|assisted|coded|paired|help(?:ed)?)"
_NAMES = "|".join(f"(?:{pattern})" for pattern in TOOLS.values())
_NAMED = rf"\b(?:{_NAMES})\b"
_AUTHORED = re.compile(
    rf"(?im)^.*(?:co-authored-by:[^\n]*{_NAMED}"
    rf"|{_VERBS}[^\n.]{{0,24}}{_NAMED}"
    rf"|{_NAMED} (?:wrote|drafted|generated|built|implemented|helped)\b"
    rf"|author:[^\n]*{_NAMED}[^\n]*(?:\(bot\)|\[bot\]|noreply@|agent@)"
    rf"|link to devin (?:run|session)|cursor\.com/agents|copilot coding agent|chatgpt\.com/codex"
    rf"|{_VERBS} (?:with|by) (?:an? )?(?:ai|llm)\b).*$"
)
_DENIED = re.compile(r"(?i)\b(?:no|without|not|never|none)\b[^.\n]{0,24}\b(?:ai|llm|generated|used|copilot|claude)\b")
_AROUND = re.compile(r"^[-*>\s]*(?:(?:commit )?author:\s*)?|\s*\(×\d+\)\s*$", re.IGNORECASE)
"""What a prompt puts around the words it quotes: bullets, labels, counts."""
_REVIEW_WORDS = re.compile(r"(?i)coderabbit|copilot-pull-request-reviewer|reviewed by (?:ai|copilot)|greptile")
_TITLE = re.compile(r"(?im)^\W{0,3}(?:pull request )?title\W{1,4}(.+)$|<title>\s*(.+?)\s*</title>")
_PATH = re.compile(r"[\w@.-]+(?:/[\w@.-]+)*\.([A-Za-z]{1,5})\b")
LANGUAGES = {
    "py": "Python",
    "ts": "TypeScript",
    "tsx": "TypeScript",
    "js": "JavaScript",
    "jsx": "JavaScript",
    "go": "Go",
    "rs": "Rust",
    "java": "Java",
    "kt": "Kotlin",
    "rb": "Ruby",
    "sql": "SQL",
    "sh": "Shell",
    "css": "CSS",
    "html": "HTML",
    "tf": "HCL",
    "cs": "C#",
    "cpp": "C++",
    "swift": "Swift",
    "php": "PHP",
    "scala": "Scala",
    "vue": "Vue",
}
KINDS = {
    "bugfix": r"(?i)\b(?:fix|bug|hotfix|revert|crash|broken)",
    "docs": r"(?i)\b(?:docs?|readme|changelog|documentation)\b",
    "test": r"(?i)\b(?:tests?|coverage|flaky)\b",
    "refactor": r"(?i)\b(?:refactor|rename|extract|clean ?up|simplif|move)",
    "ci": r"(?i)\b(?:ci|workflow|pipeline|github actions|deploy)\b",
    "chore": r"(?i)\b(?:chore|bump|upgrade|dependenc|release|deps)",
}
CATEGORIES = {
    "test": r"(?i)(?:^|/)tests?/|_test\.|\.spec\.",
    "docs": r"(?i)\.md\b|(?:^|/)docs/",
    "ci": r"\.github/|Dockerfile|\.ya?ml\b",
    "infrastructure": r"\.tf\b|(?:^|/)deploy/|helm",
    "devops": r"\.github/|Dockerfile|(?:^|/)deploy/",
    "frontend": r"\.(?:tsx|jsx|css|vue|html)\b|(?:^|/)web/",
    "backend": r"\.(?:py|go|java|rb|rs)\b|(?:^|/)api/",
    "database": r"\.sql\b|migrations?/",
    "data": r"\.sql\b|migrations?/",
}


@dataclass(frozen=True)
class Reading:
    """What the reader makes of one prompt's user message."""

    text: str

    @cached_property
    def quote(self) -> str:
        """The line that discloses an AI tool as a writer of the change, or nothing."""
        for found in _AUTHORED.finditer(self.text):
            line = found.group()
            if not _DENIED.search(line):
                return _AROUND.sub("", line)[:150].strip()
        return ""

    @cached_property
    def tools(self) -> list[str]:
        """The tools named in the quote."""
        return [name for name, pattern in TOOLS.items() if re.search(rf"(?i)\b(?:{pattern})\b", self.quote)]

    @cached_property
    def title(self) -> str:
        """The pull request's title, or the first line with words in it."""
        found = _TITLE.search(self.text)
        line = next(filter(None, found.groups()), "") if found else ""
        return (line or next((one for one in self.text.splitlines() if re.search(r"\w{3}", one)), "Change")).strip()[
            :120
        ]

    @cached_property
    def languages(self) -> list[str]:
        """Languages of the files that are named, most frequent first."""
        counts: dict[str, int] = {}
        for extension in _PATH.findall(self.text):
            language = LANGUAGES.get(extension.lower())
            if language:
                counts[language] = counts.get(language, 0) + 1
        return sorted(counts, key=lambda name: (-counts[name], name))[:4]

    @cached_property
    def kind(self) -> str:
        """The type of the change, by its title."""
        return next((name for name, pattern in KINDS.items() if re.search(pattern, self.title)), "feature")

    @cached_property
    def categories(self) -> list[str]:
        """What the files are about."""
        paths = "\n".join(match.group() for match in _PATH.finditer(self.text))
        return [name for name, pattern in CATEGORIES.items() if re.search(pattern, paths)]

    @cached_property
    def weight(self) -> float:
        """How heavy the change seems, from 0 to 1: by how many files are named."""
        return min(1.0, len(_PATH.findall(self.text)) / 25)

    @property
    def usage(self) -> str:
        """How AI was used, in the words of common rubrics."""
        if self.quote:
            authored = re.search(r"(?i)generated|authored|written|created", self.quote)
            return "authored" if authored else "assisted"
        return "reviewed" if _REVIEW_WORDS.search(self.text) else "none"

    @property
    def confidence(self) -> float:
        """How sure the reader is."""
        return 0.95 if self.quote else 0.8


class Filler:
    """Fills one schema from one reading."""

    def __init__(self, schema: Schema, reading: Reading) -> None:
        self.root, self.reading = schema, reading

    def fill(self) -> Any:
        """A value that keeps the schema."""
        return self._value("", self.root)

    def _value(self, name: str, node: Schema) -> Any:
        node = resolved(node, self.root)
        for keyword in ("anyOf", "oneOf"):
            if keyword in node:
                choices = [one for one in node[keyword] if resolved(one, self.root).get("type") != "null"]
                return self._value(name, choices[0]) if choices else None
        if "const" in node:
            return node["const"]
        if "enum" in node:
            return self._choice(name, node["enum"])
        kind = node.get("type", "object" if "properties" in node else "string")
        kind = next((one for one in kind if one != "null"), "null") if isinstance(kind, list) else kind
        return self._typed(name, node, kind)

    def _typed(self, name: str, node: Schema, kind: str) -> Any:
        if kind == "object":
            return {key: self._value(key, inner) for key, inner in node.get("properties", {}).items()}
        if kind == "array":
            return self._list(name, resolved(node.get("items", {}), self.root))
        if kind == "boolean":
            return bool(self.reading.quote) if re.search(r"ai|assist|generat", name) else False
        if kind in {"number", "integer"}:
            value = self.reading.confidence if "confidence" in name else self.reading.weight * 10
            return int(value) if kind == "integer" else round(value, 2)
        return None if kind == "null" else self._text(name)

    def _list(self, name: str, item: Schema) -> list[Any]:
        if item.get("type", "string") != "string":
            return []
        allowed = item.get("enum")
        found = self._words(name)
        if allowed is not None:
            lowered = {one.lower(): one for one in allowed if isinstance(one, str)}
            found = [lowered[one.lower()] for one in found if one.lower() in lowered]
        return found

    def _words(self, name: str) -> list[str]:
        if "tool" in name:
            return self.reading.tools
        if "language" in name:
            return self.reading.languages
        if "categor" in name or "area" in name:
            return self.reading.categories
        if "insight" in name:
            return [f"Touches {', '.join(self.reading.categories)}."] if self.reading.categories else []
        return []

    def _text(self, name: str) -> str:
        if "quote" in name or "evidence" in name:
            return self.reading.quote
        if "title" in name:
            return self.reading.title
        return f"{self.reading.title[:100]}: a {self.reading.kind} change."

    def _choice(self, name: str, allowed: list[Any]) -> Any:
        """The value of an enum that the property's name asks for, else one by weight (low → high)."""
        for wanted in (self.reading.usage, self.reading.kind) if "usage" in name else (self.reading.kind,):
            if wanted in allowed:
                return wanted
        ordered = [one for one in allowed if one is not None]
        ranks = [
            one for one in ("none", "low", "small", "minor", "medium", "moderate", "high", "large") if one in ordered
        ]
        choices = ranks or ordered
        return choices[min(len(choices) - 1, int(self.reading.weight * len(choices)))]


def read_and_fill(schema: Schema, user_text: str) -> Any:
    """The reader's answer to `user_text` in the shape of `schema`."""
    return Filler(schema, Reading(user_text)).fill()
