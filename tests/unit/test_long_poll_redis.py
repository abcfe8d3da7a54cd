"""Long polls through a real Redis server, answered by the worker from a real HTTP server."""

from __future__ import annotations

import asyncio
import json
import logging
import re
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from checkout import environment
from stopwatch import Stopwatch
from tables import each_row

from synapse_sdk.clients.agent import AgentClient, AsyncAgentClient
from synapse_sdk.clients.exceptions import (
    AuthorizationError,
    ClientConnectionError,
    ClientTimeoutError,
    NotFoundError,
    ServerError,
    ValidationError,
)
from synapse_sdk.long_poll import _mailbox
from synapse_sdk.long_poll import worker as worker_module
from synapse_sdk.long_poll.redis import AsyncRedisLongPollHandler, RedisLongPollHandler
from synapse_sdk.long_poll.worker import Worker, main

from .scripted_server import Server, answer, drop, hang, json_answer

JOB = {"type": "SUBMISSION", "status": "RUNNING", "entrypoint": "größer", "later": [1]}
TOKEN = "S3CRET-token"


@pytest.fixture(scope="module")
def redis_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    program = shutil.which("redis-server")
    if program is None:
        pytest.skip("redis-server is not installed (on Debian: apt-get install redis-server)")
    folder = tmp_path_factory.mktemp("redis")
    path = folder / "redis.sock"
    # A socket in a folder of our own: no port to fight for, nobody else to meet.
    command = [program, "--port", "0", "--unixsocket", str(path), "--save", "", "--dir", str(folder)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as server:
        assert server.stdout is not None
        for line in server.stdout:
            if "ready to accept connections" in line.lower():
                break
        else:
            pytest.fail("redis-server did not start")
        # Nobody reads what it says later; it says little.
        yield f"unix://{path}"
        server.terminate()
        server.communicate(timeout=10)


@pytest.fixture(autouse=True)
def _quick_stop(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(worker_module, "_LOOK", 0.05)


@pytest.fixture
def agent_id(request: pytest.FixtureRequest) -> str:
    return re.sub(r"[^A-Za-z0-9_-]", "_", request.node.name)[-100:]


@pytest.fixture
def keys(redis_url: str, agent_id: str) -> Any:
    """List what lies in Redis for this test's agent."""
    import redis

    def listed() -> list[str]:
        with redis.Redis.from_url(redis_url, decode_responses=True) as client:
            return sorted(client.keys(f"synapse:long-poll:{agent_id}:*"))  # type: ignore[arg-type]

    return listed


class Running:
    """A worker in a thread."""

    def __init__(self, *args: Any, **options: Any) -> None:
        self.worker = Worker(*args, **options)
        self._thread = threading.Thread(target=self.worker.run)

    def __enter__(self) -> Running:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.worker.stop()
        self._thread.join(10)
        assert not self._thread.is_alive()


def test_a_call_goes_there_and_back(redis_url: str, agent_id: str, keys: Any) -> None:
    with (
        Server(json_answer(200, JOB)) as server,
        Running(redis_url, agent_id, f"{server.url}prefix"),
        RedisLongPollHandler(redis_url, agent_id) as handler,
        AgentClient(
            None, TOKEN, user_token="u-tok", tenant="ä", headers={"X-A": "1"}, long_poll_handler=handler
        ) as client,
    ):
        job = client.get_job("j-1")
        feasible = client.with_raw_response.check_feasibility("job", num_cpus=4)
        client.list_containers(page=2)
    assert dict(job) == JOB
    assert feasible.headers["content-type"] == "application/json"
    get, post, paged = server.requests
    assert (get.method, get.target) == ("GET", "/prefix/jobs/j-1/")
    assert get.all("authorization") == [TOKEN]
    assert get.all("synapse-user") == ["Token u-tok"]
    assert get.all("synapse-tenant") == ["Token ä"]
    assert get.all("x-a") == ["1"]
    assert get.all("host") == [server.url[7:-1]]
    assert (post.method, post.target) == ("POST", "/prefix/resources/feasibility/")
    assert post.all("content-type") == ["application/json"]
    assert json.loads(post.body)["num_cpus"] == 4
    assert paged.target == "/prefix/containers/?page=2&page_size=100"
    # Nothing is left behind.
    assert keys() == []


def test_an_async_call(redis_url: str, agent_id: str, keys: Any) -> None:
    async def run() -> Any:
        async with (
            AsyncRedisLongPollHandler(redis_url, agent_id) as handler,
            AsyncAgentClient(None, TOKEN, long_poll_handler=handler) as client,
        ):
            return await asyncio.gather(*(client.get_job(f"j-{number}") for number in range(20)))

    with Server(json_answer(200, JOB)) as server, Running(redis_url, agent_id, server.url):
        jobs = asyncio.run(run())
    assert [dict(job) for job in jobs] == [JOB] * 20
    assert {request.target for request in server.requests} == {f"/jobs/j-{number}/" for number in range(20)}
    assert keys() == []


def test_errors_and_texts_come_back_as_they_are(redis_url: str, agent_id: str) -> None:
    steps = [
        json_answer(404, {"detail": "no such job"}),
        answer(200, b"plain\n\xff", "text/plain"),
        answer(200, b"<p>Sign in", "text/html"),
        answer(200, b'{"cut', "application/json"),
        answer(204),
        json_answer(429, {"detail": "slow"}, Retry_After="7"),
    ]
    with (
        Server(*steps) as server,
        Running(redis_url, agent_id, server.url),
        RedisLongPollHandler(redis_url, agent_id) as handler,
        AgentClient(None, TOKEN, long_poll_handler=handler, max_retries=0) as client,
    ):
        with pytest.raises(NotFoundError, match="404 no such job"):
            client.get_job("j")
        assert client.get_job_logs("j") == "plain\n\ufffd"
        with pytest.raises(ServerError, match="text/html"):
            client.get_job("j")
        with pytest.raises(ServerError, match="can't be used"):
            client.get_job("j")
        assert client.delete_container(7) is None  # type: ignore[func-returns-value]
        with pytest.raises(Exception, match="try again in 7 s"):
            client.list_jobs()


def test_an_agent_that_does_not_come_is_a_timeout_and_gets_the_request_no_more(
    redis_url: str, agent_id: str, keys: Any
) -> None:
    with (
        RedisLongPollHandler(redis_url, agent_id, request_ttl=30) as handler,
        AgentClient(None, TOKEN, long_poll_handler=handler, timeout=0.2) as client,
    ):
        watch = Stopwatch()
        with pytest.raises(ClientTimeoutError, match="408 no answer through the long-poll handler"):
            client.stop_job("j-1")
        assert watch.seconds() < 5
        (left,) = keys()
        assert left.endswith(":requests")
        with Server(json_answer(200, JOB)) as server, Running(redis_url, agent_id, server.url):
            client.with_options(timeout=60).get_job("j-2")
    # What was given up is not done late.
    assert [request.target for request in server.requests] == ["/jobs/j-2/"]


def test_an_async_timeout(redis_url: str, agent_id: str, keys: Any) -> None:
    async def run() -> None:
        async with (
            AsyncRedisLongPollHandler(redis_url, agent_id) as handler,
            AsyncAgentClient(None, TOKEN, long_poll_handler=handler, timeout=0.2) as client,
        ):
            with pytest.raises(ClientTimeoutError):
                await client.get_job("j")

    asyncio.run(run())
    assert [key.rpartition(":")[2] for key in keys()] == ["requests"]


def test_requests_and_responses_expire(redis_url: str, agent_id: str, keys: Any) -> None:
    import redis

    with RedisLongPollHandler(redis_url, agent_id, request_ttl=60) as handler:
        handler.set_request({"method": "get", "path": "jobs/", "headers": {}})
        assert len(keys()) == 2
        with redis.Redis.from_url(redis_url) as client:
            assert all(0 < client.pttl(key) <= 60_000 for key in keys())  # type: ignore[operator]
            client.delete(*keys())
    with RedisLongPollHandler(redis_url, agent_id, request_ttl=0.2) as handler:
        handler.set_request({"method": "get", "path": "jobs/", "headers": {}})
        with pytest.raises(TimeoutError):
            handler.get_response("nobody")  # as long as a request lives
        assert keys() == []
    with (
        Server(json_answer(200, JOB)) as server,
        RedisLongPollHandler(redis_url, agent_id) as handler,
    ):
        request_id = handler.set_request({"method": "get", "path": "jobs/j/", "headers": {}})
        deadline = time.monotonic() + 60
        # A worker that has stopped has written the response to what it had begun.
        with Running(redis_url, agent_id, server.url, response_ttl=0.2):
            while not server.requests:
                assert time.monotonic() < deadline
                time.sleep(0.02)
        while keys():
            assert time.monotonic() < deadline
            time.sleep(0.02)
        with pytest.raises(TimeoutError):
            handler.get_response(request_id, 0.05)


def test_a_short_request_does_not_shorten_the_life_of_others(
    redis_url: str, agent_id: str, keys: Any
) -> None:
    import redis

    request: Any = {"method": "get", "path": "jobs/", "headers": {}}
    with (
        RedisLongPollHandler(redis_url, agent_id, request_ttl=60) as long,
        RedisLongPollHandler(redis_url, agent_id, request_ttl=1) as short,
        redis.Redis.from_url(redis_url) as client,
    ):
        shared = f"synapse:long-poll:{agent_id}:requests"
        short.set_request(request)
        assert 0 < client.pttl(shared) <= 1000  # type: ignore[operator]
        long.set_request(request)
        assert 50_000 < client.pttl(shared) <= 60_000  # type: ignore[operator]
        short.set_request(request)
        assert 50_000 < client.pttl(shared) <= 60_000  # type: ignore[operator]


def test_entries_that_nobody_of_ours_wrote(
    redis_url: str, agent_id: str, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """They don't reach the log, and don't fill the memory."""
    import redis

    caplog.set_level(logging.INFO, "synapse_sdk.long_poll")
    monkeypatch.setattr(_mailbox, "_MAX_MESSAGE", 200)
    base = f"synapse:long-poll:{agent_id}"
    with redis.Redis.from_url(redis_url) as client, Server(json_answer(200, JOB)) as server:
        for entry in ("x\n2026-01-01 forged line", b"\xff", "a" * 100, "0" * 31):
            client.rpush(f"{base}:requests", entry)
        large = "0" * 32
        client.set(f"{base}:request:{large}", json.dumps({"method": "get", "path": "jobs/", "x": "x" * 300}))
        client.rpush(f"{base}:requests", large)
        with Running(redis_url, agent_id, server.url):
            popped: Any = client.blpop([f"{base}:response:{large}"], timeout=30)
        assert json.loads(popped[1])["status"] == 400
        assert server.requests == []
        assert not client.exists(f"{base}:request:{large}")
        assert caplog.text.count("not an id") == 4
        assert "forged" not in caplog.text
        with RedisLongPollHandler(redis_url, agent_id) as handler:
            client.rpush(f"{base}:response:{large}", b'{"data": "' + b"x" * 300 + b'"}')
            with pytest.raises(ValueError, match="more than 200 bytes"):
                handler.get_response(large, 30)


@pytest.mark.parametrize(
    ("message", "status"),
    [
        ({"method": "get", "path": "jobs/j/"}, 200),
        ({"method": "GET", "path": "/jobs/j/"}, 200),
        ({"method": "get", "path": "jobs/j/", "headers": {"A b": "x", "X-A": "a\r\nb", "X-B": 5}}, 200),
        ({"method": "get", "path": "serve_applications/a%2Fb@1/"}, 200),
        ({"method": "post", "path": "jobs/j/"}, 403),
        ({"method": "get", "path": "metrics"}, 403),
        ({"method": "get", "path": "jobs/j"}, 403),
        ({"method": "get", "path": "jobs/a/b/logs/"}, 403),
        ({"method": "get", "path": "jobs/j/?x=1"}, 403),
        ({"method": "get", "path": "http://127.0.0.1:9/jobs/"}, 403),
        ({"method": "get", "path": "//127.0.0.1:9/"}, 403),
        ({"method": "get", "path": "jobs/../"}, 400),
        ({"method": "get", "path": "jobs/%2e%2e/"}, 400),
        ({"method": "get", "path": "jobs/%2e%2e%2fx/"}, 400),
        ({"method": "get", "path": "jobs/a b/"}, 400),
        ({"method": "get", "path": "jobs/ä/"}, 400),
        ({"method": 5, "path": "jobs/"}, 400),
        ({"method": "get"}, 400),
        ({"method": "get", "path": "jobs/", "headers": 5}, 400),
        ({"method": "get", "path": "jobs/", "params": 5}, 400),
        ({"method": "get", "path": "jobs/", "data": 5}, 400),
        ([], 400),
    ],
)
def test_only_what_is_allowed_is_forwarded(redis_url: str, agent_id: str, message: Any, status: int) -> None:
    with (
        Server(json_answer(200, JOB)) as server,
        Running(redis_url, agent_id, server.url),
        RedisLongPollHandler(redis_url, agent_id) as handler,
    ):
        response = handler.get_response(handler.set_request(message), 10)
    assert response["status"] == status
    assert len(server.requests) == (1 if status == 200 else 0)
    if status == 200:
        assert server.requests[0].all("x-a") == server.requests[0].all("x-b") == []
    else:
        assert isinstance(response["data"]["detail"], str)


def test_the_allow_list_can_be_narrowed(redis_url: str, agent_id: str) -> None:
    with (
        Server(json_answer(200, JOB)) as server,
        Running(redis_url, agent_id, server.url, allowed=["get_job"]),
        RedisLongPollHandler(redis_url, agent_id) as handler,
        AgentClient(None, TOKEN, long_poll_handler=handler) as client,
    ):
        assert client.get_job("j").status == "RUNNING"
        with pytest.raises(AuthorizationError, match="does not forward this"):
            client.list_jobs()
    assert len(server.requests) == 1


@pytest.mark.parametrize(
    ("step", "status"), [(drop, 502), (hang, 504), (answer(200, b"x" * 40_000_000, "text/plain"), 502)]
)
def test_an_agent_that_fails_the_worker(redis_url: str, agent_id: str, step: Any, status: int) -> None:
    with (
        Server(step) as server,
        Running(redis_url, agent_id, server.url, timeout=0.5),
        RedisLongPollHandler(redis_url, agent_id) as handler,
        AgentClient(None, TOKEN, long_poll_handler=handler, max_retries=0) as client,
        pytest.raises(ServerError) as caught,
    ):
        client.get_job_logs("j")
    assert caught.value.status_code == status


def test_a_redis_that_is_gone_is_a_connection_error(tmp_path: Path) -> None:
    url = f"unix://S3CRET:S3CRET@{tmp_path}/none.sock"
    with (
        RedisLongPollHandler(url, "a") as handler,
        AgentClient(None, TOKEN, long_poll_handler=handler) as client,
    ):
        with pytest.raises(
            ClientConnectionError, match="503 the long-poll handler failed: ConnectionError"
        ) as caught:
            client.get_job("j")
        assert "S3CRET" not in str(caught.value) + repr(handler)


def test_a_worker_waits_for_its_redis(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    with (
        caplog.at_level(logging.WARNING, "synapse_sdk.long_poll"),
        Running(f"unix://{tmp_path}/none.sock", "a", "http://127.0.0.1:9/", threads=1),
    ):
        deadline = time.monotonic() + 60
        while len(caplog.records) < 2:
            assert time.monotonic() < deadline
            time.sleep(0.02)
    assert "Redis: ConnectionError" in caplog.text


@each_row("kind", [RedisLongPollHandler, AsyncRedisLongPollHandler])
@each_row(
    ("options", "named"),
    [
        ({"redis": "http://host/"}, "redis"),
        ({"redis": "nonsense S3CRET"}, "redis"),
        ({"redis": 5}, "redis"),
        ({"agent_id": "a b"}, "agent"),
        ({"agent_id": ""}, "agent"),
        ({"prefix": ""}, "prefix"),
        ({"request_ttl": 0}, "request_ttl"),
        ({"request_ttl": True}, "request_ttl"),
    ],
)
def test_bad_options(kind: Any, options: dict[str, Any], named: str) -> None:
    given = {"redis": "redis://127.0.0.1:9/", "agent_id": "a", **options}
    with pytest.raises(ValidationError, match=named) as caught:
        kind(**given)
    assert "S3CRET" not in str(caught.value)


@each_row(
    ("options", "named"),
    [
        ({"agent_url": "nowhere"}, "base_url"),
        ({"allowed": ["no_such"]}, "no_such"),
        ({"threads": 0}, "threads"),
        ({"timeout": 0}, "timeout"),
        ({"response_ttl": -1}, "response_ttl"),
    ],
)
def test_bad_options_of_a_worker(options: dict[str, Any], named: str) -> None:
    given = {"redis": "redis://127.0.0.1:9/", "agent_id": "a", "agent_url": "http://127.0.0.1:9/", **options}
    with pytest.raises(ValidationError, match=named):
        Worker(**given)


def test_the_allow_list_is_the_spec() -> None:
    from ruamel.yaml import YAML

    from synapse_sdk.long_poll._forward import operations

    spec = Path(__file__).parents[2] / "spec" / "openapi.yaml"
    raw = YAML(typ="safe").load(spec.read_text(encoding="utf-8"))
    expected = {
        operation["operationId"]: (method.upper(), path.removeprefix("/"))
        for path, item in raw["paths"].items()
        for method, operation in item.items()
        if method in {"get", "put", "post", "patch", "delete"}
    }
    assert operations() == expected


def test_without_redis_py_it_says_what_is_missing() -> None:
    code = (
        "import sys; sys.modules['redis'] = None\n"
        "from synapse_sdk.long_poll.redis import RedisLongPollHandler\n"
        "from synapse_sdk.clients.exceptions import ServerError\n"
        "try: RedisLongPollHandler('redis://h', 'a')\n"
        "except ServerError as error: print(error)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], env=environment(), capture_output=True, text=True, check=True
    )
    assert done.stdout == "500 long polls over Redis need redis-py (pip install 'synapse-sdk[redis]')\n"


def test_the_command(redis_url: str, agent_id: str) -> None:
    command = [
        sys.executable,
        "-m",
        "synapse_sdk.long_poll.worker",
        "--agent-id",
        agent_id,
        "--allow",
        "get_job",
    ]
    with (
        Server(json_answer(200, JOB)) as server,
        subprocess.Popen(
            [*command, "--agent-url", server.url],
            env=environment(SYNAPSE_LONG_POLL_REDIS=redis_url),
            stderr=subprocess.PIPE,
            text=True,
        ) as process,
    ):
        try:
            with (
                RedisLongPollHandler(redis_url, agent_id) as handler,
                AgentClient(None, TOKEN, long_poll_handler=handler, timeout=30) as client,
            ):
                assert client.get_job("j-1").status == "RUNNING"
            process.send_signal(signal.SIGTERM)
            log = process.communicate(timeout=20)[1]
        finally:
            process.kill()
    assert process.returncode == 0
    assert "GET jobs/j-1/" in log
    assert TOKEN not in log


def test_the_command_refuses_nonsense(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("SYNAPSE_LONG_POLL_REDIS", raising=False)
    with pytest.raises(SystemExit):
        main(["--agent-id", "a", "--agent-url", "http://h/"])
    assert "--redis" in capsys.readouterr().err
    assert main(["--redis", "redis://h", "--agent-id", "a", "--agent-url", "h"]) == 2
    assert "error: 400 base_url" in capsys.readouterr().err
