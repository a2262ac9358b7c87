"""One answer for everybody who asks at the same time: work in a thread, done once however many wait for it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Hashable
from dataclasses import dataclass
from typing import Generic, TypeVar

from starlette.concurrency import run_in_threadpool

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class _Asked(Generic[T]):
    started_at: float
    task: asyncio.Task[T]


class Shared(Generic[T]):
    """Answers by key, each good for `seconds` from when its work began. For one event loop; errors are not kept."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._asked: dict[Hashable, _Asked[T]] = {}

    async def get(self, key: Hashable, work: Callable[[], T]) -> T:
        """What `work` returned lately, returns now, or is already being asked for. Raises what it raises."""
        now = asyncio.get_running_loop().time()
        self._forget(now)
        asked = self._asked.get(key)
        if asked is None:
            asked = self._asked[key] = _Asked(now, asyncio.create_task(run_in_threadpool(work)))
            asked.task.add_done_callback(_mark_seen)
        return await asyncio.shield(asked.task)

    def _forget(self, now: float) -> None:
        for key, asked in list(self._asked.items()):
            if asked.task.done() and (_has_failed(asked.task) or now - asked.started_at >= self._seconds):
                del self._asked[key]


def _has_failed(task: asyncio.Task[object]) -> bool:
    return task.cancelled() or task.exception() is not None


def _mark_seen(task: asyncio.Task[object]) -> None:
    """Whoever waited has the error; if all of them have gone, nobody need be told."""
    if not task.cancelled():
        task.exception()
