"""Directions: the statistics against scipy and by hand, and the rules around them."""

import math
from collections.abc import Sequence
from datetime import date
from itertools import permutations
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from historical_sync.trends.direction import Point, Trend, calculate_trend, mann_kendall, theil_sen
from historical_sync.trends.metrics import BY_NAME
from historical_sync.window import add_months

FIRST = date(2025, 1, 1)
CYCLE = BY_NAME["cycle_time_hours_p50"]
MERGED = BY_NAME["pull_requests_merged"]
SHARE = BY_NAME["unreviewed_share"]
TOOLS = BY_NAME["ai_tool_share"]


def series(values: Sequence[float | None], **changes: Any) -> list[Point]:
    return [
        Point(add_months(FIRST, index), value, **{"n": 20 if value is not None else 0, **changes})
        for index, value in enumerate(values)
    ]


def trend(metric: Any, points: Sequence[Point]) -> Trend:
    return calculate_trend(metric, points, points[-1].month)


numbers = st.lists(st.integers(-5, 5).map(float), min_size=6, max_size=13)


@given(numbers)
def test_slope_is_scipys(values: list[float]) -> None:
    """Theil–Sen's slope is scipy's, ties and all."""
    assert theil_sen(list(enumerate(values))) == pytest.approx(stats.theilslopes(values, range(len(values)))[0])


def test_slope_knows_missing_months() -> None:
    """From 10 in January over 12 in March to 16 in July it rises by one a month, whatever lies between."""
    assert theil_sen([(1, 10.0), (3, 12.0), (7, 16.0)]) == 1.0


@given(numbers)
def test_score_is_kendalls(values: list[float]) -> None:
    """Without the correction for continuity, the p-value is that of scipy's asymptotic Kendall tau-b."""
    found = mann_kendall(values)
    expected = stats.kendalltau(range(len(values)), values, method="asymptotic")
    if math.isnan(expected.statistic) or expected.statistic == 0:
        assert found == 1.0
        return
    count = len(values)
    ties = sum(values.count(value) * (values.count(value) - 1) * (2 * values.count(value) + 5) for value in set(values))
    sigma = math.sqrt((count * (count - 1) * (2 * count + 5) - ties) / 18)
    uncorrected = stats.norm.isf(found / 2) + 1 / sigma
    assert 2 * stats.norm.sf(uncorrected) == pytest.approx(expected.pvalue)


def test_p_value_by_hand() -> None:
    """Six rising months: S = 15, variance 6·5·17/18 = 28.33, z = 14/5.32 = 2.63, p = 0.0085."""
    assert mann_kendall([1, 2, 3, 4, 5, 6]) == pytest.approx(0.00853, abs=5e-5)
    assert mann_kendall([6, 5, 4, 3, 2, 1]) == pytest.approx(0.00853, abs=5e-5)


def test_p_value_with_ties_by_hand() -> None:
    """1 1 2 2 3 3: S = 12, variance (510 - 3·18)/18 = 25.33, z = 11/5.03 = 2.19, p = 0.0288."""
    assert mann_kendall([1, 1, 2, 2, 3, 3]) == pytest.approx(0.0288, abs=1e-4)


def test_constant_months_have_no_trend() -> None:
    """All months equal: the variance is zero, and the answer is no trend rather than a division by zero."""
    assert mann_kendall([3.0] * 8) == 1.0


def test_verdicts_are_the_exact_tests() -> None:
    """For all 720 orders of six months, the verdict at 5 % is that of the exact test: the approximation will do."""
    for order in permutations(range(6)):
        exact = stats.kendalltau(range(6), order, method="exact").pvalue
        assert (mann_kendall(order) < 0.05) == (exact < 0.05), order


def test_falling_cycle_time_improves() -> None:
    """Thirteen months, two hours less each: falling, improving, and the slope in hours a month."""
    found = trend(CYCLE, series([60 - 2.0 * index for index in range(13)]))
    assert (found.movement, found.direction, found.slope_per_month) == ("falling", "improving", -2.0)
    assert found.p_value is not None
    assert found.p_value < 0.001
    assert found.months_used == 13


def test_the_same_movement_of_another_metric_worsens() -> None:
    """Fewer merged pull requests are worse, fewer hours are better."""
    points = series([100 - 5.0 * index for index in range(8)], n=50)
    assert trend(MERGED, points).direction == "worsening"
    assert trend(CYCLE, points).direction == "improving"


