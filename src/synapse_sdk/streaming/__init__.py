"""Live log streams: a core without I/O (`_tail`, `_log`, `_sse`, `_websocket`) and its two shells."""

from synapse_sdk.streaming._async import AsyncLogStream
from synapse_sdk.streaming._sync import LogStream

__all__ = ["AsyncLogStream", "LogStream"]
