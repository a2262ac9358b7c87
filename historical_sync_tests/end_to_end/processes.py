"""Processes as tests see and kill them; one may end by itself between any two looks, and that is never an error."""

from __future__ import annotations

import time
from collections.abc import Iterable
from contextlib import suppress

import psutil


def command_line(process: psutil.Process) -> str:
    """As `ps` shows it; empty when the process has ended."""
    try:
        return " ".join(process.cmdline())
    except psutil.NoSuchProcess:
        return ""


def family(pid: int) -> list[psutil.Process]:
    """A process and all below it; nothing when it has ended."""
    try:
        parent = psutil.Process(pid)
        return [parent, *parent.children(recursive=True)]
    except psutil.NoSuchProcess:
        return []


def kill_all(processes: Iterable[psutil.Process]) -> None:
    """kill -9 of each, in this order, and wait until they are gone."""
    victims = list(processes)
    for victim in victims:
        with suppress(psutil.NoSuchProcess):
            victim.kill()
    deadline = time.monotonic() + 10
    while any(_is_alive(victim) for victim in victims) and time.monotonic() < deadline:
        time.sleep(0.05)  # psutil's own waiting stumbles over a process that ends between its two looks


def _is_alive(process: psutil.Process) -> bool:
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False
