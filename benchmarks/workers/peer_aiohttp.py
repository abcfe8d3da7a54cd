"""aiohttp, and one json.loads a message or event."""

from __future__ import annotations

import json

import measure
from aiohttp import ClientSession, WSMsgType
from measure import Job, Measured, Stopwatch


async def ws(job: Job) -> Measured:
    async with ClientSession() as session:
        for log in (measure.WARM_UP, job.log):
            async with session.ws_connect(f"{job.url}jobs/{log}/logs/") as socket:
                await socket.receive()
                lines = characters = 0
                watch = Stopwatch()
                async for message in socket:
                    if message.type is not WSMsgType.TEXT:
                        continue
                    event = json.loads(message.data)
                    if event["type"] == "complete":
                        break
                    lines += 1
                    characters += len(event["message"])
                if log == job.log:
                    return measure.counted(watch, job, lines, characters)
    raise AssertionError


async def http(job: Job) -> Measured:
    async with ClientSession() as session:
        for log in (measure.WARM_UP, job.log):
            async with session.get(f"{job.url}jobs/{log}/logs/stream/") as response:
                await response.content.readline()
                lines = characters = 0
                watch = Stopwatch()
                async for line in response.content:
                    if line.startswith(b"data: "):
                        event = json.loads(line[6:])
                        if event["type"] == "complete":
                            break
                        lines += 1
                        characters += len(event["message"])
                if log == job.log:
                    return measure.counted(watch, job, lines, characters)
    raise AssertionError


async def _get_job(job: Job, at_once: int) -> Measured:
    async with ClientSession(headers={"Authorization": job.token}) as session:

        async def call() -> object:
            async with session.get(f"{job.url}jobs/raysubmit_1/") as response:
                return await response.json()

        return await measure.repeated_async(job, call, at_once)


if __name__ == "__main__":
    measure.main(
        {
            "ws": ws,
            "http": http,
            "get_job": lambda job: _get_job(job, 1),
            "many_jobs": lambda job: _get_job(job, 100),
        }
    )
