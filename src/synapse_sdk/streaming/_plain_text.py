"""Text out of the body of a plain log, which has no events: a line is a line, JSON or not."""

from __future__ import annotations

import codecs

from ._messages import Batch

__all__ = ["PlainText"]


class PlainText:
    """Decodes the bytes of a `text/plain` body as they come.

    Nothing but the beginning of a character is held back here: `Log` puts pieces of text together to lines.
    """

    cut = False
    """Whether the body ended inside an event: it has none."""
    too_long = False
    """Whether a line is longer than may be held: none is held."""

    def __init__(self) -> None:
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self.inside = False
        """Whether a line has begun and is not whole yet."""

    def receive(self, data: bytes) -> list[Batch]:
        """Take the bytes of one read; return their text."""
        return self._batches(self._decoder.decode(data))

    def end(self, *, cut: bool) -> list[Batch]:
        """Return what is left at the end of the body, unless it was cut and a reconnect brings the rest."""
        return [] if cut else self._batches(self._decoder.decode(b"", final=True))

    def _batches(self, text: str) -> list[Batch]:
        if not text:
            return []
        self.inside = text[-1] != "\n"
        return [Batch(None, [text], plain=True)]
