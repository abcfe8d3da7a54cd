"""A change between two documents."""

from __future__ import annotations

from typing import NamedTuple

__all__ = ["Change", "Side"]

Side = str
"""`wire`, for agents and clients of any make, or `python`, for users of the generated client."""


class Change(NamedTuple):
    """One change, as one side sees it."""

    subject: str
    """The operation or the schema."""
    side: Side
    breaking: bool
    words: str
    new: bool = False
    """Whether it adds something."""
