"""What the numbers were taken on. No paths, no host names."""

from __future__ import annotations

import os
import platform
import time
from datetime import UTC, datetime
from typing import Any

import psutil

from historical_sync.warehouse import programs


def facts() -> dict[str, Any]:
    """Cores, memory, versions, and how busy and how fast the machine is now."""
    return {
        "measured_at": datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC"),
        "cores": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count(),
        "memory_gibibytes": round(psutil.virtual_memory().total / 2**30),
        "system": f"{platform.system()} {platform.machine()}",
        "python": platform.python_version(),
        "postgresql": programs.version(),
        "before": pace(),
    }


def pace() -> dict[str, float]:
    """The load of the last minute, and the CPU seconds of `loop_seconds`."""
    return {"load": round(os.getloadavg()[0], 1), "loop_seconds": loop_seconds()}


def loop_seconds() -> float:
    """CPU seconds of a fixed loop of Python: a shared machine's cores are not equally fast at every hour."""
    began, total = time.process_time(), 0
    for number in range(3_000_000):
        total += number * number % 7
    return round(time.process_time() - began, 2)
