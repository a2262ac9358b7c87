"""The dependencies: are they the pinned ones, do they fit together, is any of them known to be vulnerable?

pip-audit asks PyPI about each package. Where PyPI cannot be reached it finds "no vulnerability" in nothing, so this
counts what was really looked at, says aloud what was not, and fails where AUDIT_MUST_ANSWER is set.
"""

import json
import os
import re
import subprocess
import sys
from importlib.metadata import distributions
from pathlib import Path

CONSTRAINTS = Path(__file__).parent.parent / "constraints.txt"
OURS = "historical-sync"
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


def vulnerabilities() -> tuple[int, list[str]]:
    """How many packages the service knew, and what it said against them."""
    command = [sys.executable, "-m", "pip_audit", "--local", "--format", "json", "--progress-spinner", "off"]
    finished = subprocess.run(command, capture_output=True, text=True, check=False)
    try:
        packages = json.loads(finished.stdout)["dependencies"]
    except (ValueError, KeyError):
        return 0, []
    known = [one for one in packages if "skip_reason" not in one]
    said = [f"{one['name']} {one['version']}: {vuln['id']}" for one in known for vuln in one["vulns"]]
    return len(known), said


def main() -> int:
    problems = [f"not pinned: {line}" for line in strays()]
    together = subprocess.run([sys.executable, "-m", "pip", "check"], capture_output=True, text=True, check=False)
    if together.returncode != 0:
        problems += [f"does not fit: {line}" for line in together.stdout.splitlines()]
    known, said = vulnerabilities()
    problems += [f"vulnerable: {line}" for line in said]
    installed = sum(1 for _ in distributions())
    print(f"{installed} packages installed: pins and mutual requirements checked, {known} looked up as vulnerable.")
    if known < installed // 2:
        print("NOT AUDITED for vulnerabilities: PyPI's service cannot be reached from here. This is no clean bill.")
        if os.environ.get("AUDIT_MUST_ANSWER"):
            problems.append("no vulnerability service answered, and AUDIT_MUST_ANSWER is set")
    for line in problems:
        print(line)
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
