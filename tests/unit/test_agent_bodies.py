"""Bodies that would take too much of the agent: refused with a 4xx, while others are served."""

from __future__ import annotations

import asyncio
import gzip
import json
import time
from pathlib import Path
from typing import Any

import httpx
import pytest
from unit.agent_app import TOKEN, Agent, asynchronous, serving

from synapse_agent.http.limits import Limits

RUN = "/plugin_releases/run_debug/"


async def slowest_answer(agent: Agent, until: asyncio.Future[Any]) -> float:
    """Ask for `/livez` again and again; return the seconds of the slowest answer."""
    slowest = 0.0
    async with httpx.AsyncClient(base_url=agent.url) as other:
        while not until.done():
            begun = time.monotonic()
            assert (await other.get("/livez")).status_code == 200
            slowest = max(slowest, time.monotonic() - begun)
    return slowest


@pytest.mark.parametrize(
    ("name", "body", "status"),
    [
        ("values", b'{"action": "a", "params": {"x": [' + b"[]," * 10_000_000 + b"[]]}}", 413),
        ("strings", b'{"action": "a", "params": {"x": [' + b'"",' * 10_000_000 + b'""]}}', 413),
        ("depth", b'{"action": "a", "params": {"x": ' + b"[" * 5_000_000 + b"]" * 5_000_000 + b"}}", 400),
        (
            "names",
            json.dumps({"action": "a", "modules": {f"{i}-": "" for i in range(400_000)}}).encode(),
            422,
        ),
        ("size", b'{"action": "' + b"x" * (33 << 20) + b'"}', 413),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
@pytest.mark.parametrize("zipped", [False, True])
@asynchronous
async def test_a_large_body_leaves_the_others_alone(
    tmp_path: Path, name: str, body: bytes, status: int, zipped: bool
) -> None:
    headers = {"Content-Encoding": "gzip"} if zipped else {}
    content = gzip.compress(body, 1) if zipped else body
    async with serving(tmp_path) as agent:
        asked = asyncio.ensure_future(agent.client.post(RUN, content=content, headers=headers, timeout=60))
        slowest = await slowest_answer(agent, asked)
        response = await asked
    assert response.status_code == status
    assert len(response.content) < 20_000
    # 18 s before; the parser alone takes tenths.
    assert slowest < 3


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b'{"x": 1e999}', "out of range"),
        (b'{"x": -1e999}', "out of range"),
        (b'{"x": NaN}', "NaN is not a number"),
        (b'{"x": Infinity}', "Infinity is not a number"),
        (b'{"x": ' + b"9" * 5000 + b"}", "digits"),
        (b'{"x": ' + b"[" * 101 + b"]" * 101 + b"}", "nested more than 100 levels"),
        (b'{"x": "\xed\xa0\x80"}', "utf-8"),
        (b"\xff\xfe{\0}\0", "utf-8"),
        (b'{"x": "' + b"[" * 200 + b'"', "not JSON"),
        (b"", "not JSON"),
    ],
)
@asynchronous
async def test_what_is_not_json_is_refused(tmp_path: Path, body: bytes, words: str) -> None:
    async with serving(tmp_path) as agent:
        response = await agent.client.post("/resources/feasibility/", content=body)
    assert response.status_code == 400
    assert words in response.json()["detail"]


@pytest.mark.parametrize(
    "body",
    [
        {"kind": "job", "num_cpus": 10**400},
        {"kind": "job", "num_gpus": -(10**400)},
        {"kind": "job", "memory_bytes": 10**4000},
        {"kind": "x" * 200},
        {"kind": {"a": "b" * 1000}},
        {"secret": "b" * 1000},
    ],
)
@asynchronous
async def test_numbers_out_of_range_are_refused_without_an_echo(tmp_path: Path, body: dict[str, Any]) -> None:
    async with serving(tmp_path) as agent:
        response = await agent.client.post("/resources/feasibility/", json=body)
    assert response.status_code == 422
    assert len(response.content) < 500
    assert response.json()["detail"][0]["input"] is None


@asynchronous
async def test_brackets_in_texts_are_no_depth(tmp_path: Path) -> None:
    async with serving(tmp_path) as agent:
        text = '[{"\\' * 1000
        response = await agent.client.post("/resources/feasibility/", json={"kind": "job", "x": text})
    assert response.status_code == 503  # it was read, and Ray is what is missing


@asynchronous
async def test_bodies_share_a_budget(tmp_path: Path) -> None:
    limits = Limits(body_memory=8 << 20)
    body = json.dumps({"action": 1, "params": {"x": "y" * (3 << 20)}}).encode()

    async def halves(release: asyncio.Event) -> Any:
        yield body[: 5 << 19]
        await release.wait()
        yield body[5 << 19 :]

    async with serving(tmp_path, limits=limits) as agent:
        release = asyncio.Event()
        first = asyncio.ensure_future(agent.client.post(RUN, content=halves(release), timeout=60))
        while (other := await agent.client.post(RUN, content=body, timeout=60)).status_code != 503:
            assert other.status_code == 422
            assert not first.done()
        assert other.headers["Retry-After"] == "1"
        release.set()
        # It is answered, and what it took is there for the next one.
        assert (await first).status_code == 422
        assert (await agent.client.post(RUN, content=body, timeout=60)).status_code == 422


@asynchronous
async def test_a_body_must_arrive_in_time(tmp_path: Path) -> None:
    async with serving(tmp_path, limits=Limits(body_timeout=0.1)) as agent:
        host, port = agent.url.removeprefix("http://").split(":")
        reader, writer = await asyncio.open_connection(host, port)
        head = f"POST {RUN} HTTP/1.1\r\nHost: a\r\nAuthorization: {TOKEN}\r\nContent-Length: 2\r\n\r\n{{"
        writer.write(head.encode())
        assert (await reader.readline()).startswith(b"HTTP/1.1 408 ")
        writer.close()
