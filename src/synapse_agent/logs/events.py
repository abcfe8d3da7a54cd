"""The events of a log stream, in the framing of either transport. No I/O."""

from __future__ import annotations

import json
from collections.abc import Iterable
from json.encoder import encode_basestring_ascii

from .lines import Message

__all__ = ["sse", "sse_lines", "websocket_lines"]


def websocket_lines(messages: Iterable[Message], *, time: float | None = None) -> bytes:
    """Return complete, unmasked WebSocket text frames, joined.

    One write for many frames is what makes a fast log fast. The payload is ASCII, so that payload and
    header bytes can be encoded as latin-1 together.
    """
    parts: list[str] = []
    tail = _tail(time)
    for text, offset in messages:
        payload = f'{{"type":"log","message":{encode_basestring_ascii(text)},"offset":{offset}{tail}}}'
        size = len(payload)
        if size < 126:
            header = chr(size)
        elif size < 65_536:
            header = "\x7e" + size.to_bytes(2, "big").decode("latin-1")
        else:
            header = "\x7f" + size.to_bytes(8, "big").decode("latin-1")
        parts.append(f"\x81{header}{payload}")
    return "".join(parts).encode("latin-1")


def sse_lines(messages: Iterable[Message], *, ids: bool = True, time: float | None = None) -> bytes:
    """Return events, joined; each has its offset as its id, unless the client would print ids."""
    escape = encode_basestring_ascii
    tail = _tail(time)
    return "".join(
        f"{f'id: {offset}' + chr(10) if ids else ''}"
        f'data: {{"type":"log","message":{escape(text)},"offset":{offset}{tail}}}\n\n'
        for text, offset in messages
    ).encode("ascii")


def _tail(time: float | None) -> str:
    return "" if time is None else f',"time":{time:.3f}'


def sse(event: dict[str, object], *, ids: bool = False) -> bytes:
    """Return one event, with its offset, if it has one, as its id."""
    name = f"id: {event['offset']}\n" if ids and "offset" in event else ""
    return f"{name}data: {json.dumps(event)}\n\n".encode("ascii")
