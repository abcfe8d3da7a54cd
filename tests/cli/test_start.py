"""Starting: quick, and helpful in the shell."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

import pytest
from checkout import environment
from click.shell_completion import get_completion_class
from streaming.scripted import Agent
from tables import each_row

from synapse_sdk import __version__

HEAVY = {"aiohttp", "asyncio", "attr", "httpx", "keyring", "ray", "rich", "ssl", "tomlkit", "websockets"}
GROUPS = ["jobs", "plugins", "nodes", "tasks", "serve", "resources", "system", "profiles", "agent"]


def imported(*arguments: str) -> set[str]:
    code = (
        "import sys, json; from synapse_sdk.cli import main; main(sys.argv[1:]);"
        "sys.stderr.write(json.dumps(sorted(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, *arguments],
        env=environment(),
        check=True,
        capture_output=True,
        text=True,
    )
    return set(json.loads(done.stderr))


def test_help_imports_nothing_heavy_and_no_command() -> None:
    modules = imported("--help")
    assert not modules & HEAVY
    assert not {name for name in modules if name.startswith("synapse_sdk.cli.commands.")}


def test_a_command_s_help_imports_that_command_only() -> None:
    modules = imported("jobs", "logs", "--help")
    assert not modules & HEAVY
    assert {name for name in modules if name.startswith("synapse_sdk.cli.commands.")} == {
        "synapse_sdk.cli.commands.jobs"
    }


def test_help_lists_groups_exit_codes_and_examples(synapse: Any) -> None:
    result = synapse("--help")
    assert result.code == 0
    for word in (*GROUPS, "health", "login", "Exit codes:", "  3 ", "Examples:", "NO_COLOR"):
        assert word in result.out


@each_row("group", GROUPS)
def test_every_command_has_help_with_an_example(synapse: Any, group: str) -> None:
    help_ = synapse(group, "--help").out
    commands = [line.split()[0] for line in help_.partition("Commands:\n")[2].splitlines() if line.strip()]
    assert commands
    for command in commands:
        if (group, command) == ("agent", "serve"):
            continue  # the agent's own
        told = synapse(group, command, "-h")
        assert told.code == 0
        assert f"synapse {group} {command}" in told.out.partition("Examples:")[2]


@each_row("command", ["health", "login", "completion"])
def test_a_command_without_a_group_has_help_with_an_example(synapse: Any, command: str) -> None:
    assert f"  synapse {command}" in synapse(command, "--help").out.partition("Examples:")[2]


def test_without_arguments_it_helps(synapse: Any) -> None:
    result = synapse()
    assert result.code == 2
    assert "Usage: synapse" in result.out + result.err


def test_version(synapse: Any) -> None:
    assert synapse("--version").out == f"synapse {__version__}\n"


def test_without_the_extra_it_says_what_to_install(tmp_path: Any) -> None:
    (tmp_path / "click.py").write_text("raise ModuleNotFoundError(\"No module named 'click'\", name='click')")
    code = f"import sys; sys.path.insert(0, {str(tmp_path)!r})\n"
    code += "from synapse_sdk.cli import main; sys.exit(main())"
    done = subprocess.run(
        [sys.executable, "-c", code], env=environment(), check=False, capture_output=True, text=True
    )
    assert (done.returncode, done.stderr) == (
        1,
        'synapse: click is not installed: pip install "synapse-sdk[cli]"\n',
    )


@each_row("shell", ["bash", "zsh", "fish", "powershell"])
def test_completion_scripts(synapse: Any, shell: str) -> None:
    if get_completion_class(shell) is None:
        pytest.skip(f"this version of click has no completion for {shell}")
    result = synapse("completion", shell)
    assert result.code == 0
    assert "_SYNAPSE_COMPLETE" in result.out


def complete(child: Any, *words: str) -> list[str]:
    """What bash would offer for the last word."""
    process = child(
        env={
            "_SYNAPSE_COMPLETE": "bash_complete",
            "COMP_WORDS": " ".join(["synapse", *words]),
            "COMP_CWORD": str(len(words)),
        }
    )
    out, err = process.communicate(timeout=30)
    assert err == ""
    return [line.removeprefix("plain,") for line in out.splitlines() if line]


def test_commands_and_options_are_completed(child: Any) -> None:
    assert complete(child, "pl") == ["plugins"]
    assert complete(child, "jobs", "l") == ["list", "logs"]
    assert "--follow" in complete(child, "jobs", "logs", "--fo")


def test_job_ids_are_completed(child: Any, at: Any) -> None:
    jobs = [{"submission_id": "train-1"}, {"submission_id": "train-2"}, {"submission_id": "eval"}]
    with Agent(lambda peer: None) as agent:
        agent.status_answers.append(lambda peer: peer.answer(200, json.dumps(jobs).encode()))
        at(agent)
        assert complete(child, "jobs", "get", "tr") == ["train-1", "train-2"]


def test_completion_without_an_agent_is_silent(child: Any) -> None:
    assert complete(child, "jobs", "get", "tr") == []


def test_bash_takes_the_script_and_completes(synapse: Any, tmp_path: Any) -> None:
    script = tmp_path / "synapse.bash"
    script.write_text(synapse("completion", "bash").out)
    command = tmp_path / "synapse"
    command.write_text(f'#!/bin/sh\nexec {sys.executable} -m synapse_sdk.cli "$@"\n')
    command.chmod(0o755)
    line = (
        f"source {script}; COMP_WORDS=(synapse jo); COMP_CWORD=1;"
        f' _synapse_completion {command}; echo "${{COMPREPLY[@]}}"'
    )
    done = subprocess.run(["bash", "-c", line], env=environment(), check=True, capture_output=True, text=True)
    assert done.stdout.strip() == "jobs"


INTERRUPTED = """
import sys
from synapse_sdk.cli import main
class Interrupting:
    def find_spec(self, name, *_):
        if name == "synapse_sdk.cli._app":
            raise KeyboardInterrupt
sys.meta_path.insert(0, Interrupting())
sys.exit(main(["--help"]))
"""


def test_ctrl_c_amid_the_imports() -> None:
    done = subprocess.run(
        [sys.executable, "-c", INTERRUPTED], env=environment(), capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout, done.stderr) == (130, "", "")
