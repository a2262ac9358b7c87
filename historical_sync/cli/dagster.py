"""`historical-sync dagster …`: Dagster's own commands on our instance, with the database running."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence

import click

from historical_sync.cli.errors import reports_errors
from historical_sync.cli.opening import open_warehouse


@click.command(context_settings={"ignore_unknown_options": True})
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED, required=True)
@reports_errors
def dagster(arguments: tuple[str, ...]) -> None:
    """Run one of Dagster's own commands on this installation's instance.

    \b
    historical-sync dagster dev                 code server, pages and daemon from this folder, while you edit
    historical-sync dagster instance migrate    after an upgrade of Dagster
    historical-sync dagster -- run list --help  what comes after -- is Dagster's alone

    Sets DAGSTER_HOME and the database's address, which `dagster` by itself would miss, and keeps the embedded
    PostgreSQL running meanwhile. `up` runs all of this and more; stop it before `dagster dev`.
    """
    with open_warehouse() as (settings, _):
        from historical_sync.orchestration.home import environment, open_instance

        with open_instance(settings):
            pass  # makes the home and its tables
        status = _run(arguments, {**os.environ, **environment(settings)})
    raise SystemExit(status)


def _run(arguments: Sequence[str], env: Mapping[str, str]) -> int:
    """Ctrl-C in the terminal is for the child, which ends its own children in order; we wait for it."""
    child = subprocess.Popen([sys.executable, "-m", "dagster", *arguments], env=dict(env))
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        return child.wait()
    finally:
        signal.signal(signal.SIGINT, before)
