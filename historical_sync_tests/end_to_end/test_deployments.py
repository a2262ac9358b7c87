"""What deploy/ holds fits what it configures: Dagster's own schema, systemd's, PostgreSQL's."""

import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml
from dagster._config import validate_config
from dagster._serdes import ConfigurableClassData

from historical_sync.orchestration.queue import MonthFirstRunCoordinator

ROOT = Path(__file__).parent.parent.parent
DEPLOY = ROOT / "deploy"


def load(*parts: str) -> Any:
    return yaml.safe_load(DEPLOY.joinpath(*parts).read_text())


def rehydrated(module: str, name: str, config: dict[str, Any]) -> Any:
    """The class as Dagster's instance makes it from YAML; raises where the configuration does not fit."""
    return ConfigurableClassData(module, name, yaml.dump(config)).rehydrate()


def test_celery_changes_only_the_launcher() -> None:
    """deploy/celery/dagster.yaml is dagster.yaml with a run launcher, so that the two cannot drift apart."""
    celery = load("celery", "dagster.yaml")
    launcher = celery.pop("run_launcher")
    assert celery == yaml.safe_load((ROOT / "dagster.yaml").read_text())
    assert launcher["config"]["broker"] == {"env": "HISTORICAL_SYNC_CELERY_BROKER"}


def test_celery_launcher_fits(monkeypatch: pytest.MonkeyPatch) -> None:
    """Dagster makes the launcher from the file, with the addresses from the environment."""
    pytest.importorskip("dagster_celery", reason="the extra `celery` is not installed")
    monkeypatch.setenv("HISTORICAL_SYNC_CELERY_BROKER", "redis://127.0.0.1:1/0")
    monkeypatch.setenv("HISTORICAL_SYNC_CELERY_BACKEND", "redis://127.0.0.1:1/1")
    launcher = load("celery", "dagster.yaml")["run_launcher"]
    made = rehydrated(launcher["module"], launcher["class"], launcher["config"])
    assert made.broker == "redis://127.0.0.1:1/0"


def snake_case(values: dict[str, Any]) -> dict[str, Any]:
    """The chart's keys as its template writes them into dagster.yaml."""
    return {"".join(f"_{c.lower()}" if c.isupper() else c for c in key): value for key, value in values.items()}


def test_kubernetes_launcher_fits() -> None:
    """The run launcher's values pass Dagster's own schema once the chart's template has renamed them."""
    launcher = pytest.importorskip("dagster_k8s.launcher", reason="the extra `k8s` is not installed")
    values = snake_case(load("kubernetes", "values.yaml")["runLauncher"]["config"]["k8sRunLauncher"])
    values["env_secrets"] = [one["name"] for one in values["env_secrets"]]
    values |= {"instance_config_map": "dagster-instance", "postgres_password_secret": "historical-sync-dagster"}
    result = validate_config(launcher.K8sRunLauncher.config_type(), values)
    assert result.success, result.errors
    values["env_secret"] = []
    assert not validate_config(launcher.K8sRunLauncher.config_type(), values).success


def test_kubernetes_queue_fits() -> None:
    """The queue's values make our coordinator, with the limits of dagster.yaml and room for more runs at once."""
    daemon = load("kubernetes", "values.yaml")["dagsterDaemon"]
    custom = daemon["runCoordinator"]["config"]["customRunCoordinator"]
    made = rehydrated(custom["module"], custom["class"], custom["config"])
    assert isinstance(made, MonthFirstRunCoordinator)
    ours = yaml.safe_load((ROOT / "dagster.yaml").read_text())
    assert {**custom["config"], "max_concurrent_runs": 0} == {
        **ours["run_coordinator"]["config"],
        "max_concurrent_runs": 0,
    }
    assert snake_case(daemon["sensors"]) == ours["sensors"]


def test_kubernetes_uses_one_image_and_no_secret() -> None:
    """Code server, daemon, webserver and page run the same image; no value is a secret."""
    values = load("kubernetes", "values.yaml")
    user_code = values["dagster-user-deployments"]["deployments"][0]["image"]
    assert values["dagsterDaemon"]["image"] == values["dagsterWebserver"]["image"] == user_code
    deployment, service = yaml.safe_load_all((DEPLOY / "kubernetes" / "page.yaml").read_text())
    container = deployment["spec"]["template"]["spec"]["containers"][0]
    assert container["image"] == f"{user_code['repository']}:{user_code['tag']}"
    assert service["spec"]["selector"] == deployment["spec"]["selector"]["matchLabels"]
    assert "postgresqlPassword" not in values["postgresql"]


def test_systemd_unit_is_valid(tmp_path: Path) -> None:
    """systemd reads the unit without complaint (its programs stand in for those of an installed machine)."""
    program = shutil.which("systemd-analyze")
    if program is None:
        pytest.skip("there is no systemd-analyze here")
    text = (DEPLOY / "one_machine" / "historical-sync.service").read_text()
    unit = tmp_path / "historical-sync.service"
    unit.write_text(text.replace("/opt/historical_sync/.venv/bin/python", shutil.which("true") or "/bin/true"))
    finished = subprocess.run([program, "verify", str(unit)], capture_output=True, text=True, check=False)
    complaints = [line for line in finished.stderr.splitlines() if "historical-sync.service" in line]
    assert not complaints
