"""Cut a body of server-sent events into messages, or one of plain lines."""

from __future__ import annotations

import codecs
import json
from io import BytesIO
from itertools import repeat
from typing import Any

from ._messages import Batch, load_objects

__all__ = ["EventSource"]

_BYTE_ORDER_MARK = b"\xef\xbb\xbf"
_LF, _CR = b"\n\r"
_FIELDS = (b"data:", b"id:", b"event:", b"retry:", b":")
_LONGEST_FIELD = max(map(len, _FIELDS))
# Bytes of the beginning of an event that are kept for the next read, to be taken with it.
_MAX_REST = 16_384


class EventSource:
    """Cuts the bytes of a body into messages, as they come.

    The line of a field ends with CR, LF or both. An event is a message as soon as it is whole JSON, so the
    blank line after it may be missing. A line that is not a field is a message by itself, and only LF ends
    it, since progress bars write CRs into their lines. Of a line beyond `max_size` bytes the rest is thrown
    away as it arrives.

    Args:
        max_size: Bytes that are kept of a line, and of an event over several lines.
        max_dropped: Log bytes of one line that may be thrown away before `too_long`; None for any number.
    """

    def __init__(self, *, max_size: int, max_dropped: int | None = None) -> None:
        self._max_size = max_size
        self._max_dropped = max_dropped
        self._at_start = True
        self._unread = b""
        # The line that has begun. Whether it is a field is None until its first bytes show it.
        self._line = bytearray()
        self._field: bool | None = None
        self._returns = 0  # CRs before it: blank lines before a field, else a part of the line
        self._overflow = False
        self._dropped = 0
        self._after_return = False  # whether an LF now belongs to the CR before
        self._in_event = False  # whether the line before was a field
        self._data: list[str] = []
        self._data_size = 0
        self._lost = False
        self.too_long = False
        """Whether a line is longer than may be thrown away. What follows is not looked at."""

    @property
    def cut(self) -> bool:
        """Whether the body ended inside an event."""
        return self._lost or bool(self._data)

    @property
    def inside(self) -> bool:
        """Whether a message has begun and is not whole yet."""
        return bool(self._unread or self._line or self._data)

    def receive(self, data: bytes) -> list[Batch]:
        """Take the bytes of one read; return the messages that are whole now."""
        if self._unread:
            data = self._unread + data
            self._unread = b""
        if self._at_start:
            if _BYTE_ORDER_MARK.startswith(data):
                self._unread = data
                return []
            data = data.removeprefix(_BYTE_ORDER_MARK)
            self._at_start = False
        batches: list[Batch] = []
        if self._in_event or self._line or self._returns or self._after_return:
            # End the event that has begun, so that those after it can be taken together.
            begin = data.find(b"\n\n") + 2
            if begin < 2:
                begin = len(data)
            self._add(batches, data[:begin])
            data = data[begin:]
        end = data.rfind(b"\n\n") + 2
        if end > 1:
            objects = _objects(data[:end]) if end <= self._max_size else None
            if objects is None:
                self._add(batches, data[:end])
            else:
                batches.append(Batch(objects))
            data = data[end:]
        if not data:
            return batches
        if len(data) <= min(_MAX_REST, self._max_size) and _is_beginning(data):
            self._unread = data
        else:
            self._add(batches, data)
        return batches

    def end(self, *, cut: bool) -> list[Batch]:
        """Return what is left at the end of the body, if it is whole.

        Args:
            cut: Whether more was to come, so that an unfinished line is a part of one.
        """
        messages = self._lines(self._unread)
        self._unread = b""
        line = bytes(self._line)
        if (self._overflow and not cut) or (line.startswith(b"data:") and _is_object(_data(line))):
            self._end_line(messages)
        else:
            self._lost = line != b""
        if self._data and _is_object("\n".join(self._data)):
            self._flush(messages)
        return [Batch(None, messages)] if messages else []

    def _add(self, batches: list[Batch], data: bytes) -> None:
        texts = self._lines(data)
        if texts:
            batches.append(Batch(None, texts))

    # --- lines

    def _lines(self, data: bytes) -> list[str]:
        messages: list[str] = []
        start, size = 0, len(data)
        while start < size and not self.too_long:
            if self._after_return:
                self._after_return = False
                if data[start] == _LF:
                    start += 1
                    continue
            if self._field is None:
                if data[start] == _CR and not self._line and not self._in_event:
                    self._returns += 1
                    start += 1
                    continue
                self._recognise_field(bytes(self._line) + data[start : start + _LONGEST_FIELD])
            end = data.find(b"\n", start)
            if end < 0:
                end = size
            if self._field is not False:
                found = data.find(b"\r", start, end)
                end = end if found < 0 else found
            self._extend(data[start:end])
            if end < size and not self.too_long:
                self._after_return = data[end] == _CR
                self._end_line(messages)
            start = end + 1
        return messages

    def _recognise_field(self, begin: bytes) -> None:
        """Decide by its first bytes whether a line is a field, if they show it."""
        if begin.startswith(_FIELDS):
            self._field = True
        elif begin[0] not in (_LF, _CR) and not any(field.startswith(begin) for field in _FIELDS):
            self._field = False
            self._line[:0] = b"\r" * min(self._returns, self._max_size)

    def _extend(self, part: bytes) -> None:
        room = max(0, self._max_size - len(self._line))
        self._line += part[:room]
        if len(part) <= room:
            return
        self._overflow = True
        # In JSON, six bytes from a backslash on may be a single one of the log, so count no more than that.
        for index, run in enumerate(part[room:].split(b"\\")):
            self._dropped += len(run) - 5 * (index > 0)
            if self._max_dropped is not None and self._dropped > self._max_dropped:
                self.too_long = True

    def _end_line(self, messages: list[str]) -> None:
        line, field, overflow = bytes(self._line), self._field, self._overflow
        self._line.clear()
        self._field = None
        self._returns = self._dropped = 0
        self._overflow = False
        self._in_event = field is True
        if field is None:
            self._flush(messages)
        elif field is False:
            self._flush(messages)
            messages.append(
                _shortened(line) if overflow else line.removesuffix(b"\r").decode(errors="replace")
            )
        elif line.startswith(b"data:"):
            if overflow:
                self._flush(messages)
                messages.append(_shortened(line.removeprefix(b"data:").removeprefix(b" ")))
            else:
                self._take(_data(line), messages)

    # --- events

    def _take(self, text: str, messages: list[str]) -> None:
        """Take the text of a line of data."""
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

    def _flush(self, messages: list[str]) -> None:
        if self._data:
            messages.append("\n".join(self._data))
            self._data.clear()
            self._data_size = 0


