"""One query being answered: whom it is for, its variables, what it touched, and the errors met so far."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from historical_sync.sandbox.github.budgets import RateLimit
from historical_sync.sandbox.github.errors import FieldError
from historical_sync.sandbox.ordering import Orders
from historical_sync.sandbox.world import Account, PullRequest, World

Denial = Callable[[Any, str, dict[str, Any]], FieldError | None]
"""Why a field of an object, asked with these arguments, is refused; None when it is not."""


@dataclass
class Query:
    """`is_denied` lets a fault refuse a field, `with_holes` may put null in place of a list's rows.

    `arguments` keeps each field's, once read. `repositories` and `pull_requests` note what was asked for, so that a
    fault can be aimed at them.
    """

    world: World
    orders: Orders
    viewer: Account
    variables: dict[str, Any]
    rate_limit: RateLimit | None = None
    is_denied: Denial | None = None
    with_holes: Callable[[Any, list[Any]], list[Any]] | None = None
    errors: list[dict[str, Any]] = field(default_factory=list)
    arguments: dict[int, dict[str, Any]] = field(default_factory=dict)
    repositories: set[str] = field(default_factory=set)
    pull_requests: list[PullRequest] = field(default_factory=list)
