"""A reader who types what a page says: one shell and one Python for all of it."""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import select
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Self

__all__ = ["Python", "Shell"]

# Reads {"source", "name"} a line; writes {"printed", "error"} a line. Pages leave their `client` open.
_DRIVER = """
import contextlib, io, json, os, sys, traceback
answers = os.fdopen(os.dup(1), "w")
os.dup2(2, 1)
namespace = {"__name__": "__main__"}
for line in sys.stdin:
    asked = json.loads(line)
    printed, error = io.StringIO(), None
    with contextlib.redirect_stdout(printed):
        try:
            exec(compile(asked["source"], asked["name"], "exec"), namespace)
        except BaseException:
            error = traceback.format_exc()
    answers.write(json.dumps({"printed": printed.getvalue(), "error": error}) + "\\n")
    answers.flush()
answers.close()
if "client" in namespace:
    namespace["client"].close()
"""


class _Child:
    """A child in a session of its own, which ends with it."""

    def __init__(self, command: list[str], cwd: Path, env: Mapping[str, str], stderr: int) -> None:
        self.process = subprocess.Popen(
            command,
            cwd=cwd,
            env=dict(env),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=stderr,
            start_new_session=True,
        )
        self._unread = b""

    def write(self, text: str) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(text.encode())
        self.process.stdin.flush()

    def read_until(self, mark: bytes, timeout: float) -> str:
        """Return what comes before `mark`, and drop that."""
        assert self.process.stdout is not None
        deadline = time.monotonic() + timeout
        while mark not in self._unread:
            left = deadline - time.monotonic()
            if left <= 0 or not select.select([self.process.stdout], [], [], left)[0]:
                raise AssertionError(
                    f"no end within {timeout} s; so far:\n{self._unread.decode(errors='replace')}"
                )
            data = os.read(self.process.stdout.fileno(), 65_536)
            assert data, f"it ended; so far:\n{self._unread.decode(errors='replace')}"
            self._unread += data
        text, _, self._unread = self._unread.partition(mark)
        return text.decode()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()
        for pipe in (self.process.stdin, self.process.stdout, self.process.stderr):
            if pipe is not None:
                with contextlib.suppress(OSError):
                    pipe.close()


class Shell(_Child):
    """A shell that keeps its folder and variables from one command to the next."""

    def __init__(self, cwd: Path, env: Mapping[str, str]) -> None:
        super().__init__(["bash", "--noprofile", "--norc"], cwd, env, subprocess.STDOUT)
        self._cwd = cwd
        self._script = cwd / f".command-{secrets.token_hex(4)}"
        self._running: dict[str, tuple[str, Path]] = {}
        self.status = 0

    def environment(self) -> dict[str, str]:
        """Return the variables that a program finds which is started in it now."""
        status = self.status
        pairs = self.run("env -0", 10).split("\0")
        self.status = status
        return dict(pair.split("=", 1) for pair in pairs if "=" in pair)

    def start(self, command: str) -> None:
        """Run a command beside the others."""
        name = self._cwd / f".started-{secrets.token_hex(4)}"
        name.write_text(f"{command}\n")
        said = name.with_suffix(".log")
        pid = self.run(f"(. '{name}') >'{said}' 2>&1 & echo $!", 10).strip()
        self._running[command] = (pid, said)

    def check_started(self) -> None:
        """Fail where what was started has ended by itself."""
        for command, (pid, said) in self._running.items():
            self.run(f"kill -0 {pid}", 10)
            assert self.status == 0, f"{command}\nended, and said\n{said.read_text()}"

    def run(self, command: str, timeout: float) -> str:
        """Run a command; give what it printed. Its status is in `status`, and in `$?` for the next one."""
        self._script.write_text(f"{command}\n")
        mark = secrets.token_hex(8)
        # The subshell hands on what $? is, which the mark would hide.
        self.write(f"(exit {self.status}); . '{self._script}' </dev/null; printf '{mark} %d\\n' $?\n")
        printed = self.read_until(f"{mark} ".encode(), timeout)
        self.status = int(self.read_until(b"\n", timeout))
        return printed


class Python(_Child):
    """A Python that keeps its names from one block to the next; a warning is an error."""

    def __init__(self, cwd: Path, env: Mapping[str, str]) -> None:
        super().__init__([sys.executable, "-W", "error", "-c", _DRIVER], cwd, env, subprocess.PIPE)

    def run(self, source: str, name: str, line: int, timeout: float) -> str:
        """Run a block; give what it printed. Lines are numbered as on the page."""
        self.write(json.dumps({"source": "\n" * (line - 1) + source, "name": name}) + "\n")
        answer: dict[str, Any] = json.loads(self.read_until(b"\n", timeout))
        assert answer["error"] is None, f"{answer['error']}\nafter it printed:\n{answer['printed']}"
        return str(answer["printed"])

    def finish(self, timeout: float = 30) -> str:
        """End it as a program ends; give what it complained about."""
        _, stderr = self.process.communicate(timeout=timeout)
        return bytes(stderr).decode()
