"""Numbers as people read them."""

from datetime import date

import pytest

from historical_sync.dashboard import formatting as fmt
from historical_sync_tests.factories import at


def spaced(text: str) -> str:
    return text.replace(fmt.GAP, " ").replace(fmt.MINUS, "-")


@pytest.mark.parametrize(
    ("hours", "text"),
    [
        (0, "0 min"),
        (0.02, "1 min"),
        (0.63, "38 min"),
        (0.995, "1 h"),
        (3.2, "3.2 h"),
        (23.94, "23.9 h"),
        (23.96, "1 d"),
        (33.6, "1.4 d"),
        (239, "10 d"),
        (24 * 1234, "1,234 d"),
        (-3.2, "-3.2 h"),
    ],
)
def test_durations(hours: float, text: str) -> None:
    """Minutes below an hour, hours below a day, days above: never `0h` for forty minutes."""
    assert spaced(fmt.hours(hours)) == text


@pytest.mark.parametrize(
    ("share", "text"), [(0, "0 %"), (0.063, "6.3 %"), (0.0999, "10 %"), (0.123, "12 %"), (1, "100 %")]
)
def test_shares(share: float, text: str) -> None:
    """A decimal below ten per cent, none above."""
    assert spaced(fmt.share(share)) == text


@pytest.mark.parametrize(
    ("value", "unit", "text"),
    [
        (0.06, "share", "+6 pp"),
        (-0.123, "share", "-12 pp"),
        (0.0004, "share", "±0 pp"),
        (-0.12, "hours", "-12 %"),
        (0.054, "hours", "+5.4 %"),
        (None, "hours", "–"),
    ],
)
def test_changes(value: float | None, unit: str, text: str) -> None:
    """Percentage points for shares, per cent for the rest, with a sign; a change that rounds to nothing has none."""
    assert spaced(fmt.change(value, unit)) == text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (None, ""),
        (3, "less than a minute left"),
        (70, "about 1 minute left"),
        (240, "about 4 minutes left"),
        (4800, "about 1 h 20 min left"),
        (7200, "about 2 h left"),
        (3 * 86_400, "about 3 days left"),
    ],
)
def test_time_left(seconds: float | None, text: str) -> None:
    """No more exact than it is known, and nothing where it is not known."""
    assert fmt.time_left(seconds) == text


def test_values_carry_their_unit() -> None:
    """A value that is missing is a dash, not a zero."""
    assert [spaced(fmt.number(*pair)) for pair in ((None, "hours"), (1234, "pull requests"), (58, "lines"))] == [
        "–",
        "1,234",
        "58 lines",
    ]
    assert spaced(fmt.number(1.25, "rounds")) in ("1.2", "1.3")


def test_a_clock_says_the_day_unless_it_is_today() -> None:
    """Waiting until 14:32 is today's; tomorrow's hour comes with its day."""
    now = at("2025-12-25T12:00")
    assert fmt.clock(at("2025-12-25T14:32"), now) == "14:32 UTC"
    assert fmt.clock(at("2025-12-26T00:05"), now) == "26 December, 00:05 UTC"


def test_money_and_days() -> None:
    """A small bill is no zero."""
    assert [fmt.money(value) for value in (0, 0.0123, 12.5)] == ["$0", "$0.012", "$12.50"]
    assert [fmt.day(date(2025, 3, 3)), fmt.day(None)] == ["3 Mar 2025", "–"]
    assert [fmt.counted(1, "month"), fmt.counted(2, "repository", "repositories")] == ["1 month", "2 repositories"]
