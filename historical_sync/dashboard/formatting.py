"""Numbers and times as people read them: 3.2 h, 1.4 d, +6 pp, about 4 minutes. Pure.

A value and its unit are joined by a narrow no-break space, thousands are parted by commas, times are UTC.
"""

from __future__ import annotations

from datetime import date, datetime
from functools import lru_cache

GAP = "\N{NARROW NO-BREAK SPACE}"
MINUS = "\N{MINUS SIGN}"
NOTHING = "–"

HOURS_PER_DAY = 24
DAYS_WITHOUT_DECIMALS = 10


def number(value: float | None, unit: str) -> str:
    """A metric's value in its unit (`hours`, `share`, `lines`, a count …); a dash where there is none."""
    if value is None:
        return NOTHING
    if unit == "hours":
        return hours(value)
    if unit == "share":
        return share(value)
    if unit == "lines":
        return f"{plain(value)}{GAP}lines"
    return plain(value)


def hours(value: float) -> str:
    """A duration: minutes below an hour, hours below a day, then days."""
    if value < 0:
        return MINUS + hours(-value)
    if round(value * 60) < 60:
        return f"{round(value * 60)}{GAP}min"
    if round(value, 1) < HOURS_PER_DAY:
        return f"{trimmed(value)}{GAP}h"
    days = value / HOURS_PER_DAY
    return f"{trimmed(days) if days < DAYS_WITHOUT_DECIMALS else thousands(round(days))}{GAP}d"


def share(value: float) -> str:
    """A share of one as a percentage: a decimal below ten, none above."""
    percent = 100 * value
    text = trimmed(percent) if abs(percent) < 10 else str(round(percent))
    return f"{text}{GAP}%"


def plain(value: float) -> str:
    """A count, or a mean with one decimal."""
    return thousands(round(value)) if value == round(value) or abs(value) >= 100 else trimmed(value)


def trimmed(value: float) -> str:
    """One decimal, without a trailing `.0`."""
    return f"{value:.1f}".removesuffix(".0")


def thousands(value: int) -> str:
    return f"{value:,}"


def signed(text: str, value: float) -> str:
    """`text` (of the absolute value) with the sign of `value`."""
    return f"{'+' if value > 0 else MINUS if value < 0 else '±'}{text}"


def change(value: float | None, unit: str) -> str:
    """A change: percentage points for shares, otherwise a percentage; a dash where none is known."""
    if value is None:
        return NOTHING
    points = abs(100 * value)
    text = trimmed(points) if points < 10 else thousands(round(points))
    if text in ("0", "0.0"):
        return f"±0{GAP}{'pp' if unit == 'share' else '%'}"
    return signed(f"{text}{GAP}{'pp' if unit == 'share' else '%'}", value)


def time_left(seconds: float | None) -> str:
    """How long it still takes, no more exact than it is known; an empty text when nobody can know."""
    if seconds is None:
        return ""
    if seconds < 50:
        return "less than a minute left"
    minutes = max(1, round(seconds / 60))
    if minutes < 60:
        return f"about {minutes} minute{'s' if minutes > 1 else ''} left"
    whole, rest = divmod(5 * round(minutes / 5), 60)
    if whole >= 48:
        return f"about {round(whole / 24)} days left"
    return f"about {whole} h{f' {rest} min' if rest else ''} left"


def money(value: float) -> str:
    """Dollars: cents from a dollar on, else three digits so that a small bill is no zero."""
    if value == 0:
        return "$0"
    return f"${value:,.2f}" if value >= 1 else f"${value:.3f}"


@lru_cache(maxsize=4096)
def month_key(month: date) -> str:
    """A month as it stands in addresses and data: 2025-03."""
    return f"{month:%Y-%m}"


def month_name(month: date) -> str:
    return f"{month:%B %Y}"


@lru_cache(maxsize=4096)
def month_short(month: date) -> str:
    return f"{month:%b %Y}"


def clock(moment: datetime, now: datetime) -> str:
    """The hour of a moment; with its day where that is not today's."""
    same_day = moment.date() == now.date()
    return f"{moment:%H:%M} UTC" if same_day else f"{moment.day} {moment:%B, %H:%M} UTC"


def day(moment: date | datetime | None) -> str:
    """A day such as 3 Mar 2025."""
    return f"{moment.day} {moment:%b %Y}" if moment else NOTHING


def counted(count: int, noun: str, plural: str | None = None) -> str:
    """`1 month`, `3 months`, `2 repositories`."""
    return f"{thousands(count)} {noun if count == 1 else plural or noun + 's'}"
