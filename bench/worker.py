"""One stage of some months in a process of its own, without Dagster; prints what it cost as JSON.

    python -m bench.worker ingest|tag|classify|publish|refresh TEAM NOW MONTH …

What a stage imports is imported before the clock starts: a long-lived worker pays it once.
"""

from __future__ import annotations

import importlib
import json
import re
import sys
import time
from collections.abc import Callable, Sequence
from datetime import date, datetime
from pathlib import Path

from historical_sync.settings import Settings
from historical_sync.warehouse.postgres import Warehouse
from historical_sync.warehouse.registry import read_team

Stage = Callable[[], object]


def ingest(warehouse: Warehouse, settings: Settings, team_id: str, months: Sequence[date], now: datetime) -> Stage:
    """Fetch the months; every repository must end complete."""
    from historical_sync.github.ingestion import connect, ingest_month

    with warehouse.transaction() as tx:
        team = read_team(tx, team_id)
    client = connect(settings, warehouse, team)

    def run() -> None:
        for month in months:
            done = ingest_month(warehouse, client, team, month, now=now)
            assert {one.status for one in done.repositories} == {"completed"}, done

    return run


def refresh(warehouse: Warehouse, settings: Settings, team_id: str, months: Sequence[date], now: datetime) -> Stage:
    """Walk down to the watermark, then every stage of what changed."""
    from historical_sync.github.ingestion import connect, refresh_team

    with warehouse.transaction() as tx:
        team = read_team(tx, team_id)
    client = connect(settings, warehouse, team)

    def run() -> None:
        changed = sorted(refresh_team(warehouse, client, team, now=now), reverse=True)
        for stage in (ingest, tag, classify, publish):
            stage(warehouse, settings, team_id, changed, now)()

    return run


def tag(warehouse: Warehouse, settings: Settings, team_id: str, months: Sequence[date], now: datetime) -> Stage:
    """Tag the months by signature."""
    from historical_sync.ai_usage.retagging import tag_month

    def run() -> None:
        for month in months:
            tag_month(warehouse, team_id, month)

    return run


def classify(warehouse: Warehouse, settings: Settings, team_id: str, months: Sequence[date], now: datetime) -> Stage:
    """Send the months to Groq, collect every answer, settle the months again."""
    from historical_sync.classification.groq_client import connect
    from historical_sync.classification.ledger import classify_month, collect, is_worth_waiting
    from historical_sync.classification.session import Stopwatch

    for library in ("groq", "jinja2"):  # imported where they are used, otherwise
        importlib.import_module(library)
    groq, watch = connect(settings), Stopwatch(now)

    def run() -> None:
        for month in months:
            classify_month(warehouse, groq, team_id, month, settings, now=watch.now)
        while is_worth_waiting(warehouse, team_id, now=watch.now):
            collect(warehouse, groq, settings, now=watch.now, team_id=team_id)
            time.sleep(0.1)
        for month in months:
            classify_month(warehouse, groq, team_id, month, settings, now=watch.now)

    return run


def publish(warehouse: Warehouse, settings: Settings, team_id: str, months: Sequence[date], now: datetime) -> Stage:
    """Compute the months' trends."""
    from historical_sync.trends.publication import publish_month

    def run() -> None:
        for month in months:
            publish_month(warehouse, team_id, month, now=now)

    return run


STAGES = {"ingest": ingest, "tag": tag, "classify": classify, "publish": publish, "refresh": refresh}


def peak_mebibytes() -> float:
    """The most memory this process has had. VmHWM: `ru_maxrss` of a child begins with what its parent had at fork."""
    found = re.search(r"VmHWM:\s+(\d+)", Path("/proc/self/status").read_text())
    assert found
    return int(found[1]) / 1024


def main(stage: str, team_id: str, now: str, *months: str) -> None:
    """Prepare the stage, do it, and say what it cost."""
    settings = Settings.from_environment()
    warehouse = Warehouse(settings.database_url or "")
    run = STAGES[stage](warehouse, settings, team_id, [date.fromisoformat(one) for one in months], moment(now))
    before = peak_mebibytes()
    began, cpu = time.perf_counter(), time.process_time()
    run()
    cost = {
        "wall_seconds": time.perf_counter() - began,
        "cpu_seconds": time.process_time() - cpu,
        "imported_mebibytes": before,
        "peak_mebibytes": peak_mebibytes(),
    }
    print(json.dumps(cost))


def moment(text: str) -> datetime:
    """The time of NOW."""
    return datetime.fromisoformat(text)


if __name__ == "__main__":
    main(*sys.argv[1:])
