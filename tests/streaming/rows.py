"""How log tails break: the table that the tests of this folder prove, row by row.

A test names the rows it proves with `@row(number)`; `pytest -m "row(number=5)"` runs a row's tests.
"""

from __future__ import annotations

import pytest

__all__ = ["ELSEWHERE", "ROWS", "row"]

ROWS = {
    1: "close 1000 while the job runs",
    2: "close 1001, a rolling restart",
    3: "close frame without a code",
    4: "FIN without a close frame",
    5: "RST right after data",
    6: "FIN inside a frame",
    7: "chunked body without the last chunk",
    8: "close-delimited body ends, mid-JSON too",
    9: "job quiet for 3 x timeout, peer alive",
    10: "peer vanishes",
    11: "a balancer cuts idle connections",
    12: "the consumer pauses longer than the peer's ping timeout",
    13: "break in a flood",
    14: "Ctrl-C with a dead peer",
    15: "async break without closing",
    16: "close() from another thread while a read blocks",
    17: "a message over the bound, one frame or fragments",
    18: "compression bomb",
    19: "a line that never ends",
    20: "a million tiny messages",
    21: "UTF-8 split across reads",
    22: "invalid UTF-8, a frame of the wrong kind, a close frame inside another frame",
    23: "U+2028, U+0085, VT, FF in text",
    24: "CRLF split across reads",
    25: "bare CR of progress bars",
    26: "last line without a newline",
    27: "SSE event without its final blank line",
    28: "comments, id and retry fields, empty events",
    29: "replay from the start on reconnect",
    30: "replay cut into other messages than before",
    31: "replay whose prefix differs",
    32: "replay shorter than what was seen",
    33: "upgrade stripped: 200, 426, HTML",
    34: "handshake never answered",
    35: "401, 403, 429 at the handshake",
    36: "404 at the WebSocket",
    37: "HTML with status 200 over HTTP",
    38: "token expired mid-stream",
    39: "redirect to another origin",
    40: "agent down for long",
    41: "malformed event",
    42: "error event mid-stream",
    43: "attached after the end; before the start",
    44: "terminal escapes in a log",
    45: "piped into head in the CLI",
    46: "limits reached across a reconnect",
    47: "job deleted while tailed",
}

ELSEWHERE = {45: "tests/cli"}
"""Rows about what the CLI does with a tail."""


def row(number: int) -> pytest.MarkDecorator:
    """Mark a test as one that proves a row of the table."""
    return pytest.mark.row(number=number, what=ROWS[number])
