"""What every asset, sensor and check is given: the settings and the warehouse of this process.

A plain object, not a configurable resource, since nothing is a config value: what is set comes from the environment
when it is first used, so that definitions load without any of it, and no secret can appear in a run's configuration.
"""

from __future__ import annotations

from datetime import UTC, datetime
from functools import cached_property

import dagster as dg

from historical_sync.settings import Settings
from historical_sync.warehouse.embedded import database_url
from historical_sync.warehouse.postgres import Warehouse


class Pipeline:
    """The settings, the warehouse and the clock."""

    def __init__(self, settings: Settings | None = None) -> None:
        self._settings = settings

    @cached_property
    def settings(self) -> Settings:
        """Those given, or the environment's, read on first use."""
        return self._settings or Settings.from_environment()

    @cached_property
    def warehouse(self) -> Warehouse:
        """The database that the settings name. Raises SchemaOutdated when its schema is another version's."""
        from historical_sync.warehouse.schema import require_current_within  # brings SQLAlchemy and Alembic

        opened = Warehouse(database_url(self.settings))
        with opened.transaction() as tx:
            require_current_within(tx)
        return opened

    def now(self) -> datetime:
        """The present moment, UTC."""
        return datetime.now(UTC)


PipelineResource = dg.ResourceParam[Pipeline]
"""How an asset, a sensor or a check asks for it."""
