"""What shall go wrong, in the order in which it was asked for. No I/O."""

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
    """One fault.

    Attributes:
        operation: Whose request it meets; None for any.
        times: How often it does; None for ever.
        kind: What happens in place of the answer, or before it.
        reply: What is answered, of an "answer".
        seconds: How long a "delay" is.
    """

    operation: str | None
    times: int | None
    kind: Literal["answer", "drop", "hang", "delay"]
    reply: Reply | None = None
    seconds: float = 0.0


class Faults:
    """The faults that are still to come."""

    def __init__(self) -> None:
        self._waiting: list[Fault] = []

    def add(self, fault: Fault) -> None:
        """Put a fault behind those that are there."""
        if fault.times is not None and fault.times < 1:
            raise ValueError("times must be at least 1, or None for every time")
        self._waiting.append(fault)

    def take(self, operation: str | None) -> Fault | None:
        """Give the fault that a request meets, and count it."""
        for fault in self._waiting:
            if fault.operation in (None, operation):
                if fault.times is not None:
                    fault.times -= 1
                    if not fault.times:
                        self._waiting.remove(fault)
                return fault
        return None

    def clear(self) -> None:
        """Forget them all."""
        self._waiting.clear()
