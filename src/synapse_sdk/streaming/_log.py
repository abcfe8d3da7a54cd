"""The log under a tail: text comes in as agents cut it, whole lines come out, each once, within limits."""

from __future__ import annotations

from collections import deque
from itertools import accumulate, groupby
from operator import add, itemgetter
from typing import TYPE_CHECKING, Any, NamedTuple

from .._exceptions import HTTPError, StreamError, StreamLimitExceededError
from ._events import arrival_time
from ._start import Start

if TYPE_CHECKING:
    from hashlib import blake2b

    from .._limits import StreamLimits

__all__ = ["Log", "TRUNCATION_MARK"]

TRUNCATION_MARK = "…[truncated]"

_REPLACEMENT = "\ufffd"

_MESSAGE, _TYPE = itemgetter("message"), itemgetter("type")
_LOG, _INT = {"log"}, {int}
# Of fewer events than this, each is taken by itself at less cost.
_FEW = 3

# Our agent cuts longer lines into pieces of 64 KiB, less up to three bytes so as to split no character;
# shorter text without a newline, where its offset leaves it open, is a whole line.
_PIECE = 65_533


def _size(text: str) -> int:
    return len(text) if text.isascii() else len(text.encode())


def _cut(text: str, size: int) -> str:
    """Give the first `size` bytes of `text`, less what would split a character."""
    return text.encode()[:size].decode(errors="ignore")


