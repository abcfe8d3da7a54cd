"""`make test-rays`: this checkout's agent before clusters of several versions of Ray; prints a table.

Each version has an environment of its own below .cache/rays, made by uv where that is there, else by venv
and pip. What runs for each is tests/rays/check.py: a job on a worker, tailed live over both protocols, then
read as a whole and in windows, a hundred and twenty tails that are left, and Ray's state API alone.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
ENVIRONMENTS = ROOT / ".cache" / "rays"
VERSIONS = ("2.9.3", "2.20.0", "2.32.0", "2.44.1", "2.49.2", "newest")


def main() -> int:
    parser = argparse.ArgumentParser(prog="make test-rays", description="The agent before several Rays.")
    parser.add_argument("versions", nargs="*", default=VERSIONS, help="versions (default: %(default)s)")
    rows: list[str] = []
    failed = 0
    for version in parser.parse_args().versions or VERSIONS:
        python = environment(version)
        print(f"Ray {version} …", flush=True)
        path = os.pathsep.join((str(ROOT / "tests"), str(ROOT / "src"), str(ROOT / "generated")))
        done = subprocess.run(
            [sys.executable, "-m", "rays.check", str(python)],
            env=os.environ | {"PYTHONPATH": path},
            stdout=subprocess.PIPE,
            text=True,
            check=False,
        )
        failed += done.returncode != 0
        found = json.loads(done.stdout.splitlines()[-1]) if done.returncode == 0 else {"ray": version}
        if not rows:
            rows.append(" | ".join(("ray", *(name for name in found if name != "ray"))))
        rows.append(" | ".join(map(str, found.values())) + (" | FAILED" if done.returncode else ""))
    print("\n".join(rows))
    return min(failed, 1)


def environment(version: str) -> Path:
    """The interpreter of an environment that has this Ray."""
    python = ENVIRONMENTS / version / "bin" / "python"
    wanted = "ray[default]" if version == "newest" else f"ray[default]=={version}"
    # Older versions need pkg_resources, which setuptools has no more.
    packages = [wanted, "setuptools<80"]
    if python.exists() and subprocess.run([python, "-c", "import ray"], check=False).returncode == 0:
        return python
    uv = shutil.which("uv")
    if uv is not None:
        subprocess.run([uv, "venv", "-q", "--clear", "--python", "3.11", python.parent.parent], check=True)
        subprocess.run([uv, "pip", "install", "-q", "--python", python, *packages], check=True)
    else:
        subprocess.run([sys.executable, "-m", "venv", "--clear", python.parent.parent], check=True)
        subprocess.run([python, "-m", "pip", "install", "-q", *packages], check=True)
    return python


if __name__ == "__main__":
    sys.exit(main())
