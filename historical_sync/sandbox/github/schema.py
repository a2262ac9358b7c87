"""The subset of GitHub's schema that the sandbox answers, and GitHub's own words for queries that break it.

`schema.graphql` is checked against the official schema by `.ci/schema`. Parsed and validated queries are kept by their
text, since a client sends the same ones thousands of times.
"""

from __future__ import annotations

import re
from functools import cache, lru_cache
from pathlib import Path
from typing import Any

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    GraphQLError,
    GraphQLSchema,
    OperationDefinitionNode,
    build_schema,
    parse,
    validate,
)

SCHEMA_FILE = Path(__file__).with_name("schema.graphql")


@cache
def schema() -> GraphQLSchema:
    """The subset, as graphql-core builds it."""
    return build_schema(SCHEMA_FILE.read_text())


class Refused(Exception):
    """A query that GitHub does not execute; `errors` are the entries of its answer."""

    def __init__(self, errors: list[dict[str, Any]]) -> None:
        super().__init__(errors[0]["message"])
        self.errors = errors


class Document:
    """A valid document: its operations by name, its fragments, and plans made from it."""

    def __init__(self, node: DocumentNode) -> None:
        self.node = node
        self.operations = {
            one.name.value if one.name else None: one
            for one in node.definitions
            if isinstance(one, OperationDefinitionNode)
        }
        self.fragments = {one.name.value: one for one in node.definitions if isinstance(one, FragmentDefinitionNode)}
        self.plans: dict[Any, Any] = {}

    def operation(self, name: str | None) -> OperationDefinitionNode:
        """The operation to execute; Refused when the name does not say which."""
        if name is None and len(self.operations) == 1:
            return next(iter(self.operations.values()))
        if name not in self.operations:
            raise Refused([{"message": f'No operation named "{name}"'}])
        return self.operations[name]


@lru_cache(maxsize=512)
def _read(text: str) -> Document | tuple[dict[str, Any], ...]:
    try:
        node = parse(text)
    except GraphQLError as error:
        return ({"message": f"Parse error: {error.message}", "locations": _locations(error)},)
    found = validate(schema(), node)
    if found:
        return tuple(_refusal(error) for error in found)
    return Document(node)


def read_document(text: str) -> Document:
    """The parsed and validated document; Refused, in GitHub's shape, when it is not valid."""
    found = _read(text)
    if isinstance(found, Document):
        return found
    raise Refused([dict(entry) for entry in found])


def _locations(error: GraphQLError) -> list[dict[str, int]]:
    return [{"line": one.line, "column": one.column} for one in error.locations or []]


_UNDEFINED_FIELD = re.compile(r"Cannot query field '(\w+)' on type '(\w+)'")


def _refusal(error: GraphQLError) -> dict[str, Any]:
    """A validation error in GitHub's shape; an unknown field in its very words."""
    entry: dict[str, Any] = {"path": _path(error), "locations": _locations(error), "message": error.message}
    undefined = _UNDEFINED_FIELD.match(error.message)
    if undefined:
        name, type_name = undefined.groups()
        entry["extensions"] = {"code": "undefinedField", "typeName": type_name, "fieldName": name}
        entry["message"] = f"Field '{name}' doesn't exist on type '{type_name}'"
    return entry


def _path(error: GraphQLError) -> list[str]:
    node = error.nodes[0] if error.nodes else None
    return ["query", node.name.value] if isinstance(node, FieldNode) else ["query"]
