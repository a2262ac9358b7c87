"""Asking again on request: what it would take in pull requests, tokens and dollars, and the queueing itself.

A new prompt or model re-classifies nothing by itself. This is the one way by which an answer that stands is bought
again; until the new one comes, the old one stays.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import date, datetime

from historical_sync.classification.batches import batch_line, content_hash, custom_id
from historical_sync.classification.pricing import estimated_cost_usd, estimated_tokens
from historical_sync.classification.prompt import prompt_version, request_body
from historical_sync.records import PullRequest
from historical_sync.settings import Settings
from historical_sync.warehouse import classifications, llm_holds
from historical_sync.warehouse.classifications import Key
from historical_sync.warehouse.postgres import Warehouse

PAGE_SIZE = 200


@dataclass(frozen=True, slots=True)
class Plan:
    """What asking again would take. `cost_usd` is None when the model has no price; `keys` are by month."""

    team_id: str
    model: str
    prompt_version: str
    keys: dict[date, list[Key]]
    pull_requests: int
    input_tokens: int
    output_tokens: int
    cost_usd: float | None


def plan(warehouse: Warehouse, settings: Settings, team_id: str, months: Collection[date] = ()) -> Plan:
    """What asking again for the team (these months, or all) would take: settled pull requests whose answer is of
    another prompt or model, and those that have none. Tokens and dollars are estimates, rather too high than too low.
    """
    models = [settings.groq_model, settings.groq_second_model]
    with warehouse.transaction() as tx:
        found = classifications.outdated(tx, team_id, prompt_version(), models)
    keys: dict[date, list[Key]] = defaultdict(list)
    for repository, number, month in found:
        if not months or month in months:
            keys[month].append((repository, number))
    size = count = 0
    for one in _pull_requests(warehouse, team_id, [key for those in keys.values() for key in those]):
        name = custom_id(team_id, one.repository, one.number, content_hash(one), prompt_version())
        size += len(batch_line(name, request_body(one, settings.groq_model)))
        count += 1
    input_tokens, output_tokens = estimated_tokens(size, count)
    return Plan(
        team_id=team_id,
        model=settings.groq_model,
        prompt_version=prompt_version(),
        keys=dict(keys),
        pull_requests=count,
        input_tokens=input_tokens,
        output_tokens=output_tokens,
        cost_usd=estimated_cost_usd(settings, settings.groq_model, size, count, is_batch=True),
    )


def queue_plan(warehouse: Warehouse, planned: Plan, *, now: datetime) -> int:
    """Queue what was planned, and lift the holds on models, since somebody has looked; returns how many are queued."""
    queued = 0
    for month, keys in planned.keys.items():
        hashes = {
            (one.repository, one.number): content_hash(one) for one in _pull_requests(warehouse, planned.team_id, keys)
        }
        with warehouse.transaction() as tx:
            queued += classifications.queue_again(tx, planned.team_id, month, hashes, now=now)
    release_models(warehouse)
    return queued


def release_models(warehouse: Warehouse) -> None:
    """Forget that Groq refused a model: the next submission tries it again."""
    with warehouse.transaction() as tx:
        for subject in llm_holds.holds(tx):
            if subject.startswith("model:"):
                llm_holds.release(tx, subject)


def _pull_requests(warehouse: Warehouse, team_id: str, keys: list[Key]) -> Iterator[PullRequest]:
    for start in range(0, len(keys), PAGE_SIZE):
        with warehouse.transaction() as tx:
            yield from classifications.read_pull_requests(tx, team_id, keys[start : start + PAGE_SIZE]).values()
