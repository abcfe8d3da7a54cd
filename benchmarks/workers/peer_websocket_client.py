"""websocket-client, and one json.loads a message."""

from __future__ import annotations

import json

import measure
import websocket
from measure import Job, Measured, Stopwatch


def ws(job: Job) -> Measured:
    for log in (measure.WARM_UP, job.log):
        socket = websocket.create_connection(f"{job.ws_url}jobs/{log}/logs/")
        socket.recv()
        lines = characters = 0
        watch = Stopwatch()
        while (event := json.loads(socket.recv()))["type"] != "complete":
            lines += 1
            characters += len(event["message"])
        if log == job.log:
            return measure.counted(watch, job, lines, characters)
        socket.close()
    raise AssertionError


if __name__ == "__main__":
    measure.main({"ws": ws})