class Log:
    """The position in a log, and the lines received but not yet handed out.

    `position` counts the bytes of the log as the agent has it, newlines included, through the last message
    received. A reconnect goes on from there: with agents that send offsets by asking for it, with others by
    skipping that much of their replay, held against a digest of what was received. The beginning of a line
    survives a drop, so the line arrives whole.
    """

    def __init__(self, limits: StreamLimits, begin: Start = Start()) -> None:  # noqa: B008 - immutable
        self.lines: deque[str] = deque()
        self.start: int | None = begin.offset if begin.tail is None else None
        """The log bytes before this stream's first line; None until the agent has said where it begins."""
        self.position: int = self.start or 0
        # Whether the agent has yet to show that it heard where to begin, or that it replays the log.
        self._unplaced = self.position > 0
        self._begin = begin
        self._arrivals: deque[_Arrival] = deque()
        self._given_up: _Delivered | None = None
        self.received_lines: int = 0
        self.truncated_lines: int = 0
        self.messages: int = 0
        self._received_bytes = 0
        self._delivered_bytes = self._previous_bytes = 0
        self.limits = limits
        self._ends: list[int] = []  # log bytes through each line, of the latest lines
        self._limited_lines: int | None = None
        self._limited_messages: int | None = None
        self._offsets = False
        self._placed = False  # whether the present connection has named an offset
        self._websocket: bool | None = None
        self._pieces: bool | None = None
        self._held: list[str] = []
        self._held_size = 0
        self._cursor = 0  # where on its way through the log the present connection is
        self._skip = 0  # up to where that was received before
        self._inside_line = False  # whether that is inside of a line
        self._unfinished = ""
        self._unfinished_size = 0
        self._unfinished_return = False  # whether it ends with CR as far as it has come
        self._digest: blake2b | None = None
        self._replayed: blake2b | None = None

    # --- what a consumer sees

    @property
    def delivered_lines(self) -> int:
        """Lines handed out so far."""
        if self._given_up is not None:
            return self._given_up.lines
        return self.received_lines - len(self.lines)

    @property
    def delivered_bytes(self) -> int:
        """Log bytes from the stream's start up to and including the last line handed out."""
        if self._given_up is not None:
            return self._given_up.bytes
        delivered = len(self._ends) - len(self.lines)
        return self._ends[delivered - 1] if delivered > 0 else self._delivered_bytes

    @property
    def previous_bytes(self) -> int:
        """The same up to the line before the last one handed out."""
        if self._given_up is not None:
            return self._given_up.previous
        delivered = len(self._ends) - len(self.lines)
        if delivered > 1:
            return self._ends[delivered - 2]
        return self._delivered_bytes if delivered == 1 else self._previous_bytes

    @property
    def arrival(self) -> float | None:
        """When the agent read the last line handed out, in seconds since the epoch, if it says so."""
        if self._given_up is not None:
            return self._given_up.time
        arrivals, line = self._arrivals, self.delivered_lines
        while arrivals and arrivals[0].end < line:
            arrivals.popleft()
        return arrivals[0].time if arrivals and arrivals[0].begin < line else None

    def give_up(self) -> None:
        """Drop the lines that were not handed out; what is told of the others stays as it is."""
        if self._given_up is None:
            self._given_up = _Delivered(
                self.delivered_lines, self.delivered_bytes, self.previous_bytes, self.arrival
            )
        self.lines.clear()

    # --- connections

    @property
    def offset(self) -> int | None:
        """The log byte to ask an agent for, or None where only a replay from the start can be had."""
        return self.position if self._offsets or self._unplaced else None

    @property
    def unheard(self) -> bool:
        """Whether the agent has yet to say where the stream begins."""
        return self.start is None or self._unplaced

    def window(self) -> dict[str, str]:
        """Return the query of a connection: where to begin, or to go on."""
        if self.start is not None:
            return {} if self.offset is None else {"offset": str(self.offset)}
        offset = {"offset": str(self._begin.offset)} if self._begin.offset else {}
        return {"tail": str(self._begin.tail), **offset}

    def begin(self, offset: int) -> None:
        """Take the offset at which the agent says that its stream begins."""
        if self.start is None:
            self.start = self.position = offset
        elif offset > self.position:
            raise StreamError(
                503, f"the stream begins at byte {offset}, but byte {self.position} was asked for"
            )
        self._offsets = True
        self._unplaced = False
        self._cursor, self._skip = offset, self.position

    def place(self, start: int) -> None:
        """Begin at an offset that was found out in another way than from the agent's stream."""
        self.start = self.position = start
        self._unplaced = start > 0

    @property
    def replaying(self) -> bool:
        """Whether the present connection has yet to replay some of what was received before."""
        return self._cursor + self._held_size < self._skip

    @property
    def short_replay(self) -> str:
        """What is wrong where the present connection goes no further."""
        if self.position == self.start:
            return f"the log has only {self._cursor} bytes, and was to be sent from byte {self._skip} on"
        return (
            f"the agent replayed {self._cursor} bytes of a log of which {self._skip} had been received; "
            "what is missing can't be told"
        )

    @property
    def reached(self) -> int:
        """How far into the log the present connection has come, text held back included."""
        return self._cursor + self._held_size

    @property
    def undecided(self) -> bool:
        """Whether text is held back that may be whole lines or the beginning of one."""
        return bool(self._held)

    def connect(self, *, websocket: bool) -> None:
        """Begin a connection: which totals apply depends on its protocol."""
        self._limited_lines = None if websocket else self.limits.max_lines
        self._limited_messages = self.limits.max_messages if websocket else None
        self._held = []
        self._held_size = 0
        self._placed = False
        if self._websocket is not websocket:
            # An agent may cut its log otherwise over the other protocol.
            self._websocket, self._pieces = websocket, None
        if self._offsets or self._unplaced:
            self._cursor, self._skip = self.position, 0
        else:
            self._replay()

    def trim(self) -> None:
        """Let go of what was kept of lines handed out."""
        if self._ends and not self.lines:
            self._previous_bytes = self._ends[-2] if len(self._ends) > 1 else self._delivered_bytes
            self._delivered_bytes = self._ends[-1]
            self._ends.clear()
        if len(self._arrivals) > 1 and not self.lines:
            self._arrivals = deque([self._arrivals[-1]])

    def _replay(self) -> None:
        self._cursor, self._skip = 0, self.position
        self._replayed = None

    def finish(self) -> None:
        """The log is whole: a last line without a newline is a line."""
        if self.start is None:  # an agent that knows no parts of logs, and a log without text
            self.start = 0
        self.settle()
        if self.replaying:
            if self.position == self.start:
                raise HTTPError(416, f"the log has fewer than {self.position} bytes")
            raise StreamError(503, self.short_replay)
        if self._unfinished_size:
            self._end_line(newline=0)

    def settle(self) -> None:
        """Nothing more came for a moment: text held without any newline so far is whole lines."""
        held, self._held, self._held_size = self._held, [], 0
        for text in held:
            self._take(text + "\n", _size(text) + 1)

    # --- text

    def line(self, text: str) -> None:
        """Take a message that is a line by itself, or several."""
        self.settle()
        self._check_position()
        if not text.endswith("\n"):
            text += "\n"
        self._take(text, _size(text))

    def piece(self, text: str) -> None:
        """Take text of a plain log: it has its own newlines, and may end inside a line."""
        self.settle()
        self._check_position()
        self._take(text, _size(text))

    def take_lines(self, events: list[dict[str, Any]]) -> bool:
        """Take log events that are a whole line each, all at once; or take none, and return False.

        It does what `message` does with them one by one, at a fraction of the cost, as long as there is
        nothing to decide: every event is a line, its offset, if any, is the one due, and no limit is near.
        """
        if len(events) < _FEW or self._held or self._unfinished_size or self._cursor < self._skip:
            return False
        if self.unheard:
            return False
        try:
            texts: list[str] = list(map(_MESSAGE, events))
            text = "".join(texts)  # a TypeError if one is not a str
            if set(map(_TYPE, events)) != _LOG or "\n" in text:
                return False
            if "\r" in text and any(line.endswith("\r") for line in texts):
                return False
            sizes = list(map(len, texts if text.isascii() else map(str.encode, texts)))
        except (KeyError, TypeError, UnicodeEncodeError):
            return False
        ends = _ends(self._cursor, sizes)
        offsets = [event.get("offset") for event in events]
        placed = offsets[0] is not None
        # 2.0 and True equal integers, but are no offsets.
        if placed and (offsets != ends or set(map(type, offsets)) != _INT):
            return False
        if not placed and (self._pieces is not False or self._offsets or offsets.count(None) < len(texts)):
            return False
        limits = self.limits
        received = self._received_bytes + ends[-1] - self._cursor
        if (
            max(sizes) > limits.max_message_size
            or (limits.max_bytes is not None and received > limits.max_bytes)
            or (self._limited_lines is not None and self.received_lines + len(texts) > self._limited_lines)
            or (self._limited_messages is not None and self.messages + len(texts) > self._limited_messages)
        ):
            return False
        if placed:
            self._offsets = self._placed = True
        if self._limited_messages is not None:
            self.messages += len(texts)
        if not self._offsets or self._digest is not None:
            self._remember("\n".join(texts), "\n")
        self._note_arrivals(events)
        # The lines first: a position that another thread reads in between may be behind, never ahead.
        self.lines.extend(texts)
        self._ends += ends if self._received_bytes == self._cursor else _ends(self._received_bytes, sizes)
        self._received_bytes = received
        self._cursor = self.position = ends[-1]
        self.received_lines += len(texts)
        return True

    def _note_arrivals(self, events: list[dict[str, Any]]) -> None:
        """Note when lines were read that are taken all at once."""
        times = [event.get("time") for event in events]
        if times.count(None) == len(times):
            return
        begin = self.received_lines
        for time, run in groupby(times):
            end = begin + len(list(run))
            known = arrival_time(time)
            if known is not None:
                self._arrivals.append(_Arrival(begin, end, known))
            begin = end

    def message(self, text: str, offset: int | None, time: float | None = None) -> None:
        """Take the text of one log event, which the agent read at a time, if it says so."""
        lines = self.received_lines
        try:
            self._message(text, offset)
        finally:
            if time is not None and self.received_lines > lines:
                self._arrivals.append(_Arrival(lines, self.received_lines, time))

    def _message(self, text: str, offset: int | None) -> None:
        size = _size(text)
        if offset is not None:
            newline = self._locate(text, size, offset)
            self._take(text + "\n" if newline else text, offset - self._cursor)
            return
        self._check_position()
        if self._pieces:
            self._take(text, size)
        elif "\n" in text:
            self._pieces = True
            held, self._held, self._held_size = self._held, [], 0
            for piece in held:
                self._take(piece, _size(piece))
            self._take(text, size)
        elif self._pieces is None:
            # A whole line, or the beginning of one? The first newline tells; so does silence (`settle`).
            self._held.append(text)
            self._held_size += size + 1
            if self._held_size > self.limits.max_message_size:
                self._pieces = False
                self.settle()
        else:
            self._take(text + "\n", size + 1)

    def _check_position(self) -> None:
        """Refuse text that doesn't say where it stands, where only that tells what was received before."""
        if self._unplaced:
            # The agent sends no offsets, so what it sends is the log from its start.
            self._unplaced = False
            self._replay()
        if self._offsets and not self._placed and self._cursor:
            raise StreamError(
                503,
                f"the log was to go on at byte {self._cursor}, but the agent sends no offsets any more; "
                "whether text is missing or repeated can't be told",
            )

    def _locate(self, text: str, size: int, offset: int) -> bool:
        """Place a message by its offset; tell whether a newline is implied at its end."""
        if self._held:
            self.settle()
        self._offsets = self._placed = True
        self._unplaced = False
        span = offset - self._cursor
        if span == size + 1:
            return True
        if span == size:
            return False
        if _REPLACEMENT in text and span > 0:
            # Bytes that are no UTF-8 came as U+FFFD, so sizes don't tell.
            return not text.endswith("\n") and span < _PIECE
        if self._cursor and offset in (size, size + 1):
            # The agent took no notice of the offset asked for, and replays the log from its start.
            self._replay()
            return offset == size + 1
        raise StreamError(
            503, f"the log goes on at byte {offset - size}, but byte {self._cursor} was due: text is missing"
        )

    def _take(self, text: str, size: int) -> None:
        start, self._cursor = self._cursor, self._cursor + size
        # Bytes that were no UTF-8 take other room in the log than what stands for them.
        surplus = size - _size(text) if _REPLACEMENT in text else 0
        if start < self._skip:
            text = self._verify(text, self._skip - start)
            if not text:
                return
            if text == "\n" and self.position == self.start and self._inside_line:
                # The stream begins behind an unfinished line, and this is the end of that one.
                self.position = self._cursor
                self._received_bytes += 1
                self._remember(text)
                return
        if self._limited_messages is not None:
            if self.messages >= self._limited_messages:
                raise _exceeded("max_messages", self._limited_messages, "WebSocket messages")
            self.messages += 1
        self.position = self._cursor
        self._received_bytes += surplus
        self._remember(text)
        newline = text.find("\n")
        if newline < 0:
            self._continue(text)
        elif newline == len(text) - 1 and not self._unfinished_size:
            line = text[:-1]
            self._line(line, _size(line), ends_in_return=line.endswith("\r"))
        else:
            *whole, rest = text.split("\n")
            for line in whole:
                if self._unfinished_size:
                    self._continue(line)
                    self._end_line()
                else:
                    self._line(line, _size(line), ends_in_return=line.endswith("\r"))
            if rest:
                self._continue(rest)

    def _continue(self, text: str) -> None:
        """Hold the beginning of a line; of an endless one no more than its cut needs."""
        room = self.limits.max_message_size + 2 - len(self._unfinished)
        if room > 0:
            self._unfinished += text[:room]
        self._unfinished_size += _size(text)
        if text:
            self._unfinished_return = text[-1] == "\r"
        self._check_totals(self._received_bytes + self._unfinished_size)

    def _end_line(self, *, newline: int = 1) -> None:
        line, self._unfinished = self._unfinished, ""
        size, self._unfinished_size = self._unfinished_size, 0
        self._line(line, size, newline=newline, ends_in_return=self._unfinished_return)

    def _line(self, line: str, size: int, *, newline: int = 1, ends_in_return: bool) -> None:
        limits = self.limits
        end = self._received_bytes + size + newline
        self._check_totals(end)
        self._received_bytes = end
        if newline and ends_in_return:
            line, size = line.removesuffix("\r"), size - 1
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

    def _check_totals(self, end: int) -> None:
        """Raise if a further line, which goes up to byte `end` at least, is one too many."""
        if self._limited_lines is not None and self.received_lines >= self._limited_lines:
            raise _exceeded("max_lines", self._limited_lines, "lines")
        if self.limits.max_bytes is not None and end > self.limits.max_bytes:
            raise self.too_many_bytes()

    def too_many_bytes(self) -> StreamLimitExceededError:
        """Return the error for a log beyond `max_bytes`."""
        return _exceeded("max_bytes", self.limits.max_bytes, "log bytes")

    # --- the digest of what was received, for agents that replay

    def _remember(self, *texts: str) -> None:
        if self._offsets and self._digest is None:
            return  # such an agent is asked to go on from an offset
        if self._digest is None:
            self._digest = _hasher()
        for text in texts:
            self._digest.update(text.encode())

    def _verify(self, text: str, known: int) -> str:
        """Check what was received before against its digest; give the text beyond it."""
        data = text.encode()
        if self._replayed is None:
            self._replayed = _hasher()
        self._replayed.update(data[:known])
        if len(data) < known:
            return ""
        self._inside_line = data[known - 1 : known] != b"\n"
        if self._digest is None and not self._offsets:
            # The stream began inside of the log: this is what later replays are held against.
            self._digest = self._replayed.copy()
        elif (
            self._digest is not None
            and self._cursor >= self._skip
            and self._replayed.digest() != self._digest.digest()
        ):
            raise StreamError(
                503,
                f"the first {self._skip} bytes of the log are not what they were before the drop: "
                "it was rotated, or the job ran again",
            )
        return data[known:].decode(errors="replace")


class _Delivered(NamedTuple):
    """What there is to tell of the lines that were handed out."""

    lines: int
    bytes: int
    previous: int
    time: float | None


class _Arrival(NamedTuple):
    """When lines were read by the agent: those after the first `begin` up to and including line `end`."""

    begin: int
    end: int
    time: float


def _ends(start: int, sizes: list[int]) -> list[int]:
    """Give where lines of some sizes end, newlines counted."""
    return list(map(add, accumulate(sizes), range(start + 1, start + len(sizes) + 1)))


def _exceeded(field: str, allowed: int | None, what: str) -> StreamLimitExceededError:
    return StreamLimitExceededError(
        429,
        f"the log has more than {allowed} {what}",
        hint=f"raise StreamLimits.{field}, or lift it with None",
    )


def _hasher() -> blake2b:
    from hashlib import blake2b

    return blake2b(digest_size=16)
