"""The agent behind proxies: pages, odd Host headers, addresses of clients."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest
from unit.agent_app import TOKEN, asynchronous, serving

from synapse_agent.http.address import TrustedProxies, read_network
from synapse_agent.ops.log_output import configure_logging
from synapse_sdk.clients.agent import AsyncAgentClient


def add_plugins(directory: Path, *codes: str) -> None:
    for code in codes:
        path = directory / code
        path.mkdir(parents=True)
        text = f"code: {code}\nversion: '1'\nactions: {{go: {{entrypoint: m}}}}\n"
        (path / "config.yaml").write_text(text)


@asynchronous
async def test_pages_below_a_prefix_and_another_host(tmp_path: Path) -> None:
    add_plugins(tmp_path / "plugins", "a", "b", "c")
    async with serving(tmp_path, plugins=tmp_path / "plugins") as agent:
        for code in "abc":
            body = {"plugin": code, "version": "1"}
            assert (await agent.client.post("/plugin_releases/", json=body)).status_code == 201
        host, port = agent.url.removeprefix("http://").split(":")

        async def forward(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            """Answer one request: remove the prefix, and name another host, as TLS proxies do."""
            head = (await reader.readuntil(b"\r\n\r\n")).decode()
            assert " /prefix/" in head
            lines = head.replace(" /prefix/", " /", 1).split("\r\n")
            lines = [line for line in lines if not line.lower().startswith(("host:", "connection:"))]
            lines[1:1] = ["Host: backend.internal", "Connection: close"]
            there, to = await asyncio.open_connection(host, port)
            to.write("\r\n".join(lines).encode())
            writer.write(await there.read())
            writer.close()
            to.close()

        proxy = await asyncio.start_server(forward, "127.0.0.1", 0)
        url = f"http://127.0.0.1:{proxy.sockets[0].getsockname()[1]}/prefix"
        async with proxy, AsyncAgentClient(url, TOKEN) as client:
            found = [release.plugin async for release in client.iter_plugin_releases(page_size=1)]
    assert found == ["a", "b", "c"]


@pytest.mark.parametrize(
    "host",
    [b"", b"[", b"[::", b"a:b", b"a:99999", b"a b", b"\xff", b"a/b?c#d", b"@", b"a:80:90", b"%", b"::1"],
)
@asynchronous
async def test_odd_hosts_are_no_failure(tmp_path: Path, host: bytes) -> None:
    add_plugins(tmp_path / "plugins", "a", "b")
    async with serving(tmp_path, plugins=tmp_path / "plugins") as agent:
        for code in "ab":
            await agent.client.post("/plugin_releases/", json={"plugin": code, "version": "1"})
        for path in (b"/plugin_releases/?page_size=1", b"/health/", b"/nothing"):
            head = b"GET %b HTTP/1.1\r\nHost: %b\r\nAuthorization: %b\r\nConnection: close\r\n\r\n"
            answer = await agent.raw(head % (path, host, TOKEN.encode()))
            status = int(answer.split(b" ", 2)[1])
            assert status < 500
            if status == 200 and b"page" in path:
                body: Any = json.loads(answer.partition(b"\r\n\r\n")[2])
                assert body["next"] == "?page_size=1&page=2"


@pytest.mark.parametrize(
    ("peer", "forwarded", "client"),
    [
        ("192.0.2.1", ["198.51.100.7"], "192.0.2.1"),
        ("10.0.0.1", [], "10.0.0.1"),
        ("10.0.0.1", ["198.51.100.7"], "198.51.100.7"),
        ("10.0.0.1", ["203.0.113.9, 198.51.100.7"], "198.51.100.7"),
        ("10.0.0.1", ["203.0.113.9", "198.51.100.7, 10.2.3.4"], "198.51.100.7"),
        ("10.0.0.1", ["[2001:db8::1]"], "2001:db8::1"),
        ("10.0.0.1", ["10.0.0.2"], "10.0.0.2"),
        ("10.0.0.1", ["198.51.100.7, x\ny"], "10.0.0.1"),
        (None, ["198.51.100.7"], "198.51.100.7"),
        ("", [], "unix"),
    ],
)
def test_the_address_of_a_client(peer: str | None, forwarded: list[str], client: str) -> None:
    assert TrustedProxies([read_network("10.0.0.0/8")]).client(peer, forwarded) == client


@asynchronous
async def test_the_log_has_no_address_that_anybody_may_claim(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with configure_logging("json", "info"):
        async with serving(tmp_path) as agent:
            await agent.client.get("/livez", headers={"X-Forwarded-For": "198.51.100.7"})
    assert json.loads(capsys.readouterr().err)["address"] == "127.0.0.1"
