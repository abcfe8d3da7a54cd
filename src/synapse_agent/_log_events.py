"""The events of a log stream, in the framing of either transport. No I/O."""

from __future__ import annotations

import json
from collections.abc import Iterable
from json.encoder import encode_basestring_ascii

from synapse_agent._log_lines import Message

__all__ = ["sse", "sse_lines", "websocket_lines"]


def websocket_lines(messages: Iterable[Message]) -> bytes:
    """Complete WebSocket text frames, unmasked as a server's are, in one piece.

    One write for many frames is what makes a fast log fast. The text is ASCII, so that its
    characters and the bytes of the headers go through latin-1 together.
    """
    parts: list[str] = []
    for text, offset in messages:
        payload = f'{{"type":"log","message":{encode_basestring_ascii(text)},"offset":{offset}}}'
        size = len(payload)
        if size < 126:
            header = chr(size)
        elif size < 65_536:
            header = "\x7e" + size.to_bytes(2, "big").decode("latin-1")
        else:
            header = "\x7f" + size.to_bytes(8, "big").decode("latin-1")
        parts.append(f"\x81{header}{payload}")
    return "".join(parts).encode("latin-1")


def sse_lines(messages: Iterable[Message], *, ids: bool = True) -> bytes:
    """Events in one piece, with the offset as their id unless the reader can't tell one from a log line."""
    escape = encode_basestring_ascii
    return "".join(
        f"{f'id: {offset}' + chr(10) if ids else ''}"
        f'data: {{"type":"log","message":{escape(text)},"offset":{offset}}}\n\n'
        for text, offset in messages
    ).encode("ascii")


def sse(event: dict[str, object]) -> bytes:
    return f"data: {json.dumps(event)}\n\n".encode("ascii")
