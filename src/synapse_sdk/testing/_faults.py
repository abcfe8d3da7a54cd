"""The faults that the test has requested, in order. No I/O."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from ._reply import Reply

__all__ = ["Drop", "DropHow", "Fault", "Faults"]

DropHow = Literal["close", "fin", "reset"]
"""How a stream breaks: closed by its protocol, as at a restart; ended; or reset."""


@dataclass
class Drop:
    """A break of a log stream, after a number of lines or of bytes on the wire."""

    lines: int | None
    size: int | None
    how: DropHow


@dataclass
class Fault:
    """A fault.

    Attributes:
        operation: The operation that it affects; None for any.
        times: How many requests it affects; None for all.
        kind: What happens instead of the response, or before it.
        reply: The response of an "answer".
        seconds: The length of a "delay".
    """

    operation: str | None
    times: int | None
    kind: Literal["answer", "drop", "hang", "delay"]
    reply: Reply | None = None
    seconds: float = 0.0


class Faults:
    """The faults that have not occurred yet."""

    def __init__(self) -> None:
        self._waiting: list[Fault] = []

    def add(self, fault: Fault) -> None:
        """Add a fault after the others."""
        if fault.times is not None and fault.times < 1:
            raise ValueError("times must be at least 1, or None for every time")
        self._waiting.append(fault)

    def take(self, operation: str | None) -> Fault | None:
        """Return the fault that a request meets, if any, and count it."""
        for fault in self._waiting:
            if fault.operation in (None, operation):
                if fault.times is not None:
                    fault.times -= 1
                    if not fault.times:
                        self._waiting.remove(fault)
                return fault
        return None

    def clear(self) -> None:
        """Remove all faults."""
        self._waiting.clear()
