"""The constructors of both clients, and what they are beside their methods."""

from __future__ import annotations

import inspect
import subprocess
import sys
from typing import Any

import anyio
import httpx
import pytest
from tables import each_row

from synapse_sdk.clients.agent import AgentClient, AsyncAgentClient
from synapse_sdk.clients.exceptions import ClientError, NotFoundError, ValidationError
from synapse_sdk.utils.network import StreamLimits

from .scripted_server import Server, json_answer

BOTH = [AgentClient, AsyncAgentClient]
AGENT = "http://host:1/"


@each_row("kind", BOTH)
def test_repr_has_no_tokens(kind: Any) -> None:
    client = kind(AGENT, "S3CRET", user_token="S3CRET", tenant="S3CRET", headers={"X": "S3CRET"})
    assert repr(client) == f"<{kind.__name__} {AGENT}>"
    assert "S3CRET" not in repr(vars(client))


@each_row("kind", BOTH)
@each_row(
    "options",
    [
        {"base_url": "nowhere"},
        {"agent_token": ""},
        {"timeout": {"total": 1}},
        {"timeout": True},
        {"max_retries": -1},
        {"stream_limits": {"max_lines": 1}},
        {"headers": {"Authorization": "x"}},
        {"http_client": object()},
        {"verify": 3},
        {"proxy": 3},
    ],
)
def test_bad_options(kind: Any, options: dict[str, Any]) -> None:
    with pytest.raises(ValidationError) as caught:
        kind(**{"base_url": AGENT, "agent_token": "t", **options})
    assert caught.value.status_code == 400


@each_row("kind", BOTH)
def test_stream_limits(kind: Any) -> None:
    client = kind(AGENT, "t")
    assert client.stream_limits == StreamLimits()
    client.stream_limits = StreamLimits(max_lines=1)
    assert client.stream_limits.max_lines == 1
    with pytest.raises(ValidationError, match="stream_limits"):
        client.stream_limits = {"max_lines": 1}
    assert kind(AGENT, "t", stream_limits=StreamLimits.unlimited()).stream_limits.max_lines is None


VARIABLES = {
    "SYNAPSE_AGENT_URL": " http://env:1\n",
    "SYNAPSE_AGENT_TOKEN": "a-token\n",
    "SYNAPSE_PLUGIN_RUN_USER_TOKEN": "u-token",
    "SYNAPSE_PLUGIN_RUN_TENANT": "tenant",
}


