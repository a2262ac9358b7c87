"""Pages of a list, as GraphQL connections: what `first`, `last`, `after` and `before` select, and their cursors."""

from __future__ import annotations

import base64
from collections.abc import Callable, Sequence
from typing import Any, Protocol

from historical_sync.sandbox.github.errors import invalid_cursor
from historical_sync.sandbox.ordering import OrderedView, decode_cursor, encode_cursor

Arguments = dict[str, Any]


class Paged(Protocol):
    """A list that knows its cursors."""

    def __len__(self) -> int: ...
    def __getitem__(self, index: slice, /) -> Any: ...
    def cursor(self, index: int) -> str: ...
    def find(self, cursor: str, is_after: bool) -> int: ...


class ByPosition:
    """A list whose cursors are positions, as GitHub's of commits and files: base64 of the row's number from one."""

    def __init__(self, rows: Sequence[Any]) -> None:
        self.rows = rows

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, index: slice) -> Sequence[Any]:
        return self.rows[index]

    def cursor(self, index: int) -> str:
        """The cursor of the row at `index`."""
        return base64.b64encode(str(index + 1).encode()).decode()

    def find(self, cursor: str, is_after: bool) -> int:
        """Where a page after, or before, this cursor begins, or ends."""
        try:
            number = int(base64.b64decode(cursor, validate=True))
        except ValueError:
            raise invalid_cursor(cursor) from None
        return number if is_after else number - 1


class ByKey(ByPosition):
    """A list whose cursors are keys, as GitHub's of reviews and labels: rows may be added before them."""

    def __init__(self, rows: Sequence[Any], key: Callable[[Any], Any]) -> None:
        super().__init__(rows)
        self.key = key

    def cursor(self, index: int) -> str:
        """The cursor of the row at `index`."""
        return encode_cursor([self.key(self.rows[index])])

    def find(self, cursor: str, is_after: bool) -> int:
        """Where a page after, or before, this cursor begins, or ends; a row that is gone counts as before."""
        wanted = decode_cursor(cursor)
        if wanted is None:
            raise invalid_cursor(cursor)
        for index, row in enumerate(self.rows):
            if [self.key(row)] == wanted:
                return index + 1 if is_after else index
        return 0 if is_after else len(self.rows)


class ByOrder:
    """A repository's pull requests in an order, whose cursors are keys of that order."""

    def __init__(self, view: OrderedView) -> None:
        self.view = view

    def __len__(self) -> int:
        return len(self.view)

    def __getitem__(self, index: slice) -> Any:
        return self.view[index]

    def cursor(self, index: int) -> str:
        """The cursor of the row at `index`."""
        return self.view.cursor(index)

    def find(self, cursor: str, is_after: bool) -> int:
        """Where a page after, or before, this cursor begins, or ends."""
        key = decode_cursor(cursor)
        match key:
            case [str() | int() as value, int() as database_id]:
                place = (value, database_id)
            case _:
                raise invalid_cursor(cursor)
        try:
            return self.view.after(place) if is_after else self.view.before(place)
        except TypeError:  # a number against a time: the cursor of another order
            raise invalid_cursor(cursor) from None


class Page:
    """A connection: one page of a list. `owner` and `field` say whose list it is."""

    __slots__ = ("_rows", "_start", "_stop", "field", "filtered_count", "nodes", "owner", "total_count")

    def __init__(self, rows: Paged, arguments: Arguments, owner: object = None, field: str = "") -> None:
        start, stop = _bounds(rows, arguments)
        self._rows, self._start, self._stop = rows, start, stop
        self.nodes = rows[start:stop]
        self.total_count = self.filtered_count = len(rows)
        self.owner, self.field = owner, field

    @property
    def page_info(self) -> Page:
        """Itself: the page knows its ends."""
        return self

    @property
    def has_next_page(self) -> bool:
        """Whether rows follow."""
        return self._stop < len(self._rows)

    @property
    def has_previous_page(self) -> bool:
        """Whether rows precede."""
        return self._start > 0

    @property
    def start_cursor(self) -> str | None:
        """The first row's cursor."""
        return self._rows.cursor(self._start) if self._start < self._stop else None

    @property
    def end_cursor(self) -> str | None:
        """The last row's cursor."""
        return self._rows.cursor(self._stop - 1) if self._start < self._stop else None

    @property
    def edges(self) -> list[Edge]:
        """The rows with their cursors."""
        return [Edge(node, self._rows.cursor(self._start + index)) for index, node in enumerate(self.nodes)]


class Edge:
    """A row with its cursor."""

    __slots__ = ("cursor", "node")

    def __init__(self, node: object, cursor: str) -> None:
        self.node, self.cursor = node, cursor


def _bounds(rows: Paged, arguments: Arguments) -> tuple[int, int]:
    after, before = arguments.get("after"), arguments.get("before")
    start = rows.find(after, True) if after is not None else 0
    stop = rows.find(before, False) if before is not None else len(rows)
    start, stop = max(0, min(start, len(rows))), max(0, min(stop, len(rows)))
    stop = max(start, stop)
    if arguments.get("first") is not None:
        stop = min(stop, start + arguments["first"])
    if arguments.get("last") is not None:
        start = max(start, stop - arguments["last"])
    return start, stop
