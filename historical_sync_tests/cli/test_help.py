"""The command's door: quick, lazy, and every command says what it does with examples."""

import subprocess
import sys

import pytest
from click.testing import CliRunner

from historical_sync.cli import COMMANDS, main

LAZY = """
import sys
from click.testing import CliRunner
from historical_sync.cli import main
assert CliRunner().invoke(main, ["--help"]).exit_code == 0
heavy = {"dagster", "pandas", "numpy", "scipy", "sqlalchemy", "psycopg2", "alembic", "rich", "groq", "requests",
         "plotly", "starlette", "pydantic", "jinja2"}
print(sorted(heavy & {name.partition(".")[0] for name in sys.modules}))
"""


def test_help_imports_nothing_heavy() -> None:
    """`--help` answers with click alone: no library that takes a tenth of a second is loaded."""
    finished = subprocess.run([sys.executable, "-c", LAZY], capture_output=True, text=True, check=True)
    assert finished.stdout.strip() == "[]"


def test_help_lists_every_command() -> None:
    """Every command is in the list with its line."""
    shown = CliRunner().invoke(main, ["--help"]).output
    assert all(f"  {name} " in shown for name in COMMANDS)


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_explains_itself(name: str) -> None:
    """`COMMAND --help` works without any setting and says more than its options."""
    result = CliRunner().invoke(main, [name, "--help"], env={"HISTORICAL_SYNC_LLM_BUDGET_USD": "nonsense"})
    assert result.exit_code == 0
    assert len(result.output.splitlines()) > 5


def test_an_unknown_command_is_refused() -> None:
    """A command that does not exist is a usage error."""
    assert CliRunner().invoke(main, ["sink"]).exit_code == 2


def test_the_module_is_the_command() -> None:
    """`python -m historical_sync` is the same program."""
    command = [sys.executable, "-m", "historical_sync", "--version"]
    assert "historical-sync, version" in subprocess.run(command, capture_output=True, text=True, check=True).stdout
