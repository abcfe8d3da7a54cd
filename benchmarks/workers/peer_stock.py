"""What openapi-python-client makes of our spec without our templates; the driver put it on the path."""

from __future__ import annotations

import json
import os
import sys
import urllib.request

import measure
from measure import Job, Measured

sys.path.insert(0, os.environ["STOCK_MODELS"])

from stock_api.models.task import Task


def _body(job: Job) -> bytes:
    with urllib.request.urlopen(f"{job.url}tasks/") as response:
        return response.read()


def tasks(job: Job) -> Measured:
    body = _body(job)

    def call() -> object:
        return measure.read([Task.from_dict(task) for task in json.loads(body)])

    return measure.repeated(job, call, warm_up=2)


def tasks_memory(job: Job) -> Measured:
    body = _body(job)
    return measure.memory_of(lambda: [Task.from_dict(task) for task in json.loads(body)])


if __name__ == "__main__":
    measure.main({"tasks": tasks, "tasks_memory": tasks_memory})
