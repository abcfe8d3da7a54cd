"""The error of a generation that fails."""

from __future__ import annotations

__all__ = ["GenerationError", "UnionError"]


class GenerationError(Exception):
    """The spec can't be turned into a client, or a tool for that is missing."""

    @classmethod
    def at(cls, where: str, what: str, mend: str) -> GenerationError:
        """Make the error for one place in the spec."""
        return cls(f"{where}: {what}; {mend}")


class UnionError(Exception):
    """The members of a union can't be told apart."""

    def __init__(self, members: list[str]) -> None:
        super().__init__(f"{' and '.join(sorted(members))} can't be told apart")

    def at(self, where: str) -> GenerationError:
        """Name the place."""
        mend = "give each a constant of its own in one property, or name that property in a discriminator"
        return GenerationError.at(where, str(self), mend)
