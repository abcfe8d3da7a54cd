"""Tab completion in real shells: names are inserted, and an agent can't make a shell run anything."""

from __future__ import annotations

import json
import shlex
import shutil
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from streaming.scripted import Agent, Peer

from .conftest import COMMAND
from .terminal import Terminal
from .test_start import complete

pytestmark = pytest.mark.slow

# Each would make the file `ran`, break the line, or be taken for an option.
HOSTILE = [
    "z$(touch ran)",
    "z`touch ran`",
    "z;touch ran;",
    "z\ntouch ran\n",
    "z\\$(touch ran)",
    "z'$(touch ran)'",
    "z${(e):-$(touch ran)}",
    "z|touch ran",
    "z*",
    "z\x1b]52;c;aGk=\x07",
    "zé",
    "z" * 201,
    "z,y",
    "--insecure",
    "",
    None,
]
ANSWERS: dict[str, object] = {
    "/jobs/": [{"submission_id": name} for name in [*HOSTILE, "train-1"]],
    "/nodes/": [{"node_id": name} for name in [*HOSTILE, "node_1"]],
    "/tasks/": [{"task_id": name} for name in [*HOSTILE, "0a1b"]],
    "/serve_applications/": [{"name": name} for name in [*HOSTILE, "app.v1@2"]],
    "/plugin_releases/": {
        "count": 2,
        "next": None,
        "previous": None,
        "results": [
            {"plugin": plugin, "version": version}
            for plugin, version in [
                *((name, "1") for name in HOSTILE[:-2]),
                ("p", "$(touch ran)"),
                ("p", "1.0+a"),
            ]
        ],
    },
}


@pytest.fixture
def agent(at: Any) -> Iterator[Agent]:
    """An agent whose names are hostile, but for one of each kind."""

    def answer(peer: Peer) -> None:
        peer.answer(200, json.dumps(ANSWERS[peer.request.path]).encode())

    with Agent(lambda peer: None) as agent:
        agent.status_answers += [answer] * 50
        at(agent)
        yield agent


@pytest.mark.parametrize(
    ("words", "offered"),
    [
        (("jobs", "get"), ["train-1"]),
        (("jobs", "logs", "train-1"), ["train-1"]),
        (("nodes", "get"), ["node_1"]),
        (("tasks", "get"), ["0a1b"]),
        (("serve", "delete"), ["app.v1@2"]),
        (("plugins", "run"), ["p@1.0+a"]),
    ],
)
def test_only_whole_names_are_offered(
    child: Any, agent: Agent, words: tuple[str, ...], offered: list[str]
) -> None:
    assert complete(child, *words, "''") == offered
    assert complete(child, *words, "z") == []


def test_profiles_are_offered_by_the_same_rule(child: Any, home: Path) -> None:
    (home / "config" / "synapse").mkdir(parents=True)
    tables = "".join(
        f'["profiles"."{name}"]\nurl = "http://x"\ntoken = "t"\n' for name in ("lab", "$(touch ran)")
    )
    # That others can read the file is said by commands, but not in the middle of a line that is typed.
    (home / "config" / "synapse" / "config.toml").write_text(tables)
    assert complete(child, "profiles", "use", "''") == ["lab"]


class Shell:
    """A shell in a terminal, with the completion; `synapse` itself only notes down its arguments."""

    def __init__(self, name: str, folder: Path) -> None:
        self.folder = folder
        python = " ".join(map(shlex.quote, COMMAND))
        command = folder / "bin" / "synapse"
        command.parent.mkdir()
        command.write_text(
            "#!/bin/sh\n"
            f'[ -n "$_SYNAPSE_COMPLETE" ] && exec {python} "$@"\n'
            f'printf "%s\\n" "$*" >>{folder}/called\n'
        )
        command.chmod(0o755)
        rc = folder / ".zshrc"
        source = f"source {folder}/script"
        rc.write_text(
            {
                "bash": f"{source}; PS1='ready$ '",
                "zsh": f"autoload -U compinit; compinit -u -D; {source}; PS1='ready$ '",
                "fish": f"{source}; function fish_prompt; echo 'ready$ '; end",
            }[name]
        )
        start = {
            "bash": ["--noprofile", "--rcfile", str(rc), "-i"],
            "zsh": ["-d", "-i"],
            "fish": ["--no-config", "--private", "-C", f"source {rc}", "-i"],
        }[name]
        path = f"{command.parent}:{Path(sys.executable).parent}:/usr/bin:/bin"
        env = {"PATH": path, "HOME": str(folder), "ZDOTDIR": str(folder)}
        inside = ["/bin/sh", "-c", 'cd "$0" && exec "$@"', str(folder), name, *start]
        self.terminal = Terminal(inside, env=env, rows=50)
        self.terminal.wait_for("ready$")

    def enter(self, line: str) -> str:
        """Type a line; return with which arguments `synapse` was called in the end."""
        called = self.folder / "called"
        called.unlink(missing_ok=True)
        self.terminal.type(f"{line}\n")
        self.terminal.wait_until(lambda: called.exists() and called.read_text().endswith("\n"))
        return called.read_text().removesuffix("\n")


@pytest.fixture(params=["bash", "zsh", "fish"])
def shell(request: Any, synapse: Callable[..., Any], tmp_path: Path, agent: Agent) -> Iterator[Shell]:
    if shutil.which(request.param) is None:
        pytest.skip(f"{request.param} is not installed")
    (tmp_path / "script").write_text(synapse("completion", request.param).out)
    started = Shell(request.param, tmp_path)
    with started.terminal:
        yield started


def test_tab_inserts_names_and_runs_nothing(shell: Shell) -> None:
    assert shell.enter("synapse jo\tget tr\t") == "jobs get train-1"
    assert shell.enter("synapse jobs logs z\t\tx") == "jobs logs zx"
    assert shell.enter("synapse plugins run p\ttrain") == "plugins run p@1.0+a train"
    assert shell.enter("synapse serve get \t") == "serve get app.v1@2"
    # Its help has backticks and a semicolon, which some shells show beside it.
    assert shell.enter("synapse agent \t") == "agent serve"
    assert shell.enter("synapse jobs logs --foll\tx") == "jobs logs --follow x"
    assert not (shell.folder / "ran").exists()
