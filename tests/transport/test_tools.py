"""Tools that watch or mock httpx see every call of ours, and every request of a tail."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import respx
from opentelemetry.instrumentation.httpx import HTTPXClientInstrumentor
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from tables import each_row

from synapse_sdk.clients.agent import AgentClient
from synapse_sdk.clients.exceptions import NotFoundError
from synapse_sdk.testing import FakeAgent

pytestmark = pytest.mark.slow

Use = Callable[..., Any]


@pytest.fixture
def agent() -> Iterator[FakeAgent]:
    with FakeAgent(token="a-token", listen=True) as agent:
        agent.add_job("job", status="SUCCEEDED", logs=["one", "two"])
        yield agent


@pytest.fixture
def spans() -> Iterator[InMemorySpanExporter]:
    exporter, provider = InMemorySpanExporter(), TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    HTTPXClientInstrumentor().instrument(tracer_provider=provider)
    try:
        yield exporter
    finally:
        HTTPXClientInstrumentor().uninstrument()


def seen(spans: InMemorySpanExporter) -> list[tuple[str, str, str]]:
    """Return method, path and trace parent of each span."""
    found = []
    for span in spans.get_finished_spans():
        attributes = span.attributes or {}
        url = httpx.URL(str(attributes.get("http.url") or attributes.get("url.full")))
        context = span.get_span_context()
        assert context is not None
        found.append((span.name, url.path, f"00-{context.trace_id:032x}-{context.span_id:016x}"))
    return found


def parents(agent: FakeAgent) -> list[str]:
    """Return the trace parents that the agent was sent, without their flags."""
    return [request.headers["traceparent"].rpartition("-")[0] for request in agent.requests]


def test_opentelemetry_has_one_span_a_request_and_the_agent_its_parent(
    use: Use, agent: FakeAgent, spans: InMemorySpanExporter
) -> None:
    def calls(client: Any) -> None:
        for _ in range(2):  # on a new connection, and on one that is kept
            client("get_job", "job")
        with pytest.raises(NotFoundError):
            client("get_job", "none")

    use(calls, agent.url)
    found = seen(spans)
    assert [path for _, path, _ in found] == ["/jobs/job/", "/jobs/job/", "/jobs/none/"]
    assert parents(agent) == [parent for *_, parent in found]


@pytest.mark.parametrize(
    ("protocol", "path"), [("websocket", "/jobs/job/logs/"), ("http", "/jobs/job/logs/stream/")]
)
def test_opentelemetry_sees_a_tail(
    use: Use, agent: FakeAgent, spans: InMemorySpanExporter, protocol: str, path: str
) -> None:
    assert use(lambda client: client.lines("job", protocol=protocol), agent.url) == ["one", "two"]
    ((_, seen_path, parent),) = seen(spans)
    assert seen_path == path
    assert parents(agent) == [parent]


@each_row("using", ["httpcore", "httpx"])
def test_respx_answers_in_place_of_the_network(use: Use, using: str) -> None:
    with respx.mock(using=using) as mock:
        route = mock.get("http://agent.invalid/jobs/").mock(return_value=httpx.Response(200, json=[]))
        for _ in range(2):
            assert use(
                lambda client: [client("list_jobs"), client("list_jobs")], "http://agent.invalid/"
            ) == [
                [],
                [],
            ]
    assert route.call_count == 4
    assert route.calls[0].request.headers["authorization"] == "a-token"


PYTEST_HTTPX = """
import anyio
from synapse_sdk.clients.agent import AgentClient, AsyncAgentClient

def test_sync(httpx_mock):
    httpx_mock.add_response(url="http://agent.invalid/jobs/", json=[])
    with AgentClient("http://agent.invalid/", "t") as client:
        assert client.list_jobs() == []

def test_async(httpx_mock):
    httpx_mock.add_response(url="http://agent.invalid/jobs/", json=[])
    async def main():
        async with AsyncAgentClient("http://agent.invalid/", "t") as client:
            assert await client.list_jobs() == []
    for backend in ("asyncio",):
        anyio.run(main, backend=backend)

