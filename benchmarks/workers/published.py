"""The published synapse-sdk, a package of the same name as ours in an environment of its own."""

from __future__ import annotations

import measure
from measure import Job, Measured, Stopwatch

from synapse_sdk.clients.agent import AgentClient, AsyncAgentClient
from synapse_sdk.utils.network import StreamLimits

# A stream connects, and takes in all of a first read, when its first line is asked for. The clock runs by
# then, so that nothing is done before it starts; connecting counts for these clients, and not for the others.
LIMITS = StreamLimits(max_messages=10**9, max_lines=10**9, max_bytes=10**12, max_message_size=10_240)


def tail(protocol: str):
    def run(job: Job) -> Measured:
        client = AgentClient(job.url, job.token)
        client.stream_limits = LIMITS
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


async def tail_async(job: Job) -> Measured:
    """Over WebSocket only: its async HTTP tail hands out the events undecoded."""
    async with AsyncAgentClient(job.url, job.token) as client:
        client.stream_limits = LIMITS
        async for _ in client.tail_job_logs(measure.WARM_UP, protocol="websocket"):
            pass
        stream = client.tail_job_logs(job.log, protocol="websocket")
        lines = characters = 0
        watch = Stopwatch()
        async for line in stream:
            lines += 1
            characters += len(line)
        return measure.counted(watch, job, lines, characters)


def get_job(job: Job) -> Measured:
    client = AgentClient(job.url, job.token)
    return measure.repeated(job, lambda: client.get_job("raysubmit_1"))


def list_jobs(job: Job) -> Measured:
    client = AgentClient(job.url, job.token)
    return measure.repeated(job, client.list_jobs, warm_up=3)


async def get_job_async(job: Job) -> Measured:
    async with AsyncAgentClient(job.url, job.token) as client:
        return await measure.repeated_async(job, lambda: client.get_job("raysubmit_1"))


async def many_jobs(job: Job) -> Measured:
    async with AsyncAgentClient(job.url, job.token) as client:
        return await measure.repeated_async(job, lambda: client.get_job("raysubmit_1"), at_once=100)


def make_client(job: Job) -> Measured:
    """Its sync client makes its session with the first request, so that is made here too."""
    return measure.repeated(job, lambda: AgentClient(job.url, job.token).requests_session, warm_up=1)


if __name__ == "__main__":
    measure.main(
        {
            "ws": tail("websocket"),
            "http": tail("http"),
            "ws_async": tail_async,
            "get_job": get_job,
            "get_job_async": get_job_async,
            "many_jobs": many_jobs,
            "list_jobs": list_jobs,
            "make_client": make_client,
        }
    )