@pytest.mark.parametrize("kind", BOTH)
def test_from_env(kind: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in VARIABLES.items():
        monkeypatch.setenv(name, value)
    connection = kind.from_env(timeout=7, max_retries=0)._api_client.config
    assert (connection.agent, connection.timeout.read, connection.max_retries) == ("http://env:1/", 7, 0)
    assert connection.headers() == {
        "Authorization": "a-token",
        "SYNAPSE-User": "Token u-token",
        "SYNAPSE-Tenant": "Token tenant",
    }
    monkeypatch.setenv("SYNAPSE_PLUGIN_RUN_USER_TOKEN", "")
    monkeypatch.delenv("SYNAPSE_PLUGIN_RUN_TENANT")
    assert kind.from_env()._api_client.config.headers() == {"Authorization": "a-token"}


@pytest.mark.parametrize("kind", BOTH)
@pytest.mark.parametrize("missing", ["SYNAPSE_AGENT_URL", "SYNAPSE_AGENT_TOKEN"])
@pytest.mark.parametrize("value", [None, "", " "])
def test_from_env_names_what_is_missing(
    kind: Any, missing: str, value: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, given in VARIABLES.items():
        monkeypatch.setenv(name, given)
    if value is None:
        monkeypatch.delenv(missing)
    else:
        monkeypatch.setenv(missing, value)
    with pytest.raises(ValidationError, match=missing):
        kind.from_env()


def test_closing() -> None:
    client = AgentClient(AGENT, "t")
    with client as entered:
        assert entered is client
    client.close()
    assert repr(client) == f"<AgentClient {AGENT}, closed>"


@each_row("backend", ["asyncio", "trio"])
def test_async_closing(backend: str) -> None:
    async def main() -> None:
        client = AsyncAgentClient(AGENT, "t")
        async with client as entered:
            assert entered is client
        await client.close()
        await client.aclose()
        assert repr(client) == f"<AsyncAgentClient {AGENT}, closed>"

    anyio.run(main, backend=backend)


def test_an_injected_client_is_not_closed() -> None:
    with httpx.Client() as http:
        with AgentClient(AGENT, "t", http_client=http):
            pass
        assert not http.is_closed


@each_row("backend", ["sync", "asyncio", "trio"])
def test_generated_methods_go_through_the_transport(backend: str) -> None:
    job = {
        "type": "SUBMISSION",
        "submission_id": "j-1",
        "status": "NEW_STATUS",
        "entrypoint": "x",
        "later": 1,
    }
    steps = [json_answer(200, [job]), json_answer(200, "a\nb"), json_answer(404, {"detail": "no such job"})]
    with Server(*steps) as server:
        if backend == "sync":
            with AgentClient(server.url, "t") as client:
                jobs, logs = client.list_jobs(), client.get_job_logs("j-1")
                with pytest.raises(NotFoundError) as caught:
                    client.get_job("j-2")
        else:

            async def main() -> tuple[Any, Any, Any]:
                async with AsyncAgentClient(server.url, "t") as client:
                    jobs, logs = await client.list_jobs(), await client.get_job_logs("j-1")
                    with pytest.raises(NotFoundError) as caught:
                        await client.get_job("j-2")
                    return jobs, logs, caught

            jobs, logs, caught = anyio.run(main, backend=backend)
    assert dict(jobs[0]) == job
    assert jobs[0].status == "NEW_STATUS"
    assert logs == "a\nb"
    assert str(caught.value) == f"get job at {server.url}: 404 no such job"
    assert [request.target for request in server.requests] == ["/jobs/", "/jobs/j-1/logs/", "/jobs/j-2/"]


def test_models_are_reexported() -> None:
    from synapse_agent_api import models as generated
    from synapse_sdk.clients.agent import models

    assert models.__all__ == generated.__all__
    assert all(getattr(models, name) is getattr(generated, name) for name in generated.__all__)
    assert set(generated.__all__) <= set(dir(models))
    with pytest.raises(AttributeError, match="NoSuchModel"):
        models.NoSuchModel  # noqa: B018


def test_constructors_are_alike() -> None:
    for name in ("__init__", "from_env"):
        one, other = (inspect.signature(getattr(kind, name)) for kind in BOTH)
        as_text = str(other).replace("AsyncHttpClient", "HttpClient").replace("AsyncLongPoll", "LongPoll")
        assert as_text == str(one)


def test_the_import_is_light() -> None:
    code = (
        "import sys, httpx\nbefore = set(sys.modules)\nimport synapse_sdk.clients.agent\n"
        "print(*{name.partition('.')[0] for name in set(sys.modules) - before})"
    )
    path = [entry for entry in sys.path if entry]
    done = subprocess.run(
        [sys.executable, "-c", f"import sys; sys.path[:0] = {path!r}\n{code}"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert set(done.stdout.split()) <= {"synapse_sdk", "synapse_agent_api", "__future__"}


@each_row("target", ["http://xn--/", "http://xn--zzzzzz/jobs/"])
def test_a_redirect_to_a_host_that_can_not_be_decoded(target: str) -> None:
    transport = httpx.MockTransport(lambda _: httpx.Response(302, headers={"location": target}))
    with httpx.Client(transport=transport) as http:
        client = AgentClient(AGENT, "t", http_client=http)
        with pytest.raises(ClientError, match="redirected to a host that can't be read"):
            client.list_jobs()
