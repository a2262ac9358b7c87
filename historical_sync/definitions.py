"""What Dagster loads: everything of `orchestration`, with an empty environment too."""

from historical_sync.orchestration.location import definitions_around
from historical_sync.orchestration.resources import Pipeline

defs = definitions_around(Pipeline())
