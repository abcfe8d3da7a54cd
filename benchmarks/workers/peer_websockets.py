"""websockets, its sync and its asyncio client, and one json.loads a message."""

from __future__ import annotations

import json
import time

import measure
from measure import Job, Measured, Stopwatch
from websockets.asyncio.client import connect as connect_async
from websockets.sync.client import connect


def ws(job: Job) -> Measured:
    for log in (measure.WARM_UP, job.log):
        with connect(f"{job.ws_url}jobs/{log}/logs/") as socket:
            socket.recv()
            lines = characters = 0
            watch = Stopwatch()
            for message in socket:
                event = json.loads(message)
                if event["type"] == "complete":
                    break
                lines += 1
                characters += len(event["message"])
            if log == job.log:
                return measure.counted(watch, job, lines, characters)
    raise AssertionError


async def ws_async(job: Job) -> Measured:
    for log in (measure.WARM_UP, job.log):
        async with connect_async(f"{job.ws_url}jobs/{log}/logs/") as socket:
            await socket.recv()
            lines = characters = 0
            watch = Stopwatch()
            async for message in socket:
                event = json.loads(message)
                if event["type"] == "complete":
                    break
                lines += 1
                characters += len(event["message"])
            if log == job.log:
                return measure.counted(watch, job, lines, characters)
    raise AssertionError


def delay(job: Job) -> Measured:
    late: list[int] = []
    with connect(f"{job.ws_url}jobs/{job.log}/logs/") as socket:
        for message in socket:
            event = json.loads(message)
            if event["type"] == "log":
                late.append(time.monotonic_ns() - int(event["message"].split(" ", 1)[0]))
    return measure.delays(late)


async def delay_async(job: Job) -> Measured:
    late: list[int] = []
    async with connect_async(f"{job.ws_url}jobs/{job.log}/logs/") as socket:
        async for message in socket:
            event = json.loads(message)
            if event["type"] == "log":
                late.append(time.monotonic_ns() - int(event["message"].split(" ", 1)[0]))
    return measure.delays(late)


def first_line(job: Job) -> Measured:
    url = f"{job.ws_url}jobs/{job.log}/logs/"

    def call() -> None:
        with connect(url) as socket:
            while json.loads(socket.recv())["type"] != "log":
                pass

    return measure.repeated(job, call, warm_up=5)


async def first_line_async(job: Job) -> Measured:
    url = f"{job.ws_url}jobs/{job.log}/logs/"

    async def call() -> None:
        async with connect_async(url) as socket:
            while json.loads(await socket.recv())["type"] != "log":
                pass

    return await measure.repeated_async(job, call)


if __name__ == "__main__":
    measure.main(
        {
            "ws": ws,
            "ws_async": ws_async,
            "delay": delay,
            "delay_async": delay_async,
            "first_line": first_line,
            "first_line_async": first_line_async,
        }
    )
