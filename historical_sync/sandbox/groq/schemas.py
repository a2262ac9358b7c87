"""What Groq's strict mode asks of a JSON schema, and whether a value keeps one.

Rules from Groq's page on structured outputs and from public reports: every object lists all its properties as required
and forbids others; minItems, maxItems and their like are refused.
"""

from __future__ import annotations

from typing import Any

from historical_sync.sandbox.groq.errors import Refusal

Schema = dict[str, Any]

UNSUPPORTED = ("minItems", "maxItems", "uniqueItems", "minContains", "maxContains", "patternProperties", "not", "if")
STRICT_MODELS = frozenset({"openai/gpt-oss-20b", "openai/gpt-oss-120b", "openai/gpt-oss-safeguard-20b"})


def check_strict(name: str, schema: Schema) -> None:
    """Refuse a schema that strict mode does not take."""
    for path, node in _nodes(schema, ""):
        for keyword in UNSUPPORTED:
            if keyword in node:
                place = path or "/"
                text = f"invalid JSON schema for response_format: '{name}': {place}: {keyword} is not supported"
                raise _refusal(text)
        if node.get("type") == "object" or "properties" in node:
            _check_object(name, path, node)


def _check_object(name: str, path: str, node: Schema) -> None:
    where = f"'{name}'" + (f": {path}" if path else "")
    if node.get("additionalProperties") is not False:
        text = "`additionalProperties:false` must be set on every object"
        raise _refusal(f"invalid JSON schema for response_format: {where}: {text}")
    missing = set(node.get("properties", {})) - set(node.get("required", []))
    if missing:
        text = (
            "`required` is required to be supplied and to be an array including every key in properties. "
            f"Missing: {sorted(missing)}"
        )
        raise _refusal(f"invalid JSON schema for response_format: {where}: {text}")


def _refusal(message: str) -> Refusal:
    return Refusal(400, message, "invalid_request_error", None, param="response_format")


def _nodes(node: Any, path: str) -> list[tuple[str, Schema]]:
    if not isinstance(node, dict):
        return []
    found = [(path, node)]
    for keyword in ("properties", "$defs", "definitions"):
        for name, inner in node.get(keyword, {}).items():
            found += _nodes(inner, f"{path}/{keyword}/{name}")
    for keyword in ("anyOf", "oneOf", "allOf"):
        for index, inner in enumerate(node.get(keyword, [])):
            found += _nodes(inner, f"{path}/{keyword}/{index}")
    return found + _nodes(node.get("items"), f"{path}/items")


def resolved(node: Schema, root: Schema) -> Schema:
    """`node`, or what its `$ref` points at."""
    while "$ref" in node:
        found: Any = root
        for part in node["$ref"].removeprefix("#/").split("/"):
            found = found[part]
        node = {**found, **{key: value for key, value in node.items() if key != "$ref"}}
    return node


TYPES: dict[str, Any] = {
    "object": dict,
    "array": list,
    "string": str,
    "boolean": bool,
    "integer": int,
    "number": (int, float),
    "null": type(None),
}


def is_valid(value: Any, node: Schema, root: Schema) -> bool:
    """Whether `value` keeps the schema, as far as strict mode's keywords go."""
    node = resolved(node, root)
    if "anyOf" in node:
        return any(is_valid(value, inner, root) for inner in node["anyOf"])
    if "const" in node and value != node["const"]:
        return False
    if "enum" in node and value not in node["enum"]:
        return False
    if not _has_type(value, node.get("type")):
        return False
    if isinstance(value, dict) and "properties" in node:
        return _is_valid_object(value, node, root)
    if isinstance(value, list) and "items" in node:
        return all(is_valid(item, node["items"], root) for item in value)
    return True


def _has_type(value: Any, wanted: Any) -> bool:
    if wanted is None:
        return True
    names = wanted if isinstance(wanted, list) else [wanted]
    if isinstance(value, bool):
        return "boolean" in names
    return any(isinstance(value, TYPES[name]) for name in names if name != "boolean")


def _is_valid_object(value: dict[str, Any], node: Schema, root: Schema) -> bool:
    properties = node["properties"]
    return all(name in value for name in node.get("required", [])) and all(
        name in properties and is_valid(item, properties[name], root) for name, item in value.items()
    )
