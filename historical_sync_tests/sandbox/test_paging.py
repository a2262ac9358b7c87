"""Pages and cursors: complete in any order and direction, steady under ties, and keyed when rows move."""

from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from historical_sync.sandbox.github.connections import ByKey, ByOrder, ByPosition, Page
from historical_sync.sandbox.github.errors import FieldError
from historical_sync.sandbox.ordering import Filter, OrderedView, Orders, encode_cursor
from historical_sync.sandbox.world import PullRequest, World, stamp
from historical_sync_tests.sandbox.worlds import START, add_pull_request, numbered


def pages(world: World, size: int, is_descending: bool, field: str = "updated_at") -> list[int]:
    """The numbers that a walk over all pages finds."""
    found, after, orders = [], None, Orders()
    while True:
        page = one_page(world, orders, is_descending, field, first=size, after=after)
        found += [one.number for one in page.nodes]
        if not page.has_next_page:
            return found
        after = page.end_cursor


def one_page(world: World, orders: Orders, is_descending: bool, field: str = "updated_at", **arguments: Any) -> Page:
    repository = world.repositories["acme/api"]
    view = OrderedView(orders.of(repository, Filter(field)), is_descending)
    return Page(ByOrder(view), arguments)


@settings(max_examples=60, deadline=None)
@given(
    hours=st.lists(st.integers(0, 4), min_size=1, max_size=30),
    size=st.integers(1, 7),
    is_descending=st.booleans(),
)
def test_a_walk_meets_each_row_once_whatever_the_ties(hours: list[int], size: int, is_descending: bool) -> None:
    """Pull requests of the same second are neither lost nor met twice at the edge of a page."""
    world = numbered(0)
    for number, hour in enumerate(hours, 1):
        add_pull_request(world, world.repositories["acme/api"], number, updated_at=stamp(START + timedelta(hours=hour)))
    walked = pages(world, size, is_descending)
    assert sorted(walked) == list(range(1, len(hours) + 1))
    times = [world.pull_request("acme/api", number).updated_at for number in walked]
    assert times == sorted(times, reverse=is_descending)


def test_backwards_pages_mirror_forward_ones() -> None:
    """last/before reads the same order from its other end."""
    world, orders = numbered(10), Orders()
    forward = one_page(world, orders, True, first=10)
    tail = one_page(world, orders, True, last=3)
    before = one_page(world, orders, True, last=3, before=tail.start_cursor)
    assert [one.number for one in [*before.nodes, *tail.nodes]] == [one.number for one in forward.nodes][-6:]
    assert tail.has_previous_page
    assert not tail.has_next_page


def test_a_row_that_moves_to_the_top_is_missed_behind_the_walk() -> None:
    """Downwards by update, what is touched ahead of the walk jumps behind its back, as at GitHub."""
    world, orders = numbered(10), Orders()
    first = one_page(world, orders, True, first=4)
    assert [one.number for one in first.nodes] == [10, 9, 8, 7]
    world.touch(world.pull_request("acme/api", 3))
    rest = one_page(world, orders, True, first=10, after=first.end_cursor)
    assert [one.number for one in rest.nodes] == [6, 5, 4, 2, 1]
    assert one_page(world, orders, True, first=1).nodes[0].number == 3


def test_a_cursor_outlives_its_row() -> None:
    """The row a cursor stands for may move or go: what follows its key follows."""
    world, orders = numbered(10), Orders()
    first = one_page(world, orders, True, first=4)
    world.remove(world.pull_request("acme/api", 7))
    rest = one_page(world, orders, True, first=10, after=first.end_cursor)
    assert [one.number for one in rest.nodes] == [6, 5, 4, 3, 2, 1]


def test_positions_shift_when_rows_are_put_before_them() -> None:
    """Cursors of commits and files are positions: a file added in front gives one row twice."""
    files = [f"f{index}" for index in range(6)]
    first = Page(ByPosition(files), {"first": 3})
    moved = Page(ByPosition(["new", *files]), {"first": 10, "after": first.end_cursor})
    assert moved.nodes == ["f2", "f3", "f4", "f5"]


def test_keys_do_not_shift() -> None:
    """Cursors of reviews are keys: an added row disturbs nothing."""
    first = Page(ByKey([1, 2, 3, 4], lambda row: row), {"first": 2})
    moved = Page(ByKey([0, 1, 2, 3, 4], lambda row: row), {"first": 10, "after": first.end_cursor})
    assert moved.nodes == [3, 4]


@pytest.mark.parametrize("cursor", ["", "nonsense", "bm9uc2Vuc2U=", encode_cursor([1, 2, 3]), encode_cursor([5, 5])])
def test_a_foreign_cursor_is_refused(cursor: str) -> None:
    """INVALID_CURSOR_ARGUMENTS for what GitHub did not give, and for the cursor of an order by number."""
    with pytest.raises(FieldError) as refused:
        one_page(numbered(3), Orders(), True, first=1, after=cursor)
    assert refused.value.kind == "INVALID_CURSOR_ARGUMENTS"


def test_edges_carry_the_cursors_of_their_rows() -> None:
    """An edge's cursor leads to the row after it."""
    world, orders = numbered(5), Orders()
    page = one_page(world, orders, False, first=5)
    for index, edge in enumerate(page.edges[:-1]):
        following = one_page(world, orders, False, first=1, after=edge.cursor)
        assert following.nodes[0] is page.nodes[index + 1]


def test_filters_count_only_what_they_admit() -> None:
    """states, labels and branches narrow both the rows and totalCount."""
    world, orders = numbered(6), Orders()
    repository = world.repositories["acme/api"]
    odd = add_pull_request(world, repository, 7, state="OPEN", labels=["late"], head_ref="topic", base_ref="release")
    for wanted in (
        Filter(states=frozenset({"OPEN"})),
        Filter(labels=frozenset({"late", "nowhere"})),
        Filter(head_ref="topic"),
        Filter(base_ref="release"),
    ):
        rows: list[PullRequest] = orders.of(repository, wanted).rows
        assert rows == [odd]
