"""The files a page loads: our own and Plotly's bundled script, each under an address that changes with its content."""

from __future__ import annotations

import gzip
import hashlib
import mimetypes
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from importlib.resources.abc import Traversable

PLOTLY = "plotly.min.js"


@dataclass(frozen=True, slots=True)
class Asset:
    """One file, compressed once. `digest` is part of its address, so that it may be kept for ever."""

    name: str
    body: bytes
    compressed: bytes
    digest: str
    media_type: str

    @property
    def address(self) -> str:
        return f"/static/{self.digest}/{self.name}"


@cache
def asset(name: str) -> Asset:
    """The file of this name. Raises KeyError for a name that is not one of ours."""
    source = _sources().get(name)
    if source is None:
        raise KeyError(name)
    body = source.read_bytes()
    media_type = mimetypes.guess_type(name)[0] or "application/octet-stream"
    return Asset(name, body, gzip.compress(body, 6, mtime=0), hashlib.sha256(body).hexdigest()[:16], media_type)


def address(name: str) -> str:
    """Where the page finds this file; for templates."""
    return asset(name).address


@cache
def _sources() -> dict[str, Traversable]:
    own = {entry.name: entry for entry in files("historical_sync.dashboard").joinpath("static").iterdir()}
    return {**own, PLOTLY: files("plotly").joinpath("package_data", PLOTLY)}
