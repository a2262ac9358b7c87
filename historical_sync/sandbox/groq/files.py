"""A file that Groq keeps: an uploaded input, or a batch's output."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass
class StoredFile:
    """A file at Groq."""

    id: str
    filename: str
    content: bytes
    purpose: str
    created_at: int

    def as_json(self) -> dict[str, Any]:
        """The file object."""
        return {
            "id": self.id,
            "object": "file",
            "bytes": len(self.content),
            "created_at": self.created_at,
            "filename": self.filename,
            "purpose": self.purpose,
        }
