"""Trends in the database: completeness, gaps, the same days, directions, benchmarks, and what lies behind a point."""

import threading
from datetime import date, datetime, timedelta
from typing import Any

import psycopg2
import pytest

from historical_sync.errors import ConfigurationError
from historical_sync.trends.metrics import BY_NAME, LABELS, METRICS, SIZES, TYPES
from historical_sync.warehouse.aggregation import VALUES
from historical_sync.warehouse.behind import pull_requests_behind
from historical_sync.warehouse.benchmarks import (
    FEW_TEAMS,
    read_benchmarks,
    read_standings,
    refresh_benchmarks,
    stale_months,
)
from historical_sync.warehouse.directions import read_directions
from historical_sync.warehouse.postgres import Transaction, Warehouse
from historical_sync.warehouse.trends import lock_team, read_values
from historical_sync.window import add_months, as_instant, months_between
from historical_sync_tests.factories import add_team, at, make_pull_request, make_review
from historical_sync_tests.trends.numbers import LATER, MARCH, complete, publish, row, store, value

APRIL, MAY = date(2025, 4, 1), date(2025, 5, 1)


def merged(month: date, count: int, *, first: int, hours: float = 48.0, day: int = 3, **changes: Any) -> list[Any]:
    """`count` pull requests created at the start of `day` of a month and merged `hours` later."""
    created = as_instant(month) + timedelta(days=day - 1)
    ended = created + timedelta(hours=hours)
    times = {"created_at": created, "merged_at": ended, "closed_at": ended, "first_commit_at": created}
    return [make_pull_request(number=number, **times, **changes) for number in range(first, first + count)]


def direction(warehouse: Warehouse, metric: str, as_of: date, **place: str) -> dict[str, Any]:
    wanted = {"repository": "*", "segment": "*", **place}
    with warehouse.transaction() as tx:
        rows = read_directions(tx, "acme", repository=None, segments=None)
    found = [one for one in rows if one["metric"] == metric and one["as_of_month"] == as_of]
    (only,) = [one for one in found if all(one[key] == name for key, name in wanted.items())]
    return only


def test_complete_is_all_repositories_of_all(warehouse: Warehouse) -> None:
    """One of two repositories is loaded: the team's values say so, and each repository's its own."""
    store(warehouse, make_pull_request(), repositories=["acme/api", "acme/web"])
    with warehouse.transaction() as tx:
        complete(tx, "acme/api", MARCH)
    assert not publish(warehouse).is_complete
    team, loaded, missing = (
        row(warehouse, "pull_requests_merged", repository=name) for name in ("*", "acme/api", "acme/web")
    )
    assert (team["is_complete"], team["repositories_complete"], team["repositories"]) == (False, 1, 2)
    assert (loaded["is_complete"], missing["is_complete"]) == (True, False)
    with warehouse.transaction() as tx:
        complete(tx, "acme/web", MARCH)
    assert publish(warehouse).is_complete


def test_publishing_again_replaces(warehouse: Warehouse) -> None:
    """Twice the same is the same; a pull request that went away leaves its month."""
    store(warehouse, *merged(MARCH, 2, first=1))
    assert publish(warehouse).values == publish(warehouse).values
    with warehouse.transaction() as tx:
        tx.execute("delete from pull_requests where number = 2")
    publish(warehouse)
    assert value(warehouse, "pull_requests_merged") == 1


@pytest.mark.parametrize("team_id", ["acme", "nobody"])
def test_a_team_without_repositories_has_no_values(warehouse: Warehouse, team_id: str) -> None:
    """Its last repository was taken away, or the team itself while it was being computed: nothing, and no error."""
    store(warehouse, *merged(MARCH, 2, first=1))
    publish(warehouse)
    with warehouse.transaction() as tx:
        tx.execute("delete from tracked_repositories")
    summary = publish(warehouse, team_id=team_id)
    assert (summary.values, summary.headline, summary.is_complete) == (0, (), False)


def test_a_repository_that_left_takes_its_values_along(warehouse: Warehouse) -> None:
    """Whichever month is published next, no month keeps a row of a repository that the team no longer tracks."""
    store(warehouse, *merged(MARCH, 1, first=1), *merged(APRIL, 1, first=2, repository="acme/web"))
    publish(warehouse)
    publish(warehouse, APRIL)
    with warehouse.transaction() as tx:
        tx.execute("delete from tracked_repositories where repository = 'acme/web'")
    publish(warehouse, APRIL)
    with warehouse.transaction() as tx:
        assert tx.value("select count(*) from monthly_trends where repository = 'acme/web'") == 0
        assert tx.value("select count(*) from metric_trends where repository = 'acme/web'") == 0


