"""The extra `redis`: a call that goes through a Redis server and the worker to the fake agent."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

from commands import expect

from synapse_sdk.clients.agent import AgentClient
from synapse_sdk.clients.exceptions import ClientConnectionError
from synapse_sdk.long_poll.redis import RedisLongPollHandler
from synapse_sdk.testing import FakeAgent


def through(url: str) -> None:
    worker = [sys.executable, "-m", "synapse_sdk.long_poll.worker", "--redis", url, "--agent-id", "a"]
    with (
        FakeAgent(listen=True) as agent,
        subprocess.Popen([*worker, "--agent-url", agent.url]) as process,
        RedisLongPollHandler(url, "a") as handler,
        AgentClient(None, agent.token, long_poll_handler=handler, timeout=60) as client,
    ):
        agent.add_job("train", status="SUCCEEDED")
        try:
            job = client.get_job("train")
            expect(job.status == "SUCCEEDED", "get_job through Redis", job)
        finally:
            process.terminate()


with RedisLongPollHandler("redis://127.0.0.1:1/0", "a") as nobody:
    try:
        AgentClient(None, "token", long_poll_handler=nobody, max_retries=0).get_job("train")
    except ClientConnectionError:
        pass
    else:
        raise SystemExit("get_job without a Redis server: no ClientConnectionError")
if program := shutil.which("redis-server"):
    socket = Path("r.sock").absolute()
    command = [program, "--port", "0", "--unixsocket", str(socket), "--save", ""]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        try:
            ready = any("ready to accept" in line.lower() for line in server.stdout)
            expect(ready, "redis-server", "it did not start")
            through(f"unix://{socket}")
        finally:
            server.terminate()
            server.communicate()
else:
    print("without a call: redis-server is not installed")
