"""The charts as data, the key figures, and the state in the address."""

from datetime import date
from typing import Any

import pytest

from historical_sync.dashboard.chart_tables import legend, table
from historical_sync.dashboard.charts import (
    chosen_chart,
    draw,
    metrics_of,
    segment_name,
    standard_charts,
    with_other_tools,
)
from historical_sync.dashboard.comparisons import ai_panel, benchmarks
from historical_sync.dashboard.figures import figure_month, key_figures, spark
from historical_sync.dashboard.trends_page import axis
from historical_sync.dashboard.trends_state import Place, TrendsState, read_state
from historical_sync.errors import ConfigurationError
from historical_sync.trends.metrics import ALL, BY_NAME, HEADLINE, METRICS
from historical_sync.window import add_months

OCTOBER, NOVEMBER = date(2025, 10, 1), date(2025, 11, 1)


def row(value: float | None, **changes: Any) -> dict[str, Any]:
    return {
        "value": value,
        "n": 20,
        "is_enough": True,
        "is_complete": True,
        "is_open": False,
        "repositories": 3,
        "repositories_complete": 3,
        **changes,
    }


@pytest.mark.parametrize("metric", METRICS, ids=lambda metric: metric.name)
def test_any_metric_can_be_chosen_whole_and_in_every_segment(metric: Any) -> None:
    """Adding a metric is one entry: the page draws it without knowing its name."""
    for by in (None, *metric.segments):
        chart = chosen_chart(metric, by, ["tool:Cursor"])
        drawn = draw(chart, [OCTOBER], {(metric.name, chart.series[0].segment, OCTOBER): row(0.5)})
        assert not drawn.is_empty
        assert drawn.as_json()["series"][0]["values"] == [0.5]


def test_the_standard_charts_read_metrics_that_exist() -> None:
    """A renamed metric is found here, not on an empty chart; colours of one chart differ."""
    charts = standard_charts(["made_with:Cursor", "made_with:Copilot"])
    assert metrics_of(charts) <= set(BY_NAME)
    for chart in charts:
        colors = [one.color for one in chart.series if one.role in ("bar", "stack", "line")]
        assert len(colors) == len(set(colors)), chart.key


def test_the_layers_of_the_ai_chart_add_up_to_its_line() -> None:
    """Ten tools, six with a layer of their own: the others are summed up, so the stack is as high as the whole."""
    tools = [f"made_with:tool {place}" for place in range(10)]
    values = {("ai_made_with_share", tool, OCTOBER): row(0.05) for tool in tools}
    values["ai_assisted_share", ALL, OCTOBER] = row(0.5)
    chart = next(chart for chart in standard_charts(tools) if chart.key == "ai")
    drawn = draw(chart, [OCTOBER], with_other_tools(values, tools)).drawn
    layers = [one.points[0].value for one in drawn if one.series.role == "stack"]
    assert len(layers) == 7
    assert sum(value or 0 for value in layers) == pytest.approx(0.5)


def test_the_year_before_is_a_second_line_where_there_is_one() -> None:
    """A year-on-year pair adds the line; without one there is no empty line in the legend."""
    chart = chosen_chart(BY_NAME["cycle_time_hours_p50"], None, ())
    values = {("cycle_time_hours_p50", ALL, OCTOBER): row(3.0)}
    assert [one.series.role for one in draw(chart, [OCTOBER], values).drawn] == ["line"]
    values["cycle_time_hours_p50", ALL, add_months(OCTOBER, -12)] = row(4.0)
    drawn = draw(chart, [OCTOBER], values)
    assert [one.series.role for one in drawn.drawn] == ["line", "year"]
    assert drawn.drawn[1].points[0].value == 4.0


def test_open_incomplete_and_thin_months_are_marked_with_their_reason() -> None:
    """A full month is not marked; each of the others says why it is; a missing one is a gap, never a zero."""
    months = [add_months(OCTOBER, offset) for offset in range(-4, 1)]
    kinds = [
        row(1.0),
        row(2.0, is_open=True),
        row(3.0, is_complete=False, repositories_complete=2),
        row(4.0, is_enough=False, n=3),
    ]
    values = {("cycle_time_hours_p50", ALL, month): kind for month, kind in zip(months, kinds, strict=False)}
    drawn = draw(chosen_chart(BY_NAME["cycle_time_hours_p50"], None, ()), months, values)
    points = drawn.drawn[0].points
    assert [point.is_sure for point in points] == [True, False, False, False, False]
    assert [point.why for point in points] == [
        "",
        "month not over",
        "2 of 3 repositories complete",
        "too few to judge",
        "not loaded yet",
    ]
    assert points[-1].value is None
    assert set(drawn.unsure) == {months[1], months[2], months[4]}


