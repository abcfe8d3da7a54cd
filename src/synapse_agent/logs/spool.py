"""Logs on disk, as far as they were read, for later readers and for when the cluster is gone."""

from __future__ import annotations

import fcntl
import json
import os
import shutil
import tempfile
import time
from contextlib import suppress
from pathlib import Path
from typing import cast

from ..ray.client import JsonObject

__all__ = ["Spool", "SpooledLog"]

# Bounds of a temporary spool: bytes, and seconds after the last use.
_TEMPORARY_BYTES, _TEMPORARY_AGE = 1 << 30, 3600.0

_PREFIX = "synapse-logs-"

# Fields of a job that are kept with its log.
_KEPT = (
    "submission_id",
    "status",
    "message",
    "start_time",
    "end_time",
    "driver_node_id",
    "driver_agent_http_address",
)

# Seconds between two searches for logs to remove.
_SWEEP = 30.0


class Spool:
    """A folder of logs, each from its start as far as it was read; the longest unused is removed first.

    Args:
        directory: Where logs are kept; None for a temporary folder that is removed when the agent ends.
        capacity: Bytes of all logs together.
    """

    def __init__(self, directory: Path | None, capacity: int = _TEMPORARY_BYTES) -> None:
        self._age = _TEMPORARY_AGE if directory is None else None
        self._lock: int | None = None
        if directory is None:
            _remove_stale()
            directory = Path(tempfile.mkdtemp(prefix=_PREFIX))
            # The lock is released when the agent ends, in whatever way.
            self._lock = os.open(directory, os.O_RDONLY | os.O_CLOEXEC)
            fcntl.flock(self._lock, fcntl.LOCK_EX)
        self.directory = directory
        self.directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._capacity = capacity
        self._swept = 0.0
        self._used = 0

    def open(self, job: JsonObject) -> SpooledLog:
        """Return the job's log; the log of an older job with the same id is removed."""
        return SpooledLog(self, job)

    def job(self, job_id: str) -> JsonObject | None:
        """Return a job as it was when its log was spooled, else None."""
        about = _read_about(self.directory / f"{job_id}.json")
        return cast("JsonObject", about["job"]) if about else None

    def make_room(self, keep: Path, more: int) -> bool:
        """Remove logs that are too old or too many; return whether there is room for `more` bytes."""
        now = time.time()
        if now - self._swept < _SWEEP and self._used + more <= self._capacity:
            self._used += more
            return True
        found: list[tuple[float, int, Path]] = []
        for path in self.directory.glob("*.log"):
            with suppress(OSError):
                stat = path.stat()
                found.append((stat.st_mtime, stat.st_size, path))
        used = sum(size for _, size, _ in found)
        for mtime, size, path in sorted(found):
            old = self._age is not None and now - mtime > self._age
            if path != keep and (old or used + more > self._capacity):
                path.with_suffix(".json").unlink(missing_ok=True)
                path.unlink(missing_ok=True)
                used -= size
        self._swept, self._used = now, used
        if used + more > self._capacity:
            return False
        self._used += more
        return True

    def close(self) -> None:
        if self._lock is not None:
            shutil.rmtree(self.directory, ignore_errors=True)
            os.close(self._lock)
            self._lock = None


def _remove_stale() -> None:
    """Remove the temporary spools of agents that were killed."""
    for directory in Path(tempfile.gettempdir()).glob(f"{_PREFIX}*"):
        with suppress(OSError):
            if directory.stat().st_uid != os.getuid() or time.time() - directory.stat().st_mtime < 60:
                continue
            lock = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)  # fails where its agent lives
                shutil.rmtree(directory, ignore_errors=True)
            finally:
                os.close(lock)


class SpooledLog:
    """One log, from its first byte as far as it was read without a gap.

    Attributes:
        final: Whether this is the whole log of a job that is over.
        size: The number of bytes.
    """

    def __init__(self, spool: Spool, job: JsonObject) -> None:
        self._spool = spool
        self._path = spool.directory / f"{job['submission_id']}.log"
        self._about = self._path.with_suffix(".json")
        about = _read_about(self._about)
        if about is None or about["job"].get("start_time") != job.get("start_time"):
            self._remove()
            about = {"job": _without_secrets(job), "final": False}
            self._write_about(about)
        self.size = self._path.stat().st_size if self._path.exists() else 0
        self.final = bool(about["final"])
        self._full = False

    def read(self, position: int, limit: int) -> bytes:
        """Return at most `limit` bytes from `position` on, none if they are not on disk."""
        if position >= self.size:
            return b""
        try:
            file = os.open(self._path, os.O_RDONLY | os.O_CLOEXEC)
        except FileNotFoundError:  # removed to make room
            self.size, self.final = 0, False
            return b""
        try:
            return os.pread(file, min(limit, self.size - position), position)
        finally:
            os.close(file)

    def add(self, position: int, data: bytes) -> None:
        """Append what continues the log; ignore other data."""
        if self._full or self.final or not position <= self.size < position + len(data):
            return
        new = data[self.size - position :]
        try:
            if not self._spool.make_room(self._path, len(new)):
                self._full = True
                return
            file = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o600)
            try:
                if os.fstat(file).st_size < self.size:  # removed to make room
                    self.size = 0
                    return
                self.size += os.pwrite(file, new, self.size)
            finally:
                os.close(file)
        except OSError:  # without the copy the tail still works
            self._full = True

    def finish(self, job: JsonObject, size: int) -> None:
        """Record the final size of the log, in bytes."""
        if size == self.size and not self.final:
            with suppress(OSError):
                self._path.touch()
                self._write_about({"job": _without_secrets(job), "final": True})
                self.final = True

    def _write_about(self, about: JsonObject) -> None:
        part = self._about.with_suffix(".part")
        with suppress(OSError):
            part.write_text(json.dumps(about), "utf-8")
            part.chmod(0o600)
            part.replace(self._about)

    def _remove(self) -> None:
        for path in (self._path, self._about):
            with suppress(OSError):
                path.unlink(missing_ok=True)


def _without_secrets(job: JsonObject) -> JsonObject:
    """Return the fields that a tail needs; the job's environment may hold tokens."""
    return {name: job.get(name) for name in _KEPT}


def _read_about(path: Path) -> JsonObject | None:
    try:
        about = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError):
        return None
    if not isinstance(about, dict):
        return None
    found = cast("JsonObject", about)
    return found if isinstance(found.get("job"), dict) and "final" in found else None
