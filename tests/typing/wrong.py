"""What type checkers must refuse; `make types` checks this file, and nothing runs it.

A comment has each checker ignore what is wrong, and complains where it finds nothing to ignore.
"""

# pyright: reportUnnecessaryTypeIgnoreComment=true, reportUnknownMemberType=false, reportUnknownArgumentType=false

from __future__ import annotations

import httpx

from synapse_sdk.clients.agent import AgentClient, AsyncAgentClient
from synapse_sdk.clients.agent.models import Job, JobStatus, RunAccepted
from synapse_sdk.clients.exceptions import ClientError
from synapse_sdk.long_poll import LongPollRequest
from synapse_sdk.long_poll.redis import RedisLongPollHandler
from synapse_sdk.utils.network import StreamLimits


def constructors(sync_http: httpx.Client, async_http: httpx.AsyncClient) -> None:
    AgentClient("http://a")  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]  # ty: ignore[missing-argument]
    AgentClient("http://a", 5)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]  # ty: ignore[invalid-argument-type]
    AgentClient("http://a", "t", "user")  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]  # ty: ignore[too-many-positional-arguments]
    AgentClient("http://a", "t", timeout="3")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]  # ty: ignore[invalid-argument-type]
    AgentClient("http://a", "t", retries=3)  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]  # ty: ignore[unknown-argument]
    AgentClient("http://a", "t", http_client=async_http)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]  # ty: ignore[invalid-argument-type]
    AsyncAgentClient("http://a", "t", http_client=sync_http)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]  # ty: ignore[invalid-argument-type]


def operations(client: AgentClient) -> None:
    client.get_job()  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]  # ty: ignore[missing-argument]
    client.get_job(5)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]  # ty: ignore[invalid-argument-type]
    client.get_job("j", "k")  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]  # ty: ignore[too-many-positional-arguments]
    client.get_job(nonsense="j")  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]  # ty: ignore[missing-argument, unknown-argument]
    client.get_jobs()  # type: ignore[attr-defined]  # pyright: ignore[reportAttributeAccessIssue]  # ty: ignore[missing-attribute]
    client.list_containers(page="2")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]  # ty: ignore[invalid-argument-type]
    client.run_plugin_release("a@1", "train", {}, ["numpy"])  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]  # ty: ignore[too-many-positional-arguments]
    client.create_container(plugin_release="a@1", wait="yes")  # type: ignore[call-overload]  # pyright: ignore[reportCallIssue, reportArgumentType]  # ty: ignore[no-matching-overload]
    client.restart_system(True)  # type: ignore[call-overload]  # pyright: ignore[reportCallIssue]  # ty: ignore[no-matching-overload]
    client.with_options(verify=False)  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]  # ty: ignore[unknown-argument]
    client.stream_limits = {"max_lines": 5}  # type: ignore[assignment]  # pyright: ignore[reportAttributeAccessIssue]  # ty: ignore[invalid-assignment]


async def asynchronous(client: AsyncAgentClient) -> None:
    await client.get_job()  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]  # ty: ignore[missing-argument]
    await client.get_job(job_id=5)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]  # ty: ignore[invalid-argument-type]
    await client.tail_job_logs("j")  # type: ignore[misc]  # pyright: ignore[reportGeneralTypeIssues]  # ty: ignore[invalid-await]
    for _ in client.tail_job_logs("j"):  # type: ignore[attr-defined]  # pyright: ignore[reportUnknownVariableType, reportGeneralTypeIssues]  # ty: ignore[not-iterable]
        pass
    with client:  # type: ignore[attr-defined]  # pyright: ignore[reportGeneralTypeIssues]  # ty: ignore[invalid-context-manager]
        pass


