"""The error of a generation that fails."""

from __future__ import annotations


class GenerationError(Exception):
    """The spec can't be turned into a client, or a tool for that is missing."""