def test_a_month_between_that_could_not_be_read_is_a_gap(warehouse: Warehouse) -> None:
    """March and May are there, April failed: its rows say null, incomplete, and vanish once it is published."""
    store(warehouse, *merged(MARCH, 6, first=1), *merged(MAY, 6, first=11))
    publish(warehouse)
    publish(warehouse, MAY)
    gap = row(warehouse, "pull_requests_merged", month=APRIL)
    assert (gap["value"], gap["n"], gap["is_complete"], gap["is_enough"]) == (None, 0, False, False)
    publish(warehouse, APRIL)
    assert value(warehouse, "pull_requests_merged", month=APRIL) == 0


def test_every_month_has_the_same_series(warehouse: Warehouse) -> None:
    """A tool that first shows in May is a zero in March, where there was work, and null in April, where none was."""
    store(warehouse, *merged(MARCH, 5, first=1), *merged(MAY, 5, first=11))
    for month in (MARCH, APRIL):
        publish(warehouse, month)
    with warehouse.transaction() as tx:
        tx.execute(
            "insert into ai_evidence values ('acme', 'acme/api', 11, 's', 'body', 0, 'cursor', 'author', 'exact', "
            "'words', 'v1')"
        )
    publish(warehouse, MAY)
    shares = [row(warehouse, "ai_tool_share", month=month, segment="tool:cursor") for month in (MARCH, APRIL, MAY)]
    assert [(one["value"], one["n"]) for one in shares] == [(0, 5), (None, 0), (0.2, 5)]
    assert value(warehouse, "pull_requests_merged", month=MARCH, segment="tool:cursor") == 0
    assert value(warehouse, "cycle_time_hours_p50", month=MARCH, segment="tool:cursor") is None
    with warehouse.transaction() as tx:
        counts = tx.rows("select month, count(*) as rows from monthly_trends group by month")
    assert len({one["rows"] for one in counts}) == 1


@pytest.mark.parametrize("names", [LABELS, SIZES, TYPES], ids=["label", "size", "type"])
def test_segments_that_divide_add_up(warehouse: Warehouse, names: tuple[str, ...]) -> None:
    """Every merged pull request lies in exactly one label, one size and one type."""
    store(warehouse, *(make_pull_request(number=number, additions=3**number) for number in range(8)))
    publish(warehouse)
    parts = [value(warehouse, "pull_requests_merged", segment=name) or 0 for name in names]
    assert sum(parts) == value(warehouse, "pull_requests_merged") == 8


def test_tools_stack_up_to_the_ai_assisted_share(warehouse: Warehouse) -> None:
    """Ten merged: two by Claude alone, one by Claude and Cursor, one by a tool unnamed, one by Claude and one unnamed.

    The parts are 0.3 (Claude), 0.1 (several) and 0.1 (unnamed): 0.5, the AI-assisted share. By tool, Claude has 0.4.
    """
    store(warehouse, *merged(MARCH, 10, first=1))
    tools = {1: ["claude"], 2: ["claude"], 3: ["claude", "cursor"], 4: ["generic"], 5: ["claude", "generic"]}
    with warehouse.transaction() as tx:
        for number, names in tools.items():
            tx.execute(
                "insert into llm_classifications (team_id, repository, number, status, is_ai_assisted, confidence, "
                "tools) values ('acme', 'acme/api', %s, 'classified', true, 0.9, %s)",
                [number, names],
            )
    publish(warehouse)
    with warehouse.transaction() as tx:
        rows = [one for one in read_values(tx, "acme") if one["metric"] == "ai_made_with_share"]
    parts = {one["segment"].removeprefix("made_with:"): one["value"] for one in rows}
    assert parts == {"claude": 0.3, "several tools": 0.1, "unnamed tool": 0.1}
    assert sum(parts.values()) == pytest.approx(value(warehouse, "ai_assisted_share"))
    assert value(warehouse, "ai_tool_share", segment="tool:claude") == 0.4
    with warehouse.transaction() as tx:
        alone = pull_requests_behind(tx, "acme", "ai_made_with_share", MARCH, segment="made_with:claude")
    assert {one["number"] for one in alone} == {1, 2, 5}


