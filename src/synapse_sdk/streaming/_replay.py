"""The check that an agent replays what was received before, by digests. No I/O."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from hashlib import blake2b

__all__ = ["ReplayCheck"]


class ReplayCheck:
    """Digests of the log received so far and of its replay on the present connection."""

    def __init__(self) -> None:
        self._received: blake2b | None = None
        self._replayed: blake2b | None = None

    @property
    def has_digest(self) -> bool:
        """Whether there is a digest of what was received."""
        return self._received is not None

    def receive(self, *texts: str) -> None:
        """Add text that is received for the first time."""
        if self._received is None:
            self._received = _digest()
        for text in texts:
            self._received.update(text.encode())

    def restart(self) -> None:
        """Expect a replay from the start of the log."""
        self._replayed = None

    def replay(self, data: bytes) -> None:
        """Add bytes that are replayed."""
        if self._replayed is None:
            self._replayed = _digest()
        self._replayed.update(data)

    def trust(self) -> None:
        """Take the replay so far for what was received: the stream began after it."""
        if self._replayed is not None:
            self._received = self._replayed.copy()

    def matches(self) -> bool:
        """Return whether the replay so far equals all that was received; True without a digest of that."""
        if self._received is None or self._replayed is None:
            return True
        return self._replayed.digest() == self._received.digest()


def _digest() -> blake2b:
    # hashlib takes a while to import.
    from hashlib import blake2b

    return blake2b(digest_size=16)
