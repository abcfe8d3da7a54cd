"""The log of a tail: which text is new, where it stands in the log, and what is a whole line."""

from __future__ import annotations

from collections import deque
from hashlib import blake2b
from itertools import accumulate
from operator import add, itemgetter
from typing import TYPE_CHECKING, Any

from .._exceptions import HTTPError, StreamError
from ._lines import LineBuffer, size_of
from ._messages import arrival_time
from ._start import Start

if TYPE_CHECKING:
    from .._limits import StreamLimits

__all__ = ["Log"]

_REPLACEMENT = "\ufffd"

_MESSAGE, _TYPE = itemgetter("message"), itemgetter("type")
_LOG, _INT = {"log"}, {int}
# Of fewer events than this, each is added by itself at less cost.
_FEW = 3

# Our agent cuts longer lines into pieces of 64 KiB, less up to three bytes so that no character is split;
# shorter text without a newline, where its offset leaves it open, is a whole line.
_PIECE = 65_533


class Log:
    """The position in a log, and the lines received from it.

    `position` counts the bytes of the log as the agent has it, newlines included, through the last message
    received. A reconnect goes on from there: with agents that send offsets by asking for it, with others by
    skipping that much of their replay, which is checked against a digest of what was received. The beginning
    of a line survives a drop, so the line arrives whole.

    There are two ways for a line: `add_events` adds the events of a read at once where there is nothing to
    decide, `add` adds one message.
    """

    def __init__(self, limits: StreamLimits, begin: Start = Start()) -> None:  # noqa: B008 - immutable
        self.buffer: LineBuffer = LineBuffer(limits)
        self.lines: deque[str] = self.buffer.lines
        self.start: int | None = begin.offset if begin.tail is None else None
        """The log bytes before this stream's first line; None until the agent has said where it begins."""
        self.position: int = self.start or 0
        self._begin = begin
        # Whether the agent has yet to show that it took the position asked for, or that it replays the log.
        self._is_unplaced = self.position > 0
        self._has_offsets = False
        self._connection_has_offsets = False
        self._websocket: bool | None = None
        self._has_pieces: bool | None = None  # whether messages are pieces of text, not lines; None: unknown
        self._held: list[str] = []
        self._held_size = 0
        self._cursor = 0  # how far into the log the present connection has come
        self._skip = 0  # how much of the log it replays
        self._skip_ends_inside_line = False
        self._digest: blake2b | None = None  # of what was received
        self._replay_digest = blake2b()

    # --- connections

    @property
    def offset(self) -> int | None:
        """The log byte to ask an agent for, or None if it can only replay the log from its start."""
        return self.position if self._has_offsets or self._is_unplaced else None

    @property
    def awaits_start(self) -> bool:
        """Whether the agent has yet to say where the stream begins."""
        return self.start is None or self._is_unplaced

    def window(self) -> dict[str, str]:
        """Return the query of a connection: where to begin, or to go on."""
        if self.start is not None:
            return {} if self.offset is None else {"offset": str(self.offset)}
        offset = {"offset": str(self._begin.offset)} if self._begin.offset else {}
        return {"tail": str(self._begin.tail), **offset}

    def begin(self, offset: int) -> None:
        """Take the offset at which the agent says that its stream begins.

        Raises:
            StreamError: 503, it is beyond the position asked for.
        """
        if self.start is None:
            self.start = self.position = offset
        elif offset > self.position:
            raise StreamError(
                503, f"the stream begins at byte {offset}, but byte {self.position} was asked for"
            )
        self._has_offsets = True
        self._is_unplaced = False
        self._cursor, self._skip = offset, self.position

    def place(self, start: int) -> None:
        """Begin at an offset that was found out in another way than from the agent's stream."""
        self.start = self.position = start
        self._is_unplaced = start > 0

    @property
    def is_replaying(self) -> bool:
        """Whether the present connection has yet to replay some of what was received before."""
        return self.reached < self._skip

    @property
    def short_replay(self) -> str:
        """What is wrong if the present connection ends here, while it replays."""
        if self.position == self.start:
            return f"the log has only {self._cursor} bytes, and was to be sent from byte {self._skip} on"
        return (
            f"the agent replayed {self._cursor} bytes of a log of which {self._skip} had been received; "
            "it can't be known what is missing"
        )

    @property
    def reached(self) -> int:
        """How far into the log the present connection has come, text held back included."""
        return self._cursor + self._held_size

    @property
    def has_ambiguous_text(self) -> bool:
        """Whether text is held back that may be whole lines or the beginning of one."""
        return bool(self._held)

    def connect(self, *, websocket: bool) -> None:
        """Begin a connection."""
        self.buffer.connect(websocket=websocket)
        self._take_held()
        self._connection_has_offsets = False
        if self._websocket is not websocket:
            # An agent may cut its log in another way over the other protocol.
            self._websocket, self._has_pieces = websocket, None
        if self._has_offsets or self._is_unplaced:
            self._cursor, self._skip = self.position, 0
        else:
            self._expect_replay()

    def _expect_replay(self) -> None:
        self._cursor, self._skip = 0, self.position
        self._replay_digest = blake2b()

    def finish(self) -> None:
        """End the log: a last line without a newline is a line.

        Raises:
            HTTPError: 416, the log ends before the position to start from.
            StreamError: 503, it ends before what was received of it.
        """
        if self.start is None:  # an agent that knows no parts of logs, and a log without text
            self.start = 0
        self.flush()
        if self.is_replaying:
            if self.position == self.start:
                raise HTTPError(416, f"the log has fewer than {self.position} bytes")
            raise StreamError(503, self.short_replay)
        self.buffer.end()

    def flush(self) -> None:
        """Take the text held back, in which no newline came for a moment, for whole lines."""
        if self._held:
            for text in self._take_held():
                self._add(text + "\n", size_of(text) + 1)

    def _take_held(self) -> list[str]:
        held, self._held, self._held_size = self._held, [], 0
        return held

    # --- text

    def add_events(self, events: list[dict[str, Any]]) -> bool:
        """Add log events that are a whole line each, all at once; or add none and return False.

        The result is that of `add` for one after the other, at a fraction of the cost, as long as there is
        nothing to decide: each event is a line, its offset, if any, is the one due, and no limit is near.
        """
        if (
            len(events) < _FEW
            or self._held
            or self.buffer.is_inside_line
            or self._cursor < self._skip
            or self.awaits_start
        ):
            return False
        try:
            lines: list[str] = list(map(_MESSAGE, events))
            text = "".join(lines)  # a TypeError if one is not a str
            if set(map(_TYPE, events)) != _LOG or "\n" in text:
                return False
            if "\r" in text and any(line.endswith("\r") for line in lines):
                return False
            sizes = list(map(len, lines if text.isascii() else map(str.encode, lines)))
        except (KeyError, TypeError, UnicodeEncodeError):
            return False
        ends = list(map(add, accumulate(sizes), range(self._cursor + 1, self._cursor + len(sizes) + 1)))
        offsets = [event.get("offset") for event in events]
        has_offsets = offsets[0] is not None
        # 2.0 and True equal integers, but are no offsets.
        if has_offsets and (offsets != ends or set(map(type, offsets)) != _INT):
            return False
        if not has_offsets and (
            self._has_pieces is not False or self._has_offsets or offsets.count(None) < len(lines)
        ):
            return False
        times = [event.get("time") for event in events]
        known = None if times.count(None) == len(times) else list(map(arrival_time, times))
        # The lines come first: a position that another thread reads in between may be behind, never ahead.
        if not self.buffer.add_lines(lines, sizes, ends, known):
            return False
        if has_offsets:
            self._has_offsets = self._connection_has_offsets = True
        if not self._has_offsets or self._digest is not None:
            self._remember("\n".join([*lines, ""]))
        self._cursor = self.position = ends[-1]
        return True

    def add(
        self, text: str, offset: int | None = None, time: float | None = None, *, whole: bool | None = None
    ) -> None:
        """Add the text of one message.

        Args:
            text: The text.
            offset: Log bytes up to and including it, if the agent says so.
            time: When the agent read it, in seconds since the epoch.
            whole: True for a line by itself, False for text with its own newlines, None if the agent's other
                messages have to show which of the two it is.

        Raises:
            StreamError: 503, text is missing before it.
            StreamLimitExceededError: 429.
        """
        first = self.buffer.received_lines
        try:
            if offset is not None:
                newline = self._locate(text, size_of(text), offset)
                self._add(text + "\n" if newline else text, offset - self._cursor)
                return
            if whole is not None:
                self.flush()
            self._check_position()
            if whole is None:
                self._add_ambiguous(text)
                return
            if whole and not text.endswith("\n"):
                text += "\n"
            self._add(text, size_of(text))
        finally:
            if time is not None:
                self.buffer.note_time(first, self.buffer.received_lines, time)

    def _add_ambiguous(self, text: str) -> None:
        size = size_of(text)
        if not self._has_pieces and "\n" in text:
            self._has_pieces = True
            for piece in self._take_held():
                self._add(piece, size_of(piece))
        if self._has_pieces:
            self._add(text, size)
        elif self._has_pieces is None:
            # A whole line, or the beginning of one? The first newline shows it; so does silence (`flush`).
            self._held.append(text)
            self._held_size += size + 1
            if self._held_size > self.buffer.limits.max_message_size:
                self._has_pieces = False
                self.flush()
        else:
            self._add(text + "\n", size + 1)

    def _check_position(self) -> None:
        """Refuse text without an offset where only an offset shows what was received before."""
        if self._is_unplaced:
            # The agent sends no offsets, so what it sends is the log from its start.
            self._is_unplaced = False
            self._expect_replay()
        if self._has_offsets and not self._connection_has_offsets and self._cursor:
            raise StreamError(
                503,
                f"the log was to go on at byte {self._cursor}, but the agent sends no offsets any more; "
                "it can't be known whether text is missing or repeated",
            )

    def _locate(self, text: str, size: int, offset: int) -> bool:
        """Place a message by its offset; return whether a newline is implied at its end."""
        self.flush()
        self._has_offsets = self._connection_has_offsets = True
        self._is_unplaced = False
        span = offset - self._cursor
        if span == size + 1:
            return True
        if span == size:
            return False
        if _REPLACEMENT in text and span > 0:
            # Bytes that are not UTF-8 came as U+FFFD, so sizes don't decide.
            return not text.endswith("\n") and span < _PIECE
        if self._cursor and offset in (size, size + 1):
            # The agent ignored the offset asked for, and replays the log from its start.
            self._expect_replay()
            return offset == size + 1
        raise StreamError(
            503, f"the log goes on at byte {offset - size}, but byte {self._cursor} was due: text is missing"
        )

    def _add(self, text: str, size: int) -> None:
        """Add the next `size` bytes of the log: skip what was received before, and buffer the rest."""
        start, self._cursor = self._cursor, self._cursor + size
        # Bytes that were not UTF-8 have another size in the log than the text in place of them.
        surplus = size - size_of(text) if _REPLACEMENT in text else 0
        if start < self._skip:
            text = self._skip_replayed(text, self._skip - start)
            if not text:
                return
            if text == "\n" and self.position == self.start and self._skip_ends_inside_line:
                # The stream begins behind an unfinished line, and this is the end of that one.
                self.position = self._cursor
                self.buffer.skip(1)
                self._remember(text)
                return
        self.buffer.count_message()
        self.position = self._cursor
        self._remember(text)
        self.buffer.add(text, surplus)

    # --- replays

    def _remember(self, text: str) -> None:
        if self._digest is None:
            if self._has_offsets:
                return  # such an agent is asked to go on from an offset, and replays nothing
            self._digest = blake2b()
        self._digest.update(text.encode())

    def _skip_replayed(self, text: str, known: int) -> str:
        """Check text that was received before; return what is beyond it.

        Raises:
            StreamError: 503, it is not what it was before.
        """
        data = text.encode()
        self._replay_digest.update(data[:known])
        if len(data) < known:
            return ""
        self._skip_ends_inside_line = data[known - 1 : known] != b"\n"
        if self._digest is None:
            if not self._has_offsets:
                # The stream began inside of the log: this is what later replays are compared with.
                self._digest = self._replay_digest.copy()
        elif self._cursor >= self._skip and self._replay_digest.digest() != self._digest.digest():
            raise StreamError(
                503,
                f"the first {self._skip} bytes of the log are not what they were before the drop: "
                "it was rotated, or the job ran again",
            )
        return data[known:].decode(errors="replace")