def test_every_metric_is_stored(warehouse: Warehouse) -> None:
    """Adding a metric is one entry: whatever the table holds is in the month, with its unit."""
    store(warehouse, make_pull_request())
    publish(warehouse)
    with warehouse.transaction() as tx:
        units = {one["metric"]: one["unit"] for one in read_values(tx, "acme", repository=None)}
    whole = {metric.name: metric.unit for metric in METRICS}
    assert {name: units.get(name, whole[name]) for name in whole} == whole
    without = {metric.name for metric in METRICS if metric.name not in units}
    assert without == {"ai_tool_share", "ai_made_with_share", "technology_share"}


def test_size_matched_by_hand(warehouse: Warehouse) -> None:
    """Assisted work is large here, other work small. Raw medians: 8 against 2 hours; of equal sizes: 7.25 against 9.

    Small: 3 assisted of 5 h, 6 others of 2 h. Large: 9 assisted of 8 h, 3 others of 11.33 h. Weighted by the assisted
    (3 small, 9 large): assisted (3·5 + 9·8)/12 = 7.25, others (3·2 + 9·11.33)/12 = 9.0.
    """
    store(
        warehouse,
        *merged(MARCH, 3, first=1, hours=5, additions=5, deletions=0),
        *merged(MARCH, 9, first=11, hours=8, additions=300, deletions=0),
        *merged(MARCH, 6, first=31, hours=2, additions=5, deletions=0),
        *merged(MARCH, 3, first=51, hours=34 / 3, additions=300, deletions=0),
        *merged(MARCH, 2, first=61, hours=100, additions=40, deletions=0),
    )
    with warehouse.transaction() as tx:
        tx.execute(
            "insert into llm_classifications (team_id, repository, number, status, is_ai_assisted, confidence) "
            "select team_id, repository, number, 'classified', number < 31, 0.9 from pull_requests"
        )
    publish(warehouse)
    with warehouse.transaction() as tx:
        found = tx.row(
            "select * from dashboard.ai_comparisons where metric = 'cycle_time_hours_p50' and repository = '*'"
        )
    assert found is not None
    assert (found["ai_value"], found["ai_n"], found["other_value"], found["other_n"]) == (8.0, 12, 2.0, 11)
    assert found["is_comparable"]
    assert found["ai_value_size_matched"] == pytest.approx(7.25)
    assert found["other_value_size_matched"] == pytest.approx(9.0)
    assert (found["ai_n_size_matched"], found["other_n_size_matched"]) == (12, 9)
    assert not found["is_size_matched_comparable"]


NOON_10TH_MAY = at("2025-05-10T12:00")


def publish_open_may(warehouse: Warehouse, *months: date, as_of: datetime | None = None) -> None:
    """May is open, loaded at noon of the 10th, and looked at on the 20th."""
    with warehouse.transaction() as tx:
        for month in (*months, MAY):
            complete(tx, "acme/api", month, as_of=as_of or NOON_10TH_MAY)
    for month in (MAY, *months):
        publish(warehouse, month, now=at("2025-05-20"))


def test_the_open_month_is_compared_with_the_same_days(warehouse: Warehouse) -> None:
    """Merged by noon of the 10th: 6 in May, 5 in April; April's 20 later ones do not count, nor May's last ten days."""
    store(
        warehouse,
        *merged(APRIL, 5, first=1, hours=12, day=2),
        *merged(APRIL, 20, first=11, hours=1, day=11),
        *merged(MAY, 6, first=41, hours=12, day=2),
    )
    publish_open_may(warehouse, APRIL)
    found = row(warehouse, "pull_requests_merged", month=MAY)
    assert (found["is_open"], found["is_complete"]) == (True, True)
    assert (found["value"], found["same_days_value"], found["same_days_n"]) == (6, 5, 5)
    verdict = direction(warehouse, "pull_requests_merged", MAY)
    assert (verdict["change_previous"], verdict["compared_with"]) == (pytest.approx(20.0), "same days")
    whole_month = direction(warehouse, "pull_requests_merged", APRIL)
    assert (whole_month["value"], whole_month["compared_with"], whole_month["is_open"]) == (25, "month", False)


