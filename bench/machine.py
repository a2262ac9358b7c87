"""What the numbers were taken on. No paths, no host names."""

from __future__ import annotations

import os
import platform
from datetime import UTC, datetime
from typing import Any

import psutil

from historical_sync.warehouse import programs


def facts() -> dict[str, Any]:
    """Cores, memory, versions, and how busy the machine is now (the load of the last minute)."""
    return {
        "measured_at": datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC"),
        "cores": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count(),
        "memory_gibibytes": round(psutil.virtual_memory().total / 2**30),
        "system": f"{platform.system()} {platform.machine()}",
        "python": platform.python_version(),
        "postgresql": programs.version(),
        "load_before": round(os.getloadavg()[0], 1),
    }


def load() -> float:
    """The load of the last minute."""
    return round(os.getloadavg()[0], 1)
