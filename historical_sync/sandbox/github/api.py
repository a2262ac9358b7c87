"""GitHub's front door: authenticates, prices, charges, executes, and answers in GitHub's shapes, faults included."""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable
from email.utils import format_datetime
from typing import Any

from graphql import GraphQLError, get_variable_values

from historical_sync.sandbox.faults import GITHUB_KINDS, Fault, Faults, Subject
from historical_sync.sandbox.github import errors
from historical_sync.sandbox.github.budgets import Budget, Identities, RateLimit
from historical_sync.sandbox.github.cost import Price, Tariff, price_of
from historical_sync.sandbox.github.misfortune import FIELD_KINDS, broken_answer, denial_for, holes_for
from historical_sync.sandbox.github.pace import Pace
from historical_sync.sandbox.github.plan import execute
from historical_sync.sandbox.github.query import Query
from historical_sync.sandbox.github.schema import Document, Refused, read_document, schema
from historical_sync.sandbox.log import Entry, Log
from historical_sync.sandbox.ordering import Orders
from historical_sync.sandbox.wire import Answer, json_answer
from historical_sync.sandbox.world import World, stamp


class GitHub:
    """The imitation of GitHub's GraphQL endpoint, over one world."""

    def __init__(self, world: World, faults: Faults, log: Log, pace: Pace | None = None) -> None:
        self.world, self.faults, self.log = world, faults, log
        self.pace = pace or Pace()
        self.tariff = Tariff()
        self.identities = Identities(world.clock)
        self.orders = Orders()
        self.after_answer: Callable[[], None] = lambda: None

    def graphql(self, token: str | None, body: bytes) -> Answer:
        """The answer to a POST of `body` with this token."""
        with self.world.lock:
            entry = self.log.begin("github", "graphql", stamp(self.world.clock()))
            answer = self._answer(token, body, entry)
            entry.status, entry.seconds = answer.status, answer.delay_seconds
            self.after_answer()
        return answer

    def _answer(self, token: str | None, body: bytes, entry: Entry) -> Answer:
        login = self.identities.login_of(token)
        if login is None:
            return self.dressed(json_answer(errors.bad_credentials(), 401), None)
        entry.login = login
        budget = self.identities.budget(login)
        try:
            document, name, variables = _read_body(body)
            price = price_of(document, name, variables, self.tariff)
        except Refused as refused:
            return self.dressed(json_answer({"errors": refused.errors}), budget)
        except ValueError:
            return self.dressed(json_answer({"message": "Problems parsing JSON"}, 400), budget)
        return self._priced(document, name, variables, price, budget, entry)

    def _priced(
        self,
        document: Document,
        name: str | None,
        variables: dict[str, Any],
        price: Price,
        budget: Budget,
        entry: Entry,
    ) -> Answer:
        if self.identities.mode == "on" and budget.remaining < price.points:
            entry.fault = "budget"
            return self.dressed(json_answer(errors.rate_limited(budget.user_id, "RATE_LIMITED")), budget)
        budget.used += price.points if self.identities.mode == "on" else 0
        entry.points, entry.connection_requests, entry.nodes = price.points, price.requests, price.nodes
        entry.pull_requests, entry.hydrated = price.pull_requests, price.hydrated
        query = self._query(variables, price, budget)
        query.is_denied = denial_for(self.faults, self.pace, price, budget.login)
        query.with_holes = holes_for(self.faults, budget.login)
        data = execute(document, name, query)
        entry.repositories = sorted(query.repositories)
        fault = self._fault(query, price, budget)
        answer = json_answer({"data": data} if not query.errors else {"data": data, "errors": query.errors})
        answer.delay_seconds = self.pace.seconds(price)
        answer = self.dressed(answer, budget)
        if fault is not None:
            entry.fault = fault.kind
            answer = self.dressed(broken_answer(fault, answer, budget, self.world.clock()), budget)
        return answer

    def _query(self, variables: dict[str, Any], price: Price, budget: Budget) -> Query:
        query = Query(self.world, self.orders, self.world.account(budget.login), variables)
        if self.identities.mode != "absent":
            query.rate_limit = RateLimit(
                price.points, budget.limit, price.nodes, budget.remaining, budget.resets_at, budget.used
            )
        return query

    def _fault(self, query: Query, price: Price, budget: Budget) -> Fault | None:
        if self.pace.is_too_heavy(price) and self.pace.refusal in ANSWER_KINDS:
            return Fault(self.pace.refusal)
        numbers = frozenset((one.repository.full_name, one.number) for one in query.pull_requests)
        subject = Subject("graphql", budget.login, frozenset(query.repositories), numbers, price.hydrated, price.lists)
        return self.faults.strike(ANSWER_KINDS, subject)

    def dressed(self, answer: Answer, budget: Budget | None) -> Answer:
        """The answer with GitHub's headers."""
        headers = {
            "date": format_datetime(self.world.clock(), usegmt=True),
            "server": "github.com",
            "x-github-request-id": uuid.uuid4().hex.upper()[:20],
            "x-github-media-type": "github.v4; format=json",
        }
        if budget is not None and self.identities.mode != "absent":
            headers.update(budget.headers())
        answer.headers = {**headers, **answer.headers}
        return answer


ANSWER_KINDS = frozenset(GITHUB_KINDS) - FIELD_KINDS
"""Faults that replace a whole answer; the others change fields (`misfortune.denial_for`)."""


def _read_body(body: bytes) -> tuple[Document, str | None, dict[str, Any]]:
    """Document, operation name and coerced variables of a request. Raises ValueError or Refused."""
    request = json.loads(body)
    if not isinstance(request, dict) or not isinstance(request.get("query"), str):
        raise Refused([{"message": "A query attribute must be specified and must be a string."}])
    document = read_document(request["query"])
    name = request.get("operationName")
    definitions = document.operation(name).variable_definitions
    coerced = get_variable_values(schema(), definitions, request.get("variables") or {})
    if isinstance(coerced, list):
        raise Refused([_invalid_variable(error) for error in coerced])
    return document, name, coerced


def _invalid_variable(error: GraphQLError) -> dict[str, Any]:
    problem = {"path": [], "explanation": error.message}
    locations = [{"line": one.line, "column": one.column} for one in error.locations or []]
    return {"extensions": {"value": None, "problems": [problem]}, "locations": locations, "message": error.message}
