"""Connections, transactions and the schema's version."""

import pytest

from historical_sync.errors import SchemaOutdated, WarehouseError
from historical_sync.warehouse.embedded import EmbeddedPostgres
from historical_sync.warehouse.postgres import Warehouse
from historical_sync.warehouse.schema import current_revision, migrate, newest_revision, require_current


def test_a_transaction_is_all_or_nothing(warehouse: Warehouse) -> None:
    """A block that raises leaves no row behind, and the connection stays usable."""
    with pytest.raises(ZeroDivisionError), warehouse.transaction() as tx:
        tx.execute("insert into teams (team_id) values (%s)", ["lost"])
        raise ZeroDivisionError
    with warehouse.transaction() as tx:
        tx.execute("insert into teams (team_id) values (%s)", ["kept"])
    with warehouse.transaction() as tx:
        assert tx.rows("select team_id from teams") == [{"team_id": "kept"}]


def test_migrating_twice_changes_nothing(database_url: str) -> None:
    """A second migration finds the newest revision and leaves it."""
    migrate(database_url)
    assert current_revision(database_url) == newest_revision()
    require_current(database_url)


def test_an_empty_database_is_outdated(postgres: EmbeddedPostgres) -> None:
    """A database without our schema says which command makes it."""
    with pytest.raises(SchemaOutdated) as caught:
        require_current(postgres.url())
    assert "historical-sync migrate" in caught.value.remedy


def test_an_unreachable_database_says_so(tmp_path: object) -> None:
    """A database that is not there is an error with a remedy, not a traceback of the driver's."""
    lost = Warehouse(f"postgresql://nobody@/nothing?host={tmp_path}")
    with pytest.raises(WarehouseError) as caught, lost.transaction():
        pass
    assert "HISTORICAL_SYNC_DATABASE_URL" in caught.value.remedy
