"""Executing a validated query: compiled once per text and type, then run for each object without looking at the AST.

graphql-core's own executor takes several times the CPU for the same answer (docs/sandbox.md has both); a test holds
that both give equal answers. Prices and refusals are in `cost`, what the fields answer is in `fields`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from operator import attrgetter
from typing import Any, cast

from graphql import (
    DirectiveNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLInterfaceType,
    GraphQLObjectType,
    GraphQLUnionType,
    SelectionSetNode,
    get_named_type,
    is_leaf_type,
    is_list_type,
    is_non_null_type,
)
from graphql.execution.values import get_argument_values

from historical_sync.sandbox.github.errors import FieldError
from historical_sync.sandbox.github.fields import RESOLVERS
from historical_sync.sandbox.github.objects import type_of
from historical_sync.sandbox.github.query import Query
from historical_sync.sandbox.github.registry import Resolver, attribute
from historical_sync.sandbox.github.schema import Document, schema

Answer = dict[str, Any]


class Composite:
    """A field with a selection of its own: an object, or a list of objects."""

    __slots__ = (
        "arguments",
        "compiler",
        "is_item_required",
        "is_list",
        "is_required",
        "key",
        "name",
        "nodes",
        "only_plan",
        "plans",
        "resolve",
        "selections",
        "type",
    )

    def __init__(self, compiler: Compiler, parent: str, key: str, nodes: list[FieldNode], definition: Any) -> None:
        self.compiler, self.key, self.nodes, self.name = compiler, key, nodes, nodes[0].name.value
        self.selections = [node.selection_set for node in nodes if node.selection_set]
        self.is_required = is_non_null_type(definition.type)
        inner = definition.type.of_type if self.is_required else definition.type
        self.is_list = is_list_type(inner)
        self.is_item_required = self.is_list and is_non_null_type(inner.of_type)
        self.type = get_named_type(definition.type)
        self.resolve = RESOLVERS.get((parent, self.name)) or _read_attribute(attribute(self.name))
        self.arguments = definition if definition.args else None
        self.plans: dict[str, Plan] = {}
        self.only_plan: Plan | None = None

    def plan_of(self, value: Any) -> Plan:
        """The plan for the concrete type of `value`, made when the first of its type is met."""
        is_concrete = isinstance(self.type, GraphQLObjectType)
        name = self.type.name if is_concrete else type_of(value)
        plan = self.plans.get(name)
        if plan is None:
            plan = self.plans[name] = self.compiler.plan(name, self.selections)
            self.only_plan = plan if is_concrete else None
        return plan

    def arguments_of(self, query: Query) -> dict[str, Any]:
        """This field's arguments, read once per query."""
        found = query.arguments.get(id(self))
        if found is None:
            found = get_argument_values(self.arguments, self.nodes[0], query.variables) if self.arguments else {}
            query.arguments[id(self)] = found
        return found

    def value(self, obj: Any, query: Query) -> Any:
        """The field's answer for one object; None when it failed, with the error noted."""
        mark = len(query.errors)
        try:
            arguments = self.arguments_of(query)
            refusal = query.is_denied(obj, self.name, arguments) if query.is_denied is not None else None
            found = self.resolve(obj, arguments, query) if refusal is None else refusal
        except FieldError as error:
            found = error
        if self.is_list and isinstance(found, list):
            answer = self.items(found if query.with_holes is None else query.with_holes(obj, found), query)
        else:
            answer = self.one(found, query)
        if len(query.errors) > mark:
            _prefix(query.errors[mark:], self.key)
        return answer

    def one(self, found: Any, query: Query) -> Any:
        """One object's answer."""
        if found is None:
            return None
        if isinstance(found, FieldError):
            query.errors.append(found.entry([], self.locations()))
            return None
        return (self.only_plan or self.plan_of(found)).run(found, query)

    def items(self, found: Iterable[Any], query: Query) -> list[Any] | None:
        """The answers for a list of objects."""
        answers = []
        for index, item in enumerate(found):
            mark = len(query.errors)
            answer = self.one(item, query)
            if len(query.errors) > mark:
                _prefix(query.errors[mark:], index)
            if answer is None and self.is_item_required:
                return None
            answers.append(answer)
        return answers

    def locations(self) -> list[dict[str, int]]:
        """Where the query names this field."""
        found = []
        for node in self.nodes[:1]:
            if node.loc is not None:
                place = node.loc.source.get_location(node.loc.start)
                found.append({"line": place.line, "column": place.column})
        return found


