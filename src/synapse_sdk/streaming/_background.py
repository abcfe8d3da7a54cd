"""Running something beside the caller, on asyncio and on trio."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Awaitable, Callable

import anyio

__all__ = ["spawn"]

# asyncio holds its tasks weakly.
_tasks: set[asyncio.Task[None]] = set()


def spawn(function: Callable[[], Awaitable[None]], scope: anyio.CancelScope) -> None:
    """Start an async function that belongs to an object, not to a block of the caller; it must not raise.

    Args:
        function: What to run.
        scope: What it runs in, to cancel it by.

    Raises:
        RuntimeError: Outside of an event loop.
    """

    async def run() -> None:
        with scope:
            await function()

    trio = sys.modules.get("trio")
    if trio is not None:
        try:
            trio.lowlevel.current_task()
        except RuntimeError:
            pass
        else:
            trio.lowlevel.spawn_system_task(run)
            return
    task = asyncio.get_running_loop().create_task(run())
    _tasks.add(task)
    task.add_done_callback(_tasks.discard)
