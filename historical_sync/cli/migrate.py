"""`historical-sync migrate`: the schema, and nothing else."""

from __future__ import annotations

import click

from historical_sync.cli.errors import reports_errors
from historical_sync.settings import Settings
from historical_sync.warehouse.embedded import open_database
from historical_sync.warehouse.schema import current_revision, newest_revision
from historical_sync.warehouse.schema import migrate as bring_up_to_date


@click.command()
@click.option("--check", is_flag=True, help="Change nothing; exit 1 when the schema is not this program's.")
@reports_errors
def migrate(check: bool) -> None:
    """Create the database's schema, or bring it up to date.

    Safe to run at any time and by several processes at once: they take turns. The commands up, sync and team do it by
    themselves. The database is the one of HISTORICAL_SYNC_DATABASE_URL, else the embedded one.
    """
    with open_database(Settings.from_environment()) as url:
        before = current_revision(url)
        if check:
            click.echo(f"The schema is at {before or 'nothing'}; this program needs {newest_revision()}.")
            raise SystemExit(0 if before == newest_revision() else 1)
        bring_up_to_date(url)
        after = newest_revision()
    click.echo(
        f"The schema is at {after}." if before == after else f"The schema went from {before or 'nothing'} to {after}."
    )