def test_the_same_moment_of_the_month_not_the_same_date(warehouse: Warehouse) -> None:
    """Loaded at noon of the 10th: what April merged at 11 o'clock of that day counts, at 13 o'clock not."""
    store(
        warehouse,
        *merged(APRIL, 1, first=1, hours=11, day=10),
        *merged(APRIL, 1, first=2, hours=13, day=10),
        *merged(MAY, 1, first=3),
    )
    publish_open_may(warehouse, APRIL)
    assert row(warehouse, "pull_requests_merged", month=MAY)["same_days_value"] == 1


def test_same_days_of_the_year_before(warehouse: Warehouse) -> None:
    """The newest month is the only one with a year before it: open, it is compared with that month's same days."""
    year_before = add_months(MAY, -12)
    store(
        warehouse,
        *merged(year_before, 5, first=1, hours=12, day=2),
        *merged(year_before, 9, first=11, hours=1, day=20),
        *merged(MAY, 8, first=41, hours=12, day=2),
    )
    publish_open_may(warehouse, year_before)
    verdict = direction(warehouse, "pull_requests_merged", MAY)
    assert (verdict["year_value"], verdict["change_year"]) == (5, pytest.approx(60.0))


def test_a_month_before_that_is_not_loaded_is_no_base(warehouse: Warehouse) -> None:
    """Pull requests created in April and merged in May are in the table: they are not April."""
    store(warehouse, *merged(APRIL, 6, first=1, hours=24 * 32), *merged(APRIL, 6, first=11, hours=1))
    publish_open_may(warehouse)
    assert row(warehouse, "pull_requests_created", month=MAY)["same_days_value"] is None
    publish_open_may(warehouse, APRIL)
    assert row(warehouse, "pull_requests_created", month=MAY)["same_days_value"] == 12


def test_31_march_against_february(warehouse: Warehouse) -> None:
    """At the end of March all of February is 'the same days', and nothing of March itself."""
    february = date(2025, 2, 1)
    store(warehouse, *merged(february, 3, first=1, day=27, hours=1), *merged(MARCH, 2, first=11, day=1, hours=1))
    with warehouse.transaction() as tx:
        complete(tx, "acme/api", MARCH, as_of=at("2025-03-31T12:00"))
        complete(tx, "acme/api", february)
    publish(warehouse, february, now=at("2025-03-31T12:00"))
    publish(warehouse, MARCH, now=at("2025-03-31T12:00"))
    assert row(warehouse, "pull_requests_created", month=MARCH)["same_days_value"] == 3


def test_a_month_loaded_after_its_end_is_closed(warehouse: Warehouse) -> None:
    """Whether a month is open is said by when it was loaded: one loaded on its 10th is open in June too."""
    store(warehouse, *merged(MAY, 2, first=1))
    with warehouse.transaction() as tx:
        complete(tx, "acme/api", MAY, as_of=NOON_10TH_MAY)
    assert publish(warehouse, MAY, now=LATER).is_open
    with warehouse.transaction() as tx:
        complete(tx, "acme/api", MAY, as_of=at("2025-06-02"))
    assert not publish(warehouse, MAY, now=LATER).is_open


def test_directions_follow_any_month(warehouse: Warehouse) -> None:
    """Eight falling months improve; when one of them is reloaded with other data, the verdict changes with it."""
    months = list(months_between(date(2025, 1, 1), date(2025, 8, 1)))
    for index, month in enumerate(months):
        store(warehouse, *merged(month, 5, first=100 * index, hours=80 - 8 * index))
    for month in reversed(months):
        publish(warehouse, month, now=at("2025-10-01"))
    found = direction(warehouse, "cycle_time_hours_p50", months[-1])
    assert (found["direction"], found["movement"], found["slope_per_month"]) == ("improving", "falling", -8.0)
    assert direction(warehouse, "cycle_time_hours_p50", months[-1], repository="acme/api")["direction"] == "improving"
    with warehouse.transaction() as tx:
        tx.execute("delete from pull_requests where number >= 600")
    publish(warehouse, months[-2], now=at("2025-10-01"))
    publish(warehouse, months[-1], now=at("2025-10-01"))
    found = direction(warehouse, "cycle_time_hours_p50", months[-1])
    assert (found["direction"], found["months_used"]) == ("improving", 6)
    with warehouse.transaction() as tx:
        tx.execute("delete from pull_requests where number >= 500")
    publish(warehouse, months[5], now=at("2025-10-01"))
    assert direction(warehouse, "cycle_time_hours_p50", months[-1])["direction"] == "too little data"


