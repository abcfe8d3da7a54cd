"""What a tail of a well-behaved agent gives, over each protocol and client."""

from __future__ import annotations

import threading
import time
from typing import Any

import anyio
import httpx
import pytest

from synapse_sdk.clients.agent import AgentClient, AsyncAgentClient
from synapse_sdk.clients.exceptions import ClientError, NotFoundError, ValidationError

from .conftest import Tailer
from .scripted import Agent, Peer


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


def test_a_first_piece_without_a_newline_is_not_taken_for_a_line(websocket_tail: Tailer) -> None:
    def script(peer: Peer) -> None:
        for piece in ("o", "ne\nt", "wo\n"):
            peer.log(piece)
        peer.complete()

    with Agent(script) as agent:
        assert websocket_tail(agent.url).whole() == ["one", "two"]


def test_offsets_settle_whether_a_newline_is_implied(tail: Tailer) -> None:
    def script(peer: Peer) -> None:
        peer.log("whole", 6)
        peer.log("a piece, ", 15)
        peer.log("and its end", 27)
        peer.log("tail", 31)
        peer.complete()

    with Agent(script) as agent:
        assert tail(agent.url).whole() == ["whole", "a piece, and its end", "tail"]


def test_bare_text_is_a_log_line(tail: Tailer) -> None:
    texts = ["plain text", "42", "[1, 2]", "null", "{not json", "key: value"]

    def script(peer: Peer) -> None:
        for text in texts:
            peer.text(text)
        peer.complete()

    with Agent(script) as agent:
        assert tail(agent.url).whole() == texts


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


@pytest.mark.parametrize("separator", ["\u2028", "\u0085", "\x0b", "\x0c", "\r", "\x1c"])
def test_only_lf_and_crlf_end_a_line(tail: Tailer, separator: str) -> None:
    line = f"before{separator}after"

    def script(peer: Peer) -> None:
        peer.lines(line, line + "\r")
        peer.complete()

    with Agent(script) as agent:
        assert tail(agent.url).whole() == [line, line]


def test_the_credentials_go_with_every_request(tail: Tailer) -> None:
    with Agent(lambda peer: peer.complete()) as agent:
        tail(agent.url + "/prefix", user_token="user", tenant="tenant").whole()
        request = agent.streams[0]
    assert request.path.startswith("/prefix/jobs/job/logs/")
    assert request.headers["authorization"] == "a-token"
    assert request.headers["synapse-user"] == "Token user"
    assert request.headers["synapse-tenant"] == "Token tenant"


def test_an_error_event_is_raised_after_the_lines_before_it(tail: Tailer) -> None:
    def script(peer: Peer) -> None:
        peer.lines("before")
        peer.event({"type": "error", "message": "no such job", "status_code": 404})

    with Agent(script) as agent:
        result = tail(agent.url)
    assert result.lines == ["before"]
    assert isinstance(result.error, NotFoundError)
    assert "no such job" in str(result.error)


@pytest.mark.parametrize("status", [401, 403, 404, 429])
def test_a_refusal_is_raised_at_once(tail: Tailer, status: int) -> None:
    with Agent(lambda peer: peer.answer(status, b'{"detail": "refused"}', retry_after="7")) as agent:
        result = tail(agent.url)
        assert len(agent.streams) == 1
    assert result.error is not None
    assert result.error.status_code == status
    assert "refused" in str(result.error)
    if status == 429:
        assert result.error.retry_after == 7


