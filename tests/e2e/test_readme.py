"""The README's Python, run from top to bottom as one program, against a real agent."""

from __future__ import annotations

import re
import subprocess
import sys
from typing import Protocol

import pytest
from checkout import ROOT, environment

pytestmark = pytest.mark.ray

README = ROOT / "README.md"


class Agent(Protocol):
    url: str
    token: str
    pid: int


def test_snippets_work_as_written(agent: Agent) -> None:
    snippets = re.findall(r"^```python\n(.*?)^```$", README.read_text(), re.MULTILINE | re.DOTALL)
    assert len(snippets) >= 5
    program = "\n".join(snippets) + "\nclient.close()\n"
    program = program.replace("http://127.0.0.1:8000/", agent.url).replace("agent-token", agent.token)
    done = subprocess.run(
        [sys.executable, "-W", "error", "-"],
        input=program,
        env=environment(),
        check=False,
        capture_output=True,
        text=True,
        timeout=60,
    )

    assert (done.returncode, done.stderr) == (0, "")
    printed = done.stdout.splitlines()
    # Tailed four times to its end; the fifth time the limit comes before.
    assert printed.count("hello Ray") == 4
    assert printed.count("bye") == 4
    assert any(line.startswith("-- ") and "connected over websocket" in line for line in printed)
    assert any(line.endswith(": hello Ray") for line in printed)
    assert re.search(r"^http SUCCEEDED \d+ \d+$", done.stdout, re.MULTILINE)
    assert any(line.startswith("429 ") for line in printed)
    assert any(line.startswith("gone: ") for line in printed)
