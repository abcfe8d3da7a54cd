"""A real agent over a real Ray, for the rows that measure it."""

from __future__ import annotations

import json
import os
import secrets
import shutil
import signal
import subprocess
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from benchmarks._environments import clean_environment

__all__ = ["Agent", "AgentError", "running_agent"]

_READY_WITHIN = 120
_JOB_WITHIN = 90
_TERMINAL = {"SUCCEEDED", "FAILED", "STOPPED"}

# The lines are those of the replayed logs in size; the live job waits for a signal that all are connected.
_MODULE = """
import os, time

def finished(params):
    block = []
    for number in range(params["lines"]):
        block.append(f"{number:06d} " + "x" * 123)
        if len(block) == 1000:
            print("\\n".join(block))
            block.clear()

def live(params):
    print("ready", flush=True)
    while not os.path.exists(params["go"]):
        time.sleep(0.02)
    end = time.monotonic() + params["seconds"]
    while time.monotonic() < end:
        for _ in range(4):
            print(f"at {time.monotonic_ns()} ".ljust(130, "x"))
        print(end="", flush=True)
        time.sleep(0.01)
"""


class AgentError(Exception):
    """The agent, or a job of it, did not do what it should."""


class Agent:
    """A running agent."""

    def __init__(self, url: str, token: str, pid: int, folder: Path) -> None:
        self.url = url if url.endswith("/") else f"{url}/"
        self.token = token
        self._pid = pid
        self._folder = folder
        self._finished: dict[int, str] = {}

    def cpu(self) -> float:
        """CPU seconds of the agent's process so far, Ray's own processes not counted."""
        fields = Path(f"/proc/{self._pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def finished_job(self, lines: int) -> str:
        """The id of a job that has written so many lines and ended; run once, and kept."""
        if lines not in self._finished:
            job_id = self._submit("finished", lines=lines)
            self._wait(job_id, "SUCCEEDED")
            self._finished[lines] = job_id
        return self._finished[lines]

    def live_job(self) -> tuple[str, str]:
        """The id of a job that waits, and the file that makes it write."""
        go = self._folder / f"go-{secrets.token_hex(4)}"
        job_id = self._submit("live", go=str(go), seconds=6)
        self._wait(job_id, "RUNNING")
        return job_id, str(go)

    def _submit(self, function: str, **params: object) -> str:
        job_id = f"bench-{function}-{secrets.token_hex(4)}"
        actions = {"run": {"entrypoint": f"bench_job:{function}", "method": "job"}}
        body = {
            "action": "run",
            "params": params,
            "config": {"code": "bench", "version": "1.0.0", "actions": actions},
            "modules": {"bench_job": _MODULE},
            "job_id": job_id,
        }
        self._ask("plugin_releases/run_debug/", body)
        return job_id

    def _wait(self, job_id: str, status: str) -> None:
        deadline = time.monotonic() + _JOB_WITHIN
        while (job := self._ask(f"jobs/{job_id}/"))["status"] != status:
            if job["status"] in _TERMINAL or time.monotonic() > deadline:
                raise AgentError(f"the job {job_id} is {job['status']}, not {status}: {job.get('message')}")
            time.sleep(0.1)

    def _ask(self, path: str, body: object = None) -> Any:
        data = None if body is None else json.dumps(body).encode()
        headers = {"Authorization": self.token, "Content-Type": "application/json"}
        request = urllib.request.Request(self.url + path, data=data, headers=headers)
        try:
            with urllib.request.urlopen(request, timeout=60) as response:
                return json.load(response)
        except OSError as error:
            raise AgentError(f"{path}: {error}") from error


@contextmanager
def running_agent(python: Path) -> Iterator[Agent]:
    """Start an agent with a Ray of its own; stop both in the end."""
    # Short, since Ray's sockets lie below.
    folder = Path(tempfile.mkdtemp(prefix="bench-", dir="/tmp"))
    ready = folder / "ready.json"
    environment = {
        name: value
        for name, value in clean_environment().items()
        if name not in ("RAY_ADDRESS", "RAY_AUTH_MODE", "RAY_AUTH_TOKEN", "SYNAPSE_AGENT_TOKEN")
    }
    try:
        with (folder / "output").open("w") as output:
            process = subprocess.Popen(
                [str(python), "-m", "synapse_agent", "serve", "--port", "0", "--ready-file", str(ready)],
                env=environment | {"TMPDIR": str(folder)},
                stdout=output,
                stderr=output,
                # Ctrl-C is for the benchmark, which then stops the agent in order.
                start_new_session=True,
            )
        try:
            deadline = time.monotonic() + _READY_WITHIN
            while not ready.exists():
                if process.poll() is not None or time.monotonic() > deadline:
                    words = " ".join((folder / "output").read_text().split())
                    raise AgentError(f"the agent did not start: {words[-300:]}")
                time.sleep(0.1)
            told = json.loads(ready.read_text())
            yield Agent(told["url"], told["token"], told["pid"], folder)
        finally:
            process.send_signal(signal.SIGTERM)
            try:
                process.wait(30)
            finally:
                process.kill()
    finally:
        shutil.rmtree(folder, ignore_errors=True)