def test_a_chart_of_too_few_says_so() -> None:
    """All values thin is thin; one that is not makes it a chart."""
    chart = chosen_chart(BY_NAME["cycle_time_hours_p50"], None, ())
    values = {("cycle_time_hours_p50", ALL, OCTOBER): row(1.0, is_enough=False, n=2)}
    assert draw(chart, [OCTOBER, NOVEMBER], values).is_thin
    values["cycle_time_hours_p50", ALL, NOVEMBER] = row(1.0)
    assert not draw(chart, [OCTOBER, NOVEMBER], values).is_thin


def test_the_figures_are_of_the_last_full_month() -> None:
    """An open month is only shown as `so far`; when it is all there is, it is the figure and says so."""
    values = {(HEADLINE[0], ALL, OCTOBER): row(21), (HEADLINE[0], ALL, NOVEMBER): row(7, is_open=True)}
    assert figure_month([OCTOBER, NOVEMBER], values) == OCTOBER
    figure = key_figures([OCTOBER, NOVEMBER], values, {})[0]
    assert (figure.value, figure.so_far) == ("21", "Nov 2025 so far: 7")
    alone = key_figures([NOVEMBER], {(HEADLINE[0], ALL, NOVEMBER): row(7, is_open=True)}, {})[0]
    assert (alone.value, alone.note, alone.so_far) == ("7", "in the month so far", "")


@pytest.mark.parametrize(
    ("movement", "direction", "shown"),
    [
        ("falling", "improving", ("↓", "Improving", "good")),
        ("rising", "worsening", ("↑", "Worsening", "bad")),
        ("steady", "flat", ("→", "Steady", "none")),
        ("rising", None, ("↑", "Rising", "none")),
        ("too little data", "too little data", ("", "Too little data", "none")),
    ],
)
def test_a_direction_is_a_word_and_an_arrow_not_a_colour_alone(
    movement: str, direction: str | None, shown: tuple[str, str, str]
) -> None:
    """Which way it moves and whether that is good are told apart; without data nothing is claimed."""
    verdict = {
        "movement": movement,
        "direction": direction,
        "change_previous": -12.0,
        "change_year": None,
        "compared_with": "month",
        "months_used": 12,
    }
    values = {(HEADLINE[0], ALL, OCTOBER): row(21)}
    figure = key_figures([OCTOBER], values, {(HEADLINE[0], OCTOBER): verdict})[0]
    assert (figure.arrow, figure.word, figure.tone) == shown
    assert figure.change_note == "on September"


def test_a_sparkline_has_gaps_where_months_are_missing() -> None:
    """A line is not drawn across a month without a value; a lone month is a dot."""
    found = spark([1.0, 2.0, None, 3.0, None, 4.0, 5.0])
    assert found.path.count("M") == 2
    assert len(found.dots) == 1
    assert spark([None, None]).path == ""


def test_the_comparison_needs_ten_on_both_sides() -> None:
    """Nine are too few, and the panel says how many there are; it claims no cause."""
    values = {
        "metric": "cycle_time_hours_p50",
        "ai_value": 3.0,
        "ai_n": 9,
        "other_value": 6.0,
        "other_n": 30,
        "is_comparable": False,
        "ai_value_size_matched": None,
        "ai_n_size_matched": 0,
        "other_value_size_matched": None,
        "month": OCTOBER,
        "other_n_size_matched": 0,
        "is_size_matched_comparable": False,
    }
    panel = ai_panel(OCTOBER, [values])
    assert panel is not None
    assert (panel.comparisons, "9 AI-assisted" in panel.too_few) == ((), True)
    panel = ai_panel(OCTOBER, [{**values, "ai_n": 10, "is_comparable": True}])
    assert panel is not None
    (one,) = panel.comparisons
    assert (one.ai.n, one.other.n, one.ai.length, one.other.length) == (10, 30, 50.0, 100.0)
    assert "does not show that AI caused it" in panel.caution.replace("\n", " ")
    assert panel.month == "October 2025"
    earlier = ai_panel(NOVEMBER, [{**values, "ai_n": 10, "is_comparable": True}])
    assert earlier is not None
    assert earlier.month == "October 2025, the last month with enough"


