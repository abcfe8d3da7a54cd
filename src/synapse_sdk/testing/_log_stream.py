"""The events of one tail of a fake job's log, and how each protocol frames them. No I/O."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import TYPE_CHECKING, Literal

from websockets.frames import Frame, Opcode

if TYPE_CHECKING:
    from ._faults import Drop
    from ._job_record import Event, JobRecord

__all__ = ["LogStream", "sse", "websocket_frame"]

# Bytes above which a line is sent in parts, as by a real agent.
_PIECE = 65_536
# Bytes that are framed at once.
_BLOCK = 262_144


class LogStream:
    """One tail's way through a log.

    Args:
        job: Whose log it is.
        offset: How many of the log's bytes to leave out.
        frame: What makes an event's bytes.
        offsets: Whether the events tell their offset.
        live: Behind how many of the log's bytes the events tell when their text was written; None where they
            don't, nor where the stream begins.
        drop: Where the stream shall break, if it shall.
    """

    def __init__(
        self,
        job: JobRecord,
        offset: int,
        frame: Callable[[Event], bytes],
        *,
        offsets: bool,
        live: int | None,
        drop: Drop | None,
    ) -> None:
        self.job = job
        self.ended: Literal["complete", "failed", "dropped"] | None = None
        self.drop = drop
        self._at = offset
        self._live = live
        self._frame = frame
        self._offsets = offsets
        self._lines = 0
        self._sent = 0
        self._begun = False

    def take(self) -> bytes:
        """Return the bytes to send now, possibly none; `ended` is None while more may follow."""
        parts: list[bytes] = []
        if not self._begun:
            self._begun = True
            connected: dict[str, object] = {"type": "connected"}
            parts.append(self._frame(connected if self._live is None else connected | {"offset": self._at}))
        self._fill(parts)
        return self._cut(b"".join(parts))

    def heartbeat(self) -> bytes:
        """Return a heartbeat event."""
        return self._frame({"type": "heartbeat"})

    def _fill(self, parts: list[bytes]) -> None:
        job = self.job
        size = 0
        while size < _BLOCK and self.ended is None and not self._used_up(parts):
            event = job.events[0] if job.events else None
            limit = len(job.data) if event is None else event.position
            message = self._message(limit)
            if message is not None:
                parts.append(self._frame(message))
                size += len(parts[-1])
                self._lines += 1
            elif event is not None:
                job.events.popleft()
                parts.append(self._frame(event.event))
                size += len(parts[-1])
                if not isinstance(event.event, str) and event.event.get("type") == "error":
                    self.ended = "failed"
            elif job.over:
                parts.append(self._frame({"type": "complete", "status": str(job.status)}))
                self.ended = "complete"
            else:
                return

    def _message(self, limit: int) -> Event | None:
        """Return the line that is complete by `limit`, and advance past it."""
        data, start = self.job.data, self._at
        newline = data.find(b"\n", start, limit)
        if newline >= 0:
            end, behind = newline, newline + 1
        elif start < limit and (self.job.over or limit - start > _PIECE):
            end = behind = limit
        else:
            return None
        if self._offsets and end - start > _PIECE:
            end = behind = _character_end(data, start + _PIECE)
        self._at = behind
        text = data[start:end].decode("utf-8", "replace")
        message: dict[str, object] = {"type": "log", "message": text}
        if self._live is not None and start >= self._live:
            message["time"] = self.job.written(behind)
        return message | {"offset": behind} if self._offsets else message

    def _used_up(self, parts: list[bytes]) -> bool:
        drop = self.drop
        if drop is None:
            return False
        lines = drop.lines is not None and self._lines >= drop.lines
        if lines or (drop.size is not None and self._sent + sum(map(len, parts)) >= drop.size):
            self.ended = "dropped"
        return self.ended is not None

    def _cut(self, data: bytes) -> bytes:
        drop = self.drop
        if drop is not None and drop.size is not None and self._sent + len(data) >= drop.size:
            data = data[: drop.size - self._sent]
            self.ended = "dropped"
        self._sent += len(data)
        return data


def _character_end(data: bytearray, end: int) -> int:
    for back in range(4):
        if data[end - back] & 0xC0 != 0x80:
            return end - back
    return end


def websocket_frame(event: Event) -> bytes:
    """Return a text frame with an event."""
    text = event if isinstance(event, str) else json.dumps(event)
    return Frame(Opcode.TEXT, text.encode("utf-8", "surrogatepass")).serialize(mask=False)


def sse(event: Event, *, ids: bool) -> bytes:
    """Return a server-sent event, with its offset as the id if `ids`; a text becomes a line."""
    if isinstance(event, str):
        return f"{event}\n".encode("utf-8", "surrogatepass")
    offset = event.get("offset") if ids else None
    head = "" if offset is None else f"id: {offset}\n"
    return f"{head}data: {json.dumps(event)}\n\n".encode()
