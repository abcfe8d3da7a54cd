"""What the checks share. They run in an environment that has the wheel, and nothing of this checkout."""

from __future__ import annotations

import os
import pty
import subprocess
import sys
from pathlib import Path

__all__ = ["expect", "program", "run", "run_on_terminal"]


def run(*command: str, code: int = 0, given: str = "", **variables: str) -> subprocess.CompletedProcess[str]:
    """Run a command of this environment; end with what it printed unless its exit code is `code`."""
    done = subprocess.run(
        [program(command[0]), *command[1:]],
        env=os.environ | variables,
        check=False,
        input=given,
        capture_output=True,
        text=True,
        timeout=120,
    )
    _expect_code(command, done.returncode, code, done.stdout + done.stderr)
    return done


def run_on_terminal(*command: str, **variables: str) -> str:
    """Do the same on a terminal, and return what it shows."""
    ours, terminal = pty.openpty()
    environment = os.environ | {"TERM": "xterm-256color", "COLUMNS": "120"} | variables
    process = subprocess.Popen(
        [program(command[0]), *command[1:]], env=environment, stdin=terminal, stdout=terminal, stderr=terminal
    )
    os.close(terminal)
    shown = b""
    try:
        while data := os.read(ours, 65536):
            shown += data
    except OSError:
        pass  # Linux says so when the other side is closed.
    os.close(ours)
    said = shown.decode(errors="replace")
    _expect_code(command, process.wait(120), 0, said)
    return said


def program(name: str) -> str:
    """Return the path of a command of this environment, or of one that COMMANDS has in its place."""
    return str(Path(os.environ.get("COMMANDS", Path(sys.executable).parent)) / name)


def expect(right: bool, command: str | tuple[str, ...], said: object) -> None:
    """End with what went wrong, unless it is right."""
    if not right:
        raise SystemExit(f"{command if isinstance(command, str) else ' '.join(command)}: {said}")


def _expect_code(command: tuple[str, ...], code: int, expected: int, said: str) -> None:
    expect(code == expected and "Traceback" not in said, command, f"exit code {code}\n{said}")