def test_no_judgement_where_neither_way_is_better() -> None:
    """A tool's share may rise; that is a movement and no improvement. Flat and too little are said of it too."""
    rising = trend(TOOLS, series([0.1 * index for index in range(8)]))
    assert (rising.movement, rising.direction) == ("rising", None)
    assert trend(TOOLS, series([0.3] * 8)).direction == "flat"
    assert trend(TOOLS, series([0.1, 0.2])).direction == "too little data"


def test_noise_is_flat() -> None:
    """Up and down around the same level is no direction, however wild."""
    assert trend(CYCLE, series([20.0, 90.0, 25.0, 80.0, 22.0, 85.0, 21.0, 88.0])).direction == "flat"


def test_a_change_too_small_to_matter_is_flat() -> None:
    """A minute more every month for a year is beyond chance and beneath notice; ten minutes are not."""
    assert trend(CYCLE, series([5 + index / 60 for index in range(13)])).direction == "flat"
    assert trend(CYCLE, series([5 + index / 6 for index in range(13)])).direction == "worsening"


def test_less_than_a_tenth_of_the_level_is_flat() -> None:
    """From 200 to 212 merged pull requests is a change of 6 %: not enough; to 260 it is."""
    assert trend(MERGED, series([200.0 + index for index in range(13)], n=200)).direction == "flat"
    assert trend(MERGED, series([200.0 + 5 * index for index in range(13)], n=200)).direction == "improving"


def test_five_months_are_too_little() -> None:
    """Five months in perfect order say nothing yet; six do."""
    assert trend(CYCLE, series([50.0, 40, 30, 20, 10])).direction == "too little data"
    assert trend(CYCLE, series([60.0, 50, 40, 30, 20, 10])).direction == "improving"


def test_months_of_few_do_not_count() -> None:
    """Eight months, of which three rest on four pull requests: five are left, which is too little."""
    points = series([80.0 - 5 * index for index in range(8)])
    few = [*points[:5], *(Point(point.month, point.value, n=4) for point in points[5:])]
    found = trend(CYCLE, few)
    assert (found.direction, found.months_used, found.p_value) == ("too little data", 5, None)


def test_small_counts_take_part_in_a_count() -> None:
    """A throughput that falls from 40 to 2 has not run out of data: a count of two is exact."""
    values = [40.0, 30, 20, 12, 6, 4, 2]
    points = [Point(add_months(FIRST, index), value, n=int(value)) for index, value in enumerate(values)]
    assert trend(MERGED, points).direction == "worsening"


