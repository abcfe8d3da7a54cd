"""`synapse jobs logs`: lines, notices and exit codes."""

from __future__ import annotations

import json
import re
import signal
from typing import Any

import pytest
from stopwatch import Stopwatch
from streaming.scripted import Agent, Peer
from tables import each_row


@pytest.fixture(autouse=True)
def short_backoff(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("synapse_sdk.streaming._tail._BACKOFF", 0.005)


LINES = ("epoch 1", "loss 0.5", "", "epoch 2", "loss 0.25")


def whole(peer: Peer) -> None:
    peer.lines(*LINES)
    peer.complete()


def failed(peer: Peer) -> None:
    peer.lines(*LINES)
    peer.complete("FAILED")


def snapshot(*lines: str) -> Any:
    return lambda peer: peer.answer(200, json.dumps("".join(f"{line}\n" for line in lines)).encode())


def old_agent(*so_far: str) -> Any:
    """An agent that knows no parts of logs: it has `so_far` of the log, and streams all of it."""

    def answer(peer: Peer) -> None:
        streams = peer.websocket or peer.request.path.endswith("/stream/")
        (whole if streams else snapshot(*so_far))(peer)

    return answer


def silent(peer: Peer) -> None:
    peer.lines("one", "two")
    peer.wait_for_close()


# --- lines


def test_without_follow_it_prints_what_is_there(synapse: Any, at: Any) -> None:
    with Agent(snapshot(*LINES)) as agent:
        at(agent)
        result = synapse("jobs", "logs", "job")
    assert (result.code, result.out, result.err) == (0, "".join(f"{line}\n" for line in LINES), "")


@each_row("protocol", ["auto", "websocket", "http"])
def test_follow_prints_to_the_end(synapse: Any, at: Any, protocol: str) -> None:
    with Agent(whole) as agent:
        at(agent)
        result = synapse("jobs", "logs", "job", "--follow", "--protocol", protocol)
    assert (result.code, result.out) == (0, "".join(f"{line}\n" for line in LINES))
    used = "http" if protocol == "http" else "websocket"
    assert result.err == (f"synapse: the log of job job: connected over {used}\nsynapse: job job SUCCEEDED\n")


def test_quiet_keeps_notices_back(synapse: Any, at: Any) -> None:
    with Agent(whole) as agent:
        at(agent)
        result = synapse("jobs", "logs", "job", "-f", "-q")
    assert (result.out.count("\n"), result.err) == (5, "")


@each_row(
    ("lines", "shown"),
    [("2", LINES[3:]), ("0", ()), ("99", LINES), ("+4", LINES[3:]), ("+1", LINES), ("+0", LINES)],
)
@each_row("follow", [True, False])
def test_lines_chooses_from_the_end_or_the_beginning(
    synapse: Any, at: Any, lines: str, shown: tuple[str, ...], follow: bool
) -> None:
    with Agent(old_agent(*LINES)) as agent:
        at(agent)
        result = synapse("jobs", "logs", "job", "-n", lines, *(["-f"] if follow else []))
    assert (result.code, result.out) == (0, "".join(f"{line}\n" for line in shown))


def test_the_last_lines_and_then_what_is_new(synapse: Any, at: Any) -> None:
    """Nothing of the old is repeated, and nothing of the new is left out."""
    with Agent(old_agent(*LINES[:3])) as agent:
        at(agent)
        result = synapse("jobs", "logs", "job", "-f", "-n", "1")
    assert result.out == "\nepoch 2\nloss 0.25\n"


def test_grep_chooses_lines_and_lines_counts_them(synapse: Any, at: Any) -> None:
    with Agent(whole, snapshot(*LINES)) as agent:
        at(agent)
        assert synapse("jobs", "logs", "job", "-f", "--grep", "LOSS|x").out == ""
    with Agent(whole, snapshot(*LINES)) as agent:
        at(agent)
        assert synapse("jobs", "logs", "job", "-f", "--grep", "(?i)LOSS").out == "loss 0.5\nloss 0.25\n"
        assert synapse("jobs", "logs", "job", "--grep", "loss", "-n", "1").out == "loss 0.25\n"


def test_several_jobs_get_prefixes(synapse: Any, at: Any) -> None:
    with Agent(whole) as agent:
        at(agent)
        result = synapse("jobs", "logs", "a", "longer", "a", "-f", "-q")
    lines = result.out.splitlines()
    assert result.code == 0
    assert sorted(lines) == sorted(f"{job} | {line}" for job in ("a     ", "longer") for line in LINES)


def test_prefix_and_timestamps(synapse: Any, at: Any) -> None:
    with Agent(whole) as agent:
        at(agent)
        result = synapse("jobs", "logs", "job", "-f", "--prefix", "--timestamps")
    first = result.out.splitlines()[0]
    assert re.fullmatch(r"job \| \d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z epoch 1", first)


@each_row("follow", [True, False])
def test_json_is_one_object_a_line(synapse: Any, at: Any, follow: bool) -> None:
    lines = ("a \x1b[31m é 🙂", "\u2028 \ud800 end")
    script: Any = snapshot(*lines)
    if follow:
        script = lambda peer: (peer.lines(*lines[:1]), peer.complete())  # noqa: E731
    with Agent(script) as agent:
        at(agent)
        result = synapse("jobs", "logs", "job", "--json", "-q", *(["-f"] if follow else []))
    objects = [json.loads(line) for line in result.out.splitlines()]
    assert objects == [{"job_id": "job", "line": line} for line in (lines[:1] if follow else lines)]


def test_a_line_that_can_not_be_encoded_is_no_error(child: Any, at: Any) -> None:
    with Agent(snapshot("half a pair \ud800, é")) as agent:
        at(agent)
        process = child("jobs", "logs", "job", env={"PYTHONIOENCODING": "ascii"})
        out, err = process.communicate(timeout=30)
    assert (process.returncode, out, err) == (0, "half a pair \\ud800, \\xe9\n", "")


def test_a_long_line_is_whole(synapse: Any, at: Any) -> None:
    line = "x" * 60_000
    with Agent(lambda peer: (peer.lines(line), peer.complete())) as agent:
        at(agent)
        result = synapse("jobs", "logs", "job", "-f")
    assert (result.code, result.out) == (0, f"{line}\n")


def test_a_line_that_is_too_long_is_cut_and_that_is_told(synapse: Any, at: Any) -> None:
    with Agent(lambda peer: (peer.lines("x" * 70_000, "next"), peer.complete())) as agent:
        at(agent)
        result = synapse("jobs", "logs", "job", "-f")
    assert result.code == 3
    assert result.out.splitlines()[1] == "next"
    assert "1 lines of more than 64 KiB were cut" in result.err


def test_a_log_longer_than_the_client_s_limits_is_whole(synapse: Any, at: Any) -> None:
    lines = [str(number) for number in range(60_000)]
    with Agent(lambda peer: (peer.lines(*lines), peer.complete())) as agent:
        at(agent)
        result = synapse("jobs", "logs", "job", "-f", "--protocol", "http")
    assert (result.code, result.out.split("\n")[:-1]) == (0, lines)


# --- what happens on the way


def test_a_broken_connection_is_told_and_made_again(synapse: Any, at: Any) -> None:
    def breaking(peer: Peer) -> None:
        peer.lines(*LINES[:2])
        peer.fin()

    with Agent(breaking, whole) as agent:
        at(agent)
        result = synapse("jobs", "logs", "job", "-f")
    assert (result.code, result.out) == (0, "".join(f"{line}\n" for line in LINES))
    told = [line.removeprefix("synapse: the log of job job: ") for line in result.err.splitlines()]
    assert told[0] == "connected over websocket"
    assert told[1].startswith("reconnecting in ")
    assert told[2] == "resumed over websocket at byte 17"
    assert told[3] == "synapse: job job SUCCEEDED"


def test_falling_back_is_told(synapse: Any, at: Any) -> None:
    with Agent(lambda peer: peer.answer(426), whole) as agent:
        at(agent)
        result = synapse("jobs", "logs", "job", "-f")
    assert result.code == 0
    assert "going on over http" in result.err
    assert "connected over http" in result.err


def test_one_of_several_fails_and_the_others_go_on(synapse: Any, at: Any) -> None:
    def by_job(peer: Peer) -> None:
        if "/bad/" in peer.request.path:
            peer.answer(404, b'{"detail": "there is no job bad"}')
        else:
            whole(peer)

    with Agent(by_job) as agent:
        at(agent)
        result = synapse("jobs", "logs", "bad", "good", "-f")
    assert result.code == 3
    assert len(result.out.splitlines()) == 5
    assert "synapse: job bad: tail the log of job bad" in result.err
    assert "there is no job bad" in result.err


# --- exit codes


@each_row(
    ("script", "options", "code"),
    [
        (whole, (), 0),
        (failed, (), 0),
        (whole, ("--exit-status",), 0),
        (failed, ("--exit-status",), 1),
        (lambda peer: peer.complete("STOPPED"), ("--exit-status",), 1),
    ],
)
def test_exit_code_after_following(
    synapse: Any, at: Any, script: Any, options: tuple[str, ...], code: int
) -> None:
    with Agent(script) as agent:
        at(agent)
        assert synapse("jobs", "logs", "job", "-f", *options).code == code


@each_row(("status", "code"), [("SUCCEEDED", 0), ("FAILED", 1), ("STOPPED", 1), ("RUNNING", 3)])
def test_exit_status_without_following(synapse: Any, at: Any, status: str, code: int) -> None:
    with Agent(snapshot("line"), status=status) as agent:
        at(agent)
        assert synapse("jobs", "logs", "job", "--exit-status").code == code


def test_a_log_that_can_not_be_had_whole(synapse: Any, at: Any) -> None:
    def erring(peer: Peer) -> None:
        peer.lines("one")
        peer.event({"type": "error", "message": "the node is gone", "status_code": 500})
        peer.end()

    with Agent(erring) as agent:
        at(agent)
        result = synapse("jobs", "logs", "job", "-f", "-q")
    assert (result.code, result.out) == (3, "one\n")
    assert "the node is gone" in result.err


@each_row(
    "arguments",
    [
        ("jobs", "logs", "job", "--grep", "("),
        ("jobs", "logs", "job", "-n", "many"),
        ("jobs", "logs", "job", "-n", "-5"),
        ("jobs", "logs", "job", "-f", "--protocol", "carrier-pigeon"),
        ("jobs", "logs", "no/such/id"),
        ("jobs", "logs"),
        ("jobs", "logs", "job", "--nonsense"),
    ],
)
def test_bad_usage_is_2_and_asks_no_agent(synapse: Any, at: Any, arguments: tuple[str, ...]) -> None:
    with Agent(whole) as agent:
        at(agent)
        result = synapse(*arguments)
    assert (result.code, result.out, agent.requests) == (2, "", [])
    assert result.err


# --- Ctrl-C


def test_ctrl_c_is_out_at_once_and_tells_how_to_go_on(child: Any, at: Any) -> None:
    with Agent(silent, whole) as agent:
        at(agent)
        process = child("jobs", "logs", "job", "-f", "-q", "--grep", "o", "--url", agent.url)
        assert process.stdout is not None
        assert [process.stdout.readline() for _ in range(2)] == ["one\n", "two\n"]
        watch = Stopwatch(process.pid)
        process.send_signal(signal.SIGINT)
        watch.until_exit(process.pid, within=2)
        out, err = process.communicate()
        assert (process.returncode, out) == (130, "")
        # What it says to type does go on from there.
        command = err.splitlines()[-1].split()
        assert command == [
            "synapse",
            *f"jobs logs job --follow --lines +3 --url {agent.url} --grep o".split(),
        ]


def test_ctrl_c_with_an_agent_that_is_dead(child: Any, at: Any) -> None:
    """The connection of one of the jobs hangs, and so would a polite end."""

    def hanging(peer: Peer) -> None:
        if "/dead/" in peer.request.path:
            peer.stopped.wait(30)
        else:
            silent(peer)

    with Agent(hanging) as agent:
        at(agent)
        process = child("jobs", "logs", "live", *(f"dead{n}" for n in range(6)), "dead", "-f", "-q")
        assert process.stdout is not None
        process.stdout.readline()
        watch = Stopwatch(process.pid)
        process.send_signal(signal.SIGINT)
        watch.until_exit(process.pid, within=2)
        _, err = process.communicate()
    assert process.returncode == 130
    assert "synapse jobs logs live dead0" in err
    assert "Traceback" not in err


def test_ctrl_c_in_a_terminal(terminal: Any, at: Any) -> None:
    with Agent(silent) as agent:
        at(agent)
        screen = terminal("jobs", "logs", "job", "-f")
        screen.wait_for("two")
        screen.interrupt()
        assert screen.exit_code() == 130
    assert "synapse jobs logs job --follow --lines +3" in screen.text
    assert "Traceback" not in screen.text


# --- colours


def test_prefixes_are_coloured_in_a_terminal(terminal: Any, at: Any) -> None:
    with Agent(whole) as agent:
        at(agent)
        screen = terminal("jobs", "logs", "a", "b", "-f")
        assert screen.exit_code() == 0
    assert b"\x1b[36ma | \x1b[0m" in screen.raw
    assert b"\x1b[33mb | \x1b[0m" in screen.raw


@pytest.mark.parametrize("variables", [{"NO_COLOR": "1"}, {"TERM": "dumb"}])
def test_no_color(terminal: Any, at: Any, variables: dict[str, str]) -> None:
    with Agent(whole) as agent:
        at(agent)
        screen = terminal("jobs", "logs", "a", "b", "-f", env=variables)
        assert screen.exit_code() == 0
    assert b"\x1b" not in screen.raw
