"""What a tail of a well-behaved agent gives, over each protocol and client."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from typing import Any

import anyio
import httpx
import pytest
from tables import each_row

from synapse_sdk.clients.agent import AgentClient, AsyncAgentClient
from synapse_sdk.clients.exceptions import ClientError, ValidationError

from .conftest import Tailer
from .scripted import Agent, Peer, plays


def test_lines_arrive_in_order_blank_ones_included(tail: Tailer) -> None:
    lines = ["first", "", "  indented", "", "ünï → 🚀", ""]

    def script(peer: Peer) -> None:
        peer.event({"type": "connected"})
        peer.lines(*lines)
        peer.complete()

    with Agent(script) as agent:
        result = tail(agent.url)
    assert result.whole() == lines
    assert result.stream.protocol == tail.protocol
    assert result.stream.job_status == "SUCCEEDED"
    assert result.stream.lines == len(lines)
    assert result.stream.bytes == sum(len(line.encode()) + 1 for line in lines)
    assert result.stream.reconnects == 0


def test_whole_lines_without_offsets_end_with_an_implied_newline(tail: Tailer) -> None:
    def script(peer: Peer) -> None:
        for line in ("one", "", "two"):
            peer.log(line)
        peer.complete()

    with Agent(script) as agent:
        assert tail(agent.url).whole() == ["one", "", "two"]


def test_pieces_are_joined_into_lines(tail: Tailer) -> None:
    def script(peer: Peer) -> None:
        for piece in ("one\ntw", "o", "\n\nthr", "ee\r", "\nfour\n", "five"):
            peer.log(piece)
        peer.complete()

    with Agent(script) as agent:
        assert tail(agent.url).whole() == ["one", "two", "", "three", "four", "five"]


def test_a_first_piece_without_a_newline_is_not_taken_for_a_line(tail: Tailer) -> None:
    def script(peer: Peer) -> None:
        for piece in ("o", "ne\nt", "wo\n"):
            peer.log(piece)
        peer.complete()

    with Agent(script) as agent:
        assert tail(agent.url).whole() == ["one", "two"]


def test_offsets_settle_whether_a_newline_is_implied(tail: Tailer) -> None:
    def script(peer: Peer) -> None:
        peer.log("whole", 6)
        peer.log("a piece, ", 15)
        peer.log("and its end", 27)
        peer.log("tail", 31)
        peer.complete()

    with Agent(script) as agent:
        assert tail(agent.url).whole() == ["whole", "a piece, and its end", "tail"]


def test_events_without_text_are_no_lines(tail: Tailer) -> None:
    def script(peer: Peer) -> None:
        for event in (
            {"type": "connected"},
            {"type": "heartbeat"},
            {"type": "metrics", "cpu": 1},
            {"type": "log", "message": "line", "offset": 5},
            {"message": "no type", "offset": 13},
            {"type": "later", "message": "unknown type with text"},
        ):
            peer.event(event)
        peer.complete()

    with Agent(script) as agent:
        assert tail(agent.url).whole() == ["line", "no type", "unknown type with text"]


def test_the_credentials_go_with_every_request(tail: Tailer) -> None:
    with Agent(lambda peer: peer.complete()) as agent:
        tail(agent.url + "/prefix", user_token="user", tenant="tenant").whole()
        request = agent.streams[0]
    assert request.path.startswith("/prefix/jobs/job/logs/")
    assert request.headers["authorization"] == "a-token"
    assert request.headers["synapse-user"] == "Token user"
    assert request.headers["synapse-tenant"] == "Token tenant"


@each_row(
    ("job_id", "timeout", "protocol"),
    [
        ("", 5, "auto"),
        ("a/b", 5, "auto"),
        ("job", 0, "auto"),
        ("job", 301, "http"),
        ("job", 5, "carrier-pigeon"),
    ],
)
def test_bad_parameters_are_refused_before_anything_is_sent(
    job_id: str, timeout: float, protocol: Any
) -> None:
    with AgentClient("http://127.0.0.1:9", "a-token") as client, pytest.raises(ValidationError) as caught:
        client.tail_job_logs(job_id, timeout, protocol=protocol)
    assert caught.value.status_code == 400


def test_use_after_close_is_a_clear_error() -> None:
    client = AgentClient("http://127.0.0.1:9", "a-token")
    client.close()
    with pytest.raises(ClientError, match="closed"):
        client.tail_job_logs("job")


@each_row("protocol", ["websocket", "http"])
def test_the_auth_of_an_injected_client_does_not_replace_the_token(protocol: Any) -> None:
    with Agent(lambda peer: peer.complete()) as agent, httpx.Client(auth=("someone", "else")) as http:
        client = AgentClient(agent.url, "a-token", http_client=http)
        assert list(client.tail_job_logs("job", protocol=protocol)) == []
        assert not http.is_closed
        assert agent.streams[0].headers["authorization"] == "a-token"


class OwnNetwork:
    """Somebody's own way to the network, which has only what httpx promises of one."""

    def __init__(self, inner: Any) -> None:
        self.read = inner.read
        self.write = inner.write
        self.get_extra_info = inner.get_extra_info


