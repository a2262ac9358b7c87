"""Reading a multipart/form-data body: two fields and a file, as `client.files.create` sends them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from email.message import Message


@dataclass(frozen=True)
class Part:
    """One field of a form; `filename` is None for a plain value."""

    name: str
    filename: str | None
    content: bytes


def read_form(content_type: str, body: bytes) -> dict[str, Part]:
    """The parts of a form by name; empty when it is no form."""
    header = Message()
    header["content-type"] = content_type
    boundary = header.get_param("boundary")
    if header.get_content_type() != "multipart/form-data" or not isinstance(boundary, str):
        return {}
    parts = {}
    for chunk in body.split(b"--" + boundary.encode())[1:-1]:
        part = _read_part(chunk)
        parts[part.name] = part
    return parts


def _read_part(chunk: bytes) -> Part:
    head, _, content = chunk.removeprefix(b"\r\n").partition(b"\r\n\r\n")
    found = dict(re.findall(r'(\w+)="([^"]*)"', head.decode("utf-8", "replace")))
    return Part(found.get("name", ""), found.get("filename"), content.removesuffix(b"\r\n"))
