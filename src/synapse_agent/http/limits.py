"""Limits that keep one client from using up the agent."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["Limits"]


@dataclass(frozen=True, slots=True)
class Limits:
    """What the agent accepts at most.

    Attributes:
        body_memory: Bytes of memory for the bodies of all requests under way, as an estimate.
        body_timeout: Seconds in which the JSON body of a request must arrive.
    """

    body_memory: int = 128 << 20
    body_timeout: float = 120.0
