"""Answers that no agent should give, and what a tail makes of them."""

from __future__ import annotations

import json

from tables import each_row
from websockets.utils import accept_key

from synapse_sdk.clients.exceptions import AuthenticationError, StreamError

from .conftest import Tailer
from .in_memory import Answer, run_tail
from .scripted import Agent, Script, plays

LINES = [f"line {n}" for n in range(6)]
everything = plays.lines(*LINES).complete()


def switching(*headers: str) -> Script:
    """Accept the handshake, with these headers in it."""
    return plays.then(
        lambda peer: peer.raw(
            "\r\n".join(
                [
                    "HTTP/1.1 101 X",
                    "connection: upgrade",
                    f"sec-websocket-accept: {accept_key(peer.request.headers['sec-websocket-key'])}",
                    *headers,
                    "",
                    "",
                ]
            ).encode()
        )
    ).wait_for_close()


@each_row(
    ("headers", "words"),
    [
        (["upgrade: h2c"], "does not upgrade to a WebSocket"),
        (["upgrade: websocket", "sec-websocket-extensions: permessage-deflate"], "was not asked for"),
        (["upgrade: websocket", "sec-websocket-protocol: chat"], "was not asked for"),
    ],
)
def test_a_switch_to_something_else_is_no_websocket(
    websocket_tail: Tailer, headers: list[str], words: str
) -> None:
    with Agent(switching(*headers)) as agent:
        error = websocket_tail(agent.url, max_retries=0).failed(503)
    assert words in str(error)


def test_auto_goes_over_http_where_the_switch_is_to_something_else(auto_tail: Tailer) -> None:
    with Agent(plays.over(websocket=switching("upgrade: h2c"), http=everything)) as agent:
        assert auto_tail(agent.url).whole() == LINES


def test_a_stream_compressed_unasked_is_refused(http_tail: Tailer) -> None:
    with Agent(plays.accept(content_encoding="gzip").raw(b"\x1f\x8b").fin()) as agent:
        error = http_tail(agent.url).failed(503)
    assert isinstance(error, StreamError)
    assert "compressed the stream (gzip) unasked" in str(error)


@each_row(
    "answer",
    [
        plays.answer(500, b'{"detail": "no idea"}'),
        plays.answer(200, b"<html>", "text/html"),
        plays.answer(200, b"[]"),
        plays.answer(200, b"{}"),
        plays.answer(200, b'{"status": 7}'),
    ],
    ids=["500", "HTML", "array", "without", "number"],
)
def test_a_status_that_can_not_be_had_is_no_end(tail: Tailer, answer: Script) -> None:
    """An end of the connection alone proves nothing, so the tail goes on."""
    with Agent(plays.lines(*LINES[:3]).end(), everything) as agent:
        agent.status_answers.append(answer)
        assert tail(agent.url).whole() == LINES


def test_a_token_refused_where_the_status_is_asked_for_is_raised(tail: Tailer) -> None:
    with Agent(plays.lines(*LINES[:3]).end(), everything) as agent:
        agent.status_answers.append(plays.answer(401, b'{"detail": "expired"}'))
        result = tail(agent.url)
    assert isinstance(result.failed(401), AuthenticationError)
    assert result.lines == LINES[:3]


def test_bare_text_after_a_resumed_position_is_refused(tail: Tailer) -> None:
    """Which lines were received before is unknown for text without an offset."""
    with Agent(plays.lines(*LINES[:3]).fin(), plays.text("line 3").fin()) as agent:
        result = tail(agent.url, max_retries=0)
    assert "sends no offsets any more" in str(result.failed(503))
    assert result.lines == LINES[:3]


def test_a_stream_kept_open_after_the_jobs_end_is_left() -> None:
    """The agent goes on with signs of life, but the job is over and nothing comes any more."""
    event = b"data: " + json.dumps({"type": "log", "message": "one", "offset": 4}).encode() + b"\n\n"
    life = b'data: {"type": "heartbeat"}\n\n'
    answers = [Answer(event, "fin"), Answer(life * 100, "silent", [len(life)], pause=0.1)]
    outcome = run_tail(
        "http", lambda _: answers.pop(0) if len(answers) > 1 else answers[0], lambda: "SUCCEEDED"
    )
    assert outcome.whole() == ["one"]
