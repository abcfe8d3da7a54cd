"""Run an async function beside the caller, on asyncio and on trio."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Awaitable, Callable

import anyio

from .._http._async import runs_trio

__all__ = ["spawn"]

# asyncio holds its tasks weakly.
_tasks: set[asyncio.Task[None]] = set()


def spawn(function: Callable[[], Awaitable[None]], scope: anyio.CancelScope) -> None:
    """Start an async function that belongs to an object, not to a block of the caller.

    Args:
        function: What to run; it must not raise.
        scope: The scope to run it in, and to cancel it by.

    Raises:
        RuntimeError: No event loop is running.
    """

    async def run() -> None:
        with scope:
            await function()

    if runs_trio():
        sys.modules["trio"].lowlevel.spawn_system_task(run)
        return
    task = asyncio.get_running_loop().create_task(run())
    _tasks.add(task)
    task.add_done_callback(_tasks.discard)
