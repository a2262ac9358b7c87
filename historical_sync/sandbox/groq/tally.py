"""Every line that was sent, and which of them got a valid answer: what a client must not pay for twice."""

from __future__ import annotations

import hashlib
from collections import Counter
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from historical_sync.sandbox.groq.completions import user_text


class Sending(NamedTuple):
    """A line that was sent: in which batch (`chat` for a single call), and whether its answer is valid."""

    batch_id: str
    custom_id: str
    is_valid: bool


@dataclass
class Tally:
    """All sendings, over all batches and single calls.

    `sent` and `answered` count by custom_id; a single call has none, so the digest of its user message stands for it.
    `sent_texts` and `answered_texts` count by that digest (`digest_of`), whichever way the text was sent.
    """

    history: list[Sending] = field(default_factory=list)
    digests: dict[tuple[str, str], str] = field(default_factory=dict)

    def note(self, batch_id: str, custom_id: str, digest: str, is_valid: bool) -> None:
        """A line was sent."""
        self.history.append(Sending(batch_id, custom_id, is_valid))
        self.digests[batch_id, custom_id] = digest

    def revise(self, batch_id: str, valid_ids: set[str]) -> None:
        """A batch turned out otherwise than it began: only these of its lines have valid answers."""
        self.history = [
            one._replace(is_valid=one.custom_id in valid_ids) if one.batch_id == batch_id else one
            for one in self.history
        ]

    @property
    def sent(self) -> dict[str, int]:
        """How often each custom_id was sent."""
        return dict(Counter(one.custom_id for one in self.history))

    @property
    def answered(self) -> dict[str, int]:
        """How often each custom_id got a valid answer."""
        return dict(Counter(one.custom_id for one in self.history if one.is_valid))

    @property
    def sent_texts(self) -> dict[str, int]:
        """How often each message was sent."""
        return dict(Counter(self._digest(one) for one in self.history))

    @property
    def answered_texts(self) -> dict[str, int]:
        """How often each message got a valid answer."""
        return dict(Counter(self._digest(one) for one in self.history if one.is_valid))

    def sent_after_answer(self) -> list[str]:
        """The custom_ids (or digests) whose message was sent again although a valid answer to it was there."""
        answered: set[str] = set()
        found = []
        for one in self.history:
            if self._digest(one) in answered:
                found.append(one.custom_id)
            if one.is_valid:
                answered.add(self._digest(one))
        return found

    def _digest(self, one: Sending) -> str:
        return self.digests[one.batch_id, one.custom_id]


def digest_of(request: dict[str, Any]) -> str:
    """The digest of a request's user message."""
    return hashlib.sha256(user_text(request).encode("utf-8", "replace")).hexdigest()[:24]
