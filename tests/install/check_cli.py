"""The extra `cli`: the help of every command, a call, and a job that is followed."""

from __future__ import annotations

import re
from collections.abc import Iterator

from commands import expect, run

from synapse_sdk.testing import FakeAgent

LINES = ["epoch 1", "epoch 2", "done"]


def commands(*path: str) -> Iterator[tuple[str, ...]]:
    """Yield every command below this one, as its help lists them."""
    listed = run("synapse", *path, "--help").stdout.partition("\nCommands:\n")[2].partition("\n\n")[0]
    for name in re.findall(r"^  ([a-z][a-z-]*)", listed, re.MULTILINE):
        yield (*path, name)
        yield from commands(*path, name)


found = set(commands())
expect({("jobs", "logs"), ("health",), ("plugins", "run")} <= found, "synapse --help", found)
run("synapse", "--version")
with FakeAgent(listen=True) as agent:
    agent.add_job("train", status="SUCCEEDED", logs=LINES)
    told = run("synapse", "jobs", "list", **agent.env).stdout
    expect("train" in told and "SUCCEEDED" in told, "synapse jobs list", told)
    told = run("synapse", "jobs", "logs", "train", "--follow", **agent.env).stdout
    expect(told.splitlines() == LINES, "synapse jobs logs --follow", told)
    run("synapse", "jobs", "get", "missing", code=1, **agent.env)
print(f"{len(found)} commands")
