"""requests, and one json.loads an event."""

from __future__ import annotations

import json

import measure
import requests
from measure import Job, Measured, Stopwatch


def http(job: Job) -> Measured:
    with requests.Session() as session:
        for log in (measure.WARM_UP, job.log):
            with session.get(f"{job.url}jobs/{log}/logs/stream/", stream=True) as response:
                events = response.iter_lines(chunk_size=65_536)
                next(events)
                lines = characters = 0
                watch = Stopwatch()
                for line in events:
                    if line.startswith(b"data: "):
                        event = json.loads(line[6:])
                        if event["type"] == "complete":
                            break
                        lines += 1
                        characters += len(event["message"])
                if log == job.log:
                    return measure.counted(watch, job, lines, characters)
    raise AssertionError


def get_job(job: Job) -> Measured:
    with requests.Session() as session:
        session.headers["Authorization"] = job.token
        return measure.repeated(job, lambda: session.get(f"{job.url}jobs/raysubmit_1/").json())


def list_jobs(job: Job) -> Measured:
    with requests.Session() as session:
        return measure.repeated(job, lambda: session.get(f"{job.url}jobs/").json(), warm_up=3)


if __name__ == "__main__":
    measure.main({"http": http, "get_job": get_job, "list_jobs": list_jobs})
