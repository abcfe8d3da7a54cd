"""`make demo`: starts an agent with a Ray cluster of its own, runs a program against it, stops it all.

Nothing that it does is special: it runs the two commands that it prints. The token is made up here; it and
the agent's address go to them by the environment. `--port` asks for a port; without it the agent takes a
free one.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import secrets
import shlex
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
# An embedded Ray is ready in some 5 s; a machine that is busy or has just been installed takes longer.
START_SECONDS = 120
STOP_SECONDS = 30


class Signals:
    """Remembers the first Ctrl-C, or signal that means the same. Nothing is interrupted half way by it."""

    def __init__(self) -> None:
        self.received: signal.Signals | None = None
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, self._note)

    def _note(self, number: int, _frame: object) -> None:
        self.received = self.received or signal.Signals(number)


def main() -> int:
    parser = argparse.ArgumentParser(description="Start an agent, run a program against it, stop the agent.")
    parser.add_argument(
        "--port", type=int, default=0, help="the agent's port; 0, the default, takes a free one"
    )
    parser.add_argument("program", nargs="*", default=["python", "examples/quickstart.py"])
    options = parser.parse_args()

    signals = Signals()
    with tempfile.TemporaryDirectory(prefix="synapse-demo-") as folder:
        exit_code = run(options.port, options.program, Path(folder) / "agent.json", signals)
    if signals.received:
        print(f"# Stopped by {signals.received.name}.", file=sys.stderr)
        return 128 + signals.received
    return exit_code


def run(port: int, program: list[str], ready_file: Path, signals: Signals) -> int:
    token = {"SYNAPSE_AGENT_TOKEN": secrets.token_urlsafe(32)}
    with child(
        ["synapse-agent", "serve", "--port", str(port), "--ready-file", str(ready_file)], token
    ) as agent:
        wait(agent, lambda: ready_file.exists() or signals.received, START_SECONDS)
        if signals.received:
            return 1
        if not ready_file.exists():
            print(f"The agent did not start (exit code {agent.poll()}); it says why above.", file=sys.stderr)
            if port:
                print("If its port is taken: `make demo` without PORT takes a free one.", file=sys.stderr)
            return 1
        url = json.loads(ready_file.read_text())["url"]
        print(f"\n$ export SYNAPSE_AGENT_URL={url} SYNAPSE_AGENT_TOKEN=…")
        with child(program, token | {"SYNAPSE_AGENT_URL": url}) as running:
            wait(running, lambda: signals.received)
            exit_code = running.poll()
        print("\n# Stopping the agent and its Ray.", flush=True)
    return 1 if exit_code is None else exit_code


@contextlib.contextmanager
def child(command: list[str], variables: dict[str, str]) -> Iterator[subprocess.Popen[bytes]]:
    print(f"$ {shlex.join(command)}", flush=True)
    # In a session of its own, so that Ctrl-C reaches only this script, which stops one after the other.
    process = subprocess.Popen(command, cwd=ROOT, env=os.environ | variables, start_new_session=True)
    try:
        yield process
    finally:
        process.terminate()
        try:
            process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def wait(
    process: subprocess.Popen[bytes], until: Callable[[], object], seconds: float = float("inf")
) -> None:
    """Until the process ends, or what is asked for is so, or the time is over."""
    deadline = time.monotonic() + seconds
    while not until() and time.monotonic() < deadline:
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(0.1)
            return


if __name__ == "__main__":
    sys.exit(main())
