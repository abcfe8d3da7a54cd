"""Cut the part of a log that `get_job_logs` asks for out of a whole log, in bounded memory. No I/O."""

from __future__ import annotations

import codecs
import json
import re
from collections import deque
from collections.abc import Mapping
from typing import TYPE_CHECKING, cast

from .._exceptions import HTTPError, ServerError, ValidationError
from .._http._errors import media_type

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["LogWindow", "WindowReader", "continues_character", "last_lines"]

_OFFSET_HEADER = "synapse-log-offset"
_PARAMETERS = ("tail", "offset", "limit_bytes")
# The first half of a surrogate pair at the end of a JSON text; the other half may follow.
_HIGH_SURROGATE = re.compile(r"\\u[dD][89abAB][0-9a-fA-F]{2}\Z")
# Characters of the longest escape in a JSON string.
_ESCAPE = 6
_WHITE = b" \t\r\n"


class LogWindow:
    """The later of the last `tail` lines and what follows `offset` bytes, of that `limit_bytes` at most.

    Raises:
        ValidationError: 400, a parameter is not a whole number of at least 0.
    """

    __slots__ = ("limit_bytes", "offset", "tail")

    def __init__(self, query: Mapping[str, object]) -> None:
        self.tail: int | None = _number(query, "tail")
        self.offset: int = _number(query, "offset") or 0
        self.limit_bytes: int | None = _number(query, "limit_bytes")

    @classmethod
    def of(cls, query: Mapping[str, object]) -> LogWindow | None:
        """Return the window that a query names, or None where it asks for the whole log."""
        return cls(query) if any(query.get(name) is not None for name in _PARAMETERS) else None

    def start(self, headers: Mapping[str, str]) -> int | None:
        """Return where the window begins if the agent has cut it out itself, else None."""
        text = headers.get(_OFFSET_HEADER, "").strip()
        return int(text) if text.isascii() and text.isdecimal() and len(text) <= 18 else None


class WindowReader:
    """Cuts a window out of the body of a response with the whole log, as the body arrives.

    Its memory is bounded by the window, unless the body is neither a text nor a JSON string.

    Args:
        window: The window to cut out.
        headers: The headers of the response.
    """

    def __init__(self, window: LogWindow, headers: Mapping[str, str]) -> None:
        self._cutter = _Cutter(window)
        kind = media_type(headers)
        self._json = kind == "application/json" or kind.endswith("+json")
        self._decode: Callable[[bytes, bool], str] | None = None
        self._whole: list[bytes] | None = None
        self._error: ValueError | None = None
        if not kind:
            self._whole = []
        elif not self._json:
            self._decode = _text_decoder(headers)

    @property
    def full(self) -> bool:
        """Whether the rest of the body is not needed."""
        return self._cutter.full or self._error is not None

    def feed(self, data: bytes) -> None:
        """Add the next bytes of the body; `body` raises an error for invalid ones."""
        if self.full:
            return
        if self._whole is not None:
            self._whole.append(data)
        elif self._decode is not None:
            self._cutter.feed(self._decoded(data))
        elif start := data.lstrip(_WHITE):
            if start.startswith(b'"'):
                self._decode = _JsonString().decode
                self._cutter.feed(self._decoded(start[1:]))
            else:
                self._whole = [data]

    def body(self) -> bytes:
        """Return the window as JSON, or the body itself if it is not a text.

        Raises:
            HTTPError: 416, the log is shorter than the offset.
            ServerError: 200, the body is not JSON although its content type says so.
        """
        if self._whole is not None:
            body = b"".join(self._whole)
            text = self._text(body)
            if text is None:
                return body
            self._cutter.feed(text)
        elif self._decode is None:
            return b""
        elif not self.full:
            self._cutter.feed(self._decoded(b"", final=True))
        if self._error is not None:
            raise ServerError(200, "the answer can't be used: it is not JSON") from self._error
        return json.dumps(self._cutter.window().decode("utf-8", "replace")).encode()

    def start(self) -> int:
        """Return where the window begins in the log, once the whole body was fed.

        Raises:
            ClientError: As `body` does.
        """
        self.body()
        return self._cutter.size - len(self._cutter.window())

    def _decoded(self, data: bytes, *, final: bool = False) -> str:
        assert self._decode is not None
        try:
            return self._decode(data, final)
        except ValueError as exc:
            self._error = exc
            return ""

    def _text(self, body: bytes) -> str | None:
        """Return the text in a body that was read whole, or None."""
        try:
            value: object = json.loads(body)
        except (ValueError, RecursionError):
            return None if self._json or not body else body.decode("utf-8", "replace")
        if isinstance(value, dict):
            value = cast("dict[str, object]", value).get("logs")
        if isinstance(value, str):
            return value
        # Without a content type, "42" is a text.
        return None if self._json else body.decode("utf-8", "replace")


