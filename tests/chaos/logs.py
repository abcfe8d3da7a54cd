"""Logs that are known line by line, and the messages that agents cut them into."""

from __future__ import annotations

import json
import random
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Literal, get_args

from websockets.frames import Frame, Opcode

__all__ = ["KINDS", "Kind", "Message", "complete", "encode", "known_log", "lines_of", "messages"]

Kind = Literal["offsets", "offset pieces", "lines", "pieces", "bare"]
"""How an agent sends a log: whole lines or pieces of text, with offsets or without, or no JSON at all."""

KINDS: tuple[Kind, ...] = get_args(Kind)


@dataclass(frozen=True)
class Message:
    """One message of a stream; `end` is the number of log bytes up to and including it."""

    data: str
    end: int


def lines_of(log: str, kind: Kind = "pieces") -> list[str]:
    """The lines of a log, as its reader is to get them."""
    *whole, last = log.split("\n")
    # Only a newline makes a carriage return before it part of the line's end. Agents that send whole lines
    # without offsets can't say that the last one had none.
    if last and kind in ("lines", "bare"):
        whole.append(last)
        last = ""
    lines = [line.removesuffix("\r") for line in whole]
    return [*lines, last] if last else lines


def messages(kind: Kind, log: str, *, start: int = 0, cuts: Iterable[int] = ()) -> list[Message]:
    """The messages that an agent cuts `log` into, from byte `start` on, less the one that says the end.

    Pieces are cut after each number of characters in `cuts`.
    """
    if kind in ("pieces", "offset pieces"):
        text = log.encode()[start:].decode()
        bounds = [0, *sorted({cut for cut in cuts if 0 < cut < len(text)}), len(text)]
        parts = [text[a:b] for a, b in pairwise(bounds) if a < b]
        newline = 0
    else:
        parts = log.split("\n")
        if not parts[-1]:
            parts.pop()
        newline = 1
    found: list[Message] = []
    end, size = start if newline == 0 else 0, len(log.encode())
    for part in parts:
        end += len(part.encode()) + newline
        if kind != "lines" and kind != "bare":
            end = min(end, size)
        if end <= start:
            continue
        if kind == "bare":
            found.append(Message(part, end))
            continue
        event: dict[str, Any] = {"type": "log", "message": part}
        if kind in ("offsets", "offset pieces"):
            event["offset"] = end
        found.append(Message(json.dumps(event), end))
    return found


def complete(end: int, status: str = "SUCCEEDED") -> Message:
    return Message(json.dumps({"type": "complete", "status": status}), end)


def encode(message: Message, *, websocket: bool, plain: bool = False) -> bytes:
    """A message as its protocol frames it, without HTTP's chunks; `plain` for a body that is text/plain."""
    if websocket:
        return Frame(Opcode.TEXT, message.data.encode()).serialize(mask=False)
    if plain:
        return message.data.encode() + b"\n"
    return b"data: " + message.data.encode() + b"\n\n"


_WORDS: Sequence[str] = (
    "",
    "",
    "x",
    "loss 0.25",
    "ünï → 🚀",
    "a\rb\r 42%\rc",
    "  ",
    "\u2028\u0085\x0b\x0c\x1c",
)
# Text that would begin a field, a comment or JSON, were it not inside of a message.
_TRICKY: Sequence[str] = ("data: x", ":", "id: 7", "event", "null", "[1]", '"', "{", "\\n", "\x1b[31m", "42")


def known_log(rng: random.Random, lines: int, *, longest: int = 3_000, newline: bool | None = None) -> str:
    """A log of all that is hard: blank lines, carriage returns, long lines, no newline at its end.

    Every other line has its number, so that a repeated or lost one shows.
    """
    found: list[str] = []
    for number in range(lines):
        draw = rng.random()
        if draw < 0.15:
            line = ""
        elif draw < 0.25:
            line = rng.choice(_WORDS)
        elif draw < 0.30:
            line = rng.choice(_TRICKY)
        elif draw < 0.32:
            line = f"{number} " + rng.choice("xé🚀") * rng.randrange(1, longest // 4)
        else:
            line = f"{number} " + rng.choice(_WORDS) + "-" * rng.randrange(60)
        if rng.random() < 0.1:
            line += "\r"
        found.append(line)
    # The last one is neither blank nor has it a carriage return, whose meaning there depends on the newline.
    found.append(f"{lines} end")
    with_newline = rng.random() < 0.5 if newline is None else newline
    return "\n".join(found) + ("\n" if with_newline else "")
