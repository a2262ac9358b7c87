"""HISTORICAL_SYNC_HOME as `up` uses it: made, private, and held by one `up` at a time."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from historical_sync.errors import ConfigurationError

ANOTHER_FOLDER = "Set HISTORICAL_SYNC_HOME to a folder that you may write to."


def make(home: Path) -> Path:
    """The folder with its `logs`, which only we may read. Raises ConfigurationError when it cannot be made or used."""
    for folder in (home, home / "logs", home / "dagster"):
        try:
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        except OSError as error:
            raise ConfigurationError(f"{folder} cannot be made: {error.strerror}.", remedy=ANOTHER_FOLDER) from error
        if not os.access(folder, os.R_OK | os.W_OK | os.X_OK):
            raise ConfigurationError(f"{folder} cannot be written to.", remedy=ANOTHER_FOLDER)
    return home


@contextmanager
def held(home: Path) -> Iterator[None]:
    """Hold the folder for the length of the block. Raises ConfigurationError while another `up` holds it."""
    with (home / "up.lock").open("a+") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            lock.seek(0)
            raise ConfigurationError(
                f"Another `historical-sync up` (process {lock.read().strip() or 'unknown'}) runs on {home}.",
                remedy="Stop it with Ctrl-C where it runs, or set HISTORICAL_SYNC_HOME to another folder.",
            ) from error
        lock.truncate(0)
        lock.write(str(os.getpid()))
        lock.flush()
        yield
