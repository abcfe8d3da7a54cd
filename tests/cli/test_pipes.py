"""Row 45: a reader that goes away, as in `synapse … | head`, ends the command quietly."""

from __future__ import annotations

import itertools
import os
import subprocess
from typing import Any

import pytest
from checkout import environment
from streaming.scripted import Agent, Peer

from cli.conftest import COMMAND

pytestmark = [pytest.mark.row(45), pytest.mark.slow]

PIPE = 141


def endless(peer: Peer) -> None:
    position = 0
    for number in itertools.count():
        line = f"line {number}"
        position += len(line) + 1
        peer.log(line, position)


def quiet_after_two(peer: Peer) -> None:
    peer.lines("one", "two")
    peer.wait_for_close()


def piped(child: Any, *arguments: str, lines: int = 1) -> tuple[list[str], int, str]:
    """What `command | head -n lines` gets, and how the command ends."""
    process = child(*arguments)
    assert process.stdout is not None
    assert process.stderr is not None
    got = [process.stdout.readline().rstrip("\n") for _ in range(lines)]
    process.stdout.close()
    code = process.wait(30)
    return got, code, process.stderr.read()


@pytest.mark.parametrize("protocol", ["websocket", "http"])
def test_head_of_a_flood(child: Any, at: Any, protocol: str) -> None:
    with Agent(endless) as agent:
        at(agent)
        got, code, err = piped(child, "jobs", "logs", "job", "-f", "-q", "--protocol", protocol)
    assert (got, code, err) == (["line 0"], PIPE, "")


def test_head_of_a_job_that_has_fallen_silent(child: Any, at: Any) -> None:
    """The command does not wait for the job's next line to notice."""
    with Agent(quiet_after_two) as agent:
        at(agent)
        got, code, err = piped(child, "jobs", "logs", "job", "-f", "-q", lines=2)
    assert (got, code, err) == (["one", "two"], PIPE, "")


def test_head_of_several_jobs(child: Any, at: Any) -> None:
    with Agent(endless) as agent:
        at(agent)
        got, code, err = piped(child, "jobs", "logs", "a", "b", "-f", "-q")
    assert (got[0][1:], code, err) == (" | line 0", PIPE, "")


def test_head_of_a_whole_log(child: Any, at: Any) -> None:
    body = ("a line\\n" * 100_000).encode()
    with Agent(lambda peer: peer.answer(200, b'"' + body + b'"')) as agent:
        at(agent)
        got, code, err = piped(child, "jobs", "logs", "job")
    assert (got, code, err) == (["a line"], PIPE, "")


def test_head_of_a_list(child: Any, at: Any) -> None:
    body = b"[" + b",".join([b'{"submission_id": "job", "status": "RUNNING"}'] * 20_000) + b"]"
    with Agent(lambda peer: None) as agent:
        at(agent)
        agent.status_answers.append(lambda peer: peer.answer(200, body))
        _, code, err = piped(child, "jobs", "list")
    assert (code, err) == (PIPE, "")


def test_a_shell_s_own_head(at: Any, tmp_path: Any) -> None:
    with Agent(endless) as agent:
        at(agent)
        script = '"$@" 2>"$0" | head -n 3; echo "${PIPESTATUS[@]}"'
        command = ["bash", "-c", script, str(tmp_path / "err"), *COMMAND, "jobs", "logs", "job", "-f", "-q"]
        done = subprocess.run(
            command, env=environment(), check=True, capture_output=True, text=True, timeout=30
        )
    assert done.stdout.splitlines() == ["line 0", "line 1", "line 2", f"{PIPE} 0"]
    assert (tmp_path / "err").read_text() == ""


def test_nobody_reads_the_notices(child: Any, at: Any) -> None:
    """Lines go on where stderr alone is closed."""
    reader, writer = os.pipe()
    os.close(reader)
    with Agent(lambda peer: (peer.lines("one"), peer.fin()), finishing) as agent:
        at(agent)
        process = child("jobs", "logs", "job", "-f", stderr=writer)
        os.close(writer)
        out, _ = process.communicate(timeout=30)
    assert (out, process.returncode) == ("one\ntwo\n", 0)


def test_lines_come_through_a_pipe_as_they_are_written(child: Any, at: Any) -> None:
    def one_then_wait(peer: Peer) -> None:
        peer.lines("one")
        peer.wait_for_close(60)

    with Agent(one_then_wait) as agent:
        at(agent)
        process = child("jobs", "logs", "job", "-f")
        assert process.stdout is not None
        assert process.stdout.readline() == "one\n"
        # By now the job has not gone on, and will not.
        assert process.poll() is None
        process.kill()


def finishing(peer: Peer) -> None:
    peer.lines("one", "two")
    peer.complete()
