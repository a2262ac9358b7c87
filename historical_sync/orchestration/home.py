"""Dagster's home: its folder, its schema in the database, and the environment that its processes need."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import dagster as dg

from historical_sync.settings import Settings
from historical_sync.warehouse.address import dagster_url
from historical_sync.warehouse.embedded import database_url

INSTANCE_FILE = Path(__file__).parent / "dagster.yaml"
INSTANCE_URL = "HISTORICAL_SYNC_DAGSTER_URL"
"""The variable from which `dagster.yaml` reads the database's address: so it stands on no command line."""


def environment(settings: Settings) -> dict[str, str]:
    """What a process of Dagster's needs beside our own settings."""
    return {
        "DAGSTER_HOME": str(settings.home / "dagster"),
        INSTANCE_URL: os.environ.get(INSTANCE_URL) or dagster_url(database_url(settings)),
        "HISTORICAL_SYNC_HOME": str(settings.home),
    }


@contextmanager
def open_instance(settings: Settings) -> Iterator[dg.DagsterInstance]:
    """Dagster's instance for the length of the block; its home and tables are made if need be.

    Do this once before any of Dagster's processes starts: two that met new storage at the same time would both create
    the tables, and one would die. The variables that Dagster reads are set within the block only.
    """
    needed = environment(settings)
    folder = Path(needed["DAGSTER_HOME"])
    folder.mkdir(parents=True, exist_ok=True)
    if not (folder / INSTANCE_FILE.name).exists():
        shutil.copyfile(INSTANCE_FILE, folder / INSTANCE_FILE.name)
    before = {name: os.environ.get(name) for name in needed}
    os.environ.update(needed)
    try:
        with dg.DagsterInstance.from_config(str(folder)) as instance:
            yield instance
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value