def test_what_shrinks_with_age_has_no_direction(warehouse: Warehouse) -> None:
    """Pull requests that still wait, and what is pending, are fewer in older months: no trend of the team."""
    store(warehouse, *merged(MARCH, 5, first=1))
    publish(warehouse)
    with warehouse.transaction() as tx:
        judged = {one["metric"] for one in read_directions(tx, "acme", repository=None, segments=None)}
    assert judged.isdisjoint({"waiting_for_review", "ai_pending_share", "classified_share"})
    assert {"pull_requests_merged", "ai_assisted_share", "size_share"} <= judged


def test_a_half_classified_month_is_no_fall_of_ai_use(warehouse: Warehouse) -> None:
    """March is classified, April not yet: its AI share is not compared with March's, its merges are."""
    store(warehouse, *merged(MARCH, 10, first=1), *merged(APRIL, 10, first=21))
    with warehouse.transaction() as tx:
        tx.execute(
            "insert into llm_classifications (team_id, repository, number, status, is_ai_assisted, confidence) "
            "select team_id, repository, number, 'classified', true, 0.9 from pull_requests where number < 21"
        )
    for month in (MARCH, APRIL):
        publish(warehouse, month)
    assert direction(warehouse, "ai_assisted_share", APRIL)["change_previous"] is None
    assert direction(warehouse, "pull_requests_merged", APRIL, segment="ai")["change_previous"] is None
    assert direction(warehouse, "pull_requests_merged", APRIL)["change_previous"] == 0
    assert direction(warehouse, "pull_requests_merged", APRIL, segment="size:s")["change_previous"] == 0


def test_months_published_at_once_are_all_judged(warehouse: Warehouse) -> None:
    """Eight threads publish eight months: whoever is last under the lock sees them all."""
    months = list(months_between(date(2025, 1, 1), date(2025, 8, 1)))
    for index, month in enumerate(months):
        store(warehouse, *merged(month, 5, first=100 * index, hours=80 - 8 * index))
    october = {"now": at("2025-10-01")}
    threads = [threading.Thread(target=publish, args=(warehouse, month), kwargs=october) for month in months]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    found = direction(warehouse, "cycle_time_hours_p50", months[-1])
    assert (found["direction"], found["months_used"]) == ("improving", 8)


def team_with(warehouse: Warehouse, team_id: str, hours: float, *, authors: int = 2, is_complete: bool = True) -> None:
    repository = f"{team_id}/api"
    pull_requests = [
        make_pull_request(**{**changes, "repository": repository, "author_login": f"user-{number % authors}"})
        for number in range(max(5, authors))
        for changes in [{"number": number, "merged_at": at("2025-03-01T12:00") + timedelta(hours=hours)}]
    ]
    store(warehouse, *pull_requests, team_id=team_id)
    if is_complete:
        with warehouse.transaction() as tx:
            complete(tx, repository, MARCH, team_id=team_id)
    publish(warehouse, team_id=team_id)


def test_benchmarks_begin_with_five_teams(warehouse: Warehouse) -> None:
    """Four teams show nothing; the fifth opens the percentiles: 10, 20, 30, 40, 50 hours have a median of 30."""
    for index in range(1, 5):
        team_with(warehouse, f"team-{index}", 10.0 * index)
    with warehouse.transaction() as tx:
        assert read_benchmarks(tx, MARCH) == []
        assert read_standings(tx, "team-1") == []
    team_with(warehouse, "team-5", 50.0)
    with warehouse.transaction() as tx:
        found = {one["metric"]: one for one in read_benchmarks(tx, MARCH)}["cycle_time_hours_p50"]
        assert (found["team_size_bucket"], found["teams"]) == ("1-10", 5)
        assert [found[name] for name in ("p25", "p50", "p75", "p90")] == pytest.approx([20, 30, 40, 46])


def test_standings_know_the_direction(warehouse: Warehouse) -> None:
    """The fastest of five is better than all others; ties count half; a neutral metric ranks nobody."""
    for index, hours in enumerate((10.0, 20.0, 20.0, 40.0, 50.0), start=1):
        team_with(warehouse, f"team-{index}", hours)
    with warehouse.transaction() as tx:
        better = {
            team: {one["metric"]: one["better_than_share"] for one in read_standings(tx, team)}
            for team in ("team-1", "team-2", "team-5")
        }
    assert [better[team]["cycle_time_hours_p50"] for team in better] == pytest.approx([1.0, 0.625, 0.0])
    assert better["team-1"]["pull_requests_merged"] == pytest.approx(0.5)
    assert better["team-1"]["active_authors"] is None


