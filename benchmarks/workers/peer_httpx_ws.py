"""httpx-ws, and one json.loads a message."""

from __future__ import annotations

import json

import httpx
import measure
from httpx_ws import aconnect_ws, connect_ws
from measure import Job, Measured, Stopwatch


def ws(job: Job) -> Measured:
    with httpx.Client() as client:
        for log in (measure.WARM_UP, job.log):
            with connect_ws(f"{job.url}jobs/{log}/logs/", client) as socket:
                socket.receive_text()
                lines = characters = 0
                watch = Stopwatch()
                while (event := json.loads(socket.receive_text()))["type"] != "complete":
                    lines += 1
                    characters += len(event["message"])
                if log == job.log:
                    return measure.counted(watch, job, lines, characters)
    raise AssertionError


async def ws_async(job: Job) -> Measured:
    async with httpx.AsyncClient() as client:
        for log in (measure.WARM_UP, job.log):
            async with aconnect_ws(f"{job.url}jobs/{log}/logs/", client) as socket:
                await socket.receive_text()
                lines = characters = 0
                watch = Stopwatch()
                while (event := json.loads(await socket.receive_text()))["type"] != "complete":
                    lines += 1
                    characters += len(event["message"])
                if log == job.log:
                    return measure.counted(watch, job, lines, characters)
    raise AssertionError


if __name__ == "__main__":
    measure.main({"ws": ws, "ws_async": ws_async})
