"""What a scenario reports: numbers of ours beside those of the floor in the same run, exact counts, and their targets.

A floor is the least that the work could cost: the bare requests, a bare COPY, a bare statement, an empty Dagster run.
Ours and the floor are measured alternately, so that whatever else the machine does meets both.
"""

from __future__ import annotations

import math
import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True)
class Row:
    """One line of a scenario's table. `most` bounds the ratio where there is a floor, else the value itself.

    `ours` and `floor` hold one number a run; of several the median is shown. `is_exact` marks counts, which do not
    depend on the machine.
    """

    what: str
    unit: str
    ours: tuple[float, ...]
    floor: tuple[float, ...] = ()
    floor_is: str = ""
    most: float | None = None
    is_exact: bool = False

    @property
    def value(self) -> float:
        """The median of ours."""
        return statistics.median(self.ours)

    @property
    def floor_value(self) -> float | None:
        """The median of the floor, where there is one."""
        return statistics.median(self.floor) if self.floor else None

    @property
    def ratio(self) -> float | None:
        """The median of the pairs' ratios; of unequal numbers of runs, the ratio of the medians."""
        if not self.floor:
            return None
        if len(self.floor) == len(self.ours):
            return statistics.median(ours / floor for ours, floor in zip(self.ours, self.floor, strict=True))
        return self.value / statistics.median(self.floor)

    @property
    def is_met(self) -> bool | None:
        """Whether the target is met; None without one."""
        judged = self.value if self.ratio is None else self.ratio
        return None if self.most is None else judged <= self.most

    def as_json(self) -> dict[str, Any]:
        """The row for the file of results, with what follows from it."""
        return asdict(self) | {"ratio": self.ratio, "is_met": self.is_met}


def count(what: str, value: int, *, most: int | None = None, unit: str = "") -> Row:
    """An exact count; `most` is what it may be."""
    return Row(what, unit, (value,), most=most, is_exact=True)


def timed(work: Callable[[], object]) -> float:
    """Wall seconds of one call."""
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def alternate(
    rounds: int, ours: Callable[[], float], floor: Callable[[], float]
) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Measure both in turn, each round in the other order; what they return, a number a round."""
    results: tuple[list[float], list[float]] = ([], [])
    for number in range(rounds):
        order = (0, 1) if number % 2 == 0 else (1, 0)
        for which in order:
            results[which].append((ours, floor)[which]())
    return tuple(results[0]), tuple(results[1])


def exponent(sizes: Sequence[float], costs: Sequence[float]) -> float:
    """The power of the size with which the cost grows: the slope of a line through both logarithms. 1 is linear."""
    x, y = [math.log(one) for one in sizes], [math.log(one) for one in costs]
    return statistics.linear_regression(x, y).slope
