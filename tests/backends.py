"""The names of what runs a client: nothing for the synchronous one, else an event loop."""

from typing import Literal

__all__ = ["BACKENDS", "Backend"]

Backend = Literal["sync", "asyncio", "trio"]

BACKENDS: tuple[Backend, ...] = ("sync", "asyncio", "trio")
