"""What was asked, in a form that outlives the process: with it a later run can read an answer that was kept. Pure.

A question is known by the digest of its document, so that an answer to what another version asked is not mistaken for
one to what we ask now.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from historical_sync.github import queries
from historical_sync.github.answers import Answer


@dataclass(frozen=True, slots=True)
class Question:
    """A request for pull requests, or for pages of their lists.

    Each entry of `asked` is [node id, repository, number], or for a page [node id, list, cursor it began after].
    """

    document: str
    asked: list[list[Any]]

    @property
    def digest(self) -> str:
        """The document's name."""
        return hashlib.sha256(self.document.encode()).hexdigest()

    @property
    def node_ids(self) -> list[str]:
        """The pull requests, each once."""
        return list(dict.fromkeys(one[0] for one in self.asked))

    @property
    def is_of_lists(self) -> bool:
        """Whether pages of lists were asked for."""
        return self.document not in (queries.HYDRATE, queries.HYDRATE_SCALARS)

    @property
    def keys(self) -> list[tuple[str, int]]:
        """Repository and number of each pull request; none for pages of lists."""
        return [] if self.is_of_lists else [(repository, number) for _, repository, number in self.asked]

    @classmethod
    def read(cls, digest: str, asked: list[list[Any]]) -> Question | None:
        """The question as it was asked; None when we would not put it so today."""
        documents = [queries.HYDRATE, queries.HYDRATE_SCALARS]
        if all(one[1] in queries.LIST_FIELDS for one in asked):
            documents.append(queries.list_pages([one[1] for one in asked]))
        found = [question for document in documents if (question := cls(document, asked)).digest == digest]
        return found[0] if found else None


Keep = Callable[[Question, bytes, Answer], None]
"""Keeps the answer to a question: its body, and what was read of it."""


def keeper(keep: Keep | None, document: str, asked: Sequence[list[Any]]) -> Callable[[bytes, Answer], None] | None:
    """What to hand to the client with this question."""
    if keep is None:
        return None
    question = Question(document, list(asked))
    return lambda body, answer: keep(question, body, answer)