def test_a_tail_has_no_websocket_in_a_mock(httpx_mock):
    httpx_mock.add_response(
        url="http://agent.invalid/jobs/j/logs/stream/",
        headers={"Content-Type": "text/event-stream"},
        content=b'data: {"type": "log", "message": "one"}\\n\\ndata: {"type": "complete"}\\n\\n',
    )
    with AgentClient("http://agent.invalid/", "t") as client:
        assert list(client.tail_job_logs("j", protocol="http")) == ["one"]
"""


def test_pytest_httpx_answers_in_place_of_the_network(tmp_path: Path) -> None:
    # A plugin, which is off for the tests of this project.
    (tmp_path / "test_mocked.py").write_text(PYTEST_HTTPX)
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "no:schemathesis", "."]
    ran = subprocess.run(
        command, cwd=tmp_path, capture_output=True, text=True, env=_environment(), timeout=120
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert "3 passed" in ran.stdout


SENTRY = """
import json, sys
import anyio, sentry_sdk
from sentry_sdk.integrations.httpx import HttpxIntegration
from sentry_sdk.transport import Transport
from synapse_sdk.clients.agent import AgentClient, AsyncAgentClient
from synapse_sdk.testing import FakeAgent

sent = []
class Memory(Transport):
    def capture_envelope(self, envelope):
        sent.append(envelope)

sentry_sdk.init(
    "http://key@127.0.0.1:9/1", transport=Memory, default_integrations=False, traces_sample_rate=1.0,
    integrations=[HttpxIntegration()],
)
with FakeAgent(token="t", listen=True) as agent:
    agent.add_job("j", status="SUCCEEDED", logs=["one"])
    with sentry_sdk.start_transaction(name="job"):
        with AgentClient(agent.url, "t") as client:
            client.get_job("j")
            assert list(client.tail_job_logs("j", protocol="websocket")) == ["one"]
        async def main():
            async with AsyncAgentClient(agent.url, "t") as client:
                await client.get_job("j")
        anyio.run(main)
    traced = ["sentry-trace" in request.headers for request in agent.requests]
(transaction,) = [envelope.get_transaction_event() for envelope in sent if envelope.get_transaction_event()]
print(json.dumps([[span["op"], span["description"].rpartition(":")[2].partition("/")[2]]
                  for span in transaction["spans"]] + [traced]))
"""


def test_sentry_has_one_span_a_request() -> None:
    # It patches httpx for as long as the process lives.
    ran = subprocess.run(
        [sys.executable, "-c", SENTRY], capture_output=True, text=True, env=_environment(), timeout=120
    )
    assert ran.returncode == 0, ran.stderr
    assert ran.stdout.strip() == (
        '[["http.client", "jobs/j/"], ["http.client", "jobs/j/logs/"], ["http.client", "jobs/j/"], '
        "[true, true, true]]"
    )


def test_event_hooks_of_an_injected_client(agent: FakeAgent) -> None:
    requests: list[str] = []
    statuses: list[int] = []
    hooks: dict[str, list[Callable[..., Any]]] = {
        "request": [lambda request: requests.append(request.url.path)],
        "response": [lambda response: statuses.append(response.status_code)],
    }
    with httpx.Client(event_hooks=hooks) as http:
        client = AgentClient(agent.url, "a-token", http_client=http)
        client.get_job("job")
        assert list(client.tail_job_logs("job", protocol="websocket")) == ["one", "two"]
    assert requests == ["/jobs/job/", "/jobs/job/logs/"]
    assert statuses == [200, 101]


def _environment() -> dict[str, str]:
    paths = os.pathsep.join(path for path in sys.path if path)
    return {
        **{name: value for name, value in os.environ.items() if not name.lower().endswith("_proxy")},
        "PYTHONPATH": paths,
    }