def test_a_count_that_is_always_small_has_no_direction() -> None:
    """Nought to three reverts a month are too few for any trend."""
    points = [Point(add_months(FIRST, index), float(index // 3), n=index // 3) for index in range(12)]
    assert trend(BY_NAME["reverts_merged"], points).direction == "too little data"


def test_gaps_are_bridged_in_their_place() -> None:
    """A month without data takes no part, and the months around it keep their distance."""
    found = trend(CYCLE, series([70.0, None, 50.0, 40.0, 30.0, 20.0, 10.0]))
    assert (found.slope_per_month, found.months_used, found.direction) == (-10.0, 6, "improving")


def test_a_month_that_lacks_a_repository_takes_no_part() -> None:
    """One month lost its largest repository: its drop is no news, and it is no base either."""
    points = series([100.0] * 8, n=100, repositories_complete=2)
    points[6] = Point(points[6].month, 10.0, 10, is_complete=False, repositories_complete=1)
    found = trend(MERGED, points)
    assert (found.months_used, found.direction, found.change_previous) == (7, "flat", None)


def test_a_repository_that_always_fails_does_not_stop_the_trend() -> None:
    """All months lack the same repository: they can be compared, and the verdict says that they are incomplete."""
    points = series([100.0 - 9 * index for index in range(8)], n=50, is_complete=False, repositories_complete=1)
    found = trend(MERGED, points)
    assert (found.direction, found.is_complete) == ("worsening", False)


def test_a_month_that_is_still_to_be_classified_takes_no_part() -> None:
    """The newest month's AI share halves because the LLM has seen a fifth of it: that is no fall, and no change."""
    points = series([0.4] * 7, classified_share=0.98)
    points[6] = Point(points[6].month, 0.2, 20, classified_share=0.2)
    found = trend(BY_NAME["ai_assisted_share"], points)
    assert (found.months_used, found.direction, found.change_previous) == (6, "flat", None)


def test_months_classified_alike_are_compared() -> None:
    """Without an LLM at all every month rests on the signatures alone, and they can be compared."""
    found = trend(
        BY_NAME["ai_assisted_share"], series([0.1 + 0.05 * index for index in range(8)], classified_share=0.0)
    )
    assert (found.direction, found.months_used) == ("improving", 8)
    almost = series([0.2, 0.3], classified_share=0.95)
    almost[1] = Point(almost[1].month, 0.3, 20, classified_share=0.86)
    assert trend(BY_NAME["ai_assisted_share"], almost).change_previous == pytest.approx(10.0)


def test_only_the_last_year_is_judged() -> None:
    """What happened more than twelve months before is history."""
    long_ago = [10.0] * 12
    found = trend(CYCLE, series([*long_ago, *[80.0] * 13]))
    assert (found.direction, found.months_used) == ("flat", 13)


def test_change_on_the_previous_month_in_percent() -> None:
    """From 40 to 50 hours is +25 %."""
    found = trend(CYCLE, series([40.0, 50.0]))
    assert (found.change_previous, found.change_unit, found.previous_value) == (25.0, "percent", 40.0)


def test_shares_change_in_percentage_points() -> None:
    """From 20 % to 26 % is +6 percentage points, never +30 %."""
    found = trend(SHARE, series([0.20, 0.26]))
    assert found.change_previous == pytest.approx(6.0)
    assert found.change_unit == "percentage points"


def test_the_year_before() -> None:
    """With thirteen months there is one pair: 30 hours against 60 a year ago is −50 %."""
    found = trend(CYCLE, series([60.0, *[45.0] * 11, 30.0]))
    assert (found.change_year, found.year_value) == (-50.0, 60.0)
    assert trend(CYCLE, series([45.0] * 12)).change_year is None


@pytest.mark.parametrize(
    ("metric", "base", "base_n", "now", "now_n"),
    [
        (MERGED, 0.0, 0, 30.0, 30),
        (MERGED, 1.0, 1, 122.0, 122),
        (MERGED, 4.0, 4, 40.0, 40),
        (CYCLE, 40.0, 4, 50.0, 40),
        (CYCLE, 40.0, 40, 50.0, 4),
        (CYCLE, 0.01, 40, 50.0, 40),
        (CYCLE, None, 0, 50.0, 40),
        (SHARE, 0.5, 4, 0.6, 40),
    ],
    ids=["zero", "one", "four", "few before", "few now", "a minute", "gap", "share of four"],
)
def test_no_percentage_on_a_base_that_is_none(
    metric: Any, base: float | None, base_n: int, now: float, now_n: int
) -> None:
    """'+12,096 %' on a base of one is arithmetic, not news."""
    points = [Point(FIRST, base, base_n), Point(add_months(FIRST, 1), now, now_n)]
    assert trend(metric, points).change_previous is None


def test_a_count_may_fall_to_nothing() -> None:
    """From 40 merged to none is −100 %: the base is sound, and the zero is exact."""
    points = [Point(FIRST, 40.0, 40), Point(add_months(FIRST, 1), 0.0, 0)]
    assert trend(MERGED, points).change_previous == -100.0


def test_the_open_month_is_compared_with_the_same_days() -> None:
    """Ten merged by the 5th against 8 by the 5th of the month before is +25 %, though that month had 60 in all."""
    points = series([60.0] * 7, n=60)
    points.append(
        Point(add_months(FIRST, 7), 10.0, 10, is_open=True, is_complete=True, same_days_value=8.0, same_days_n=8)
    )
    found = trend(MERGED, points)
    assert (found.change_previous, found.compared_with, found.is_open) == (25.0, "same days", True)
    assert (found.months_used, found.direction) == (7, "flat")


def test_an_open_month_without_the_same_days_has_no_change() -> None:
    """While the month before is not loaded there is nothing to compare the open one with."""
    points = [Point(FIRST, 60.0, 60), Point(add_months(FIRST, 1), 10.0, 10, is_open=True)]
    assert trend(MERGED, points).change_previous is None


def test_the_past_is_not_judged_by_the_future() -> None:
    """As of June, July's jump is unknown."""
    points = series([10.0, 20, 30, 40, 50, 60, 5])
    assert calculate_trend(CYCLE, points, points[5].month).direction == "worsening"
    assert calculate_trend(CYCLE, points, points[5].month).value == 60.0
