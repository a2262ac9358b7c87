"""README and docs say what the code does: settings, commands, tables and floors."""

import ast
import re
from pathlib import Path

import pytest

from historical_sync.cli import COMMANDS, SUMMARIES
from historical_sync.definitions import defs
from historical_sync.warehouse.postgres import Warehouse
from historical_sync_tests.test_house import FLOORS

ROOT = Path(__file__).parent.parent.parent
PACKAGE = ROOT / "historical_sync"
VARIABLE = re.compile(r"(HISTORICAL_SYNC|SYNC|GITHUB|GROQ)_[A-Z_]+")


def rows(document: str, heading: str) -> list[list[str]]:
    """The cells of the table that follows `heading`."""
    text = (ROOT / document).read_text().partition(heading)[2]
    lines = [line for line in text.partition("\n\n## ")[0].splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines[2:]]


def names_in(cell: str) -> list[str]:
    return re.findall(r"`([^`]+)`", cell)


def variables_read() -> set[str]:
    """Every variable that our code names, in any string that is nothing else; those of the sandbox are not ours."""
    found = set()
    for path in PACKAGE.rglob("*.py"):
        if path.is_relative_to(PACKAGE / "sandbox"):
            continue
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Constant) and isinstance(node.value, str) and VARIABLE.fullmatch(node.value):
                found.add(node.value)
    return found


def test_every_setting_has_a_row() -> None:
    """README's table holds the variables that the code reads, and no other."""
    documented = {name for row in rows("README.md", "## Settings") for name in names_in(row[0])}
    assert documented == variables_read()


def test_every_table_has_a_row(warehouse: Warehouse) -> None:
    """Each table that README explains exists, in the database as it is migrated."""
    explained = {name for row in rows("README.md", "## What a row is") for name in names_in(row[0])}
    with warehouse.transaction() as tx:
        found = tx.rows("select table_name from information_schema.tables where table_schema = 'historical_sync'")
    assert explained <= {row["table_name"] for row in found}
    assert len(explained) == 13


def test_house_md_shows_the_floors() -> None:
    """docs/house.md lists the places and floors that the test of the house enforces, in its order."""
    shown = {names_in(row[0])[0]: int(row[1]) for row in rows("docs/house.md", "`dagster` in `orchestration`")}
    assert shown == {place: floor for place, floor in FLOORS.items() if place}


def test_operating_md_names_everything_that_ticks() -> None:
    """The table of what runs by itself holds every sensor and schedule, and no other."""
    repository = defs.get_repository_def()
    ticking = {one.name for one in (*repository.sensor_defs, *repository.schedule_defs)}
    assert {names_in(row[0])[0] for row in rows("docs/operating.md", "On the **Automation** page")} == ticking


def test_every_command_is_summarised() -> None:
    """`--help` lists each command with one line, without importing it."""
    assert list(COMMANDS) == list(SUMMARIES)


@pytest.mark.parametrize("document", ["README.md", *(f"docs/{path.name}" for path in (ROOT / "docs").glob("*.md"))])
def test_links_lead_somewhere(document: str) -> None:
    """Links between our documents name files that exist."""
    targets = re.findall(r"\]\(([^)#]+)", (ROOT / document).read_text())
    ours = [target for target in targets if "://" not in target]
    missing = [target for target in ours if not ((ROOT / document).parent / target).exists()]
    assert not missing
