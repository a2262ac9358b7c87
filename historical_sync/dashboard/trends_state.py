"""The state of the trends page, all of it in its address: filter, span, metric, and the point looked behind. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date
from typing import Any
from urllib.parse import urlencode

from historical_sync.errors import ConfigurationError
from historical_sync.trends.metrics import ALL, BY_NAME, CLOSED_VOCABULARIES, SIZE_MATCHED, Metric, Segment

SPANS = (6, 13, 25)
"""Numbers of months to choose from, beside all of them; 13 are a year and the month to compare it with."""

DEFAULT_METRIC = "lead_time_hours_p50"
SEGMENT_WORDS: dict[Segment, str] = {
    "label": "AI-assisted or not",
    "size": "size",
    "type": "type of work",
    "tool": "AI tool",
    "made_with": "AI tool, each once",
    "technology": "technology",
}
ROWS_PER_PAGE = 25
MOST_OFFSET = 100_000


@dataclass(frozen=True, slots=True)
class Place:
    """A point of a chart: one metric's value for one month and segment."""

    metric: str
    month: date
    segment: str = ALL

    def __str__(self) -> str:
        return f"{self.metric}@{self.month:%Y-%m}" + (f"~{self.segment}" if self.segment != ALL else "")


@dataclass(frozen=True, slots=True)
class TrendsState:
    """What the page shows. `span` None means every month; `by` cuts the chosen metric into segments."""

    repository: str = ALL
    span: int | None = None
    metric: str = DEFAULT_METRIC
    by: Segment | None = None
    place: Place | None = None
    offset: int = 0

    def changed(self, **changes: Any) -> TrendsState:
        """The state after a click; whatever changes, a list begins at its top."""
        return replace(self, **{"offset": 0, **changes})

    def query(self) -> str:
        """The query of the address, with only what differs from the default; empty or beginning with `?`."""
        values = {
            "repository": self.repository if self.repository != ALL else None,
            "months": self.span,
            "metric": self.metric if self.metric != DEFAULT_METRIC else None,
            "by": self.by,
            "point": self.place,
            "offset": self.offset or None,
        }
        given = {name: str(value) for name, value in values.items() if value is not None}
        return f"?{urlencode(given, safe='/@~:*')}" if given else ""


def point_prefix(state: TrendsState) -> str:
    """The query of a point's address up to its month: `prefix + metric@month` opens the list behind it."""
    query = state.changed(place=None).query()
    return f"{query}&point=" if query else "?point="


def read_state(query: Mapping[str, str]) -> TrendsState:
    """The state in an address. Raises ConfigurationError that names what cannot be read."""
    metric = _metric(query.get("metric") or DEFAULT_METRIC)
    return TrendsState(
        repository=query.get("repository") or ALL,
        span=_span(query.get("months", "")),
        metric=metric.name,
        by=_by(metric, query.get("by", "")),
        place=_place(query.get("point", "")),
        offset=_offset(query.get("offset", "")),
    )


def read_month(text: str) -> date:
    """A month such as 2025-03. Raises ConfigurationError."""
    try:
        return date.fromisoformat(f"{text}-01")
    except ValueError as error:
        raise ConfigurationError(f"{text[:40]!r} is no month; write it as 2025-03.") from error


def require_segment(segment: str) -> str:
    """The segment, if metrics have such a one. Raises ConfigurationError."""
    plain = segment.removesuffix(SIZE_MATCHED[0])
    is_closed = any(plain in names for names in CLOSED_VOCABULARIES.values())
    is_open = plain.startswith(("tool:", "made_with:", "technology:"))
    if plain != ALL and not is_closed and not is_open:
        raise ConfigurationError(f"There is no segment {segment[:60]!r}.")
    return segment


def _metric(name: str) -> Metric:
    if name not in BY_NAME:
        raise ConfigurationError(f"There is no metric {name[:60]!r}.", remedy="See docs/metrics.md for their names.")
    return BY_NAME[name]


def _span(text: str) -> int | None:
    if text in ("", "all"):
        return None
    if not text.isascii() or not text.isdigit() or not 1 <= int(text[:6]) <= 240:
        raise ConfigurationError(f"months is {text[:20]!r}; it takes a number from 1 to 240, or all.")
    return int(text)


def _by(metric: Metric, text: str) -> Segment | None:
    found = next((kind for kind in metric.segments if kind == text), None)
    return found or (None if metric.is_whole else metric.segments[0])


def _place(text: str) -> Place | None:
    if not text:
        return None
    name, _, rest = text.partition("@")
    month, _, segment = rest.partition("~")
    return Place(_metric(name).name, read_month(month), require_segment(segment or ALL))


def _offset(text: str) -> int:
    if not text:
        return 0
    if not text.isascii() or not text.isdigit() or int(text[:9]) > MOST_OFFSET:
        raise ConfigurationError(f"offset is {text[:20]!r}; it takes a number from 0 to {MOST_OFFSET}.")
    return int(text)
