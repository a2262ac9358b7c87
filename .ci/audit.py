"""The dependencies: are they the pinned ones, do they fit together, is any of them known to be vulnerable?

pip-audit asks PyPI about each package. Where PyPI cannot be reached it finds "no vulnerability" in nothing, so this
counts what was really looked at, asks about a version that is known to be vulnerable, and says NOT AUDITED unless all
of it was answered. A finding always fails; where AUDIT_MUST_ANSWER is set, so does an audit that did not take place.
"""

import json
import os
import re
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from importlib.metadata import distributions
from pathlib import Path

CONSTRAINTS = Path(__file__).parent.parent / "constraints.txt"
OURS = "historical-sync"
CANARY = "jinja2==2.4.1"
"""A version with published vulnerabilities (CVE-2014-1402 and later ones): a service that knows none is no service."""
TOOLS = {"pip", "setuptools", "wheel", "uv"}
"""What installs the others, in whatever version."""


def canonical(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def pinned() -> dict[str, set[str]]:
    pins: dict[str, set[str]] = {}
    for line in CONSTRAINTS.read_text().splitlines():
        name, _, version = line.partition(";")[0].strip().partition("==")
        pins.setdefault(canonical(name), set()).add(version)
    return pins


def strays() -> list[str]:
    """Installed packages that constraints.txt does not name, or names in another version."""
    pins = pinned()
    found = []
    for one in distributions():
        name = canonical(one.metadata["Name"])
        if name != OURS and name not in TOOLS and one.version not in pins.get(name, set()):
            found.append(f"{name} {one.version} (pinned: {', '.join(sorted(pins.get(name, set()))) or 'nothing'})")
    return sorted(found)


@dataclass(frozen=True)
class Looked:
    """What a report of pip-audit says: how many packages the service knew, which it did not, what is vulnerable."""

    known: int
    unknown: tuple[str, ...]
    vulnerable: tuple[str, ...]


def read(report: str) -> Looked:
    """Read pip-audit's JSON. What is no report is one in which nothing was looked at."""
    try:
        packages = json.loads(report)["dependencies"]
    except (ValueError, KeyError, TypeError):
        return Looked(0, (), ())
    known = [one for one in packages if "skip_reason" not in one]
    unknown = tuple(one["name"] for one in packages if "skip_reason" in one and canonical(one["name"]) != OURS)
    said = (f"{one['name']} {one['version']}: {vuln['id']}" for one in known for vuln in one["vulns"])
    return Looked(len(known), unknown, tuple(said))


def ask(*arguments: str) -> Looked:
    command = [sys.executable, "-m", "pip_audit", "--format", "json", "--progress-spinner", "off", *arguments]
    return read(subprocess.run(command, capture_output=True, text=True, check=False).stdout)


def ask_about(requirement: str) -> Looked:
    with tempfile.NamedTemporaryFile("w", suffix=".txt") as file:
        file.write(requirement)
        file.flush()
        return ask("--requirement", file.name, "--no-deps", "--disable-pip")


def why_not_audited(installed: Looked, canary: Looked) -> str | None:
    """Why this is no audit; None when it is one. `canary` is what the service said of a version known to be vulnerable.

    A mirror may answer for every package and know of no vulnerability at all, which would look like a clean bill.
    """
    if installed.known == 0:
        return "the vulnerability service cannot be reached from here"
    if not canary.vulnerable:
        return f"the service answers, but knows nothing even against {CANARY}"
    if installed.unknown:
        return f"the service does not know {len(installed.unknown)} packages: {', '.join(installed.unknown)}"
    return None


def main() -> int:
    problems = [f"not pinned: {line}" for line in strays()]
    together = subprocess.run([sys.executable, "-m", "pip", "check"], capture_output=True, text=True, check=False)
    if together.returncode != 0:
        problems += [f"does not fit: {line}" for line in together.stdout.splitlines()]
    installed = ask("--local", "--skip-editable")
    canary = ask_about(CANARY) if installed.known else Looked(0, (), ())
    problems += [f"vulnerable: {line}" for line in installed.vulnerable]
    print(f"{sum(1 for _ in distributions())} packages installed; pins and mutual requirements checked.")
    reason = why_not_audited(installed, canary)
    if reason is None:
        print(f"AUDITED: {installed.known} packages looked up, {len(installed.vulnerable)} findings.")
    else:
        print(f"NOT AUDITED for vulnerabilities: {reason}. This is no clean bill.")
        if os.environ.get("AUDIT_MUST_ANSWER"):
            problems.append("the audit did not take place, and AUDIT_MUST_ANSWER is set")
    for line in problems:
        print(line)
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
