"""A program that uses the clients, frozen by PyInstaller without options.

Runs in an environment that has `synapse-sdk` and `pyinstaller`, in an empty folder. PyInstaller bundles only
the imports that it finds in the code; what is imported by name would be missing when the program runs.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

from synapse_sdk import __version__
from synapse_sdk.testing import FakeAgent

LINES = ["epoch 1", "epoch 2"]

PROGRAM = """
import asyncio, json
from synapse_sdk import __version__
from synapse_sdk.clients.agent import AgentClient, AsyncAgentClient
from synapse_sdk.clients.agent.models import Feasibility, JobStatus

with AgentClient.from_env() as client:
    assert client.get_job("train").status == JobStatus.SUCCEEDED
    followed = [list(client.tail_job_logs("train", protocol=protocol)) for protocol in ("websocket", "http")]
    followed.append([line for _, line in client.tail_many(["train"])])

async def follow():
    async with AsyncAgentClient.from_env() as client:
        return [line async for line in client.tail_job_logs("train")]

print(json.dumps([__version__, *followed, asyncio.run(follow())]))
"""


def run(*command: str, **variables: str) -> str:
    """Return what a command prints; end with it where the command fails."""
    done = subprocess.run(command, env=variables, check=False, capture_output=True, text=True, timeout=300)
    if done.returncode:
        raise SystemExit(f"{' '.join(command)}: exit code {done.returncode}\n{done.stdout}{done.stderr}")
    return done.stdout


Path("program.py").write_text(PROGRAM)
run(sys.executable, "-m", "PyInstaller", "--log-level", "ERROR", "program.py", **os.environ)
with FakeAgent(listen=True) as agent:
    agent.add_job("train", status="SUCCEEDED", logs=LINES)
    told = json.loads(run(str(Path("dist", "program", "program").absolute()), **agent.env))
if told != [__version__, LINES, LINES, LINES, LINES]:
    raise SystemExit(f"the frozen program printed {told}")
