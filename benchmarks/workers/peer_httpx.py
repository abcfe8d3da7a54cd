"""httpx used plainly, and one json.loads an event."""

from __future__ import annotations

import json

import httpx
import measure
from measure import Job, Measured, Stopwatch


def http(job: Job) -> Measured:
    with httpx.Client() as client:
        for log in (measure.WARM_UP, job.log):
            with client.stream("GET", f"{job.url}jobs/{log}/logs/stream/") as response:
                events = response.iter_lines()
                next(events)
                lines = characters = 0
                watch = Stopwatch()
                for line in events:
                    if line.startswith("data: "):
                        event = json.loads(line[6:])
                        if event["type"] == "complete":
                            break
                        lines += 1
                        characters += len(event["message"])
                if log == job.log:
                    return measure.counted(watch, job, lines, characters)
    raise AssertionError


async def http_async(job: Job) -> Measured:
    async with httpx.AsyncClient() as client:
        for log in (measure.WARM_UP, job.log):
            async with client.stream("GET", f"{job.url}jobs/{log}/logs/stream/") as response:
                events = response.aiter_lines()
                await anext(events)
                lines = characters = 0
                watch = Stopwatch()
                async for line in events:
                    if line.startswith("data: "):
                        event = json.loads(line[6:])
                        if event["type"] == "complete":
                            break
                        lines += 1
                        characters += len(event["message"])
                if log == job.log:
                    return measure.counted(watch, job, lines, characters)
    raise AssertionError


def get_job(job: Job) -> Measured:
    with httpx.Client(headers={"Authorization": job.token}) as client:
        return measure.repeated(job, lambda: client.get(f"{job.url}jobs/raysubmit_1/").json())


def list_jobs(job: Job) -> Measured:
    with httpx.Client() as client:
        return measure.repeated(job, lambda: client.get(f"{job.url}jobs/").json(), warm_up=3)


async def _get_job_async(job: Job, at_once: int) -> Measured:
    async with httpx.AsyncClient(headers={"Authorization": job.token}) as client:

        async def call() -> object:
            return (await client.get(f"{job.url}jobs/raysubmit_1/")).json()

        return await measure.repeated_async(job, call, at_once)


def make_client(job: Job) -> Measured:
    return measure.repeated(job, lambda: httpx.Client().close(), warm_up=1)


if __name__ == "__main__":
    measure.main(
        {
            "http": http,
            "http_async": http_async,
            "get_job": get_job,
            "get_job_async": lambda job: _get_job_async(job, 1),
            "many_jobs": lambda job: _get_job_async(job, 100),
            "list_jobs": list_jobs,
            "make_client": make_client,
        }
    )
