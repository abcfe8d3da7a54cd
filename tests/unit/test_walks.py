"""How many of our files a call passes on its way to the socket. `pytest -s` prints each way."""

from __future__ import annotations

import socket
import sys
from collections.abc import Callable, Iterator
from types import FrameType
from typing import Any

import pytest

from synapse_sdk.clients.agent import AgentClient
from synapse_sdk.testing import FakeAgent

PACKAGES = ("synapse_sdk/", "synapse_agent_api/")
# The floors of docs/explanation/architecture.md, from the top. What is beside them is the ground floor.
FLOORS = (
    {"clients", "utils", "cli", "testing", "api", "client.py", "types.py", "requests.py", "models"},
    {"streaming", "_rest", "long_poll"},
    {"_http"},
)
# A file that is added here makes every reader's way longer. The numbers may only become smaller.
MOST_FILES = {"get_job": 10, "tail_job_logs": 17}


class Walk:
    """The files that the current thread enters, in order, until it first writes to a socket."""

    def __init__(self) -> None:
        self.files: list[str] = []
        self.functions: list[str] = []
        self.climbs: list[str] = []
        self._is_down = False

    def __call__(self, frame: FrameType, event: str, argument: Any) -> None:
        if event == "c_call" and argument.__name__ in {"send", "sendall"}:
            self._is_down = self._is_down or isinstance(getattr(argument, "__self__", None), socket.socket)
        file = file_of(frame)
        if event != "call" or self._is_down or file is None:
            return
        if file not in self.files:
            self.files.append(file)
        self.functions.append(f"{file} {frame.f_code.co_name}")
        caller = next((found for found in map(file_of, callers(frame)) if found is not None), file)
        if floor(file) < floor(caller):
            self.climbs.append(f"{caller} calls {file}")

    def of(self, call: Callable[[], object]) -> None:
        before = sys.getprofile()
        sys.setprofile(self)
        try:
            call()
        finally:
            sys.setprofile(before)
        assert self._is_down, "nothing was sent"


def callers(frame: FrameType) -> Iterator[FrameType]:
    caller = frame.f_back
    while caller is not None:
        yield caller
        caller = caller.f_back


def file_of(frame: FrameType) -> str | None:
    _, found, rest = frame.f_code.co_filename.rpartition("/synapse_")
    name = f"synapse_{rest}"
    return name if found and name.startswith(PACKAGES) else None


def floor(file: str) -> int:
    """Return the floor of a file, 0 at the top."""
    part = file.split("/")[1]
    return next((number for number, parts in enumerate(FLOORS) if part in parts), len(FLOORS))


@pytest.mark.parametrize("name", MOST_FILES)
def test_way_to_the_socket_is_short_and_leads_down(name: str) -> None:
    walk = Walk()
    with FakeAgent(listen=True) as agent, AgentClient(agent.url, agent.token) as client:
        agent.add_job("train", status="SUCCEEDED", logs=["epoch 1", "epoch 2"])
        calls = {
            "get_job": lambda: client.get_job("train"),
            "tail_job_logs": lambda: list(client.tail_job_logs("train")),
        }
        # The first call imports and connects; the second one is what every other call looks like.
        calls[name]()
        walk.of(calls[name])
    print(f"\n{name}: {len(walk.files)} files, {len(walk.functions)} calls")
    print("\n".join(f"  {function}" for function in walk.functions))
    print("\n".join(f"  upwards: {climb}" for climb in walk.climbs))
    assert len(walk.files) <= MOST_FILES[name], "\n".join(walk.files)
    assert walk.climbs == []
