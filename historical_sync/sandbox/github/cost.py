"""What a query costs by GitHub's published formula, and the bounds it refuses.

Each connection is asked for once per parent, assuming every `first` and `last` is filled; the sum of these requests
divided by 100, rounded half up, at least 1, is the price in points. See "Rate limits and query limits for the GraphQL
API" in GitHub's documentation. `nodes(ids:)` is one request whose rows are as many parents as there are ids.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from graphql import FieldNode, FragmentSpreadNode, GraphQLObjectType, SelectionSetNode, get_named_type

from historical_sync.sandbox.github.schema import Document, Refused, schema

NODE_LIMIT = 500_000
"""Nodes that one query may ask for."""
PAGE_LIMIT = 100
"""Rows that one page may hold."""


@dataclass
class Price:
    """Requests and nodes of a query; how many pull requests it hydrates (asks for with lists), with how many lists."""

    requests: int = 0
    nodes: int = 0
    pull_requests: int = 0
    hydrated: int = 0
    lists: int = 0
    errors: list[dict[str, Any]] = field(default_factory=list)

    @property
    def points(self) -> int:
        """The price: requests in hundreds, rounded half up, at least one."""
        return max(1, (self.requests + 50) // 100)


@dataclass(frozen=True)
class Tariff:
    """How `nodes(ids:)` is charged: each id a parent of the lists below it (`per_id`), or all ids one (`once`)."""

    nodes: str = "per_id"


def price_of(document: Document, operation_name: str | None, variables: dict[str, Any], tariff: Tariff) -> Price:
    """The price of an operation. Raises Refused when a list lacks bounds or the query asks for too many nodes."""
    price = Price()
    counter = _Counter(document, variables, tariff, price)
    counter.visit([document.operation(operation_name).selection_set], "Query", 1, [])
    if price.errors:
        raise Refused(price.errors)
    if price.nodes > NODE_LIMIT:
        message = (
            f"This query requests up to {price.nodes:,} possible nodes which exceeds the maximum limit of "
            f"{NODE_LIMIT:,}."
        )
        raise Refused([{"type": "MAX_NODE_LIMIT_EXCEEDED", "message": message}])
    return price


class _Counter:
    """Walks a selection with the number of parents it is asked for."""

    def __init__(self, document: Document, variables: dict[str, Any], tariff: Tariff, price: Price) -> None:
        self.document, self.variables, self.tariff, self.price = document, variables, tariff, price

    def visit(self, selections: list[SelectionSetNode], type_name: str, parents: int, path: list[str]) -> int:
        """Count a level; how many connections it holds."""
        fields: dict[tuple[str, str], list[FieldNode]] = {}
        for selection in selections:
            self._collect(selection, type_name, fields)
        return sum(self._field(owner, key, nodes, parents, path) for (owner, key), nodes in fields.items())

    def _collect(
        self, selection: SelectionSetNode, type_name: str, fields: dict[tuple[str, str], list[FieldNode]]
    ) -> None:
        for node in selection.selections:
            if isinstance(node, FieldNode):
                key = node.alias.value if node.alias else node.name.value
                fields.setdefault((type_name, key), []).append(node)
                continue
            inner: Any = node
            if isinstance(node, FragmentSpreadNode):
                inner = self.document.fragments[node.name.value]
            condition = inner.type_condition.name.value if inner.type_condition else type_name
            self._collect(inner.selection_set, condition, fields)

    def _field(self, owner: str, key: str, nodes: list[FieldNode], parents: int, path: list[str]) -> bool:
        kind: Any = schema().type_map[owner]
        name = nodes[0].name.value
        selections = [node.selection_set for node in nodes if node.selection_set]
        if not selections or name.startswith("__"):
            return False
        definition = kind.fields[name]
        inner = get_named_type(definition.type)
        is_connection = isinstance(inner, GraphQLObjectType) and inner.name.endswith("Connection")
        rows = parents
        if is_connection:
            rows = parents * self._bound(nodes[0], name, [*path, key])
            self.price.requests += parents
            self.price.nodes += rows
        elif owner == "Query" and name == "nodes":
            ids = self._value(nodes[0], "ids") or []
            self.price.requests += 1
            self.price.nodes += len(ids)
            rows = len(ids) if self.tariff.nodes == "per_id" else 1
        self._note(inner.name, name, rows, selections, [*path, key])
        return is_connection

    def _note(
        self,
        inner: str,
        name: str,
        rows: int,
        selections: list[SelectionSetNode],
        path: list[str],
    ) -> None:
        lists = self.visit(selections, inner, rows, path)
        if name in {"nodes", "node", "pullRequest"} and inner in {"PullRequest", "Node", "SearchResultItem"}:
            self.price.pull_requests += rows
            self.price.hydrated += rows if lists else 0
            self.price.lists = max(self.price.lists, lists)

    def _bound(self, node: FieldNode, name: str, path: list[str]) -> int:
        """`first` or `last` of a connection; notes GitHub's error when it is missing or too large."""
        for argument in ("first", "last"):
            value = self._value(node, argument)
            if value is None:
                continue
            if value > PAGE_LIMIT:
                text = (
                    f"Requesting {value} records on the `{name}` connection exceeds the `{argument}` limit of "
                    f"{PAGE_LIMIT} records."
                )
                self._refuse("EXCESSIVE_PAGINATION", text, node, path)
            return max(0, int(value))
        text = f"You must provide a `first` or `last` value to properly paginate the `{name}` connection."
        self._refuse("MISSING_PAGINATION_BOUNDARIES", text, node, path)
        return 0

    def _refuse(self, kind: str, message: str, node: FieldNode, path: list[str]) -> None:
        place = node.loc.source.get_location(node.loc.start) if node.loc else None
        locations = [{"line": place.line, "column": place.column}] if place else []
        self.price.errors.append({"type": kind, "path": path, "locations": locations, "message": message})

    def _value(self, node: FieldNode, name: str) -> Any:
        for argument in node.arguments:
            if argument.name.value == name:
                value: Any = argument.value
                if value.kind == "variable":
                    return self.variables.get(value.name.value)
                if value.kind == "list_value":
                    return list(value.values)
                return None if value.kind == "null_value" else int(value.value)
        return None
