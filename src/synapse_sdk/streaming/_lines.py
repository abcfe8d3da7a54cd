"""The lines of a stream: text comes in, whole lines come out, within limits."""

from __future__ import annotations

from collections import deque
from itertools import groupby
from typing import TYPE_CHECKING, NamedTuple

from .._exceptions import StreamLimitExceededError

if TYPE_CHECKING:
    from .._limits import StreamLimits

__all__ = ["TRUNCATION_MARK", "LineBuffer", "size_of"]

TRUNCATION_MARK = "…[truncated]"
_UNITS = {"max_lines": "lines", "max_messages": "WebSocket messages", "max_bytes": "log bytes"}


class LineBuffer:
    """The lines received and not yet handed out, and the counts of those that were.

    Args:
        limits: The limits of the stream.
    """

    def __init__(self, limits: StreamLimits) -> None:
        self.lines: deque[str] = deque()
        self.limits = limits
        self.received_lines: int = 0
        self.received_bytes: int = 0
        """Log bytes up to and including the last whole line, newlines included."""
        self.truncated_lines: int = 0
        self.messages: int = 0
        self._max_lines: int | None = None
        self._max_messages: int | None = None
        self._unfinished = ""
        self._unfinished_size = 0
        self._unfinished_return = False  # whether it ends with CR so far
        self._ends: list[int] = []  # log bytes up to and including each of the latest lines
        self._delivered_bytes = self._previous_bytes = 0
        self._times: deque[_Arrival] = deque()
        self._final: _Delivered | None = None

    def connect(self, *, websocket: bool) -> None:
        """Apply the totals of a protocol: messages over a WebSocket, lines over HTTP."""
        self._max_lines = None if websocket else self.limits.max_lines
        self._max_messages = self.limits.max_messages if websocket else None

    # --- text

    @property
    def is_inside_line(self) -> bool:
        """Whether a line has begun and is not whole yet."""
        return self._unfinished_size > 0

    def count_message(self) -> None:
        """Count a message.

        Raises:
            StreamLimitExceededError: 429, it is one too many.
        """
        self._check(messages=1)
        self.messages += 1

    def add(self, text: str, surplus: int = 0) -> None:
        """Add text that has its own newlines, and may end inside a line.

        Args:
            text: The text.
            surplus: Bytes by which the text is longer in the log.

        Raises:
            StreamLimitExceededError: 429; what is within the limits was added.
        """
        self.received_bytes += surplus
        newline = text.find("\n")
        if newline < 0:
            self._continue(text)
        elif newline == len(text) - 1 and not self._unfinished_size:
            line = text[:-1]
            self._add_line(line, size_of(line), ends_in_return=line.endswith("\r"))
        else:
            *whole, rest = text.split("\n")
            for line in whole:
                if self._unfinished_size:
                    self._continue(line)
                    self._end_line()
                else:
                    self._add_line(line, size_of(line), ends_in_return=line.endswith("\r"))
            if rest:
                self._continue(rest)

    def add_lines(
        self, lines: list[str], sizes: list[int], ends: list[int], times: list[float | None] | None
    ) -> bool:
        """Add whole lines, a message each; or add none and return False if a limit is too near.

        Args:
            lines: The lines, without newlines at their ends.
            sizes: Their sizes in bytes.
            ends: Where in the log each ends, newline included.
            times: When the agent read each.
        """
        count = len(lines)
        shift = self.received_bytes - ends[0] + sizes[0] + 1
        if shift:
            ends = [end + shift for end in ends]
        if max(sizes) > self.limits.max_message_size or self._exceeded(
            lines=count, messages=count, end=ends[-1]
        ):
            return False
        if times is not None:
            begin = self.received_lines
            for time, run in groupby(times):
                end = begin + len(list(run))
                self.note_time(begin, end, time)
                begin = end
        self.lines.extend(lines)
        self._ends += ends
        self.received_bytes = ends[-1]
        self.received_lines += count
        self.messages += count
        return True

    def skip(self, size: int) -> None:
        """Count log bytes that belong to no line of this stream."""
        self.received_bytes += size

    def end(self) -> None:
        """End the log: a last line without a newline is a line.

        Raises:
            StreamLimitExceededError: 429.
        """
        if self._unfinished_size:
            self._end_line(newline=0)

    def _continue(self, text: str) -> None:
        """Hold the beginning of a line; of an endless one no more than its cut needs."""
        room = self.limits.max_message_size + 2 - len(self._unfinished)
        if room > 0:
            self._unfinished += text[:room]
        self._unfinished_size += size_of(text)
        if text:
            self._unfinished_return = text[-1] == "\r"
        self._check(lines=1, end=self.received_bytes + self._unfinished_size)

    def _end_line(self, *, newline: int = 1) -> None:
        line, self._unfinished = self._unfinished, ""
        size, self._unfinished_size = self._unfinished_size, 0
        self._add_line(line, size, newline=newline, ends_in_return=self._unfinished_return)

    def _add_line(self, line: str, size: int, *, newline: int = 1, ends_in_return: bool) -> None:
        end = self.received_bytes + size + newline
        self._check(lines=1, end=end)
        self.received_bytes = end
        if newline and ends_in_return:
            line, size = line.removesuffix("\r"), size - 1
        limits = self.limits
        if size > limits.max_message_size:
            self.truncated_lines += 1
            if limits.on_oversize == "error":
                raise StreamLimitExceededError(
                    429,
                    f"line {self.received_lines + 1} of the log has {size} bytes, "
                    f"more than max_message_size={limits.max_message_size}",
                    hint="raise StreamLimits.max_message_size, or set on_oversize to 'truncate' or 'skip'",
                )
            if limits.on_oversize == "skip":
                return
            line = _cut(line, limits.max_message_size) + TRUNCATION_MARK
        self.lines.append(line)
        self._ends.append(end)
        self.received_lines += 1

    # --- limits

    def _exceeded(self, *, lines: int = 0, messages: int = 0, end: int = 0) -> str | None:
        """Return which total so many more lines and messages, up to byte `end`, exceed; None within all."""
        if self._max_lines is not None and self.received_lines + lines > self._max_lines:
            return "max_lines"
        if self._max_messages is not None and self.messages + messages > self._max_messages:
            return "max_messages"
        if self.limits.max_bytes is not None and end > self.limits.max_bytes:
            return "max_bytes"
        return None

    def _check(self, *, lines: int = 0, messages: int = 0, end: int = 0) -> None:
        exceeded = self._exceeded(lines=lines, messages=messages, end=end)
        if exceeded is not None:
            raise self.limit_error(exceeded)

    def limit_error(self, name: str) -> StreamLimitExceededError:
        """Return the error for a log beyond one of its totals: `max_lines`, `max_messages` or `max_bytes`."""
        return StreamLimitExceededError(
            429,
            f"the log has more than {getattr(self.limits, name)} {_UNITS[name]}",
            hint=f"raise StreamLimits.{name}, or lift it with None",
        )

    # --- what was handed out

    @property
    def delivered_lines(self) -> int:
        """Lines handed out so far."""
        return self._final.lines if self._final is not None else self.received_lines - len(self.lines)

    @property
    def delivered_bytes(self) -> int:
        """Log bytes from the stream's start up to and including the last line handed out."""
        if self._final is not None:
            return self._final.bytes
        delivered = len(self._ends) - len(self.lines)
        return self._ends[delivered - 1] if delivered > 0 else self._delivered_bytes

    @property
    def previous_bytes(self) -> int:
        """Log bytes from the stream's start up to and including the last line but one handed out."""
        if self._final is not None:
            return self._final.previous
        delivered = len(self._ends) - len(self.lines)
        if delivered > 1:
            return self._ends[delivered - 2]
        return self._delivered_bytes if delivered == 1 else self._previous_bytes

    @property
    def delivered_time(self) -> float | None:
        """When the agent read the last line handed out, in seconds since the epoch, if it says so."""
        if self._final is not None:
            return self._final.time
        times, line = self._times, self.delivered_lines
        while times and times[0].end < line:
            times.popleft()
        return times[0].time if times and times[0].begin < line else None

    def note_time(self, begin: int, end: int, time: float | None) -> None:
        """Note when the agent read the lines after the first `begin` up to and including line `end`."""
        if time is not None and end > begin:
            self._times.append(_Arrival(begin, end, time))

    def trim(self) -> None:
        """Forget what was kept of lines handed out, once all are."""
        if self.lines:
            return
        if self._ends:
            self._previous_bytes = self._ends[-2] if len(self._ends) > 1 else self._delivered_bytes
            self._delivered_bytes = self._ends[-1]
            self._ends.clear()
        if len(self._times) > 1:
            self._times = deque([self._times[-1]])

    def discard(self) -> None:
        """Drop the lines that were not handed out; the counts of the others stay as they are."""
        if self._final is None:
            self._final = _Delivered(
                self.delivered_lines, self.delivered_bytes, self.previous_bytes, self.delivered_time
            )
        self.lines.clear()


class _Delivered(NamedTuple):
    """The counts of the lines that were handed out."""

    lines: int
    bytes: int
    previous: int
    time: float | None


class _Arrival(NamedTuple):
    """When the agent read the lines after the first `begin` up to and including line `end`."""

    begin: int
    end: int
    time: float


def size_of(text: str) -> int:
    """Return the size of a text in bytes."""
    return len(text) if text.isascii() else len(text.encode())


def _cut(text: str, size: int) -> str:
    """Return the first `size` bytes of a text, without the beginning of a character."""
    return text.encode()[:size].decode(errors="ignore")
