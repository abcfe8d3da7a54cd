"""Containers, daemons and schedulers: closed streams, no home, full disks, plain terminals, ASCII only."""

from __future__ import annotations

import shlex
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from checkout import environment

from synapse_sdk.cli._profiles import config_path
from synapse_sdk.testing import FakeAgent

from .conftest import COMMAND
from .terminal import Terminal

pytestmark = pytest.mark.slow


@pytest.fixture
def agent(at: Any) -> Iterator[FakeAgent]:
    with FakeAgent(listen=True) as agent:
        agent.add_job("train", status="SUCCEEDED", logs=["époque 1", "漢"], entrypoint="précis")
        agent.add_job("broke", status="FAILED")
        agent.add_serve_application("app")
        at(agent, agent.token)
        yield agent


def shell(redirection: str, *arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    """Run the command with what a shell's redirections do to its streams."""
    return subprocess.run(
        ["sh", "-c", f"exec {shlex.join([*COMMAND, *arguments])} {redirection}"],
        env=environment(**variables),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


COMMANDS = [
    (["jobs", "list"], 0),
    (["jobs", "wait", "broke"], 1),
    (["plugins", "run", "p@1", "train", "--params", "@-"], 2),
    (["jobs", "logs", "train", "--follow"], 0),
    (["jobs", "list", "--token", "-"], 2),
    (["serve", "delete", "app"], 2),
    (["jobs", "lst"], 2),
    (["--version"], 0),
]
CLOSED = ["<&- >&- 2>&-", "<&-", ">&-", "2>&-", "<&- >&-", "<&- 2>&-", ">&- 2>&-"]


@pytest.mark.parametrize(
    ("closed", "arguments", "code"),
    [
        *((CLOSED[0], *case) for case in COMMANDS),
        *((closed, *case) for closed in CLOSED[1:] for case in COMMANDS[:3]),
    ],
)
def test_closed_streams(agent: FakeAgent, closed: str, arguments: list[str], code: int) -> None:
    done = shell(closed, *arguments)
    assert done.returncode == code, done.stderr
    assert "Traceback" not in done.stderr
    assert bool(done.stdout) == (arguments[0] == "jobs" and ">&-" not in closed.split())
    if code == 2:
        assert not agent.requests_of("run_plugin_release")
        assert "2>&-" in closed or done.stderr


def test_no_connection_gets_the_number_of_a_closed_stream(agent: FakeAgent) -> None:
    """Otherwise what is written to stderr, such as at Ctrl-C, would go to the agent."""
    program = (
        "import os, stat, sys; from synapse_sdk.cli import main; code = main(['health']);"
        "kinds = [stat.S_ISCHR(os.fstat(number).st_mode) for number in range(3)];"
        "sys.exit(0 if all(kinds) else 9)"
    )
    command = shlex.join([COMMAND[0], "-c", program])
    done = subprocess.run(["sh", "-c", f"exec {command} <&- >&- 2>&-"], env=environment(), check=False)
    assert done.returncode == 0


@pytest.mark.parametrize(
    "arguments",
    [["--help"], ["jobs", "--help"], ["jobs", "list"], ["jobs", "logs", "train", "--follow", "--quiet"]],
)
def test_a_full_disk(agent: FakeAgent, arguments: list[str]) -> None:
    done = shell(">/dev/full", *arguments)
    assert (done.returncode, done.stderr) == (
        1,
        "synapse: the output can't be written: No space left on device\n",
    )
    assert shell("2>/dev/full", "jobs", "lst").returncode == 2


def test_nothing_on_stdin_is_said(agent: FakeAgent) -> None:
    assert "--token: stdin is empty or closed" in shell("", "health", "--token", "-").stderr
    done = shell("<&-", "plugins", "run", "p@1", "train", "--params", "-")
    assert "--params: stdin is empty or closed" in done.stderr


@pytest.fixture
def token_file(tmp_path: Path, agent: FakeAgent) -> str:
    path = tmp_path / "token"
    path.write_text(agent.token)
    return str(path)


def test_no_home_and_no_passwd_entry(
    synapse: Any, agent: FakeAgent, token_file: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def nobody(_uid: int) -> None:
        raise KeyError

    monkeypatch.setattr("pwd.getpwuid", nobody)
    for name in ("HOME", "XDG_CONFIG_HOME", "PYTHON_KEYRING_BACKEND"):
        monkeypatch.delenv(name, raising=False)
    assert synapse("health").code == 0
    assert synapse("profiles").code == 0
    assert synapse("health", "--profile", "lab").code == 2
    result = synapse("login", "--url", agent.url, "--token-file", token_file)
    assert result.code == 1
    assert "set HOME or XDG_CONFIG_HOME" in result.err


def test_a_home_that_is_not_absolute(
    synapse: Any, agent: FakeAgent, token_file: str, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(home)
    monkeypatch.delenv("XDG_CONFIG_HOME")
    monkeypatch.setenv("HOME", "relative")
    result = synapse("login", "--url", agent.url, "--token-file", token_file)
    assert result.code == 1
    assert "set HOME or XDG_CONFIG_HOME" in result.err
    assert not (home / "relative").exists()


@pytest.mark.parametrize("folder", ["/proc", "/dev/null"])
def test_a_home_that_can_not_be_written(
    synapse: Any, agent: FakeAgent, token_file: str, monkeypatch: pytest.MonkeyPatch, folder: str
) -> None:
    monkeypatch.delenv("XDG_CONFIG_HOME")
    monkeypatch.setenv("HOME", folder)
    assert synapse("profiles").code == 0
    result = synapse("login", "--url", agent.url, "--token-file", token_file)
    assert result.code == 1
    assert f"{folder}/.config/synapse/config.toml can't be written" in result.err


def test_profiles_that_can_not_be_read(
    synapse: Any, agent: FakeAgent, token_file: str, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (home / "config" / "synapse" / "config.toml").mkdir(parents=True)
    monkeypatch.delenv("SYNAPSE_AGENT_URL")
    assert synapse("health").code == 2
    # What it would say isn't needed.
    result = synapse("health", "--url", agent.url, "--token-file", token_file)
    assert result.code == 0
    assert "going on without profiles" in result.err


@pytest.mark.parametrize("value", ["", "relative/path"])
def test_a_config_folder_that_is_not_absolute_is_ignored(monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", value)
    monkeypatch.setenv("HOME", "/home/me")
    assert config_path() == Path("/home/me/.config/synapse/config.toml")


@pytest.mark.parametrize(
    "variables",
    [{"PYTHONIOENCODING": "ascii"}, {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}],
)
def test_ascii_only(agent: FakeAgent, variables: dict[str, str]) -> None:
    logs = shell("", "jobs", "logs", "train", "--follow", **variables)
    assert (logs.returncode, logs.stdout) == (0, "\\xe9poque 1\n\\u6f22\n")
    assert "pr\\xe9cis" in shell("", "jobs", "list", **variables).stdout
    params = shell(
        '<<\'END\'\n{"name": "é"}\nEND', "plugins", "run", "p@1", "t", "--params", "-", **variables
    )
    assert "plugin release" in params.stderr  # which isn't there; the parameters could be read
    assert "é" in agent.requests_of("run_plugin_release")[0].content.decode()


@pytest.mark.parametrize("term", ["dumb", ""])
def test_a_plain_terminal(
    terminal: Any, agent: FakeAgent, monkeypatch: pytest.MonkeyPatch, term: str
) -> None:
    monkeypatch.setenv("TERM", term)
    screen = terminal("jobs", "logs", "train", "broke", "--follow")
    assert screen.exit_code() == 0
    assert "train | époque 1" in screen.text
    table = terminal("jobs", "list")
    assert table.exit_code() == 0
    watch = terminal("jobs", "list", "--watch")
    assert watch.exit_code() == 2
    assert "--watch needs a terminal to draw on, and TERM is" in watch.text
    assert b"\x1b" not in screen.raw + table.raw + watch.raw


def test_a_token_is_typed_where_there_is_no_dev_tty(agent: FakeAgent, home: Path) -> None:
    # setsid takes the controlling terminal away, while stdin stays the terminal.
    with Terminal(["setsid", "--wait", *COMMAND, "login", "--url", agent.url]) as screen:
        screen.wait_for_hidden_typing()
        screen.type(f"{agent.token}\n")
        assert screen.exit_code() == 0, screen.text
    assert agent.token in (home / "config" / "synapse" / "config.toml").read_text()
    assert agent.token.encode() not in screen.raw


@pytest.mark.parametrize("unbuffered", ["", "1"])
def test_output_that_is_taken_only_in_part(agent: FakeAgent, tmp_path: Path, unbuffered: str) -> None:
    agent.add_job("long", status="SUCCEEDED", logs=["x" * 3_000_000])
    program = f"ulimit -f 1024; exec {shlex.join([*COMMAND, 'jobs', 'logs', 'long'])} >part"
    full = subprocess.run(
        ["sh", "-c", program],
        cwd=tmp_path,
        env=environment(PYTHONUNBUFFERED=unbuffered),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (full.returncode, full.stderr) == (1, "synapse: the output can't be written: File too large\n")


NO_THREADS = """
import sys, threading
def refuse(thread):
    raise RuntimeError("can't start new thread")
threading.Thread.start = refuse
from synapse_sdk.cli import main
sys.exit(main(sys.argv[1:]))
"""


def test_where_no_threads_can_be_started(agent: FakeAgent) -> None:
    command = [COMMAND[0], "-c", NO_THREADS]
    followed = subprocess.run(
        [*command, "jobs", "logs", "train", "-fq"], env=environment(), capture_output=True, text=True
    )
    assert (followed.returncode, followed.stdout, followed.stderr) == (0, "époque 1\n漢\n", "")
    with Terminal([*command, "jobs", "wait", "broke"]) as screen:
        assert screen.exit_code() == 1
        assert "FAILED" in screen.text
        assert "unexpected" not in screen.text
        assert not screen.screen.cursor.hidden


def test_ctrl_c_where_no_threads_can_be_started(agent: FakeAgent) -> None:
    agent.add_job("live", status="RUNNING", logs=["one"])
    with Terminal([COMMAND[0], "-c", NO_THREADS, "jobs", "logs", "live", "--follow"]) as screen:
        screen.wait_until(lambda: "one" in screen.text)
        screen.interrupt()
        assert screen.exit_code() == 130
        assert "interrupted; the job runs on" in screen.text
        assert "Traceback" not in screen.text


def test_ctrl_c_is_not_for_a_command_in_the_background_of_a_script(agent: FakeAgent) -> None:
    job = agent.add_job("live", status="RUNNING", logs=["one"])
    program = f"trap '' INT; exec {shlex.join([*COMMAND, 'jobs', 'logs', 'live', '-fq'])}"
    with subprocess.Popen(
        ["sh", "-c", program], env=environment(), stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        try:
            assert process.stdout.readline() == "one\n"
            process.send_signal(signal.SIGINT)
            job.log("two")
            job.succeed()
            assert process.stdout.read() == "two\n"
            assert process.wait(60) == 0
        finally:
            process.kill()
