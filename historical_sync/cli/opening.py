"""What nearly every command begins with: the settings and an open warehouse with the right schema."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from historical_sync.settings import Settings
from historical_sync.warehouse.embedded import open_database
from historical_sync.warehouse.postgres import Warehouse
from historical_sync.warehouse.schema import migrate, require_current


@contextmanager
def open_warehouse(settings: Settings | None = None, *, migrates: bool = False) -> Iterator[tuple[Settings, Warehouse]]:
    """The settings and the warehouse, open for the length of the block; the embedded server is started if need be.

    With `migrates` the schema is brought up to date first. Raises SchemaOutdated without it when the schema is old,
    ConfigurationError and WarehouseError when there is no database to be had.
    """
    settings = settings or Settings.from_environment()
    with open_database(settings) as url:
        (migrate if migrates else require_current)(url)
        warehouse = Warehouse(url)
        try:
            yield settings, warehouse
        finally:
            warehouse.close()
