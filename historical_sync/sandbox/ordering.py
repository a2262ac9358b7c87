"""A repository's pull requests in an order, and the place of a cursor in it.

A cursor stands for a key (time, id), not for a number of rows: when rows move between two pages, what follows a cursor
is what follows its key, as at GitHub. Orders are kept until their repository changes.
"""

from __future__ import annotations

import base64
import json
from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import dataclass

from historical_sync.sandbox.world import PullRequest, Repository

Key = tuple[str | int, int]
_PREFIX = b"cursor:v2:"


def encode_cursor(key: Sequence[object]) -> str:
    """The opaque cursor of a key."""
    return base64.b64encode(_PREFIX + json.dumps(list(key)).encode()).decode()


def decode_cursor(cursor: str) -> list[object] | None:
    """The key that `encode_cursor` hid, or None when the cursor is not one of ours."""
    try:
        raw = base64.b64decode(cursor, validate=True)
        key = json.loads(raw.removeprefix(_PREFIX)) if raw.startswith(_PREFIX) else None
    except ValueError:
        return None
    return key if isinstance(key, list) else None


@dataclass(frozen=True)
class Filter:
    """Which pull requests, and by what they are ordered (`created_at`, `updated_at` or `comment_count`)."""

    field: str = "created_at"
    states: frozenset[str] | None = None
    labels: frozenset[str] | None = None
    head_ref: str | None = None
    base_ref: str | None = None

    def admits(self, pull_request: PullRequest) -> bool:
        """Whether a pull request belongs in the list."""
        return (
            (self.states is None or pull_request.state in self.states)
            and (self.labels is None or not self.labels.isdisjoint(pull_request.labels))
            and (self.head_ref is None or pull_request.head_ref == self.head_ref)
            and (self.base_ref is None or pull_request.base_ref == self.base_ref)
        )

    def key(self, pull_request: PullRequest) -> Key:
        """The place of a pull request: by the ordered field, then by id, so that ties have one order."""
        return getattr(pull_request, self.field), pull_request.database_id


@dataclass
class Order:
    """Pull requests by ascending key, as of one version of their repository."""

    version: int
    rows: list[PullRequest]
    keys: list[Key]


class Orders:
    """The orders that were asked for, each sorted once per version of its repository."""

    def __init__(self) -> None:
        self._known: dict[tuple[int, Filter], Order] = {}

    def of(self, repository: Repository, wanted: Filter) -> Order:
        """The pull requests of `repository` that `wanted` admits, in its order."""
        place = (repository.database_id, wanted)
        order = self._known.get(place)
        if order is None or order.version != repository.version:
            order = _sorted(repository, wanted, order)
            self._known[place] = order
        return order


def _sorted(repository: Repository, wanted: Filter, before: Order | None) -> Order:
    rows = [row for row in repository if wanted.admits(row)]
    rows.sort(key=wanted.key)
    return Order(repository.version, rows, [wanted.key(row) for row in rows])


class OrderedView(Sequence[PullRequest]):
    """An order read upwards or downwards, without copying it."""

    def __init__(self, order: Order, is_descending: bool) -> None:
        self.order, self.is_descending = order, is_descending

    def __len__(self) -> int:
        return len(self.order.rows)

    def __getitem__(self, index):  # type: ignore[no-untyped-def]
        if isinstance(index, slice):
            return [self[position] for position in range(*index.indices(len(self)))]
        return self.order.rows[len(self) - 1 - index if self.is_descending else index]

    def cursor(self, index: int) -> str:
        """The cursor of the row at `index`."""
        return encode_cursor(self.order.keys[len(self) - 1 - index if self.is_descending else index])

    def after(self, key: Key) -> int:
        """The index of the first row that follows `key`."""
        if self.is_descending:
            return len(self) - bisect_left(self.order.keys, key)
        return bisect_right(self.order.keys, key)

    def before(self, key: Key) -> int:
        """The index one past the last row that precedes `key`."""
        if self.is_descending:
            return len(self) - bisect_right(self.order.keys, key)
        return bisect_left(self.order.keys, key)
