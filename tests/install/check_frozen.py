"""The command as a program of its own, by PyInstaller without options: no import goes by a name alone."""

from __future__ import annotations

import os
from pathlib import Path

from check_cli import use
from commands import program, run

run("pyinstaller", "--log-level", "ERROR", "--specpath", "build", program("synapse"))
os.environ["COMMANDS"] = str(Path("dist", "synapse").absolute())
use()
