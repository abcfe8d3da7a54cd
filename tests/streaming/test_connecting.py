"""What a tail does where the agent, or something before it, does not answer as it should."""

from __future__ import annotations

import time

import pytest
from tables import each_row

from synapse_sdk.clients.exceptions import (
    AuthenticationError,
    AuthorizationError,
    ClientError,
    ClientTimeoutError,
    NotFoundError,
    RateLimitError,
    WebSocketError,
)

from .conftest import Certificate, Tailer
from .rows import row
from .scripted import Agent, Peer, Script, plays

LINES = [f"line {n}" for n in range(6)]

everything = plays.lines(*LINES).complete()


def http_only(answer: Script) -> Script:
    """An agent whose WebSockets something between answers in its place."""
    return plays.over(websocket=answer, http=everything)


# --- no WebSocket

STRIPPED = {
    "200": plays.answer(200, b'{"detail": "use HTTP"}'),
    "200 and a stream": plays.answer(200, b'data: {"message": "no"}\n\n', "text/event-stream"),
    "HTML": plays.answer(200, b"<html>hello</html>", "text/html"),
    "426": plays.answer(426, b"", "text/plain"),
    "400": plays.answer(400, b"bad request", "text/plain"),
    "101 without a key": plays.then(
        lambda peer: peer.raw(b"HTTP/1.1 101 X\r\nupgrade: websocket\r\nconnection: upgrade\r\n\r\n")
    ).wait_for_close(),
    "101 with another's key": plays.then(
        lambda peer: peer.raw(
            b"HTTP/1.1 101 X\r\nupgrade: websocket\r\nconnection: upgrade\r\n"
            b"sec-websocket-accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n"
        )
    ).wait_for_close(),
}


@row(33)
@each_row("answer", STRIPPED.values(), ids=STRIPPED)
def test_auto_goes_over_http_where_the_upgrade_is_stripped(auto_tail: Tailer, answer: Script) -> None:
    with Agent(http_only(answer)) as agent:
        result = auto_tail(agent.url)
        assert [request.path for request in agent.streams] == ["/jobs/job/logs/", "/jobs/job/logs/stream/"]
    assert result.whole() == LINES
    assert result.stream.protocol == "http"


@row(33)
@each_row("status", [200, 426])
def test_an_explicit_websocket_says_that_the_upgrade_is_stripped(websocket_tail: Tailer, status: int) -> None:
    with Agent(plays.answer(status, b"<html>", "text/html")) as agent:
        error = websocket_tail(agent.url).failed(503)
        assert len(agent.streams) == 1
    assert isinstance(error, WebSocketError)
    assert str(status) in str(error)
    assert "protocol='http'" in str(error)


# --- no answer


@row(34)
def test_auto_goes_over_http_within_the_budget_where_the_handshake_is_not_answered(
    auto_tail: Tailer,
) -> None:
    with Agent(http_only(plays.silence())) as agent:
        result = auto_tail(agent.url, timeout=1.0)
    assert result.whole() == LINES
    assert result.own_seconds < 1.0


@row(34)
def test_an_explicit_websocket_times_out_where_the_handshake_is_not_answered(websocket_tail: Tailer) -> None:
    with Agent(plays.silence()) as agent:
        result = websocket_tail(agent.url, timeout=0.4, max_retries=0)
        assert len(agent.streams) == 1
    assert isinstance(result.failed(408), ClientTimeoutError)
    assert result.own_seconds < 1


@row(34)
def test_neither_protocol_is_answered(auto_tail: Tailer) -> None:
    with Agent(plays.silence()) as agent:
        result = auto_tail(agent.url, timeout=0.4, max_retries=0)
    result.failed(408)
    assert result.own_seconds < 1.5


# --- refused


@row(35)
@each_row(("status", "kind"), [(401, AuthenticationError), (403, AuthorizationError), (429, RateLimitError)])
@each_row("protocol", ["auto", "websocket", "http"])
def test_a_refusal_is_raised_at_once(
    auto_tail: Tailer, protocol: str, status: int, kind: type[ClientError]
) -> None:
    with Agent(plays.answer(status, b'{"detail": "refused"}', retry_after="7")) as agent:
        result = auto_tail(agent.url, protocol=protocol)
        assert len(agent.streams) == 1
    error = result.failed(status)
    assert isinstance(error, kind)
    assert "refused" in str(error)
    assert error.retry_after == 7


