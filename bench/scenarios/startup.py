"""Start-up: the command's help and Dagster's definitions, beside the imports that neither can do without.

What is imported needlessly, the tests say (`cli/test_help.py`, `orchestration/test_definitions.py`): they look at
`sys.modules`, not at a clock. Here are the times, and how many modules each loads.
"""

from __future__ import annotations

import os
import resource
import subprocess
import sys

from bench.rows import Row, alternate, count, timed

TITLE = "Start-up"

HELP_SECONDS = 0.3
HELP = [sys.executable, "-m", "historical_sync", "--help"]
CLICK = [sys.executable, "-c", "import click"]
DEFINITIONS = [sys.executable, "-c", "from historical_sync.definitions import defs; defs.get_repository_def()"]
DAGSTER = [sys.executable, "-c", "import dagster"]
MODULES = "; import sys; print(len(sys.modules))"


def run(rounds: int, quick: bool) -> list[Row]:
    """Whole processes, from start to end, in turn; then the modules that they load."""
    helps, clicks = alternate(rounds, lambda: cpu_seconds(HELP), lambda: cpu_seconds(CLICK))
    loads, dagsters = alternate(rounds, lambda: cpu_seconds(DEFINITIONS), lambda: cpu_seconds(DAGSTER))
    return [
        Row("historical-sync --help", "s", tuple(seconds(HELP) for _ in range(rounds)), most=HELP_SECONDS),
        Row("historical-sync --help", "CPU s", helps, clicks, "import click"),
        Row("definitions", "CPU s", loads, dagsters, "import dagster"),
        count("modules of the definitions", modules("from historical_sync.definitions import defs")),
        count("modules of `import dagster`", modules("import dagster")),
    ]


def seconds(command: list[str]) -> float:
    """Wall seconds of a process, from its start to its end."""
    return timed(lambda: subprocess.run(command, env=environment(), check=True, stdout=subprocess.DEVNULL))


def cpu_seconds(command: list[str]) -> float:
    """CPU of a process: what it takes on a machine that does nothing else."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    seconds(command)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def modules(statement: str) -> int:
    """How many modules are loaded after this statement."""
    command = [sys.executable, "-c", statement + MODULES]
    return int(subprocess.run(command, env=environment(), check=True, stdout=subprocess.PIPE).stdout)


def environment() -> dict[str, str]:
    """Ours, with byte-code: without it every start takes twice as long."""
    return {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