def _prefix(errors: list[dict[str, Any]], key: str | int) -> None:
    """Errors met below a key have it at the head of their paths."""
    for entry in errors:
        entry["path"].insert(0, key)


def _read_attribute(name: str) -> Resolver:
    getter = attrgetter(name)
    return lambda obj, arguments, query: getter(obj)


class Plan:
    """What to answer for an object of one type: its scalars in one go, then its computed fields, then its objects."""

    __slots__ = ("composites", "computed", "getter", "keys", "template")

    def __init__(
        self, template: Answer, plain: dict[str, str], computed: list[Any], composites: list[Composite]
    ) -> None:
        self.template, self.computed, self.composites = template, computed, composites
        self.keys = tuple(plain)
        names = tuple(plain.values())
        self.getter: Callable[[Any], tuple[Any, ...]] | None = attrgetter(*names) if len(names) > 1 else None
        if len(names) == 1:
            single = attrgetter(names[0])
            self.getter = lambda obj: (single(obj),)

    def run(self, obj: Any, query: Query) -> Answer | None:
        """The answer for `obj`; None when a field that may not be null is."""
        answer = self.template.copy()
        if self.getter is not None:
            answer.update(zip(self.keys, self.getter(obj), strict=False))
        for key, resolve, arguments_of in self.computed:
            answer[key] = resolve(obj, arguments_of(query), query)
        is_whole = True
        for composite in self.composites:
            value = composite.value(obj, query)
            answer[composite.key] = value
            if value is None and composite.is_required:
                is_whole = False
        return answer if is_whole else None


class Compiler:
    """Makes plans for one document, for one setting of the variables in its @include and @skip."""

    def __init__(self, document: Document, switches: dict[str, bool]) -> None:
        self.fragments: dict[str, FragmentDefinitionNode] = document.fragments
        self.switches = switches

    def plan(self, type_name: str, selections: list[SelectionSetNode]) -> Plan:
        """The plan for these selections on an object of this type."""
        kind = cast(GraphQLObjectType, schema().type_map[type_name])
        grouped: dict[str, list[FieldNode]] = {}
        for selection in selections:
            self._collect(kind, selection, grouped)
        template: Answer = dict.fromkeys(grouped)
        plain: dict[str, str] = {}
        computed: list[Any] = []
        composites: list[Composite] = []
        for key, nodes in grouped.items():
            name = nodes[0].name.value
            if name == "__typename":
                template[key] = type_name
                continue
            definition = kind.fields[name]
            if not is_leaf_type(get_named_type(definition.type)):
                composites.append(Composite(self, type_name, key, nodes, definition))
            elif (type_name, name) in RESOLVERS:
                composite = Composite(self, type_name, key, nodes, definition)
                computed.append((key, composite.resolve, composite.arguments_of))
            else:
                plain[key] = attribute(name)
        return Plan(template, plain, computed, composites)

    def _collect(
        self, kind: GraphQLObjectType, selection: SelectionSetNode, grouped: dict[str, list[FieldNode]]
    ) -> None:
        for node in selection.selections:
            if not self._is_included(node.directives):
                continue
            if isinstance(node, FieldNode):
                grouped.setdefault(node.alias.value if node.alias else node.name.value, []).append(node)
                continue
            inner: Any = self.fragments[node.name.value] if isinstance(node, FragmentSpreadNode) else node
            condition = inner.type_condition
            if condition is None or _applies(kind, condition.name.value):
                self._collect(kind, inner.selection_set, grouped)

    def _is_included(self, directives: Iterable[DirectiveNode]) -> bool:
        for directive in directives:
            value: Any = directive.arguments[0].value
            is_on = self.switches[value.name.value] if value.kind == "variable" else value.value
            if is_on != (directive.name.value == "include"):
                return False
        return True


def _applies(kind: GraphQLObjectType, condition: str) -> bool:
    wanted = schema().type_map[condition]
    if isinstance(wanted, (GraphQLInterfaceType, GraphQLUnionType)):
        return schema().is_sub_type(wanted, kind)
    return wanted is kind


def execute(document: Document, operation_name: str | None, query: Query) -> Answer | None:
    """The `data` of an answer; errors are left in `query.errors`. Variables are already coerced."""
    operation = document.operation(operation_name)
    switches = {name: value for name, value in query.variables.items() if isinstance(value, bool)}
    place = (operation_name, tuple(sorted(switches.items())))
    plan = document.plans.get(place)
    if plan is None:
        plan = Compiler(document, switches).plan("Query", [operation.selection_set])
        document.plans[place] = plan
    found: Answer | None = plan.run(None, query)
    return found
