"""The extra `cli`: the help of every command, calls, a job that is followed, a terminal, a profile."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from commands import expect, run, run_on_terminal

from synapse_sdk.testing import FakeAgent

LINES = ["epoch 1", "epoch 2", "done"]
COMMANDS = {("jobs", "logs"), ("health",), ("plugins", "run")}

KEYRING = """
import pathlib, keyring.backend

class Keyring(keyring.backend.KeyringBackend):
    priority = 1
    path = pathlib.Path(__file__).with_name("kept")

    def get_password(self, service, username):
        return self.path.read_text() if self.path.exists() else None

    def set_password(self, service, username, password):
        self.path.write_text(password)

    def delete_password(self, service, username):
        self.path.unlink()
"""


def commands(*path: str) -> Iterator[tuple[str, ...]]:
    """Yield every command below this one, as its help lists them."""
    listed = run("synapse", *path, "--help").stdout.partition("\nCommands:\n")[2].partition("\n\n")[0]
    for name in re.findall(r"^  ([a-z][a-z-]*)", listed, re.MULTILINE):
        yield (*path, name)
        yield from commands(*path, name)


def calls(agent: FakeAgent) -> None:
    told = run("synapse", "jobs", "list", **agent.env).stdout
    expect("train" in told and "SUCCEEDED" in told, "synapse jobs list", told)
    told = run("synapse", "jobs", "logs", "train", "--follow", **agent.env).stdout
    expect(told.splitlines() == LINES, "synapse jobs logs --follow", told)
    run("synapse", "jobs", "get", "missing", code=1, **agent.env)
    # On a terminal tables and progress are drawn by another library.
    told = run_on_terminal("synapse", "jobs", "list", **agent.env)
    expect("train" in told and "SUCCEEDED" in told, "synapse jobs list, on a terminal", told)
    told = run_on_terminal("synapse", "jobs", "wait", "train", **agent.env)
    expect("SUCCEEDED" in told, "synapse jobs wait, on a terminal", told)


def profile(agent: FakeAgent) -> None:
    """Keep the token in a keyring and the rest in a file, and use them."""
    Path("kept_tokens.py").write_text(KEYRING)
    variables = {"PYTHONPATH": str(Path.cwd()), "PYTHON_KEYRING_BACKEND": "kept_tokens.Keyring"}
    command = ("synapse", "login", "--profile", "lab", "--url", agent.url, "--token", "-")
    run(*command, given=agent.token, **variables)
    expect(Path("kept").exists(), command, "the token is not in the keyring")
    run("synapse", "health", **variables)
    run("synapse", "profiles", "delete", "lab", **variables)


def use() -> None:
    found = set(commands())
    expect(found >= COMMANDS, "synapse --help", found)
    run("synapse", "--version")
    with FakeAgent(listen=True) as agent:
        agent.add_job("train", status="SUCCEEDED", logs=LINES)
        calls(agent)


if __name__ == "__main__":
    use()
    with FakeAgent(listen=True) as agent:
        profile(agent)
