"""Log messages out of an HTTP body: server-sent events, or plain lines from agents that send those."""

from __future__ import annotations

import json
from io import BytesIO
from itertools import repeat
from typing import Any

from synapse_sdk.streaming._events import Batch, load_object, load_objects

__all__ = ["EventSource"]

_FIELDS = (b"id:", b"event:", b"retry:")
# Bytes of the beginning of an event that are kept for the next read, to be taken with it.
_MAX_REST = 16_384


class EventSource:
    """Cuts the bytes of a body into messages, as they come.

    An event is a message as soon as it is whole JSON; agents that leave out the blank line after it are
    understood. A line that is no field of server-sent events is a message of its own. Of a line beyond
    `max_size` bytes the rest is thrown away as it arrives.
    """

    def __init__(self, *, events: bool, max_size: int) -> None:
        self._events = events
        self._max_size = max_size
        self._rest = b""
        self._line = bytearray()
        self._overflow = False
        # Whether an event has begun. Plain lines have no end that would show where one does.
        self._begun = not events
        self._lost = False
        self._data: list[str] = []
        self._data_size = 0

    @property
    def cut(self) -> bool:
        """Whether the body ended inside an event."""
        return self._lost or bool(self._data)

    @property
    def inside(self) -> bool:
        """Whether a message has begun and is not whole yet."""
        return self._overflow or bool(self._rest or self._line or self._data)

    def receive(self, data: bytes) -> list[Batch]:
        """Take the bytes of one read; give the messages that are whole now."""
        if self._rest:
            data = self._rest + data
            self._rest = b""
        batches: list[Batch] = []
        if self._begun:
            # What the read before left of an event is ended first.
            begin = data.find(b"\n\n") + 2
            if begin < 2:
                begin = len(data)
            self._add(batches, data[:begin])
            data = data[begin:]
        end = data.rfind(b"\n\n") + 2
        if end > 2:
            objects = None if self._begun else _objects(data[:end])
            if objects is None:
                self._add(batches, data[:end])
            else:
                batches.append(Batch(objects))
            data = data[end:]
        if data:
            if not self._begun and len(data) <= min(_MAX_REST, self._max_size) and _is_beginning(data):
                self._rest = data
            else:
                self._add(batches, data)
        return batches

    def event(self, data: bytes) -> dict[str, Any] | None:
        """Give the JSON object that some bytes are, as one whole event, or None; nothing is kept."""
        if self._rest or self._begun:
            return None
        begin = 0 if data.startswith(b"data: ") else data.find(b"\n") + 1
        if data.find(b"\n", begin) != len(data) - 2 or not data.endswith(b"\n\n"):
            return None
        if begin and not (data.startswith(b"id:") and data.startswith(b"data: ", begin)):
            return None
        return load_object(data[begin + 6 : -2])

    def _add(self, batches: list[Batch], data: bytes) -> None:
        texts = self._lines(data)
        if texts:
            batches.append(Batch(None, texts))

    def _lines(self, data: bytes) -> list[str]:
        messages: list[str] = []
        *ended, rest = data.split(b"\n")
        for part in ended:
            if self._line or self._overflow:
                self._extend(part)
                line = bytes(self._line)
                self._line.clear()
                if self._overflow:
                    self._overflow = False
                    self._cut(line, messages)
                    continue
            else:
                line = part
            if self._events:
                line = line.removesuffix(b"\r")
                self._begun = line != b""
            self._take(line, messages)
        if rest:
            self._begun = True
            self._extend(rest)
        return messages

    def end(self, *, cut: bool) -> list[Batch]:
        """The body ended: what is left counts if it is whole.

        Args:
            cut: Whether more was to come, so that an unfinished line is a part of one.
        """
        messages = self._lines(self._rest)
        self._rest = b""
        line = bytes(self._line)
        self._line.clear()
        if self._overflow and not cut:
            self._cut(line, messages)
        elif line.startswith(b"data:") and _is_object(_data(line)):
            self._take(line, messages)
        elif line and not cut and not self._events:
            messages.append(line.decode(errors="replace"))
        else:
            self._lost = line != b""
        if self._data and _is_object("\n".join(self._data)):
            self._flush(messages)
        return [Batch(None, messages)] if messages else []

    def _extend(self, part: bytes) -> None:
        room = self._max_size - len(self._line)
        self._line += part[:room]
        if len(part) > room:
            self._overflow = True

    def _take(self, line: bytes, messages: list[str]) -> None:
        if line.startswith(b"data:"):
            text = _data(line)
            if not self._data:
                if text[:1] != "{" or _is_object(text):
                    messages.append(text)
                    return
            elif _is_object(text):
                self._flush(messages)
                messages.append(text)
                return
            self._data_size += len(text)
            if self._data_size <= self._max_size:
                self._data.append(text)
        elif not line:
            if self._events:
                self._flush(messages)
            else:
                messages.append("")
        elif not (self._events and (line.startswith(_FIELDS) or line[:1] == b":")):
            self._flush(messages)
            messages.append(line.decode(errors="replace"))

    def _flush(self, messages: list[str]) -> None:
        if self._data:
            messages.append("\n".join(self._data))
            self._data.clear()
            self._data_size = 0

    def _cut(self, line: bytes, messages: list[str]) -> None:
        """Make a message of the beginning of an oversize line."""
        self._flush(messages)
        text = line.decode(errors="ignore")
        if line.startswith(b"data:"):
            text = text[5:].lstrip(" ")
        start = text.find('"message":') if text[:1] == "{" else -1
        if start < 0:
            messages.append(text)
            return
        value = text[start + 10 :].lstrip()[1:]
        # Up to twelve characters (an escaped surrogate pair) may be the first part of an escape.
        for missing in range(13):
            try:
                message = json.loads(f'"{value[: len(value) - missing]}"')
            except ValueError:
                continue
            messages.append(json.dumps({"type": "log", "message": message}))
            return
        messages.append(text)  # no JSON string, whatever it looks like


def _is_beginning(data: bytes) -> bool:
    """Tell whether bytes are a part of a line, behind an id or not: there is no message in them yet."""
    newline = data.find(b"\n")
    if newline < 0:
        return True
    return data.startswith(b"id:") and data.find(b"\n", newline + 1) < 0 and newline < len(data) - 1


def _objects(data: bytes) -> list[dict[str, Any]] | None:
    """Give the JSON objects of whole events, or None unless each is a line of data, or an id and that."""
    # Quicker than split() with long lines. The newlines stay; JSON doesn't mind.
    lines = BytesIO(data).readlines()
    # The id of an event only repeats its offset.
    width = 2 if data.startswith(b"data: ") else 3
    payloads = lines[width - 2 :: width]
    count = len(payloads)
    objects = list(map(bytes.removeprefix, payloads, repeat(b"data: ")))
    if (
        len(lines) != width * count
        or sum(map(len, payloads)) - sum(map(len, objects)) != 6 * count
        or set(lines[width - 1 :: width]) != {b"\n"}
        or (width == 3 and b"\n".join([b"", *lines[::3]]).count(b"\nid:") != count)
    ):
        return None
    return load_objects(objects)


def _data(line: bytes) -> str:
    """Give the text of a line of data."""
    return line[6 if line[5:6] == b" " else 5 :].decode(errors="replace")


def _is_object(text: str) -> bool:
    if text[:1] != "{" or text.rstrip()[-1:] != "}":
        return False
    # Most events are one line that ends with its object; only for others is a parse worth it.
    try:
        return isinstance(json.loads(text), dict)
    except (ValueError, RecursionError):
        return False
