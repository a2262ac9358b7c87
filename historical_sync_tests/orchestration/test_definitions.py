"""What Dagster loads: with nothing set, without a warning, without what only a run needs; and every name resolves."""

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from historical_sync.definitions import defs
from historical_sync.orchestration import descriptions
from historical_sync.orchestration.assets import ASSETS
from historical_sync.orchestration.home import INSTANCE_FILE
from historical_sync.warehouse.postgres import Warehouse

ROOT = Path(__file__).parent.parent.parent
ORCHESTRATION = ROOT / "historical_sync" / "orchestration"
HEAVY = ("pandas", "scipy", "numpy", "groq", "plotly", "requests", "urllib3", "jinja2", "pygments", "rich")
HEAVY += ("sqlalchemy", "alembic", "dagster._daemon", "starlette", "uvicorn", "graphql")


def run_python(code: str, **variables: str) -> str:
    finished = subprocess.run(
        [sys.executable, "-W", "error", "-c", code],
        env={"PATH": os.environ["PATH"], "HOME": "/nonexistent", **variables},
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    return finished.stdout + finished.stderr


def test_definitions_load_with_an_empty_environment_and_without_a_warning() -> None:
    """No setting is needed to load them, and what only a run needs is not imported."""
    code = f"""
import sys
from historical_sync.definitions import defs
defs.get_repository_def().load_all_definitions()
print("loaded", [name for name in {HEAVY!r} if name in sys.modules])
"""
    assert run_python(code).strip() == "loaded []"


def test_a_setting_that_cannot_be_read_says_which() -> None:
    """A first month that is none stops the definitions with the variable's name, not with a parser's error."""
    said = run_python("import historical_sync.definitions", SYNC_FIRST_MONTH="soon")
    assert "SYNC_FIRST_MONTH is 'soon'" in said


def test_the_first_month_is_a_setting() -> None:
    """The month partitions begin where SYNC_FIRST_MONTH says and end with the open month."""
    code = """
from historical_sync.orchestration.partitions import month_partitions
print(month_partitions.get_first_partition_key(), month_partitions.get_last_partition_key())
"""
    first, last = run_python(code, SYNC_FIRST_MONTH="2025-06").split()
    assert first == "2025-06-01"
    assert last > first


def test_the_command_that_validates_definitions_passes(tmp_path: Path) -> None:
    """`dagster definitions validate` finds nothing to complain about, with no setting and no database."""
    finished = subprocess.run(
        [Path(sys.executable).parent / "dagster", "definitions", "validate", "-m", "historical_sync.definitions"],
        env={"PATH": os.environ["PATH"], "HOME": str(tmp_path)},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert finished.returncode == 0, finished.stdout + finished.stderr


def test_every_sensor_and_schedule_starts_a_job_that_exists() -> None:
    """A renamed job cannot leave a schedule without one (in the seed two nightly jobs ran under old names)."""
    repository = defs.get_repository_def()
    jobs = {job.name for job in repository.get_all_jobs()}
    for one in (*repository.sensor_defs, *repository.schedule_defs):
        targets = [one.job_name] if isinstance(one, dg.ScheduleDefinition) else [t.job_name for t in one.targets]
        assert set(targets) <= jobs, one.name
    assert {"sync_month", "refresh_team", "retry_failed_months"} <= jobs


def test_everything_that_starts_work_runs_without_being_switched_on() -> None:
    """On a fresh machine every sensor and schedule is on."""
    repository = defs.get_repository_def()
    assert all(one.default_status == dg.DefaultSensorStatus.RUNNING for one in repository.sensor_defs)
    assert all(one.default_status == dg.DefaultScheduleStatus.RUNNING for one in repository.schedule_defs)


def test_one_job_has_all_four_assets_in_one_process() -> None:
    """A run of a (team, month) is one process with four steps, in the order of the flow."""
    job = defs.resolve_job_def("sync_month")
    assert job.executor_def.name == "in_process"
    assert [step.key for step in _plan(job)] == [asset.key.to_python_identifier() for asset in ASSETS]


def _plan(job: dg.JobDefinition) -> list[Any]:
    from dagster._core.execution.api import create_execution_plan

    plan = create_execution_plan(job)
    return [step for level in plan.get_steps_to_execute_by_level() for step in level]


@pytest.mark.parametrize("asset", ASSETS, ids=lambda asset: asset.key.to_user_string())
def test_every_asset_explains_itself(asset: dg.AssetsDefinition) -> None:
    """Description, group, owner, kinds, freshness and table name are there; what depends on a rule has its version."""
    spec = asset.specs_by_key[asset.key]
    assert spec.description
    assert len(spec.description) > 200
    assert spec.group_name == "pull_request_history"
    assert spec.owners == descriptions.OWNERS
    assert spec.kinds
    assert spec.freshness_policy
    assert "dagster/table_name" in spec.metadata
    if asset.key.to_user_string() in ("regex_tagged_pull_requests", "llm_classified_pull_requests"):
        assert spec.code_version


def test_column_schemas_follow_the_tables(warehouse: Warehouse) -> None:
    """The columns that the UI lists, with their types, are the columns of the tables."""
    for asset in ASSETS:
        metadata = asset.specs_by_key[asset.key].metadata
        schema = metadata.get("dagster/column_schema")
        if schema is None:
            continue
        table = str(metadata["dagster/table_name"]).partition(".")[2]
        with warehouse.transaction() as tx:
            rows = tx.rows(
                """
                select a.attname as name, format_type(a.atttypid, a.atttypmod) as type from pg_attribute a
                where a.attrelid = %s::regclass and a.attnum > 0
                """,
                [table],
            )
        real = {row["name"]: row["type"].replace("timestamp with time zone", "timestamptz") for row in rows}
        columns = getattr(schema, "schema", schema).columns
        assert {column.name: column.type for column in columns}.items() <= real.items()


def test_the_instance_files_are_the_same() -> None:
    """The dagster.yaml beside the code, which an installed package has, is the one at the repository's root."""
    assert INSTANCE_FILE.read_text() == (ROOT / "dagster.yaml").read_text()


def test_the_database_address_stands_in_no_file() -> None:
    """Dagster puts its instance file on command lines, so it names a variable and holds no address."""
    text = INSTANCE_FILE.read_text()
    assert "env: HISTORICAL_SYNC_DAGSTER_URL" in text
    assert "postgresql://" not in text


def test_undocumented_dagster_is_called_in_one_module() -> None:
    """Only `internals` imports what Dagster's documentation does not promise."""
    strangers = [
        path.name
        for path in sorted(ORCHESTRATION.glob("*.py"))
        if re.search(r"^\s*(from|import) dagster\._", path.read_text(), flags=re.MULTILINE)
    ]
    assert strangers == ["internals.py"]