def raw(client: AgentClient) -> None:
    client.with_raw_response.get_job()  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]  # ty: ignore[missing-argument]
    client.with_raw_response.get_job(nonsense="j")  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]  # ty: ignore[missing-argument, unknown-argument]
    client.with_raw_response.restart_system(wait=True)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]  # ty: ignore[invalid-argument-type]
    client.with_raw_response.tail_job_logs("j")  # type: ignore[attr-defined]  # pyright: ignore[reportAttributeAccessIssue]  # ty: ignore[missing-attribute]
    print(client.with_raw_response.get_job("j").status)  # type: ignore[attr-defined]  # pyright: ignore[reportAttributeAccessIssue]  # ty: ignore[missing-attribute]


def streams(client: AgentClient) -> None:
    client.tail_job_logs("j", protocol="carrier pigeon")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]  # ty: ignore[invalid-argument-type]
    client.tail_job_logs("j", on_event=print_line)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]  # ty: ignore[invalid-argument-type]
    client.tail_many(["j"], on_error="ignore")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]  # ty: ignore[invalid-argument-type]
    client.tail_many(5)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]  # ty: ignore[invalid-argument-type]
    StreamLimits(1000)  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]  # ty: ignore[too-many-positional-arguments]
    StreamLimits(max_message_size=None)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]  # ty: ignore[invalid-argument-type]
    StreamLimits(on_oversize="drop")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]  # ty: ignore[invalid-argument-type]
    StreamLimits().max_lines = 5  # type: ignore[misc]  # pyright: ignore[reportAttributeAccessIssue]  # ty: ignore[invalid-assignment]


def print_line(line: str) -> None:
    print(line)


def models(job: Job) -> None:
    job.status = JobStatus.FAILED  # type: ignore[misc]  # pyright: ignore[reportAttributeAccessIssue]  # ty: ignore[invalid-assignment]
    job["status"] = "FAILED"  # type: ignore[index]  # pyright: ignore[reportIndexIssue]  # ty: ignore[invalid-assignment]
    print(job.nonsense)  # type: ignore[attr-defined]  # pyright: ignore[reportAttributeAccessIssue]  # ty: ignore[missing-attribute]
    print(job[0])  # type: ignore[index]  # pyright: ignore[reportArgumentType]  # ty: ignore[invalid-argument-type]
    job.get(0)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]  # ty: ignore[invalid-argument-type]
    job.submission_id.upper()  # type: ignore[union-attr]  # pyright: ignore[reportOptionalMemberAccess]  # ty: ignore[missing-union-attribute]
    RunAccepted("j", JobStatus.PENDING)  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]  # ty: ignore[missing-argument, too-many-positional-arguments]
    RunAccepted(job_id="j")  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]  # ty: ignore[missing-argument]
    RunAccepted(job_id="j", status="PENDING")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]  # ty: ignore[invalid-argument-type]
    RunAccepted(job_id="j", status=JobStatus.PENDING, nonsense=1)  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]  # ty: ignore[unknown-argument]
    print(JobStatus.NONSENSE)  # type: ignore[attr-defined]  # pyright: ignore[reportAttributeAccessIssue]  # ty: ignore[missing-attribute]


class Silent:
    def set_request(self, request: LongPollRequest) -> str:
        return request["path"]


def long_polls(handler: RedisLongPollHandler) -> None:
    AgentClient(None, "t", long_poll_handler=Silent())  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]  # ty: ignore[invalid-argument-type]
    AsyncAgentClient(None, "t", long_poll_handler=handler)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]  # ty: ignore[invalid-argument-type]
    RedisLongPollHandler(6379, "agent-7")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]  # ty: ignore[invalid-argument-type]
    RedisLongPollHandler("redis://h")  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]  # ty: ignore[missing-argument]


def errors() -> None:
    ClientError("404", "no such job")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]  # ty: ignore[invalid-argument-type]
    ClientError(404, "no such job", "get job")  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]  # ty: ignore[too-many-positional-arguments]
    print(ClientError(404).nonsense)  # type: ignore[attr-defined]  # pyright: ignore[reportAttributeAccessIssue]  # ty: ignore[missing-attribute]
