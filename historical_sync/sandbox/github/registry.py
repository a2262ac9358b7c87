"""A table of resolvers: which function answers which field of the schema.

A field that is in no table is the attribute of the same name in snake case. A resolver receives the object, the
arguments and the `Query` being answered.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from historical_sync.sandbox.github.query import Query

Arguments = dict[str, Any]
Resolver = Callable[[Any, Arguments, Query], Any]
Reader = Callable[[Any], Any]


def attribute(name: str) -> str:
    """The attribute behind a field without a resolver: its name in snake case."""
    return re.sub(r"(?<!^)(?=[A-Z])", "_", name).lower()


class Registry(dict[tuple[str, str], Resolver]):
    """(type, field) → resolver."""

    def field(self, type_name: str, *names: str) -> Callable[[Resolver], Resolver]:
        """Register a resolver for fields of one type."""

        def register(resolver: Resolver) -> Resolver:
            for name in names:
                self[type_name, name] = resolver
            return resolver

        return register

    def constant(self, type_name: str, **values: Any) -> None:
        """Fields that are the same for every object of a type."""
        for name, value in values.items():
            self[type_name, name] = _constantly(value)

    def derived(self, type_name: str, **readers: Reader) -> None:
        """Fields that follow from the object alone."""
        for name, read in readers.items():
            self[type_name, name] = _reading(read)


def _constantly(value: Any) -> Resolver:
    return lambda obj, arguments, query: value


def _reading(read: Reader) -> Resolver:
    return lambda obj, arguments, query: read(obj)
