"""Who, or what, writes a pull request, and how they say so: agents, people with tools, people without, bots."""

from __future__ import annotations

import random
from dataclasses import dataclass

from historical_sync.sandbox.story.people import AGENTS, AUTOMATION, PEOPLE, Person


@dataclass(frozen=True)
class Author:
    """The writer of one pull request.

    `kind` is `person`, `agent` or `automation`; `tool` the AI tool that wrote or helped, if any; `sign` says where it
    is disclosed: `trailer`, `footer`, `words`, or nowhere. `person` asked for an agent's work.
    """

    kind: str
    person: Person
    tool: str | None = None
    sign: str | None = None
    login: str | None = None
    is_near_miss: bool = False

    @property
    def utc_offset_hours(self) -> int:
        """Where the clock of the one behind it stands."""
        return self.person.utc_offset_hours

    @property
    def is_ai(self) -> bool:
        """Whether a tool wrote or helped to write it."""
        return self.tool is not None


def choose_author(chance: random.Random, progress: float) -> Author:
    """An author, as likely as they are at this point of the year (0 to 1)."""
    person = chance.choices(PEOPLE, [one.weight for one in PEOPLE])[0]
    draw = chance.random()
    if draw < 0.09:
        return Author("automation", person, login=chance.choice(AUTOMATION))
    if draw < 0.09 + 0.02 + 0.12 * progress:
        tool = chance.choices(list(AGENTS), (6, 5, 3, 2, 2, 1))[0]
        return Author("agent", person, tool, "footer", AGENTS[tool])
    if person.tool is not None and progress >= person.since and chance.random() < 0.25 + 0.5 * progress:
        return Author("person", person, person.tool, _sign(chance, person.tool))
    return Author("person", person, is_near_miss=chance.random() < 0.07)


def _sign(chance: random.Random, tool: str) -> str | None:
    """Where a person discloses the tool: one in eight does nowhere."""
    if chance.random() < 0.12:
        return None
    ways = {"claude": ("trailer", "trailer", "footer", "words"), "gemini": ("words",)}
    return chance.choice(ways.get(tool, ("trailer", "trailer", "words")))
