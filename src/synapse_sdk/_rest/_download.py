"""Writing the body of an answer to a file as it comes."""

from __future__ import annotations

import contextlib
import os
import secrets
from typing import TYPE_CHECKING, BinaryIO, cast

from .._exceptions import ValidationError

if TYPE_CHECKING:
    from synapse_agent_api.types import FileTarget

__all__ = ["FileSink"]


class FileSink:
    """Takes the body of an answer, of each try anew.

    A path's file is replaced once the body is there whole. An open file is written to from where it stands; a
    second try goes back to there.

    Args:
        target: The file.

    Raises:
        ValidationError: 400, the file can't be written.
    """

    full = False

    def __init__(self, target: FileTarget) -> None:
        if not isinstance(target, (str, os.PathLike)) and not hasattr(target, "write"):
            raise ValidationError(400, "to must be a path, or a binary file that is open for writing")
        self._target = target
        self._path = None if hasattr(target, "write") else os.fspath(cast("str", target))
        self._file: BinaryIO | None = None
        self._begin: int | None = None
        self._part = ""
        self.size: int = 0

    def start(self) -> None:
        """Begin to write, or begin again."""
        self.discard()
        try:
            if self._path is not None:
                self._part = f"{self._path}.{secrets.token_hex(4)}.part"
                self._file = open(self._part, "xb")  # noqa: SIM115, PTH123 - closed by finish() or discard()
                return
            self._file = cast("BinaryIO", self._target)
            if self.size:
                if self._begin is None:
                    raise ValidationError(
                        400, "to can't be written again after a broken connection: it can't seek"
                    )
                self._file.seek(self._begin)
                self._file.truncate()
            elif self._file.seekable():
                self._begin = self._file.tell()
        except OSError as exc:
            raise _unwritable(exc) from exc
        finally:
            self.size = 0

    def feed(self, data: bytes) -> None:
        """Write the next bytes."""
        assert self._file is not None
        try:
            self._file.write(data)
        except (OSError, TypeError, ValueError) as exc:
            raise _unwritable(exc) from exc
        self.size += len(data)

    def body(self) -> bytes:
        """Return what stands for the body from here on."""
        return b""

    def finish(self) -> int:
        """Put the file in its place, and return its size."""
        if self._path is not None and self._file is not None:
            try:
                self._file.close()
                os.replace(self._part, self._path)  # noqa: PTH105 - a path of bytes is one, too
            except OSError as exc:
                raise _unwritable(exc) from exc
            self._file = None
        return self.size

    def discard(self) -> None:
        """Remove what was written of a path's file; nothing once it is in its place."""
        if self._path is not None and self._file is not None:
            with contextlib.suppress(OSError):
                self._file.close()
            with contextlib.suppress(OSError):
                os.unlink(self._part)  # noqa: PTH108
            self._file = None


def _unwritable(exc: Exception) -> ValidationError:
    return ValidationError(400, f"the file can't be written: {exc}")
