"""Starts the server and the clients."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from checkout import ROOT, environment, python_path

__all__ = ["measure", "server"]


def _environment() -> dict[str, str]:
    return environment() | python_path(ROOT / "tests")


@contextmanager
def server() -> Iterator[str]:
    """Run the server; give its URL."""
    process = subprocess.Popen(
        [sys.executable, "-m", "scale.server"],
        env=_environment(),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        yield f"http://127.0.0.1:{int(process.stdout.readline())}"
    finally:
        process.stdin.close()
        process.kill()
        process.wait()
        process.stdout.close()


def measure(url: str, *arguments: Any) -> dict[str, float]:
    """Run a client; give what it tells."""
    command = [sys.executable, "-m", "scale.client", url, *map(str, arguments)]
    done = subprocess.run(command, env=_environment(), capture_output=True, text=True, timeout=600)
    assert done.returncode == 0, done.stderr
    result: dict[str, float] = json.loads(done.stdout)
    return result
