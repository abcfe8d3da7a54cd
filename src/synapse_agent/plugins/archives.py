"""Pack files into a zip archive."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Mapping

__all__ = ["pack"]

_EPOCH = (1980, 1, 1, 0, 0, 0)


def pack(files: Mapping[str, bytes], compression: int) -> bytes:
    """Return a zip archive whose bytes depend on the files only: sorted, and without times.

    Args:
        files: The content of each file by its path.
        compression: `zipfile.ZIP_STORED` or `zipfile.ZIP_DEFLATED`.
    """
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w") as archive:
        for path, data in sorted(files.items()):
            archive.writestr(zipfile.ZipInfo(path, _EPOCH), data, compression)
    return target.getvalue()