@row(35)
def test_the_tokens_a_refusal_echoes_are_not_shown(tail: Tailer) -> None:
    with Agent(
        plays.answer(401, b"bad token secret-one of secret-two for secret-three", "text/plain")
    ) as agent:
        error = tail(agent.url, token="secret-one", user_token="secret-two", tenant="secret-three").failed(
            401
        )
    assert "secret" not in f"{error} {error!r} {error.detail}"


@row(36)
def test_404_at_the_websocket_where_http_serves(auto_tail: Tailer) -> None:
    with Agent(http_only(plays.answer(404, b"404 page not found", "text/plain"))) as agent:
        result = auto_tail(agent.url)
    assert result.whole() == LINES
    assert result.stream.protocol == "http"


@row(36)
def test_404_at_the_websocket_where_the_job_is_unknown(auto_tail: Tailer) -> None:
    with Agent(plays.answer(404, b'{"detail": "no such job"}')) as agent:
        error = auto_tail(agent.url).failed(404)
        assert len(agent.streams) == 2
    assert isinstance(error, NotFoundError)
    assert "no such job" in str(error)


@row(36)
def test_404_of_an_explicit_protocol(tail: Tailer) -> None:
    with Agent(plays.answer(404, b'{"detail": "no such job"}')) as agent:
        error = tail(agent.url).failed(404)
        assert len(agent.streams) == 1
    assert isinstance(error, NotFoundError)


@row(37)
@each_row("content_type", ["text/html", "text/html; charset=utf-8", "application/xml"])
def test_another_content_type_over_http_is_an_error_that_names_it(
    http_tail: Tailer, content_type: str
) -> None:
    with Agent(plays.answer(200, b"<html>log in</html>", content_type)) as agent:
        error = http_tail(agent.url).error
        assert len(agent.streams) == 1
    assert error is not None
    assert content_type.partition(";")[0] in str(error)


@row(37)
def test_html_over_http_after_a_fall_back(auto_tail: Tailer) -> None:
    with Agent(plays.answer(200, b"<html>log in</html>", "text/html")) as agent:
        error = auto_tail(agent.url).error
    assert error is not None
    assert "text/html" in str(error)


@row(39)
@each_row("status", [301, 302, 303, 307, 308])
def test_a_redirect_to_another_origin_gets_nothing(tail: Tailer, status: int) -> None:
    with Agent(everything) as other:
        with Agent(plays.answer(status, location=other.url + "/jobs/job/logs/")) as agent:
            result = tail(agent.url, user_token="user", tenant="tenant")
            assert len(agent.streams) == 1
        assert not other.requests
        assert other.connections == 0
    assert result.error is not None
    assert str(status) in str(result.error)


@row(39)
def test_a_redirect_to_another_origin_in_auto(auto_tail: Tailer) -> None:
    with Agent(everything) as other:
        with Agent(plays.answer(302, location=other.url + "/jobs/job/logs/")) as agent:
            result = auto_tail(agent.url, user_token="user", tenant="tenant")
        assert not other.requests
    assert result.lines == []
    assert result.error is not None


# --- TLS


def test_over_tls_everything_is_the_same(tail: Tailer, certificate: Certificate) -> None:
    first = plays.lines(*LINES[:3]).end()
    with Agent(first, everything, tls=certificate.server) as agent:
        result = tail(agent.url, verify=certificate.client)
        assert agent.offsets == [None, sum(len(line) + 1 for line in LINES[:3])]
    assert result.whole() == LINES
    assert result.stream.reconnects == 1


def test_over_tls_a_connection_that_breaks_is_resumed(tail: Tailer, certificate: Certificate) -> None:
    with Agent(plays.lines(*LINES[:3]).fin(), everything, tls=certificate.server) as agent:
        assert tail(agent.url, verify=certificate.client).whole() == LINES


def test_over_tls_auto_falls_back(auto_tail: Tailer, certificate: Certificate) -> None:
    with Agent(http_only(plays.answer(426)), tls=certificate.server) as agent:
        assert auto_tail(agent.url, verify=certificate.client).whole() == LINES


