"""Who works in the demo team: people with names from everywhere, agents that write, bots that review or maintain."""

from __future__ import annotations

from dataclasses import dataclass

from historical_sync.sandbox.world import Account, World


@dataclass(frozen=True)
class Person:
    """Somebody of the team. `tool` is the AI tool they come to use, `since` how far into the year (0 to 1)."""

    login: str
    name: str
    utc_offset_hours: int
    tool: str | None
    since: float
    weight: float = 1.0

    @property
    def email(self) -> str:
        """The address in their commits."""
        return f"{self.login.lower()}@demo-team.example"


PEOPLE = (
    Person("anaf", "Ana Ferreira", 0, "claude", 0.1, 1.6),
    Person("Bogdan-I", "Bogdan Ilić", 1, "cursor", 0.3, 1.2),
    Person("chiara-r", "Chiara Rossi", 1, "copilot", 0.0, 1.2),
    Person("dmensah", "Dela Mensah", 0, None, 1.0, 1.0),
    Person("eero", "Eero Väisänen", 2, "claude", 0.5, 1.3),
    Person("f4tima", "Fátima Zahra 🌻", 1, "codex", 0.6, 0.9),
    Person("gwen-o", "Gwen O'Brien", 0, None, 1.0, 0.8),
    Person("haruto-s", "佐藤 陽翔", 9, "claude", 0.2, 1.0),
    Person("ivy-chen", "Ivy Chen", -8, "cursor", 0.1, 1.1),
    Person("JulianK", "Julian Køhler", 1, "aider", 0.4, 0.7),
    Person("kavya", "Kavya Rao", 5, "gemini", 0.7, 0.9),
    Person("devin-walsh", "Devin Walsh", -5, None, 1.0, 0.7),
)
"""The team. One of them is called Devin, and writes no less by hand for it."""

AGENTS = {
    "claude": "claude",
    "copilot": "copilot-swe-agent",
    "devin": "devin-ai-integration",
    "cursor": "cursor",
    "codex": "openai-codex",
    "jules": "google-labs-jules",
}
"""Tool → the account its agent opens pull requests with (GraphQL shows no `[bot]`)."""
REVIEW_BOTS = ("coderabbitai", "copilot-pull-request-reviewer", "gemini-code-assist")
AUTOMATION = ("dependabot", "renovate")

AGENT_EMAILS = {
    "claude": ("Claude", "noreply@anthropic.com"),
    "copilot": ("copilot-swe-agent[bot]", "198982749+Copilot@users.noreply.github.com"),
    "devin": ("Devin AI", "158243242+devin-ai-integration[bot]@users.noreply.github.com"),
    "cursor": ("Cursor Agent", "cursoragent@cursor.com"),
    "codex": ("Codex", "codex@openai.com"),
    "jules": ("google-labs-jules[bot]", "161369871+google-labs-jules[bot]@users.noreply.github.com"),
}
"""Tool → the author of its agent's commits."""


def person_account(world: World, person: Person) -> Account:
    """A person's account."""
    return world.account(person.login, "User", name=person.name, email=person.email)


def bot_account(world: World, login: str) -> Account:
    """A bot's account."""
    return world.account(login, "Bot")