def test_the_legend_names_each_mark_once() -> None:
    """A quartile band is one entry beside its median; a chart of one line needs no legend."""
    charts = {chart.key: draw(chart, [OCTOBER], {}) for chart in standard_charts(["made_with:claude"])}
    assert [(one.name, one.mark) for one in legend(charts["cycle"])] == [
        ("25th to 75th percentile", "band"),
        ("Median", "line"),
    ]
    assert [one.mark for one in legend(charts["ai"])] == ["bar", "line"]
    alone = draw(chosen_chart(BY_NAME["pull_requests_merged"], None, ()), [OCTOBER], {})
    assert legend(alone) == ()


def test_the_table_leads_to_the_list_behind_every_number() -> None:
    """Newest month first, n beside it; a gap and a sum of several tools have no list."""
    months = [OCTOBER, NOVEMBER]
    values = {("pull_requests_merged", ALL, NOVEMBER): row(7.0, n=7, is_open=True)}
    drawn = draw(chosen_chart(BY_NAME["pull_requests_merged"], None, ()), months, values)
    newest, oldest = table(drawn, "/teams/acme/trends?point=")
    assert (newest.month, newest.n, newest.mark) == ("Nov 2025", 7, "month not over")
    assert newest.cells == (("7", "/teams/acme/trends?point=pull_requests_merged@2025-11"),)
    assert (oldest.cells, oldest.n) == ((("–", ""),), 0)


def test_benchmarks_are_shown_for_values_that_rest_on_enough() -> None:
    """A published band with its source; nothing for a value of four pull requests."""
    enough = {("pickup_time_hours_p75", ALL, OCTOBER): row(0.5)}
    (found,) = benchmarks(OCTOBER, enough)
    assert found.band == found.bands[0].name
    assert found.source.publisher
    assert found.source.year >= 2020
    assert benchmarks(OCTOBER, {("pickup_time_hours_p75", ALL, OCTOBER): row(0.5, is_enough=False)}) == ()


def test_the_axis_has_no_holes_and_shows_what_is_still_to_come() -> None:
    """Months that are wanted and months that are stored, without a gap; a span takes the newest."""
    months = axis([add_months(OCTOBER, -3)], [OCTOBER, add_months(OCTOBER, -1)], None)
    assert months == [add_months(OCTOBER, back) for back in (-3, -2, -1, 0)]
    assert axis(months, [], 2) == months[-2:]
    assert axis([], [], None) == []


def test_every_state_survives_its_address() -> None:
    """Filter, span, metric, split, point and page: read back from the address they are the same state."""
    state = TrendsState(
        repository="acme/api",
        span=6,
        metric="cycle_time_hours_p90",
        by="tool",
        place=Place("ai_tool_share", OCTOBER, "tool:Claude Code"),
        offset=25,
    )
    from urllib.parse import parse_qsl

    assert read_state(dict(parse_qsl(state.query()[1:]))) == state
    assert TrendsState().query() == ""


@pytest.mark.parametrize(
    "query",
    [
        {"months": "x"},
        {"months": "0"},
        {"months": "9" * 30},
        {"months": "²"},
        {"metric": "nonsense"},
        {"point": "cycle_time_hours_p50@2025-13"},
        {"point": "cycle_time_hours_p50"},
        {"point": "nonsense@2025-10"},
        {"point": "cycle_time_hours_p50@2025-10~nonsense"},
        {"offset": "-1"},
    ],
)
def test_an_address_that_makes_no_sense_is_refused_with_its_reason(query: dict[str, str]) -> None:
    """Text where a number belongs is an answer to the reader, not a defect."""
    with pytest.raises(ConfigurationError):
        read_state(query)


def test_segments_have_names() -> None:
    """No `size:xs` on the page."""
    assert [segment_name(one) for one in ("size:xl", "type:bugfix", "tool:Claude Code", "ai")] == [
        "XL · above",
        "Bugfix",
        "Claude Code",
        "AI-assisted",
    ]
