"""An agent that sends neither offsets nor newlines: whole lines, which are not held for long."""

from __future__ import annotations

from stopwatch import Stopwatch
from tables import each_row

from synapse_sdk.clients.agent import AgentClient

from .scripted import Agent, Peer


@each_row("protocol", ["websocket", "http"])
def test_a_log_that_is_never_silent_is_not_held_back_for_long(protocol: str) -> None:
    sent: list[Stopwatch] = []

    def busy(peer: Peer) -> None:
        number = 0
        while not peer.stopped.wait(0.03):
            peer.log(f"line {number}")
            sent.append(Stopwatch())
            number += 1

    with (
        Agent(busy) as agent,
        AgentClient(agent.url, "a-token") as client,
        client.tail_job_logs("job", protocol=protocol) as stream,  # type: ignore[arg-type]
    ):
        lines = [next(stream) for _ in range(5)]
        assert sent[0].seconds() < 3
    assert lines == [f"line {number}" for number in range(5)]