@pytest.mark.parametrize(
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


def test_auto_falls_back_where_the_upgrade_is_stripped(auto_tail: Tailer) -> None:
    def script(peer: Peer) -> None:
        if peer.websocket:
            peer.answer(200, b"<html>hello</html>", "text/html")
        else:
            peer.lines("over HTTP")
            peer.complete()

    with Agent(script) as agent:
        result = auto_tail(agent.url)
    assert result.whole() == ["over HTTP"]
    assert result.stream.protocol == "http"


def test_an_explicit_websocket_never_falls_back(websocket_tail: Tailer) -> None:
    with Agent(lambda peer: peer.answer(426, b"", "text/plain")) as agent:
        result = websocket_tail(agent.url)
        assert len(agent.streams) == 1
    assert result.error is not None
    assert result.error.status_code == 503
    assert "426" in str(result.error)


@pytest.mark.parametrize("shell", ["sync", "asyncio", "trio"])
def test_a_handshake_never_answered(shell: Any) -> None:
    def script(peer: Peer) -> None:
        if peer.websocket:
            peer.wait_for_close()
        else:
            peer.lines("over HTTP")
            peer.complete()

    with Agent(script) as agent:
        assert Tailer(shell, "auto")(agent.url, timeout=0.6).whole() == ["over HTTP"]
        error = Tailer(shell, "websocket")(agent.url, timeout=0.3, max_retries=0).error
    assert error is not None
    assert error.status_code == 408


def test_html_over_http_is_an_error_that_names_the_content_type(http_tail: Tailer) -> None:
    with Agent(lambda peer: peer.answer(200, b"<html>", "text/html")) as agent:
        error = http_tail(agent.url).error
    assert error is not None
    assert "text/html" in str(error)


def test_a_dead_agent_is_a_503(tail: Tailer) -> None:
    with Agent() as agent:
        url = agent.url
    result = tail(url, max_retries=0)
    assert result.error is not None
    assert result.error.status_code == 503
    assert url in str(result.error)


def test_leaving_the_loop_closes_the_connection_at_once(tail: Tailer) -> None:
    closed_after: list[float] = []
    left = threading.Event()

    def flood(peer: Peer) -> None:
        peer.accept()
        block = b"".join(peer.encode({"type": "log", "message": f"line {n}"}) for n in range(1000))
        try:
            while True:
                peer.raw(block)
        except OSError:
            left.wait(5)
            closed_after.append(time.monotonic())

    with Agent(flood) as agent:
        if tail.shell == "sync":
            with AgentClient(agent.url, "t") as client:
                with client.tail_job_logs("job", protocol=tail.protocol) as stream:  # type: ignore[arg-type]
                    for count, _line in enumerate(stream):
                        if count == 100:
                            break
                    before = time.monotonic()
                elapsed = time.monotonic() - before
        else:
            elapsed = anyio.run(_leave_async, agent.url, tail.protocol, backend=tail.shell)
        left.set()
    assert elapsed < 0.1
    assert closed_after


async def _leave_async(url: str, protocol: Any) -> float:
    async with AsyncAgentClient(url, "t") as client:
        async with client.tail_job_logs("job", protocol=protocol) as stream:
            count = 0
            async for _line in stream:
                count += 1
                if count == 100:
                    break
            before = time.monotonic()
        return time.monotonic() - before


@pytest.mark.parametrize("protocol", ["websocket", "http"])
def test_close_from_another_thread_ends_a_waiting_read(protocol: Any) -> None:
    def quiet(peer: Peer) -> None:
        peer.lines("one")
        peer.wait_for_close()

    with Agent(quiet) as agent, AgentClient(agent.url, "t") as client:
        stream = client.tail_job_logs("job", protocol=protocol)
        timer = threading.Timer(0.2, stream.close)
        timer.start()
        started = time.monotonic()
        assert list(stream) == ["one"]
        assert time.monotonic() - started < 2
        timer.join()


@pytest.mark.parametrize("protocol", ["websocket", "http"])
@pytest.mark.parametrize("backend", ["asyncio", "trio"])
def test_close_from_another_task_ends_a_waiting_read(backend: str, protocol: Any) -> None:
    def quiet(peer: Peer) -> None:
        peer.lines("one")
        peer.wait_for_close()

    async def run(url: str) -> list[str]:
        lines: list[str] = []
        async with AsyncAgentClient(url, "t") as client, anyio.create_task_group() as tasks:
            stream = client.tail_job_logs("job", protocol=protocol)
            async for line in stream:
                lines.append(line)
                tasks.start_soon(stream.close)
        return lines

    with Agent(quiet) as agent:
        assert anyio.run(run, agent.url, backend=backend) == ["one"]


def test_a_quiet_job_on_a_live_connection_is_no_end(tail: Tailer) -> None:
    def script(peer: Peer) -> None:
        peer.lines("one")
        if peer.websocket:
            peer.sock.settimeout(10)
            for _ in range(4):
                peer.sock.recv(100)  # a ping of the client's
                peer.raw(b"\x8a\x00")
        else:
            for _ in range(4):
                peer.stopped.wait(0.2)
                peer.event({"type": "heartbeat"})
        peer.log("two", 8)
        peer.complete()

    with Agent(script) as agent:
        result = tail(agent.url, timeout=0.5)
        assert len(agent.streams) == 1
    assert result.whole() == ["one", "two"]


def test_use_after_close_is_a_clear_error() -> None:
    client = AgentClient("http://127.0.0.1:9", "a-token")
    client.close()
    with pytest.raises(ClientError, match="closed"):
        client.tail_job_logs("job")


@pytest.mark.parametrize("protocol", ["websocket", "http"])
def test_the_auth_of_an_injected_client_does_not_replace_the_token(protocol: Any) -> None:
    with Agent(lambda peer: peer.complete()) as agent, httpx.Client(auth=("someone", "else")) as http:
        client = AgentClient(agent.url, "a-token", http_client=http)
        assert list(client.tail_job_logs("job", protocol=protocol)) == []
        assert not http.is_closed
        assert agent.streams[0].headers["authorization"] == "a-token"


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
