"""Where the package `websockets` is missing."""

from __future__ import annotations

import sys

import pytest

from synapse_sdk.clients.exceptions import ServerError

from .conftest import Tailer
from .scripted import Agent, plays

LINES = ["one", "two"]


@pytest.fixture(autouse=True)
def _no_websockets(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in sys.modules if name.partition(".")[0] == "websockets"]:
        monkeypatch.setitem(sys.modules, name, None)
    for name in ("_websocket", "_websocket_session"):
        monkeypatch.delitem(sys.modules, f"synapse_sdk.streaming.{name}", raising=False)


def test_an_explicit_websocket_says_what_is_missing(websocket_tail: Tailer) -> None:
    with Agent() as agent:
        error = websocket_tail(agent.url).failed(500)
        assert agent.requests == []
    assert isinstance(error, ServerError)
    assert "the package 'websockets' is not installed" in str(error)


def test_auto_goes_over_http(auto_tail: Tailer) -> None:
    with Agent(plays.lines(*LINES).complete()) as agent:
        result = auto_tail(agent.url)
        assert [request.path for request in agent.streams] == ["/jobs/job/logs/stream/"]
    assert result.whole() == LINES
    assert result.stream.protocol == "http"
