"""The SDK of this repository, by its public interface; all limits are on, and high enough for the log."""

from __future__ import annotations

import asyncio
import sys
import time
from pathlib import Path

import measure
from measure import Job, Measured, Stopwatch

from synapse_sdk.clients.agent import AgentClient, AsyncAgentClient
from synapse_sdk.utils.network import StreamLimits

# A stream connects, and takes in all of a first read, when its first line is asked for. The clock runs by
# then, so that nothing is done before it starts; connecting counts for these clients, and not for the others.
LIMITS = StreamLimits(max_messages=10**9, max_lines=10**9, max_bytes=10**12, max_message_size=10_240)


def tail(protocol: str):
    def run(job: Job) -> Measured:
        with AgentClient(job.url, job.token, stream_limits=LIMITS) as client:
            for _ in client.tail_job_logs(measure.WARM_UP, protocol=protocol):
                pass
            stream = client.tail_job_logs(job.log, protocol=protocol)
            lines = characters = 0
            watch = Stopwatch()
            for line in stream:
                lines += 1
                characters += len(line)
            return measure.counted(watch, job, lines, characters)

    return run


def tail_async(protocol: str):
    async def run(job: Job) -> Measured:
        async with AsyncAgentClient(job.url, job.token, stream_limits=LIMITS) as client:
            async for _ in client.tail_job_logs(measure.WARM_UP, protocol=protocol):
                pass
            stream = client.tail_job_logs(job.log, protocol=protocol)
            lines = characters = 0
            watch = Stopwatch()
            async for line in stream:
                lines += 1
                characters += len(line)
            return measure.counted(watch, job, lines, characters)

    return run


def delay(job: Job) -> Measured:
    with AgentClient(job.url, job.token, stream_limits=LIMITS) as client:
        for _ in client.tail_job_logs(measure.WARM_UP, protocol="websocket"):
            pass
        late = [
            time.monotonic_ns() - int(line.split(" ", 1)[0])
            for line in client.tail_job_logs(job.log, protocol="websocket")
        ]
        return measure.delays(late)


async def delay_async(job: Job) -> Measured:
    async with AsyncAgentClient(job.url, job.token, stream_limits=LIMITS) as client:
        async for _ in client.tail_job_logs(measure.WARM_UP, protocol="websocket"):
            pass
        late = [
            time.monotonic_ns() - int(line.split(" ", 1)[0])
            async for line in client.tail_job_logs(job.log, protocol="websocket")
        ]
        return measure.delays(late)


def first_line(job: Job) -> Measured:
    with AgentClient(job.url, job.token, stream_limits=LIMITS) as client:

        def call() -> None:
            with client.tail_job_logs(job.log, protocol="websocket") as stream:
                next(stream)

        return measure.repeated(job, call, warm_up=5)


async def first_line_async(job: Job) -> Measured:
    async with AsyncAgentClient(job.url, job.token, stream_limits=LIMITS) as client:

        async def call() -> None:
            async with client.tail_job_logs(job.log, protocol="websocket") as stream:
                await anext(stream)

        return await measure.repeated_async(job, call)


def get_job(job: Job) -> Measured:
    with AgentClient(job.url, job.token) as client:
        return measure.repeated(job, lambda: client.get_job("raysubmit_1"))


def list_jobs(job: Job) -> Measured:
    with AgentClient(job.url, job.token) as client:
        return measure.repeated(job, client.list_jobs, warm_up=3)


async def get_job_async(job: Job) -> Measured:
    async with AsyncAgentClient(job.url, job.token) as client:
        return await measure.repeated_async(job, lambda: client.get_job("raysubmit_1"))


async def many_jobs(job: Job) -> Measured:
    async with AsyncAgentClient(job.url, job.token) as client:
        return await measure.repeated_async(job, lambda: client.get_job("raysubmit_1"), at_once=100)


def tasks(job: Job, measured=measure.repeated) -> Measured:
    """The whole of `list_tasks`, over a transport that has the body at hand; two fields of each are read."""
    import httpx

    body = httpx.get(f"{job.url}tasks/").content
    headers = {"Content-Type": "application/json"}
    transport = httpx.MockTransport(lambda _: httpx.Response(200, content=body, headers=headers))
    with httpx.Client(transport=transport) as http:
        client = AgentClient(job.url, job.token, http_client=http)
        return measured(job, lambda: measure.read(client.list_tasks()), warm_up=2)


def tasks_memory(job: Job) -> Measured:
    return tasks(job, lambda _job, call, **_options: measure.memory_of(call))


def make_client(job: Job) -> Measured:
    return measure.repeated(job, lambda: AgentClient(job.url, job.token).close(), warm_up=1)


async def tails_at_once(job: Job) -> Measured:
    """One job that is being written, followed by so many streams of one client.

    The job waits until all of them have seen its first line; what follows is measured.
    """
    late: list[int] = []
    ready = 0
    watch = Stopwatch()

    async with AsyncAgentClient(job.url, job.token, stream_limits=LIMITS) as client:

        async def follow() -> int:
            nonlocal ready, watch
            lines = 0
            async for line in client.tail_job_logs(job.log, timeout=60, protocol="websocket"):
                if line.startswith("at "):
                    lines += 1
                    late.append(time.monotonic_ns() - int(line.split(" ", 2)[1]))
                elif line == "ready":
                    ready += 1
                    if ready == job.items:
                        watch = Stopwatch()
                        Path(job.go).touch()  # noqa: ASYNC240 - a touch of a file in /tmp
            return lines

        counts = await asyncio.gather(*(follow() for _ in range(job.items)))
        measured = watch.stop(sum(counts))
    if len(set(counts)) != 1:
        sys.exit(f"the tails got {min(counts)} to {max(counts)} lines of the same job")
    return measured | measure.delays(late)


def finished_log(protocol: str):
    """A log of the real agent: its size is the agent's affair, the lines that the job wrote are counted."""

    def run(job: Job) -> Measured:
        with AgentClient(job.url, job.token, stream_limits=LIMITS) as client:
            client.get_job(job.log)
            watch = Stopwatch()
            lines = sum(1 for _ in client.tail_job_logs(job.log, timeout=60, protocol=protocol))
            if lines < job.items:
                sys.exit(f"got {lines} lines, not {job.items}")
            return watch.stop(lines)

    return run


if __name__ == "__main__":
    measure.main(
        {
            "ws": tail("websocket"),
            "ws_async": tail_async("websocket"),
            "http": tail("http"),
            "http_async": tail_async("http"),
            "delay": delay,
            "delay_async": delay_async,
            "first_line": first_line,
            "first_line_async": first_line_async,
            "get_job": get_job,
            "get_job_async": get_job_async,
            "many_jobs": many_jobs,
            "list_jobs": list_jobs,
            "tasks": tasks,
            "tasks_memory": tasks_memory,
            "make_client": make_client,
            "finished_ws": finished_log("websocket"),
            "finished_http": finished_log("http"),
            "tails_at_once": tails_at_once,
        }
    )
