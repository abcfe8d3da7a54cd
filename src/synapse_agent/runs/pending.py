"""Why a job has not started yet."""

from __future__ import annotations

import re
import time
from pathlib import Path

from ..ray.client import JsonObject

__all__ = ["PENDING", "explained"]

PENDING = "PENDING"

# Seconds after which a job that has not started is more than slow.
_LONG = 15.0

_ERROR = re.compile(r"^[\w.]*(?:Error|Exception|Exit)\b.*", re.MULTILINE)
_TAIL = 16_384


def explained(job: JsonObject, log_dir: Path | None) -> JsonObject:
    """Return the job; if it has been pending for long, with more of the reason in its message.

    Args:
        job: A job as Ray describes it.
        log_dir: The directory of Ray's logs, if they are on this machine.
    """
    # Ray calls the time of submission so.
    started = (job.get("start_time") or 0) / 1000
    waited = time.time() - started
    if job.get("status") != PENDING or not started or waited < _LONG:
        return job
    reason = _worker_error(log_dir, started) if log_dir is not None else None
    words = [
        str(job.get("message") or "Job has not started yet."),
        f"It has been pending for {waited:.0f} s.",
        f"The latest error of a starting Ray worker: {reason}"
        if reason
        else "Its packages may still be installed, the cluster may have no room for it, or its worker process"
        " ends at start, which raylet.err in Ray's logs would show.",
    ]
    return job | {"message": " ".join(words)}


def _worker_error(log_dir: Path, since: float) -> str | None:
    """Return the last exception that a starting worker wrote, if there was any since."""
    path = log_dir / "raylet.err"
    try:
        with path.open("rb") as file:
            if path.stat().st_mtime < since:
                return None
            file.seek(max(0, path.stat().st_size - _TAIL))
            found = _ERROR.findall(file.read().decode("utf-8", "replace"))
    except OSError:
        return None
    return found[-1][:300] if found else None