def test_over_tls_a_quiet_job(tail: Tailer, certificate: Certificate) -> None:
    script = plays.lines("one").quiet(0.6).log("two", 8).complete()
    with Agent(script, tls=certificate.server) as agent:
        assert tail(agent.url, verify=certificate.client, timeout=0.3).whole() == ["one", "two"]
        assert len(agent.streams) == 1


def test_a_certificate_nobody_trusts(tail: Tailer, certificate: Certificate) -> None:
    with Agent(everything, tls=certificate.server) as agent:
        error = tail(agent.url, max_retries=0).failed(503)
        assert not agent.requests
    assert "certificate" in str(error)


# --- nobody there


def unused_url() -> str:
    with Agent() as agent:
        return agent.url


def test_nobody_there_is_a_503(tail: Tailer) -> None:
    url = unused_url()
    result = tail(url, max_retries=0)
    assert url in str(result.failed(503))


@row(40)
def test_an_agent_that_was_never_there_is_tried_as_often_as_max_retries_says(tail: Tailer) -> None:
    connects: list[float] = []

    def refuse(peer: Peer) -> None:
        connects.append(time.monotonic())
        peer.hang_up()

    with Agent(refuse) as agent:
        tail(agent.url, max_retries=3).failed(503)
    assert len(connects) == 4


class Retries:
    """The waits before each reconnect, as the stream tells them."""

    def __init__(self) -> None:
        self.delays: list[float] = []

    def __call__(self, event: object) -> None:
        if event.kind == "reconnecting":  # type: ignore[attr-defined]
            self.delays.append(event.delay)  # type: ignore[attr-defined]


@pytest.fixture
def fast_clock(monkeypatch: pytest.MonkeyPatch) -> None:
    """Backoff that goes a hundred times as fast: 1 ms for 0.1 s, at most 80 ms for 8 s."""
    monkeypatch.setattr("synapse_sdk.streaming._tail._BACKOFF", 0.001)
    monkeypatch.setattr("synapse_sdk.streaming._tail._MAX_BACKOFF", 0.016)


@row(40)
@pytest.mark.usefixtures("fast_clock")
def test_an_agent_down_for_long_is_tried_ever_more_rarely_and_given_up(tail: Tailer) -> None:
    retries = Retries()
    with Agent(plays.lines(*LINES[:3]).fin(), plays.hang_up()) as agent:
        agent.status_answers = [plays.hang_up()] * 100
        result = tail(agent.url, max_retries=0, on_event=retries)
        assert len(agent.streams) == 9  # the first, and eight in vain
    assert result.lines == LINES[:3]
    assert "3 lines" in str(result.failed(503))
    assert len(retries.delays) == 8
    for number, delay in enumerate(retries.delays):
        longest = min(0.016, 0.001 * 2**number)
        assert longest / 2 <= delay <= longest


@row(40)
@pytest.mark.usefixtures("fast_clock")
def test_progress_resets_the_budget(tail: Tailer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("synapse_sdk.streaming._tail._MAX_ATTEMPTS", 2)
    retries = Retries()
    in_vain = plays.hang_up()
    scripts: list[Script] = []
    for count in range(1, len(LINES)):
        scripts += [plays.lines(*LINES[:count]).fin(), in_vain]
    with Agent(*scripts, everything) as agent:
        result = tail(agent.url, on_event=retries)
        assert len(agent.streams) == 2 * (len(LINES) - 1) + 1
    assert result.whole() == LINES
    # After each line the waits begin anew.
    assert all(delay <= 0.001 for delay in retries.delays[::2])
    assert all(0.001 <= delay <= 0.002 for delay in retries.delays[1::2])


@row(40)
@pytest.mark.usefixtures("fast_clock")
def test_waits_are_jittered(http_tail: Tailer) -> None:
    """Clients that lost one agent at the same moment don't come back at the same moment."""
    retries = Retries()
    with Agent(plays.lines(*LINES[:3]).fin(), plays.hang_up()) as agent:
        for _ in range(2):
            agent._played = 0
            http_tail(agent.url, max_retries=0, on_event=retries).failed(503)
    first, second = retries.delays[:8], retries.delays[8:]
    assert first != second
