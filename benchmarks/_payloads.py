"""What the replay server sends: logs in the very bytes that our agent makes of them, and REST answers."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "src"))

from synapse_agent.logs.events import sse, sse_lines, websocket_lines
from synapse_agent.logs.lines import LineSplitter, Message

__all__ = ["JOB", "JOBS", "TASKS", "Log", "log_named", "websocket_event"]

# What the agent reads of a log, and so sends, at a time.
BLOCK = 256 * 1024

_CONNECTED: dict[str, object] = {"type": "connected"}
_COMPLETE: dict[str, object] = {"type": "complete", "status": "SUCCEEDED"}


@dataclass(frozen=True)
class Log:
    """A log, by its name: `lines130-200000` is 200 000 lines of about 130 bytes.

    `packets10-…` sends one event at a time, `Log.pause` seconds apart; `paced130-…` does, too, and each line
    begins with the moment of its writing.
    """

    kind: str
    size: int
    count: int

    @property
    def pause(self) -> float:
        """Seconds between two events; 0 where all is sent as fast as it is taken."""
        return {"lines": 0.0, "packets": 0.0001, "paced": 0.001}[self.kind]

    def line(self, number: int) -> str:
        """One line, in plain ASCII."""
        if self.kind == "paced":
            return f"{time.monotonic_ns()} ".ljust(self.size, "x")
        if self.size < 100:
            return f"{number:0{self.size}d}"
        # A line of a training job, filled up to its size.
        text = (
            f"2026-11-25 18:{number // 60_000 % 60:02d}:{number // 1000 % 60:02d},{number % 1000:03d} "
            f"INFO trainer[rank {number % 8}] epoch 3 step {number:06d}/200000 "
            f"loss={number % 997 / 997:.4f} lr=3.0e-04 images/s={800 + number % 37} "
        )
        return (text + f"memory={number % 81:02d}GiB " * ((self.size - len(text)) // 13 + 1))[: self.size]

    def blocks(self) -> Iterator[list[Message]]:
        """The messages of the log, as many at a time as the agent sends in one go."""
        splitter = LineSplitter(0)
        step = 1 if self.pause else max(1, BLOCK // (self.size + 1))
        for first in range(0, self.count, step):
            lines = [self.line(number) for number in range(first, min(first + step, self.count))]
            yield splitter.feed(("\n".join(lines) + "\n").encode())

    def websocket(self) -> Iterator[bytes]:
        """Frames, in the pieces to send, down to the close frame."""
        yield websocket_event(_CONNECTED)
        for messages in self.blocks():
            yield websocket_lines(messages)
        yield websocket_event(_COMPLETE) + b"\x88\x02\x03\xe8"

    def http(self, *, ids: bool) -> Iterator[bytes]:
        """The chunked body, in the pieces to send."""
        yield _chunk(sse(_CONNECTED))
        for messages in self.blocks():
            yield _chunk(sse_lines(messages, ids=ids))
        yield _chunk(sse(_COMPLETE)) + b"0\r\n\r\n"

    @cached_property
    def characters(self) -> int:
        """How many characters all lines have together, for the check that a client got them all."""
        return sum(len(self.line(number)) for number in range(self.count))


@cache
def log_named(name: str) -> Log:
    """The log with this name.

    Raises:
        ValueError: There is none.
    """
    kind = name.rstrip("0123456789-")
    size, _, count = name.removeprefix(kind).partition("-")
    if kind not in ("lines", "packets", "paced"):
        raise ValueError(f"no log {name!r}")
    return Log(kind, int(size), int(count))


def websocket_event(event: dict[str, object]) -> bytes:
    """A short event as a frame."""
    payload = json.dumps(event).encode()
    assert len(payload) < 126
    return bytes([0x81, len(payload)]) + payload


def _chunk(data: bytes) -> bytes:
    return b"%x\r\n%s\r\n" % (len(data), data)


def _job(number: int) -> dict[str, object]:
    return {
        "type": "SUBMISSION",
        "job_id": f"{number:02x}000000",
        "submission_id": f"raysubmit_{number:016x}",
        "driver_info": {
            "id": f"{number:02x}000000",
            "node_ip_address": "10.0.0.17",
            "pid": f"{4000 + number}",
        },
        "status": ("SUCCEEDED", "RUNNING", "FAILED")[number % 3],
        "entrypoint": "python -m synapse_agent.runs.runner --plugin yolo@1.4.2 --action train",
        "message": "Job finished successfully.",
        "error_type": None,
        "start_time": 1_790_000_000_000 + number,
        "end_time": 1_790_000_360_000 + number,
        "metadata": {"job_submission_id": f"raysubmit_{number:016x}", "tenant": "acme"},
        "runtime_env": {"env_vars": {"SYNAPSE_LANGUAGE": "en"}, "working_dir": "gcs://_ray_pkg_0f3a.zip"},
        "driver_agent_http_address": "http://10.0.0.17:52365",
        "driver_node_id": f"{number:056x}",
        "driver_exit_code": 0,
    }


def _task(number: int) -> dict[str, object]:
    return {
        "task_id": f"{number:048x}",
        "attempt_number": 0,
        "name": f"preprocess_{number % 17}",
        "state": ("FINISHED", "RUNNING", "PENDING_NODE_ASSIGNMENT", "FAILED")[number % 4],
        "job_id": f"{number % 7:02x}000000",
        "actor_id": None,
        "type": "NORMAL_TASK",
        "func_or_class_name": f"pipeline.stages.preprocess_{number % 17}",
        "parent_task_id": f"{number // 10:048x}",
        "node_id": f"{number % 5:056x}",
        "worker_id": f"{number % 40:056x}",
        "worker_pid": 10_000 + number % 40,
        "error_type": "TASK_EXECUTION_EXCEPTION" if number % 4 == 3 else None,
        "error_message": None,
        "required_resources": {"CPU": 1.0, "memory": 1_073_741_824.0},
        "creation_time_ms": 1_790_000_000_000 + number,
        "start_time_ms": 1_790_000_000_050 + number,
        "end_time_ms": 1_790_000_001_000 + number,
        "label_selector": {},
        "call_site": None,
    }


JOB = json.dumps(_job(1)).encode()
JOBS = json.dumps([_job(number) for number in range(1_000)]).encode()
TASKS = json.dumps([_task(number) for number in range(10_000)]).encode()
