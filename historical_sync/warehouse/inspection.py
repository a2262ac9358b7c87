"""What kind of database this is and what our role may do in it: for `doctor`. Changes nothing."""

from __future__ import annotations

from dataclasses import dataclass

from historical_sync.warehouse.access import PAGE_ROLE
from historical_sync.warehouse.postgres import Transaction, Warehouse

RIGHTS = """
    select what from (values
        ('create tables in schema historical_sync',
            to_regnamespace('historical_sync') is null or has_schema_privilege('historical_sync', 'CREATE')),
        ('create tables in schema dashboard',
            to_regnamespace('dashboard') is null or has_schema_privilege('dashboard', 'CREATE')),
        ('write to historical_sync.teams',
            to_regclass('historical_sync.teams') is null
            or has_table_privilege('historical_sync.teams', 'INSERT, UPDATE, DELETE')),
        ('act as ' || %(page_role)s, not exists (select from pg_roles where rolname = %(page_role)s)
            or pg_has_role(%(page_role)s, 'MEMBER'))
    ) as rights (what, has_it)
    where not has_it
"""


@dataclass(frozen=True, slots=True)
class DatabaseReport:
    """`version_number` is PostgreSQL's own form (180004); `missing_rights` are in words."""

    version: str
    version_number: int
    role: str
    is_superuser: bool
    missing_rights: tuple[str, ...]


def inspect(url: str) -> DatabaseReport:
    """Look at the database. Raises WarehouseError when it cannot be reached."""
    warehouse = Warehouse(url)
    try:
        with warehouse.transaction() as tx:
            return _inspect(tx)
    finally:
        warehouse.close()


def _inspect(tx: Transaction) -> DatabaseReport:
    return DatabaseReport(
        version=tx.value("show server_version"),
        version_number=int(tx.value("show server_version_num")),
        role=tx.value("select current_user"),
        is_superuser=tx.value("select rolsuper from pg_roles where rolname = current_user"),
        missing_rights=tuple(row["what"] for row in tx.rows(RIGHTS, {"page_role": PAGE_ROLE})),
    )