def _is_beginning(data: bytes) -> bool:
    """Return whether bytes are a part of a line, behind an id or not, so they have no message yet."""
    if b"\r" in data:
        return False
    newline = data.find(b"\n")
    if newline < 0:
        return True
    return data.startswith(b"id:") and data.find(b"\n", newline + 1) < 0 and newline < len(data) - 1


def _shortened(line: bytes) -> str:
    """Return the message that the beginning of an oversize line is: its log text, if it is a log event."""
    # Not final, so that a character cut in two is left out.
    text = codecs.getincrementaldecoder("utf-8")("replace").decode(line)
    start = text.find('"message":') if text[:1] == "{" else -1
    if start < 0:
        return text
    value = text[start + 10 :].lstrip()[1:]
    # Up to twelve characters (an escaped surrogate pair) may be the first part of an escape.
    for missing in range(13):
        try:
            message = json.loads(f'"{value[: len(value) - missing]}"')
        except ValueError:
            continue
        return json.dumps({"type": "log", "message": message})
    return text  # not a JSON string after all


def _objects(data: bytes) -> list[dict[str, Any]] | None:
    """Return the JSON objects of whole events, or None unless each is a line of data, or an id and that."""
    if b"\r" in data:
        return None
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
    """Return the text of a line of data."""
    return line[6 if line[5:6] == b" " else 5 :].decode(errors="replace")


def _is_object(text: str) -> bool:
    if text[:1] != "{" or text.rstrip()[-1:] != "}":
        return False
    # Most events are one line that ends with its object; only for others is a parse worth it.
    try:
        return isinstance(json.loads(text), dict)
    except (ValueError, RecursionError):
        return False