class _Cutter:
    """Receives a log in pieces, and keeps those that may belong to the window."""

    def __init__(self, window: LogWindow) -> None:
        self._window = window
        self._skip = window.offset
        self.size = 0
        """Bytes of the log so far."""
        self._pieces: deque[bytes] = deque()
        self._held = 0
        self._newlines = 0

    @property
    def full(self) -> bool:
        window = self._window
        return window.tail is None and window.limit_bytes is not None and self._held > window.limit_bytes

    def feed(self, text: str) -> None:
        data = text.encode("utf-8", "replace")
        self.size += len(data)
        if self._skip:
            skipped = min(self._skip, len(data))
            self._skip -= skipped
            data = data[skipped:]
        if not data or self.full:
            return
        self._pieces.append(data)
        self._held += len(data)
        if self._window.tail is not None:
            self._newlines += data.count(b"\n")
            self._drop(self._window.tail)

    def _drop(self, tail: int) -> None:
        """Drop pieces before the window: enough lines follow, or enough bytes."""
        limit = self._window.limit_bytes
        while len(self._pieces) > 1:
            first = self._pieces[0]
            newlines = first.count(b"\n")
            enough = limit is not None and self._held - len(first) > limit
            # One more than `tail`, because the last one may end the log.
            if self._newlines - newlines <= tail and not enough:
                return
            self._pieces.popleft()
            self._held -= len(first)
            self._newlines -= newlines

    def window(self) -> bytes:
        """Return the window.

        Raises:
            HTTPError: 416, the log is shorter than the offset.
        """
        if self._skip:
            raise HTTPError(416, f"the log has fewer than {self._window.offset} bytes")
        data, window = b"".join(self._pieces), self._window
        if window.tail is not None:
            data = data[last_lines(data, window.tail) :]
        limit = window.limit_bytes
        if limit is not None and len(data) > limit:
            if window.tail is None:
                ends = range(limit, max(limit - 4, -1), -1)
                end = next((end for end in ends if not continues_character(data, end)), limit)
                data = data[: end or limit]
            else:
                start = len(data) - limit
                data = data[
                    next((start + n for n in range(4) if not continues_character(data, start + n)), start) :
                ]
        return data


class _JsonString:
    """Decodes the content of a JSON string in pieces, up to its closing quotation mark."""

    def __init__(self) -> None:
        self._bytes = codecs.getincrementaldecoder("utf-8")()
        self._rest = ""

    def decode(self, data: bytes, final: bool) -> str:
        text = self._rest + self._bytes.decode(data, final)
        if final:
            self._rest = ""
            value: object = json.loads(f'"{text}')
            return cast("str", value)
        # Keep the end of the string, or an incomplete escape, for the next piece.
        last = len(text.rstrip(" \t\r\n")) - 1
        if last >= 0 and text[last] == '"' and not _is_escaped(text, last):
            end, self._rest = last, '"'
        else:
            end = _before_escape(text, len(text))
            self._rest = text[end:]
        value = json.loads(f'"{text[:end]}"')
        return cast("str", value)


def _is_escaped(text: str, at: int) -> bool:
    """Return whether an odd number of backslashes stands before a character."""
    return (at - len(text[:at].rstrip("\\"))) % 2 == 1


def _before_escape(text: str, end: int) -> int:
    """Return where the last escape before `end` begins, unless that is certainly whole."""
    backslash = text.rfind("\\", max(0, end - _ESCAPE), end)
    if backslash >= 0 and not _is_escaped(text, backslash):
        end = backslash
    if _HIGH_SURROGATE.search(text, max(0, end - _ESCAPE), end):
        return _before_escape(text, end - 1)
    return end


def _text_decoder(headers: Mapping[str, str]) -> Callable[[bytes, bool], str]:
    charset = re.search(r'charset="?([^";\s]+)', headers.get("content-type", ""), re.IGNORECASE)
    try:
        return codecs.getincrementaldecoder(charset[1] if charset else "utf-8")("replace").decode
    except LookupError:
        return codecs.getincrementaldecoder("utf-8")("replace").decode


def last_lines(data: bytes | bytearray, count: int) -> int:
    """Return where the last lines begin; an unfinished one at the end is a line."""
    if not count:
        return len(data)
    start = len(data) - data.endswith(b"\n")
    for _ in range(count):
        start = data.rfind(b"\n", 0, start)
        if start < 0:
            return 0
    return start + 1


def continues_character(data: bytes | bytearray, at: int) -> bool:
    """Return whether the byte there belongs to a character that begins before it."""
    return at < len(data) and data[at] & 0xC0 == 0x80


def _number(query: Mapping[str, object], name: str) -> int | None:
    value = query.get(name)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        raise ValidationError(400, f"{name} must be a whole number of at least 0")
    return value
