"""The audit of the dependencies never takes silence for a clean bill."""

import importlib.util
import json
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

PROGRAM = Path(__file__).parent.parent / ".ci" / "audit.py"


@pytest.fixture(scope="module")
def audit() -> ModuleType:
    """The program, as a module."""
    spec = importlib.util.spec_from_file_location("audit", PROGRAM)
    assert spec is not None
    assert spec.loader is not None
    module = sys.modules["audit"] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def report(*packages: dict[str, Any]) -> str:
    """As pip-audit writes it."""
    return json.dumps({"dependencies": list(packages), "fixes": []})


def sound(name: str) -> dict[str, Any]:
    return {"name": name, "version": "1.0", "vulns": []}


VULNERABLE = {"name": "jinja2", "version": "2.4.1", "vulns": [{"id": "PYSEC-2014-8", "fix_versions": ["2.7.2"]}]}
SKIPPED = {"name": "amqp", "skip_reason": "Dependency not found on PyPI and could not be audited: amqp (5.4.2)"}


def test_findings_are_named(audit: ModuleType) -> None:
    """A vulnerable package is named with its version and the finding's id."""
    looked = audit.read(report(sound("click"), VULNERABLE))
    assert (looked.known, looked.unknown) == (2, ())
    assert looked.vulnerable == ("jinja2 2.4.1: PYSEC-2014-8",)
    assert audit.why_not_audited(looked, looked) is None


@pytest.mark.parametrize("silence", ["", "No known vulnerabilities found", "[]", '{"error": 1}'])
def test_silence_is_no_audit(audit: ModuleType, silence: str) -> None:
    """No report, or one that cannot be read, means that nothing was looked at."""
    assert "cannot be reached" in audit.why_not_audited(audit.read(silence), audit.read(silence))


def test_a_service_that_knows_no_package(audit: ModuleType) -> None:
    """What pip-audit reports where PyPI does not answer: every package skipped, and no vulnerability found."""
    assert "cannot be reached" in audit.why_not_audited(audit.read(report(SKIPPED, SKIPPED)), audit.read(report()))


def test_a_mirror_without_vulnerabilities(audit: ModuleType) -> None:
    """A service that has nothing even against a version known to be vulnerable gives no clean bill."""
    mirror = audit.read(report(sound("click"), sound("jinja2")))
    assert audit.CANARY in audit.why_not_audited(mirror, audit.read(report(sound("jinja2"))))


def test_a_package_that_was_not_looked_up(audit: ModuleType) -> None:
    """One package left out is named; our own, which no service knows, is not missed."""
    looked = audit.read(report(sound("click"), SKIPPED, {"name": "historical_sync", "skip_reason": "editable"}))
    assert looked.unknown == ("amqp",)
    assert "amqp" in audit.why_not_audited(looked, audit.read(report(VULNERABLE)))
