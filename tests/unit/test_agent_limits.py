"""Connections and log streams beyond the limits: 503 with Retry-After, and nobody else notices."""

from __future__ import annotations

import asyncio
import resource
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import httpx
import pytest
from checkout import environment
from unit.agent_app import asynchronous, serving

from synapse_agent.errors import ApiError
from synapse_agent.http.limits import Limits, TailSlots
from synapse_agent.ops.log_output import configure_logging


@asynchronous
async def test_connections_beyond_the_limit_are_answered(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with configure_logging("text", "warning"):
        async with serving(tmp_path, limits=Limits(connections=2)) as agent:
            host, port = agent.url.removeprefix("http://").split(":")
            held = [await asyncio.open_connection(host, port) for _ in range(2)]
            while len(agent.server.connections) < 2:  # noqa: ASYNC110
                await asyncio.sleep(0.01)
            for _ in range(20):
                async with httpx.AsyncClient(base_url=agent.url) as other:
                    response = await other.get("/livez")
                assert response.status_code == 503
                assert response.headers["Retry-After"] == "1"
                assert "in use" in response.json()["detail"]
            # More than may wait for their answer are closed without one.
            flood = [await asyncio.open_connection(host, port) for _ in range(40)]
            for reader, writer in flood:
                with suppress(ConnectionResetError):
                    assert await reader.read() == b""
                writer.close()
            # A connection that ends makes place for another.
            held.pop()[1].close()
            while (await agent.client.get("/livez")).status_code != 200:  # noqa: ASYNC110
                await asyncio.sleep(0.01)
            held.pop()[1].close()
    assert capsys.readouterr().err.count("refusing connections") == 1


@asynchronous
async def test_a_head_that_does_not_arrive_closes_the_connection(tmp_path: Path) -> None:
    async with serving(tmp_path, limits=Limits(idle_timeout=0.2)) as agent:
        host, port = agent.url.removeprefix("http://").split(":")
        for begun in (b"", b"GET /livez HTTP/1.1\r\nHost: a", b"GET /livez HTTP/1.1\r\nHost: a\r\n\r\n"):
            reader, writer = await asyncio.open_connection(host, port)
            writer.write(begun)
            # Were it kept open, this would wait for ever.
            await reader.read()
            writer.close()


def test_log_streams_have_places() -> None:
    slots = TailSlots(Limits(tails=3, tails_per_job=2))
    with slots.taken("a"), slots.taken("a"):
        with pytest.raises(ApiError, match="job a has 2 log streams") as error, slots.taken("a"):
            pass
        assert (error.value.status, error.value.headers) == (503, {"Retry-After": "5"})
        with slots.taken("b"), pytest.raises(ApiError, match="agent has 3 log streams"), slots.taken("c"):
            pass
        assert slots.open == 2
    assert slots.open == 0
    with slots.taken("a"):
        pass


@pytest.mark.parametrize(
    ("soft", "hard", "limit", "connections"),
    [(256, 4096, 4096, 2016), (16, 16, 16, 4), (1024, 1024, 1024, 480)],
)
def test_the_soft_limit_of_open_files_is_raised(soft: int, hard: int, limit: int, connections: int) -> None:
    code = (
        "import resource\nfrom synapse_agent.process import raise_open_files\n"
        f"resource.setrlimit(resource.RLIMIT_NOFILE, ({soft}, {hard}))\n"
        "print(raise_open_files(), resource.getrlimit(resource.RLIMIT_NOFILE)[0])"
    )
    if resource.getrlimit(resource.RLIMIT_NOFILE)[1] < hard:
        pytest.skip("this machine allows fewer")
    done = subprocess.run([sys.executable, "-c", code], env=environment(), capture_output=True, text=True)
    assert done.stdout.split() == [str(connections), str(limit)], done.stderr
