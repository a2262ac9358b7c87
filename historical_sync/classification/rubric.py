"""What is asked of the model: the shape of its answer as pydantic models, and the strict JSON schema made from them.

The descriptions below are part of the question: the model reads them with the schema. What a readable answer must be
beyond its shape (consistent, quoted, supported by files) is in answers.py; the words of the question are in prompts/.
"""

from __future__ import annotations

import hashlib
import json
from functools import cache
from typing import Any, Literal, get_args

from pydantic import BaseModel, Field

UsageType = Literal["authored", "assisted", "reviewed", "brainstorm", "none"]
SummaryType = Literal["feature", "bugfix", "refactor", "docs", "test", "chore", "ci"]
Category = Literal["backend", "frontend", "mobile", "devops", "data", "docs", "other"]
Level = Literal["low", "medium", "high"]
Scope = Literal["small", "medium", "large", "xlarge"]

USAGE_TYPES: tuple[str, ...] = get_args(UsageType)
ASSISTED_USAGE = frozenset({"authored", "assisted"})
"""The usage types by which a pull request counts as AI-assisted: a tool wrote or helped to write the change."""


class AiUse(BaseModel):
    """Whether the pull request discloses that an AI tool wrote or helped to write the change."""

    evidence_quote: str = Field(
        description="The shortest passage, copied exactly from the pull request, that discloses the use; empty if none."
    )
    usage_type: UsageType = Field(description="How AI was used: see the rules. none if nothing is disclosed.")
    is_assisted: bool = Field(description="True only if usage_type is authored or assisted.")
    tools: list[str] = Field(description="Tools that the text names for this use, lower case; empty if none was used.")
    confidence: float = Field(description="From 0 to 1: how sure you are of is_assisted, whichever it is.")


class Technology(BaseModel):
    """What the change is written in. Only what the list of files shows."""

    languages: list[str] = Field(description="Programming languages of the changed files; at most five.")
    frameworks: list[str] = Field(description="Frameworks and libraries that the change visibly uses; at most five.")
    categories: list[Category] = Field(description="Areas that the changed files belong to.")


class Summary(BaseModel):
    """The change in words for somebody who has not seen it."""

    title: str = Field(description="What changed, at most 100 characters, without the ticket's number.")
    description: str = Field(description="Two sentences at most: what changed and why.")
    type: SummaryType = Field(description="The main kind of the change: see the rules.")


class Health(BaseModel):
    """How the change went through review."""

    review_friction: Level
    scope: Scope
    risk_level: Level
    insights: list[str] = Field(description="At most three short remarks a team lead would act on; may be empty.")


class Answer(BaseModel):
    """One pull request's classification."""

    ai: AiUse
    tech: Technology
    summary: Summary
    health: Health


@cache
def answer_schema() -> dict[str, Any]:
    """The strict JSON schema of `Answer`: no references, every property required, no others, no bounds on lists.

    Groq's strict mode refuses schemas with optional properties, open objects, or minItems and maxItems
    (https://console.groq.com/docs/structured-outputs; i-am-bee/beeai-framework#1215).
    """
    schema = Answer.model_json_schema()
    return _strict(schema, schema.get("$defs", {}))


SPOKEN_KEYWORDS = ("type", "description", "enum", "items")
"""What of JSON Schema is sent, beside an object's properties: the part that every strict mode knows."""


def _strict(node: dict[str, Any], definitions: dict[str, Any]) -> dict[str, Any]:
    if "$ref" in node:
        return _strict(definitions[node["$ref"].rpartition("/")[2]], definitions)
    kept = {key: node[key] for key in SPOKEN_KEYWORDS if key in node}
    if "items" in kept:
        kept["items"] = _strict(kept["items"], definitions)
    if node.get("type") == "object":
        properties = {name: _strict(inner, definitions) for name, inner in node["properties"].items()}
        kept |= {"properties": properties, "required": list(properties), "additionalProperties": False}
    return kept


@cache
def schema_digest() -> str:
    """Eight hex digits that change when the schema does."""
    return hashlib.sha256(json.dumps(answer_schema(), sort_keys=True).encode()).hexdigest()[:8]


STRICT_MODELS = ("openai/gpt-oss-",)
"""Beginnings of the models that decode under a strict schema; the others get JSON mode and the schema in words."""


def is_strict(model: str) -> bool:
    """Whether the model holds to a strict schema by itself (GPT-OSS on Groq, August 2026)."""
    return model.startswith(STRICT_MODELS)


def response_format(model: str) -> dict[str, Any]:
    """The `response_format` of a request to this model."""
    if not is_strict(model):
        return {"type": "json_object"}
    named = {"name": "pull_request_classification", "strict": True, "schema": answer_schema()}
    return {"type": "json_schema", "json_schema": named}