class OwnBody(httpx.SyncByteStream, httpx.AsyncByteStream):
    def __init__(self, inner: Any) -> None:
        self._inner = inner

    def __iter__(self) -> Iterator[bytes]:
        return iter(self._inner)

    def __aiter__(self) -> AsyncIterator[bytes]:
        return aiter(self._inner)

    def close(self) -> None:
        self._inner.close()

    async def aclose(self) -> None:
        await self._inner.aclose()


def of_its_own(response: httpx.Response) -> httpx.Response:
    return httpx.Response(
        response.status_code,
        headers=response.headers,
        stream=OwnBody(response.stream),
        extensions=response.extensions
        | {"network_stream": OwnNetwork(response.extensions["network_stream"])},
    )


class OwnTransport(httpx.HTTPTransport):
    def handle_request(self, request: httpx.Request) -> httpx.Response:
        return of_its_own(super().handle_request(request))


class OwnAsyncTransport(httpx.AsyncHTTPTransport):
    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        return of_its_own(await super().handle_async_request(request))


def test_a_transport_of_the_callers_own(tail: Tailer) -> None:
    """What lies under it can't be known, so it is read by what httpx promises."""

    async def main(url: str) -> list[str]:
        async with httpx.AsyncClient(transport=OwnAsyncTransport()) as http:
            client = AsyncAgentClient(url, "a-token", http_client=http)
            async with client.tail_job_logs("job", protocol=tail.protocol) as stream:
                return [line async for line in stream]

    lines = [f"line {n}" for n in range(4)]
    script = plays.lines(*lines[:2]).pause(0.05).log(lines[2], 21).log(lines[3], 28).complete()
    with Agent(script) as agent:
        if tail.backend != "sync":
            assert anyio.run(main, agent.url, backend=tail.backend) == lines
            return
        with httpx.Client(transport=OwnTransport()) as http:
            client = AgentClient(agent.url, "a-token", http_client=http)
            assert list(client.tail_job_logs("job", protocol=tail.protocol)) == lines


def test_a_mock_transport_has_no_websocket() -> None:
    def answer(request: httpx.Request) -> httpx.Response:
        assert request.headers["authorization"] == "a-token"
        if request.url.path.endswith("/stream/"):
            body = b'data: {"message": "over HTTP"}\n\ndata: {"type": "complete"}\n\n'
            return httpx.Response(200, content=body, headers={"content-type": "text/event-stream"})
        return httpx.Response(426)

    with httpx.Client(transport=httpx.MockTransport(answer)) as http:
        client = AgentClient("http://agent", "a-token", http_client=http)
        assert list(client.tail_job_logs("job")) == ["over HTTP"]
        with pytest.raises(ClientError, match="no WebSocket can be had") as caught:
            list(client.tail_job_logs("job", protocol="websocket"))
    assert caught.value.status_code == 500