def test_benchmarks_compare_like_with_like(warehouse: Warehouse) -> None:
    """A team of eleven is of another size; one that lacks a repository takes no part."""
    for index in range(1, 5):
        team_with(warehouse, f"team-{index}", 10.0 * index)
    team_with(warehouse, "large", 50.0, authors=11)
    team_with(warehouse, "partial", 50.0, is_complete=False)
    with warehouse.transaction() as tx:
        assert read_benchmarks(tx, MARCH) == []


def test_benchmarks_follow_a_month_that_is_reopened(warehouse: Warehouse) -> None:
    """Five teams have a benchmark; when one of them lacks a repository again, it is gone with it."""
    for index in range(1, 6):
        team_with(warehouse, f"team-{index}", 10.0 * index)
    with warehouse.transaction() as tx:
        tx.execute("update repository_months set status = 'partial' where team_id = 'team-5'")
    publish(warehouse, team_id="team-5")
    with warehouse.transaction() as tx:
        assert read_benchmarks(tx, MARCH) == []
        assert read_standings(tx, "team-1") == []


def test_among_many_teams_a_month_is_marked_and_compared_later(warehouse: Warehouse) -> None:
    """The fifty-second team's month waits, so that it costs no more than the first's; nobody's benchmark is lost."""
    for index in range(1, 6):
        team_with(warehouse, f"team-{index}", 10.0 * index)
    with warehouse.transaction() as tx:
        copy_trends(tx, "team-5", FEW_TEAMS - 4)
        assert stale_months(tx) == []
    publish(warehouse, team_id="team-1")
    with warehouse.transaction() as tx:
        assert read_benchmarks(tx, MARCH)[0]["teams"] == 5
        assert stale_months(tx) == [MARCH]
        refresh_benchmarks(tx, MARCH)
        assert stale_months(tx) == []
        assert read_benchmarks(tx, MARCH)[0]["teams"] == FEW_TEAMS + 1


def copy_trends(tx: Transaction, team_id: str, copies: int) -> None:
    """Teams `copy-1` … with the whole-team values of this one."""
    columns = "month, repository, metric, segment, value, n, unit, is_enough, is_complete, computed_at, is_open"
    tx.execute("insert into teams (team_id) select 'copy-' || i from generate_series(1, %s) i", [copies])
    tx.execute(
        f"""
        insert into monthly_trends (team_id, {columns}, repositories, repositories_complete)
        select 'copy-' || i, {columns}, repositories, repositories_complete
        from monthly_trends, generate_series(1, %s) i where team_id = %s and repository = '*' and segment = '*'
        """,
        [copies, team_id],
    )


def test_a_team_is_not_removed_under_the_computation(warehouse: Warehouse) -> None:
    """Who computes holds the team: its removal waits for the end, and nobody gets a deadlock."""
    store(warehouse, *merged(MARCH, 5, first=1))
    with warehouse.transaction() as computing:
        assert lock_team(computing, "acme")
        with warehouse.transaction() as removing, pytest.raises(psycopg2.errors.LockNotAvailable):
            removing.execute("set local lock_timeout = '100ms'")
            removing.execute("delete from teams where team_id = 'acme'")
    with warehouse.transaction() as tx:
        tx.execute("delete from teams where team_id = 'acme'")
        assert not lock_team(tx, "acme")


