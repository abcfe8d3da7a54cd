"""What the checks share. They run in an environment that has the wheel, and nothing of this checkout."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

__all__ = ["expect", "run"]


def run(*command: str, code: int = 0, **variables: str) -> subprocess.CompletedProcess[str]:
    """Run a command of this environment; end with what it said unless its exit code is `code`."""
    done = subprocess.run(
        [str(Path(sys.executable).with_name(command[0])), *command[1:]],
        env=os.environ | variables,
        check=False,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=120,
    )
    said = done.stdout + done.stderr
    expect(
        done.returncode == code and "Traceback" not in said, command, f"exit code {done.returncode}\n{said}"
    )
    return done


def expect(right: bool, command: object, said: object) -> None:
    """End with what went wrong, unless it is right."""
    if not right:
        words = " ".join(command) if isinstance(command, tuple) else command
        raise SystemExit(f"{words}: {said}")
