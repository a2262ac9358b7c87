"""The house: which module stands on which floor, and which library lives in which room."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parent.parent / "historical_sync"

FLOORS = {
    "": 0,
    "records": 0,
    "errors": 0,
    "settings": 0,
    "window": 0,
    "progress": 0,
    "ai_usage": 1,
    "ai_usage.retagging": 3,
    "github": 1,
    "github.client": 2,
    "github.transport": 2,
    "github.trail": 3,
    "github.entry_pages": 2,
    "github.walk": 3,
    "github.hydration": 3,
    "github.loading": 3,
    "github.deletions": 3,
    "github.month": 3,
    "github.refresh": 3,
    "github.survey": 2,
    "github.lists": 2,
    "github.inspection": 2,
    "github.ingestion": 3,
    "classification": 1,
    "classification.groq_client": 2,
    "classification.session": 3,
    "classification.settlement": 3,
    "classification.submission": 3,
    "classification.collection": 3,
    "classification.fallback": 3,
    "classification.ledger": 3,
    "classification.reclassification": 3,
    "trends": 1,
    "trends.publication": 3,
    "warehouse": 2,
    "orchestration": 4,
    "dashboard": 2,
    "dashboard.routes": 4,
    "dashboard.server": 4,
    "cli": 5,
    "definitions": 5,
    "__main__": 6,
}
"""A module's floor is that of its longest prefix here."""

HOMES = {
    "requests": {"github.transport"},
    "groq": {"classification.groq_client"},
    "urllib3": {"github.transport", "orchestration.webhooks"},
    "psycopg2": {"warehouse"},
    "sqlalchemy": {"warehouse"},
    "orjson": {"warehouse", "classification.batches"},
    "alembic": {"warehouse"},
    "dagster": {"orchestration", "definitions"},
}
"""Libraries with one home: the rooms or modules that may import them."""


def modules() -> list[str]:
    found = []
    for path in sorted(PACKAGE.rglob("*.py")):
        name = ".".join(path.relative_to(PACKAGE).with_suffix("").parts)
        found.append(name.removesuffix(".__init__") if name != "__init__" else "")
    return found


def imports_of(module: str) -> Iterator[str]:
    path = PACKAGE.joinpath(*module.split(".")) if module else PACKAGE
    path = path / "__init__.py" if path.is_dir() else path.with_suffix(".py")
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            assert node.level == 0, f"{module}: relative import"
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def lies_in(module: str, place: str) -> bool:
    return module == place or module.startswith(f"{place}.")


def floor_of(module: str) -> int:
    places = [place for place in FLOORS if place and lies_in(module, place)]
    if not places:
        pytest.fail(f"historical_sync.{module} has no floor: give it one in FLOORS and in docs/house.md")
    return FLOORS[max(places, key=len)]


def own_modules_imported(module: str) -> Iterator[str]:
    known = set(modules())
    for name in imports_of(module):
        if name.startswith("historical_sync."):
            inner = name.removeprefix("historical_sync.")
            yield inner if inner in known else inner.rpartition(".")[0]


@pytest.mark.parametrize("module", [name for name in modules() if name and not lies_in(name, "sandbox")])
def test_imports_lead_down(module: str) -> None:
    """A module imports from lower floors, or from its own room on its own floor."""
    for imported in own_modules_imported(module):
        if not imported:
            continue
        if lies_in(imported, "sandbox"):
            assert module == "cli" or module.startswith("cli"), f"{module} imports the sandbox"
            continue
        below = floor_of(imported) < floor_of(module)
        own_room = imported.split(".")[0] == module.split(".")[0] and floor_of(imported) <= floor_of(module)
        both_ground = floor_of(imported) == floor_of(module) == 0
        assert below or own_room or both_ground, f"{module} (floor {floor_of(module)}) imports {imported}"


@pytest.mark.parametrize("module", [name for name in modules() if lies_in(name, "sandbox")])
def test_the_sandbox_stands_alone(module: str) -> None:
    """The sandbox imports nothing of ours but itself."""
    assert all(lies_in(imported, "sandbox") for imported in own_modules_imported(module))


@pytest.mark.parametrize("library", sorted(HOMES))
def test_libraries_live_at_home(library: str) -> None:
    """A library with one home is imported nowhere else."""
    strangers = [
        module
        for module in modules()
        if any(lies_in(name, library) for name in imports_of(module))
        and not any(lies_in(module, home) for home in HOMES[library])
    ]
    assert not strangers