@pytest.mark.parametrize(
    ("metric", "segment"),
    [
        ("pull_requests_created", "*"),
        ("pull_requests_merged", "*"),
        ("pull_requests_merged", "size:xs"),
        ("pull_requests_merged", "type:unknown"),
        ("pull_requests_merged", "pending"),
        ("pull_requests_merged", "ai"),
        ("pull_requests_merged", "tool:claude"),
        ("cycle_time_hours_p50", "*"),
        ("cycle_time_hours_p90", "ai"),
        ("pickup_time_hours_p50", "*"),
        ("unreviewed_share", "*"),
        ("active_authors", "*"),
        ("automation_merged", "*"),
        ("waiting_for_review", "*"),
        ("pull_requests_closed_unmerged", "*"),
    ],
)
@pytest.mark.parametrize("repository", ["*", "acme/web"])
def test_the_list_behind_a_point_is_as_long_as_its_n(
    warehouse: Warehouse, metric: str, segment: str, repository: str
) -> None:
    """Chart and list share their predicate: whatever the metric, place and segment."""
    fill_march(warehouse)
    publish(warehouse)
    with warehouse.transaction() as tx:
        behind = pull_requests_behind(tx, "acme", metric, MARCH, repository=repository, segment=segment)
    point = row(warehouse, metric, repository=repository, segment=segment)
    assert len(behind) == point["n"]
    if metric == "cycle_time_hours_p50":
        assert behind[0]["contribution"] == max(one["contribution"] for one in behind)


def fill_march(warehouse: Warehouse) -> None:
    dice = [
        {"repository": "acme/web"},
        {"reviews": (make_review(),)},
        {"state": "OPEN", "merged_at": None, "closed_at": None},
        {"state": "CLOSED", "merged_at": None},
        {"author_login": None, "repository": "acme/web"},
        {"additions": 1, "deletions": 0, "repository": "acme/web"},
    ]
    store(warehouse, *(make_pull_request(number=number, **dice[number % 6]) for number in range(18)))
    with warehouse.transaction() as tx:
        tx.execute("update pull_requests set is_automation = true where number = 1")
        tx.execute(
            "insert into ai_evidence select team_id, repository, number, 's', 'body', 0, 'claude', 'author', 'exact', "
            "'words', 'v1' from pull_requests where number % 3 = 0"
        )


def test_parts_list_their_segment(warehouse: Warehouse) -> None:
    """Behind a tool's share lie the pull requests of that tool: share times n."""
    fill_march(warehouse)
    publish(warehouse)
    point = row(warehouse, "ai_tool_share", segment="tool:claude")
    with warehouse.transaction() as tx:
        behind = pull_requests_behind(tx, "acme", "ai_tool_share", MARCH, segment="tool:claude")
    assert len(behind) == pytest.approx(point["value"] * point["n"])
    assert all(one["ai_tools"] == ["claude"] for one in behind)


@pytest.mark.parametrize(("metric", "segment"), [("cycle", "*"), ("cycle_time_hours_p50", "ai'; drop table teams")])
def test_unknown_metrics_and_segments_are_refused(warehouse: Warehouse, metric: str, segment: str) -> None:
    """What is not in the vocabulary never reaches the database."""
    with warehouse.transaction() as tx, pytest.raises(ConfigurationError, match=r"There is no (metric|segment)"):
        pull_requests_behind(tx, "acme", metric, MARCH, segment=segment)


def test_a_month_reads_its_pull_requests_by_index(warehouse: Warehouse) -> None:
    """The plan of a month's values reaches pull requests through their dates, not by reading the team's all."""
    with warehouse.transaction() as tx:
        add_team(tx)
        tx.execute(
            "insert into pull_requests (team_id, repository, number, node_id, title, body, state, is_draft, "
            "created_at, updated_at, additions, deletions, changed_files, head_ref, base_ref, commit_count, "
            "review_count, file_count, comment_count) select 'acme', 'acme/api', i, 'n' || i, 't', 'b', 'OPEN', false, "
            "timestamptz '2024-01-01' + i * interval '3 hours', now(), 1, 1, 1, 'h', 'm', 1, 0, 1, 0 "
            "from generate_series(1, 5000) i"
        )
        tx.execute("analyze")
        parameters = {"team_id": "acme", "start": as_instant(MARCH), "end": as_instant(APRIL)}
        plan = "\n".join(one["QUERY PLAN"] for one in tx.rows(f"explain {VALUES}", parameters))
    assert "pull_requests_by_created" in plan
    assert "Seq Scan on pull_requests" not in plan


def test_the_summary_holds_the_headline(warehouse: Warehouse) -> None:
    """What the asset shows: metric, value, unit and n of the whole team."""
    store(warehouse, *merged(MARCH, 5, first=1))
    summary = publish(warehouse)
    assert summary.headline[0] == ("pull_requests_merged", 5.0, "pull requests", 5)
    assert all(name in BY_NAME for name, *_ in summary.headline)
    assert (summary.months, summary.is_open) == (1, False)
