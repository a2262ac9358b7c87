"""Is the sandbox's schema a true subset of GitHub's, and is every query of ours valid at GitHub?

    python .ci/schema/check.py path/to/official/schema.graphql

A subset has nothing the official schema lacks: types of the same kind, fields of the same type and nullability,
arguments of the same type and default, and no required argument left out; enums and inputs are whole. Exit status 1
with one line for each difference.
"""

import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

from graphql import (
    GraphQLArgument,
    GraphQLEnumType,
    GraphQLField,
    GraphQLInputObjectType,
    GraphQLInterfaceType,
    GraphQLNamedType,
    GraphQLObjectType,
    GraphQLSchema,
    GraphQLUnionType,
    build_schema,
    is_required_argument,
    parse,
    validate,
)


def schema_differences(subset: GraphQLSchema, official: GraphQLSchema) -> Iterator[str]:
    """What `subset` has that `official` has not, or has otherwise; one line each."""
    for name, ours in subset.type_map.items():
        if name.startswith("__"):
            continue
        theirs = official.type_map.get(name)
        if theirs is None:
            yield f"{name}: no such type"
        elif type(theirs) is not type(ours):
            yield f"{name}: is a {type(theirs).__name__}"
        else:
            yield from _type_differences(name, ours, theirs)


def _type_differences(name: str, ours: GraphQLNamedType, theirs: GraphQLNamedType) -> Iterator[str]:
    match ours, theirs:
        case (GraphQLObjectType(), GraphQLObjectType()) | (GraphQLInterfaceType(), GraphQLInterfaceType()):
            known = {interface.name for interface in theirs.interfaces}
            yield from (f"{name}: does not implement {one.name}" for one in ours.interfaces if one.name not in known)
            for field_name, field in ours.fields.items():
                yield from _field_differences(f"{name}.{field_name}", field, theirs.fields.get(field_name))
        case GraphQLUnionType(), GraphQLUnionType():
            known = {member.name for member in theirs.types}
            yield from (f"{name}: {member.name} is no member" for member in ours.types if member.name not in known)
        case GraphQLEnumType(), GraphQLEnumType():
            yield from (f"{name}: value {value}" for value in sorted(set(ours.values) ^ set(theirs.values)))
        case GraphQLInputObjectType(), GraphQLInputObjectType():
            for field_name in sorted(set(ours.fields) | set(theirs.fields)):
                mine, yours = ours.fields.get(field_name), theirs.fields.get(field_name)
                if mine is None or yours is None or str(mine.type) != str(yours.type):
                    yield f"{name}.{field_name}: {mine and mine.type} instead of {yours and yours.type}"


def _field_differences(place: str, ours: GraphQLField, theirs: GraphQLField | None) -> Iterator[str]:
    if theirs is None:
        yield f"{place}: no such field"
        return
    if str(ours.type) != str(theirs.type):
        yield f"{place}: {ours.type} instead of {theirs.type}"
    for name, argument in ours.args.items():
        yield from _argument_differences(f"{place}({name})", argument, theirs.args.get(name))
    for name, argument in theirs.args.items():
        if is_required_argument(argument) and name not in ours.args:
            yield f"{place}({name}): required argument left out"


def _argument_differences(place: str, ours: GraphQLArgument, theirs: GraphQLArgument | None) -> Iterator[str]:
    if theirs is None:
        yield f"{place}: no such argument"
    elif str(ours.type) != str(theirs.type):
        yield f"{place}: {ours.type} instead of {theirs.type}"
    elif ours.default_value != theirs.default_value:
        yield f"{place}: default {ours.default_value} instead of {theirs.default_value}"


def query_errors(documents: Mapping[str, str], official: GraphQLSchema) -> Iterator[str]:
    """What the official schema finds wrong with each document; one line each."""
    for name, text in documents.items():
        yield from (f"query {name}: {error.message}" for error in validate(official, parse(text)))


def main(official_file: Path) -> int:
    """Print every difference; 1 if there is one."""
    from historical_sync.github.queries import DOCUMENTS
    from historical_sync.sandbox.github.schema import schema

    official = build_schema(official_file.read_text(), assume_valid_sdl=True)  # it names two fields twice
    found = [*schema_differences(schema(), official), *query_errors(DOCUMENTS, official)]
    found += [f"sandbox: {line}" for line in query_errors(DOCUMENTS, schema())]
    types = sum(1 for name in schema().type_map if not name.startswith("__"))
    found_out = [*found, f"{types} types and {len(DOCUMENTS)} queries checked: {len(found)} differences"]
    sys.stdout.write("\n".join(found_out) + "\n")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
