"""What a person reads when something goes wrong."""

from __future__ import annotations

import io
import socket
from typing import Any

import pytest
from streaming.scripted import Agent
from tables import each_row

TOKEN = "a-token-of-24-characters"


def answering(status: int, body: bytes, content_type: str = "application/json") -> Agent:
    agent = Agent(lambda peer: None)
    agent.status_answers += [lambda peer: peer.answer(status, body, content_type)] * 5
    return agent


@each_row(
    ("status", "body", "code", "words"),
    [
        (401, b'{"detail": "not mine"}', 1, ["401 not mine", "SYNAPSE_AGENT_TOKEN", "synapse login"]),
        (403, b'{"detail": "no"}', 1, ["403 no", "ask the operator of the agent"]),
        (404, b'{"detail": "there is no job x"}', 1, ["404 there is no job x"]),
        (422, b'{"detail": [{"loc": ["body", "n"], "msg": "too small"}]}', 2, ["body.n: too small"]),
        (500, b"<html><title>oops</title></html>", 1, ["500", "oops"]),
        (200, b"<html>", 1, []),
    ],
)
def test_an_error_is_one_sentence(
    synapse: Any, at: Any, status: int, body: bytes, code: int, words: list[str]
) -> None:
    with answering(status, body) as agent:
        at(agent)
        result = synapse("jobs", "get", "x")
    assert (result.code, result.out) == (code, "")
    assert result.err.startswith("synapse: get job at http://127.0.0.1:")
    assert result.err.count("\n") == 1
    for word in words:
        assert word in result.err


def test_no_agent(synapse: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        url = f"http://127.0.0.1:{free.getsockname()[1]}"
    monkeypatch.setenv("SYNAPSE_AGENT_URL", url)
    monkeypatch.setenv("SYNAPSE_AGENT_TOKEN", TOKEN)
    result = synapse("jobs", "list")
    assert result.code == 1
    assert "is the agent running and reachable?" in result.err
    assert synapse("jobs", "logs", "job").code == 3


def test_an_agent_that_does_not_answer_in_time(synapse: Any, at: Any) -> None:
    with Agent(lambda peer: None) as agent:
        agent.status_answers += [lambda peer: peer.stopped.wait(10)] * 5
        at(agent)
        result = synapse("jobs", "get", "x", "--timeout", "0.1")
    assert result.code == 1
    assert "--timeout gives it longer" in result.err
    assert "timeout={" not in result.err


def test_a_bad_url(synapse: Any) -> None:
    result = synapse("health", "--url", "localhost:8000", "--token", TOKEN)
    assert result.code == 2
    assert "http://" in result.err


def test_debug_shows_the_traceback_and_no_token(synapse: Any, at: Any) -> None:
    with answering(500, b'{"detail": "your token a-token-of-24-characters is odd"}') as agent:
        at(agent, TOKEN)
        result = synapse("jobs", "get", "x", "--debug")
    assert "Traceback (most recent call last)" in result.err
    assert "ServerError" in result.err
    assert TOKEN not in result.err


def test_what_nobody_thought_of_is_a_sentence_too(
    synapse: Any, at: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object, **__: object) -> None:
        raise ZeroDivisionError(f"by {TOKEN}")

    monkeypatch.setattr("synapse_sdk.cli._output.show", broken)
    with answering(200, b'{"submission_id": "x", "status": "RUNNING"}') as agent:
        at(agent, TOKEN)
        result = synapse("jobs", "get", "x")
        debug = synapse("--debug", "jobs", "get", "x")
    assert (result.code, result.err) == (
        1,
        "synapse: unexpected ZeroDivisionError: by *** (--debug shows where)\n",
    )
    assert "in broken" in debug.err
    assert TOKEN not in debug.err


def test_a_misspelt_command_is_guessed(synapse: Any) -> None:
    result = synapse("jbos")
    assert result.code == 2
    assert "Did you mean 'jobs'?" in result.err


def test_nothing_is_deleted_without_being_asked_for(synapse: Any, at: Any) -> None:
    with Agent(lambda peer: None) as agent:
        at(agent)
        for command in (
            ("serve", "delete", "app"),
            ("plugins", "delete", "p@1"),
            ("system", "restart"),
            ("system", "update"),
        ):
            result = synapse(*command)
            assert result.code == 2
            assert "--yes" in result.err
        assert agent.requests == []


def test_a_question_is_asked_in_a_terminal(terminal: Any, at: Any) -> None:
    with answering(204, b"") as agent:
        at(agent)
        refused = terminal("plugins", "delete", "p@1")
        refused.wait_for("Delete the plugin release p@1?")
        refused.type("n\n")
        assert refused.exit_code() == 1
        assert agent.requests == []
        agreed = terminal("plugins", "delete", "p@1")
        agreed.wait_for("[y/N]")
        agreed.type("y\n")
        assert agreed.exit_code() == 0
    assert [(request.method, request.path) for request in agent.requests] == [
        ("DELETE", "/plugin_releases/p@1")
    ]


class Keyboard(io.StringIO):
    """A terminal at which a key is pressed when something is read."""

    def __init__(self, pressed: type[BaseException]) -> None:
        super().__init__()
        self.pressed = pressed

    def isatty(self) -> bool:
        return True

    def readline(self, *_: Any) -> str:
        raise self.pressed


@pytest.mark.parametrize(("pressed", "code"), [(KeyboardInterrupt, 130), (EOFError, 1)])
def test_a_question_can_be_left(
    synapse: Any, at: Any, monkeypatch: pytest.MonkeyPatch, pressed: type[BaseException], code: int
) -> None:
    monkeypatch.setattr("sys.stdin", Keyboard(pressed))
    with Agent(lambda peer: None) as agent:
        at(agent)
        result = synapse("plugins", "delete", "p@1")
        assert agent.requests == []
    assert result.code == code
    assert result.err.endswith("Aborted.\n")


@each_row("value", ["nan", "inf"])
@each_row(
    "words",
    [
        "jobs list --interval",
        "jobs wait j --interval",
        "jobs wait j --timeout",
        "system restart --yes --wait",
        "resources check --cpus",
        "resources check --gpus",
    ],
)
def test_a_number_that_is_not_finite(synapse: Any, words: str, value: str) -> None:
    result = synapse(*words.split(), value)
    assert result.code == 2
    assert "is not a finite number" in result.err or "is not in the range" in result.err


def test_a_timeout_of_zero_is_refused(synapse: Any) -> None:
    result = synapse("health", "--url", "http://127.0.0.1:1", "--token", TOKEN, "--timeout", "0")
    assert result.code == 2
    assert "must be above 0" in result.err
