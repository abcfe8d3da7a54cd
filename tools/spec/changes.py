"""What a difference between two specs is made of."""

from __future__ import annotations

from typing import NamedTuple

__all__ = ["Change", "Side"]

Side = str
"""`wire`, between agents and clients of any make; or `python`, for who uses this SDK."""


class Change(NamedTuple):
    """One change, as one side sees it."""

    subject: str
    """The operation or the schema."""
    side: Side
    breaking: bool
    words: str
    new: bool = False
    """Whether there is something that was not there."""
