"""The sandbox's teams and the real ones in one folder: only those of the world that `up` talks to are active.

Without this, a real team would be asked for in the sandbox, which does not know it, and the demo team at GitHub.
"""

from __future__ import annotations

import json
from pathlib import Path

from historical_sync.warehouse import registry
from historical_sync.warehouse.postgres import Transaction

SANDBOX, REAL = "sandbox", "real"


def enter(tx: Transaction, home: Path, world: str) -> list[str]:
    """Make `world` the one that this folder works in; returns the teams of the other one, which now sleep (paused).

    Those that had slept since the last change wake up. A team that a person paused stays paused.
    """
    note = home / "world.json"
    before = json.loads(note.read_text()) if note.exists() else {"world": world, "asleep": []}
    if before["world"] == world:
        note.write_text(json.dumps(before))
        return []
    statuses = {team.team_id: team.status for team in registry.list_teams(tx)}
    falling_asleep = [team_id for team_id, status in statuses.items() if status == "active"]
    for team_id in falling_asleep:
        registry.set_status(tx, team_id, "paused")
    for team_id in before["asleep"]:
        if statuses.get(team_id) == "paused":
            registry.set_status(tx, team_id, "active")
    note.write_text(json.dumps({"world": world, "asleep": falling_asleep}))
    return falling_asleep
