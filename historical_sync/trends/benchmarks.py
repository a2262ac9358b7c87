"""What a team's numbers may be compared with: other teams of its size, and bands that somebody published.

Without five teams or without a published band for the very same stage and statistic there is no comparison: no
percentile is made up. Published bands are data (published_bands.json), each with its source, year and sample.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from itertools import pairwise
from pathlib import Path

LEAST_TEAMS = 5
"""Fewer teams would show single teams' numbers, and say nothing about the rest."""


@dataclass(frozen=True, slots=True)
class SizeBucket:
    """A size of team by its active authors; `most_authors` None is the open end."""

    name: str
    most_authors: int | None


SIZE_BUCKETS = (SizeBucket("1-10", 10), SizeBucket("11-50", 50), SizeBucket("51-200", 200), SizeBucket("201+", None))


@dataclass(frozen=True, slots=True)
class PublishedBands:
    """Bands for one metric, best first: names, and the upper bounds of all but the last (all lower-is-better)."""

    metric: str
    bands: tuple[str, ...]
    upper_bounds: tuple[float, ...]
    statistic: str
    stage: str
    publisher: str
    year: int
    sample: str
    source: str
    caution: str

    def band_of(self, value: float) -> str:
        """The band that `value` lies in; a bound itself belongs to the band after it."""
        for name, bound in zip(self.bands, self.upper_bounds, strict=False):
            if value < bound:
                return name
        return self.bands[-1]


@cache
def published_bands() -> dict[str, PublishedBands]:
    """Metric → the published bands for its very stage and statistic. Most metrics have none."""
    text = (Path(__file__).parent / "published_bands.json").read_text("utf-8")
    rows = [_read(row) for row in json.loads(text)["bands"]]
    return {row.metric: row for row in rows}


def _read(row: dict[str, object]) -> PublishedBands:
    values = {key: tuple(value) if isinstance(value, list) else value for key, value in row.items()}
    bands = PublishedBands(**values)  # type: ignore[arg-type]
    if len(bands.upper_bounds) != len(bands.bands) - 1 or not _is_rising(bands.upper_bounds):
        raise ValueError(f"published_bands.json: the bounds of {bands.metric} do not part its bands")
    return bands


def _is_rising(bounds: Sequence[float]) -> bool:
    return all(lower < upper for lower, upper in pairwise(bounds))
