"""Live log streams: a core without I/O (`_tail`, `_log`, `_sse`, `_websocket`, ...) and its two shells."""

from synapse_sdk.streaming._async import AsyncLogStream
from synapse_sdk.streaming._many_async import AsyncManyLogStream
from synapse_sdk.streaming._many_sync import ManyLogStream
from synapse_sdk.streaming._start import StreamStart, StreamStarts
from synapse_sdk.streaming._stream_event import StreamEvent
from synapse_sdk.streaming._sync import LogStream

__all__ = [
    "AsyncLogStream",
    "AsyncManyLogStream",
    "LogStream",
    "ManyLogStream",
    "StreamEvent",
    "StreamStart",
    "StreamStarts",
]
