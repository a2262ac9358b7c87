"""Every resolver of the schema, from the tables of its parts."""

from __future__ import annotations

from historical_sync.sandbox.github.pull_request_fields import PULL_REQUESTS
from historical_sync.sandbox.github.registry import Resolver
from historical_sync.sandbox.github.root_fields import ROOTS

RESOLVERS: dict[tuple[str, str], Resolver] = {**ROOTS, **PULL_REQUESTS}
"""(type, field) → resolver; what is missing is an attribute (see `registry`)."""
