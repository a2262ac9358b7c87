"""The calendar: which months a team's history has. Pure; a month is the `date` of its first day, all times UTC."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime
from functools import lru_cache

from historical_sync.errors import OutsideWindow


def first_of_month(moment: date | datetime) -> date:
    """The first day of the UTC month that `moment` lies in. A naive datetime is refused with ValueError."""
    if isinstance(moment, datetime):
        if moment.tzinfo is None:
            raise ValueError(f"{moment} has no time zone")
        moment = moment.astimezone(UTC).date()
    return moment.replace(day=1)


@lru_cache(maxsize=4096)
def add_months(month: date, count: int) -> date:
    """The first day of the month `count` months after `month` (negative: before)."""
    index = month.year * 12 + month.month - 1 + count
    return date(index // 12, index % 12 + 1, 1)


def months_wanted(now: datetime, history_months: int) -> list[date]:
    """The months of a history, newest first: on 2025-12-25 with 12 months, 2025-12 down to 2024-12 (13 of them)."""
    newest = first_of_month(now)
    return [add_months(newest, -back) for back in range(history_months + 1)]


def month_bounds(month: date) -> tuple[datetime, datetime]:
    """First instant of the month and of the next one, in UTC: the half-open span `start <= t < end`."""
    return as_instant(month), as_instant(add_months(month, 1))


def as_instant(day: date) -> datetime:
    """Midnight UTC at the start of `day`."""
    return datetime(day.year, day.month, day.day, tzinfo=UTC)


def months_between(first: date, last: date) -> Iterator[date]:
    """Every month from `first` to `last`, both included, oldest first."""
    while first <= last:
        yield first
        first = add_months(first, 1)


def months_touched(created_at: datetime, closed_at: datetime | None) -> set[date]:
    """The partitions that hold a pull request: the month it was created in and the one it was closed in."""
    return {first_of_month(moment) for moment in (created_at, closed_at) if moment is not None}


def require_in_window(month: date, now: datetime, history_months: int, team_id: str) -> None:
    """Raise OutsideWindow unless `month` belongs to the team's history."""
    wanted = months_wanted(now, history_months)
    if month not in wanted:
        raise OutsideWindow(
            f"{month:%Y-%m} is outside the history of team {team_id!r} ({wanted[-1]:%Y-%m} to {wanted[0]:%Y-%m})."
        )
