"""The Markdown of the last thirteen months."""

from datetime import date
from typing import Any

from historical_sync.trends.digest import headline_markdown
from historical_sync.trends.metrics import BY_NAME, HEADLINE
from historical_sync.window import add_months

FIRST = date(2025, 1, 1)


def rows_of(month: date, **changes: Any) -> list[dict[str, Any]]:
    usual = {
        "month": month,
        "value": 0.25,
        "n": 40,
        "is_enough": True,
        "is_open": False,
        "is_complete": True,
        "repositories": 3,
        "repositories_complete": 3,
    }
    return [{**usual, "metric": name, "unit": BY_NAME[name].unit, **changes} for name in HEADLINE]


def test_newest_first_and_thirteen_at_most() -> None:
    """Of fifteen months the thirteen newest are shown, newest on top."""
    months = [add_months(FIRST, index) for index in range(15)]
    lines = headline_markdown([row for month in months for row in rows_of(month)]).splitlines()
    assert [line.split(" | ")[0] for line in lines[2:]] == [f"| {month:%Y-%m}" for month in reversed(months[2:])]
    assert all(line.count("|") == len(HEADLINE) + 2 for line in lines)


def test_shares_are_percentages_and_few_say_so() -> None:
    """0.25 of a share reads 25; a value on four stands in parentheses with its n; nothing is a dash."""
    assert "| 25 |" in headline_markdown(rows_of(FIRST))
    assert "(25, n 4)" in headline_markdown(rows_of(FIRST, n=4, is_enough=False))
    assert headline_markdown(rows_of(FIRST, value=None, n=0)).endswith("| – |")


def test_open_and_incomplete_months_say_so() -> None:
    """A month that is not over, and one that lacks a repository, carry it in their first cell."""
    table = headline_markdown(rows_of(FIRST, is_open=True, is_complete=False, repositories_complete=2))
    assert "| 2025-01 (open, 2 of 3 repositories) |" in table
