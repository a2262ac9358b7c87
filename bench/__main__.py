"""Run scenarios, print their tables, keep their results.

    make bench                                   all of them, into docs/benchmarks.md
    make bench SCENARIOS="tagging ingestion"     some of them
    python -m bench --quick --dry-run            tiny sizes, nothing is written: does each still work?

The exit status is 1 when a target is missed, unless it is a quick run.
"""

from __future__ import annotations

import argparse
import importlib
import signal
import sys
from typing import Any

from bench import machine, report
from bench.rows import Row
from bench.scenarios import NAMES

ROUNDS = 5


def measure(name: str, rounds: int, *, quick: bool) -> dict[str, Any]:
    """Run one scenario; its result."""
    scenario = importlib.import_module(f"bench.scenarios.{name}")
    before = machine.facts()
    rows: list[Row] = scenario.run(rounds, quick)
    return report.as_json(name, scenario.TITLE, before | {"after": machine.pace()}, rounds, rows)


def main(arguments: list[str]) -> int:
    """The command; its exit status."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("scenarios", nargs="*", metavar="SCENARIO", help=f"of: {', '.join(NAMES)}; none means all")
    parser.add_argument("--rounds", type=int, default=ROUNDS, help="runs of each pair (default %(default)s)")
    parser.add_argument("--quick", action="store_true", help="tiny sizes; nothing is written")
    parser.add_argument("--dry-run", action="store_true", help="print, and write nothing")
    parser.add_argument("--tables", action="store_true", help="only write the tables again, from the kept results")
    options = parser.parse_args(arguments)
    if options.tables:
        report.write_tables(NAMES)
        return 0
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # what was started is stopped on the way out
    unknown = set(options.scenarios) - set(NAMES)
    if unknown:
        parser.error(f"no such scenario: {', '.join(sorted(unknown))}; there are {', '.join(NAMES)}")
    missed = []
    for name in options.scenarios or NAMES:
        result = measure(name, 1 if options.quick else options.rounds, quick=options.quick)
        print(f"## {result['title']}\n\n{report.table(result)}", flush=True)
        missed += [f"{name}: {row['what']}" for row in result["rows"] if row["is_met"] is False]
        if not (options.quick or options.dry_run):
            report.save(result)
    if missed and not options.quick:
        print("Missed:\n" + "\n".join(missed))
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
