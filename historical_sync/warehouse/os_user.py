"""What root must do so that PostgreSQL, which refuses to run as root, can run: a user of its own that reaches it all.

Folders above the data that belong to root and that others may not pass get the permission to be passed, not to be
listed; a folder of anybody else is left alone, and the error names it.
"""

from __future__ import annotations

import logging
import os
import subprocess
import sys
import time
from pathlib import Path

from historical_sync.errors import ConfigurationError

NAME = "historical_sync"
PASS = 0o001
READ_AND_PASS = 0o005
NOT_AS_ROOT = "Run it as an ordinary user, or set HISTORICAL_SYNC_DATABASE_URL to a PostgreSQL of your own."

logger = logging.getLogger(__name__)


def needed() -> bool:
    """Whether this process is root, so that the server needs a user of its own."""
    return os.geteuid() == 0


def ids() -> tuple[int, int]:
    """User and group number under which the server runs: our own, or (as root) those of its own user, made if need be.

    Raises ConfigurationError where the user cannot be made.
    """
    if not needed():
        return os.geteuid(), os.getegid()
    import pwd

    for attempt in range(5):
        try:
            entry = pwd.getpwnam(NAME)
            return entry.pw_uid, entry.pw_gid
        except KeyError:
            time.sleep(0.2 * attempt)  # another process may be making it: useradd locks /etc/passwd
            _add_user()
    raise ConfigurationError(f"The OS user {NAME!r}, under which root runs PostgreSQL, is missing.", remedy=NOT_AS_ROOT)


def _add_user() -> None:
    if sys.platform != "linux":
        raise ConfigurationError("Root cannot run the embedded PostgreSQL here.", remedy=NOT_AS_ROOT)
    command = ["useradd", "--system", "--no-create-home", "--shell", "/usr/sbin/nologin", NAME]
    try:
        subprocess.run(command, capture_output=True, check=False)
    except OSError as error:
        raise ConfigurationError("useradd is missing, so root cannot run PostgreSQL.", remedy=NOT_AS_ROOT) from error


def let_pass(path: Path) -> None:
    """Let the server's user pass the folders above `path`. Raises ConfigurationError at a folder that is not root's."""
    user_id, _ = ids()
    for folder in path.parents:
        state = folder.stat()
        if state.st_mode & PASS or state.st_uid == user_id:
            continue
        if state.st_uid != 0:
            raise ConfigurationError(
                f"{folder} may be passed by its owner alone, so PostgreSQL (user {NAME!r}) cannot reach {path}.",
                remedy=f"Run it as the owner of {folder}, or set HISTORICAL_SYNC_HOME to another folder.",
            )
        _add_permission(folder, PASS)
        logger.warning(
            "%s may now be passed (not listed) by others: PostgreSQL, user %s, works below it.", folder, NAME
        )


def let_use(programs: Path) -> None:
    """Let the server's user run PostgreSQL's programs, which a strict umask may have kept to root."""
    let_pass(programs)
    if (programs / "postgres").stat().st_mode & READ_AND_PASS == READ_AND_PASS:
        return
    installation = programs.parent
    for path in (installation, *installation.rglob("*")):
        if not path.is_symlink():
            executable = path.is_dir() or path.stat().st_mode & 0o100
            _add_permission(path, READ_AND_PASS if executable else READ_AND_PASS & ~PASS)


def _add_permission(path: Path, permission: int) -> None:
    try:
        path.chmod(path.stat().st_mode | permission)
    except OSError as error:
        raise ConfigurationError(f"The permissions of {path} cannot be changed.", remedy=NOT_AS_ROOT) from error
