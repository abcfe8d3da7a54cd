"""What a process of ours may use, and uses."""

from __future__ import annotations

import os
import resource
from pathlib import Path

__all__ = ["raise_file_limit", "resident_bytes"]

_PAGE = os.sysconf("SC_PAGE_SIZE")


def raise_file_limit() -> None:
    """Let this process have as many open files as it may."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


def resident_bytes() -> int:
    """The memory of this process that is in use now."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * _PAGE
