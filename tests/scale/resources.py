"""What a process of ours may use, and uses."""

from __future__ import annotations

import gc
import resource
from pathlib import Path

__all__ = ["PeakMemory", "raise_file_limit"]


def raise_file_limit() -> None:
    """Let this process have as many open files as it may."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


class PeakMemory:
    """The memory of this process from now on, over what it is now."""

    def __init__(self) -> None:
        gc.collect()
        # Makes the peak that the kernel keeps start anew.
        Path("/proc/self/clear_refs").write_text("5")
        self._base = _status("VmRSS")

    @property
    def growth(self) -> int:
        """Bytes at the peak so far, less those at the beginning."""
        return max(0, _status("VmHWM") - self._base)


def _status(name: str) -> int:
    for line in Path("/proc/self/status").read_text().splitlines():
        key, _, value = line.partition(":")
        if key == name:
            return int(value.split()[0]) * 1024
    raise AssertionError(name)
