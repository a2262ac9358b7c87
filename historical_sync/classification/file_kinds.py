"""What a path says about a file: which part of the work it belongs to, and which languages it may be written in."""

from __future__ import annotations

import re
from collections.abc import Iterable
from fnmatch import translate
from functools import cache, lru_cache

CATEGORY_PATTERNS: tuple[tuple[str, str], ...] = (
    (
        "dependencies",
        r"(^|/)(package-lock\.json|yarn\.lock|pnpm-lock\.yaml|bun\.lockb?|poetry\.lock|uv\.lock|Pipfile\.lock)$",
    ),
    ("dependencies", r"(^|/)(Cargo\.lock|go\.sum|Gemfile\.lock|composer\.lock|mix\.lock|flake\.lock|Podfile\.lock)$"),
    ("dependencies", r"(^|/)(requirements[\w.-]*\.txt|constraints[\w.-]*\.txt|go\.mod|Gemfile|gradle\.lockfile)$"),
    (
        "generated",
        r"(\.min\.(js|css)|\.map|\.snap|_pb2(_grpc)?\.pyi?|\.pb\.go|\.generated\.\w+)$|(^|/)(dist|vendor|node_modules)/",
    ),
    (
        "ci",
        r"^\.github/|^\.circleci/|^\.buildkite/|(^|/)(\.gitlab-ci\.ya?ml|Jenkinsfile|azure-pipelines\.ya?ml|\.travis\.yml)$",
    ),
    (
        "tests",
        r"(^|/)(tests?|spec|specs|__tests__|e2e|testdata|fixtures)/|(^|/)test_[^/]*$|[._-](test|spec)s?\.\w+$|Tests?\.(java|kt|cs)$",
    ),
    (
        "infrastructure",
        r"(^|/)(Dockerfile[\w.-]*|docker-compose[\w.-]*\.ya?ml)$|\.(tf|tfvars|hcl)$|(^|/)(helm|charts|k8s|terraform|deploy)/",
    ),
    ("migrations", r"(^|/)(migrations?|alembic)/|\.sql$"),
    ("docs", r"\.(md|mdx|rst|adoc|txt)$|(^|/)docs?/|(^|/)(LICENSE|NOTICE|CHANGELOG)[\w.-]*$"),
    ("config", r"\.(ya?ml|toml|ini|cfg|conf|json|jsonc|env|properties|lock)$|(^|/)\.[\w.-]+$"),
    ("assets", r"\.(png|jpe?g|gif|svg|ico|webp|woff2?|ttf|mp[34]|pdf)$"),
)
"""Category → pattern of a path; the first that matches counts, and what none matches is source."""

PATHS_REMEMBERED = 8_192
"""The same files of a repository change again and again."""
LANGUAGES_REMEMBERED = 512

_CATEGORIES = tuple((name, re.compile(pattern)) for name, pattern in CATEGORY_PATTERNS)


@lru_cache(PATHS_REMEMBERED)
def category(path: str) -> str:
    """The part of the work a file belongs to: source, tests, docs, ci, dependencies, …"""
    return next((name for name, pattern in _CATEGORIES if pattern.search(path)), "source")


RELATIVES = {
    "typescript": ("*.tsx", "*.mts", "*.cts", "*.vue", "*.svelte", "*.astro"),
    "javascript": ("*.jsx", "*.mjs", "*.cjs", "*.vue", "*.svelte", "*.astro"),
    "python": ("*.ipynb", "*.pyi", "*.pyx"),
    "c++": ("*.h", "*.cu", "*.cuh", "*.ino"),
    "c": ("*.h",),
    "objective-c": ("*.h", "*.m", "*.mm"),
    "css": ("*.scss", "*.sass", "*.less", "*.vue", "*.svelte"),
    "html": ("*.vue", "*.svelte", "*.astro", "*.erb", "*.jinja", "*.j2", "*.hbs", "*.ejs"),
    "shell": ("*.sh", "*.bash", "*.zsh", "*.bats", "Makefile", "*.yml", "*.yaml"),
    "bash": ("*.sh", "*.bash", "*.zsh", "*.bats"),
    "sql": ("*.sql", "*.ddl"),
    "kotlin": ("*.kts",),
    "ruby": ("*.erb", "*.rake", "Gemfile", "Rakefile"),
    "dockerfile": ("Dockerfile*", "*.dockerfile"),
    "terraform": ("*.tf", "*.tfvars", "*.hcl"),
    "hcl": ("*.tf", "*.hcl"),
    "makefile": ("Makefile*", "*.mk"),
    "markdown": ("*.md", "*.mdx"),
    "mdx": ("*.mdx",),
    "svelte": ("*.svelte",),
    "vue": ("*.vue",),
    "astro": ("*.astro",),
    "jupyter notebook": ("*.ipynb",),
    "cuda": ("*.cu", "*.cuh"),
    "graphql": ("*.graphql", "*.gql"),
    "protobuf": ("*.proto",),
    "protocol buffers": ("*.proto",),
    "xml": ("*.xml", "*.xsd", "*.csproj", "*.plist"),
}
"""Patterns of names beside those that Pygments knows for a language."""


@cache
def _patterns() -> dict[str, frozenset[str]]:
    from pygments.lexers import get_all_lexers  # type: ignore[import-untyped,unused-ignore]

    found: dict[str, set[str]] = {name: set(patterns) for name, patterns in RELATIVES.items()}
    for name, aliases, patterns, _ in get_all_lexers():
        for word in {name.lower(), *aliases}:
            found.setdefault(word, set()).update(patterns)
    return {name: frozenset(patterns) for name, patterns in found.items()}


@lru_cache(LANGUAGES_REMEMBERED)
def _names_of(language: str) -> re.Pattern[str]:
    """What the names of files in this language match; nothing for a language that nobody knows."""
    return re.compile("|".join(map(translate, sorted(_patterns().get(language, ())))) or r"(?!)")


def is_supported(language: str, paths: Iterable[str]) -> bool:
    """Whether one of the files may be written in that language, by its name (Pygments knows the names)."""
    matches = _names_of(language.strip().lower()).match
    return any(matches(path.rpartition("/")[2]) for path in paths)
