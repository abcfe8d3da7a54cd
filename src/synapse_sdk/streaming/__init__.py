"""Live log streams: a core without I/O (`_tail`, `_log`, `_sse`, `_websocket`, ...) and its two shells."""

from ._async import AsyncLogStream
from ._many_async import AsyncManyLogStream
from ._many_sync import ManyLogStream
from ._notifications import StreamEvent
from ._start import StreamStart, StreamStarts
from ._sync import LogStream

__all__ = [
    "AsyncLogStream",
    "AsyncManyLogStream",
    "LogStream",
    "ManyLogStream",
    "StreamEvent",
    "StreamStart",
    "StreamStarts",
]
