"""Write the lock, requirements/*.lock, from pyproject.toml.

    python scripts/lock.py            the newest version of everything that pyproject.toml allows
    python scripts/lock.py --keep     the locked versions, where they still fit
    python scripts/lock.py --check    write nothing; fail if pyproject.toml has changed since

The files are requirements with hashes for pip, for every Python and platform. They hold no address of a
package index, so that each machine asks its own.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import subprocess
import sys
import tomllib
from pathlib import Path

# What each file has of pyproject.toml. The larger one first: the other takes its versions from it.
FILES = {
    "requirements/dev.lock": "--all-extras --group dev --group docs",
    "requirements/agent.lock": "--extra agent-ray --group build --constraint requirements/dev.lock",
}


def first_line() -> str:
    """Return what a lock for this pyproject.toml begins with."""
    content = tomllib.loads(Path("pyproject.toml").read_text())
    keys = ("requires-python", "dependencies", "optional-dependencies")
    asked = json.dumps([*(content["project"][key] for key in keys), content["dependency-groups"]])
    return f"# For the dependencies {hashlib.sha256(asked.encode()).hexdigest()[:16]} in pyproject.toml.\n"


def write(keep: bool) -> None:
    for file, what in FILES.items():
        command = [sys.executable, "-m", "uv", "pip", "compile", "--quiet", "pyproject.toml", *what.split()]
        command += ["--universal", "--python-version", "3.11", "--generate-hashes", "--no-annotate"]
        command += ["--custom-compile-command", "make lock", "--output-file", file]
        command += [] if keep else ["--upgrade"]
        # uv's settings of this machine are not the project's.
        subprocess.run(command, check=True, env=os.environ | {"UV_NO_CONFIG": "1"})
        lock = Path(file)
        lock.write_text(first_line() + lock.read_text())


def main() -> int:
    parser = argparse.ArgumentParser(description="Write the lock from pyproject.toml.")
    parser.add_argument("--keep", action="store_true", help="keep the locked versions where they still fit")
    parser.add_argument("--check", action="store_true", help="fail if the lock is not for pyproject.toml")
    options = parser.parse_args()
    if not options.check:
        write(options.keep)
        return 0
    wrong = [file for file in FILES if not Path(file).read_text().startswith(first_line())]
    if wrong:
        message = "the dependencies in pyproject.toml have changed since: run make lock KEEP=1"
        sys.stderr.write(f"{' and '.join(wrong)}: {message}\n")
    return bool(wrong)


if __name__ == "__main__":
    sys.exit(main())
