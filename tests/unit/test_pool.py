"""The connections of a client of our own: shared, reused, replaced, given back, and closed."""

from __future__ import annotations

import asyncio
import json
import socket
import ssl
import threading
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import anyio
import anyio.to_thread
import httpx
import pytest
import trustme
from tables import each_row

from synapse_agent_api.client import Arguments, Operation
from synapse_sdk import _retry
from synapse_sdk._config import ClientConfig
from synapse_sdk._http import _pool
from synapse_sdk._rest._async import AsyncApiClient
from synapse_sdk._rest._sync import ApiClient
from synapse_sdk.clients.exceptions import ClientConnectionError, ClientError, ClientTimeoutError

from .scripted_server import Request, Server, answer, drop, hang, json_answer, reset

GET: Operation[Any] = Operation(
    id="get", method="GET", path="{name}/", summary="get it", decoders={200: lambda data: data}
)
POST: Operation[Any] = Operation(
    id="post", method="POST", path="{name}/", summary="post it", decoders={200: lambda data: data}
)


class Api:
    """A transport of any backend, to be awaited: the sync one works in threads."""

    def __init__(self, transport: Any) -> None:
        self.transport = transport

    @property
    def connections(self) -> list[Any]:
        return list(self.transport.http._transport._pool._all)

    async def call(self, name: str = "x", operation: Operation[Any] = GET) -> Any:
        arguments = Arguments(path={"name": name})
        if isinstance(self.transport, ApiClient):
            return await anyio.to_thread.run_sync(self.transport.call, operation, arguments)
        return await self.transport.call(operation, arguments)

    async def together(self, names: list[str]) -> dict[str, Any]:
        """Make calls all at once, and give back what came of each."""
        answers: dict[str, Any] = {}

        async def one(name: str) -> None:
            answers[name] = await self.call(name)

        async with anyio.create_task_group() as group:
            for name in names:
                group.start_soon(one, name)
        return answers

    async def close(self) -> None:
        if isinstance(self.transport, ApiClient):
            self.transport.close()
        else:
            await self.transport.aclose()


Main = Callable[[Api], Awaitable[Any]]
Run = Callable[..., Any]


@asynccontextmanager
async def opened(backend: str, url: str, verify: Any = True, **options: Any) -> AsyncIterator[Api]:
    connection = ClientConfig(url, "token", **options)
    kind: Any = ApiClient if backend == "sync" else AsyncApiClient
    api = Api(kind.open(connection, verify=verify))
    assert type(api.transport.http) in (httpx.Client, httpx.AsyncClient)
    try:
        yield api
    finally:
        with anyio.CancelScope(shield=True):
            await api.close()


@pytest.fixture
def run(backend: str, monkeypatch: pytest.MonkeyPatch) -> Run:
    monkeypatch.setattr(_retry, "backoff", lambda attempt: 0.001)

    def ran(main: Main, url: str, **options: Any) -> Any:
        async def whole() -> Any:
            with anyio.fail_after(30):
                async with opened(backend, url, **options) as api:
                    return await main(api)

        return anyio.run(whole, backend="asyncio" if backend == "sync" else backend)

    return ran


def echo(connection: socket.socket, request: Request) -> None:
    connection.sendall(json_answer(200, request.target))


# Reuse


def test_a_connection_serves_one_call_after_the_other(run: Run) -> None:
    async def main(api: Api) -> None:
        for name in "abc":
            assert await api.call(name) == f"/{name}/"
        assert len(api.connections) == 1

    with Server(echo) as server:
        run(main, server.url)
        assert server.accepted == 1


def test_calls_at_once_have_a_connection_each_and_their_own_answers(run: Run) -> None:
    together = 30
    arrived = threading.Barrier(together)

    def all_together(connection: socket.socket, request: Request) -> None:
        arrived.wait(20)
        echo(connection, request)

    async def main(api: Api) -> None:
        for _ in range(3):
            names = [f"n{number}" for number in range(together)]
            assert await api.together(names) == {name: f"/{name}/" for name in names}
        assert len(api.connections) == together

    with Server(all_together) as server:
        run(main, server.url)
        assert server.accepted == together


def test_no_more_than_so_many_idle_connections_are_kept(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_pool, "_MAX_IDLE", 2)
    arrived = threading.Barrier(5)

    def all_together(connection: socket.socket, request: Request) -> None:
        arrived.wait(20)
        echo(connection, request)

    async def main(api: Api) -> None:
        await api.together(list("abcde"))
        assert len(api.connections) == 2

    with Server(all_together) as server:
        run(main, server.url)


def test_a_connection_that_was_idle_for_long_is_replaced(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_pool, "_KEEPALIVE_EXPIRY", -1.0)

    async def main(api: Api) -> None:
        for name in "ab":
            assert await api.call(name) == f"/{name}/"
        assert len(api.connections) == 1

    with Server(echo) as server:
        run(main, server.url)
        assert server.accepted == 2


def test_of_many_idle_connections_all_that_are_dead_go(run: Run) -> None:
    together = 6
    arrived = threading.Barrier(together)

    def once(connection: socket.socket, request: Request) -> None:
        arrived.wait(20)
        echo(connection, request)
        raise ConnectionAbortedError

    async def main(api: Api) -> None:
        await api.together([str(number) for number in range(together)])
        for number in range(together):
            await anyio.to_thread.run_sync(server.wait_until_gone, number)
        server.steps = (echo,)
        assert await api.call("last", POST) == "/last/"
        assert len(api.connections) == 1

    with Server(once) as server:
        run(main, server.url)
        assert server.accepted == together + 1


def test_the_server_closes_an_idle_connection(run: Run) -> None:
    def once(connection: socket.socket, request: Request) -> None:
        echo(connection, request)
        raise ConnectionAbortedError

    async def main(api: Api) -> None:
        for number, operation in enumerate((GET, POST, POST)):
            assert await api.call(str(number), operation) == f"/{number}/"
            await anyio.to_thread.run_sync(server.wait_until_gone, number)

    with Server(once) as server:
        run(main, server.url)
        assert server.accepted == 3


@each_row("fault", [drop, reset])
def test_the_server_closes_an_idle_connection_just_when_it_is_used(run: Run, fault: Any) -> None:
    async def main(api: Api) -> None:
        await api.call("a")
        assert await api.call("b") == "/b/"
        server.steps = (*server.steps[:3], fault, echo)
        # It may have arrived.
        with pytest.raises(ClientConnectionError):
            await api.call("c", POST)
        assert await api.call("d", POST) == "/d/"
        assert len(api.connections) == 1

    with Server(echo, fault, echo) as server:
        run(main, server.url)
    assert [request.target for request in server.requests] == ["/a/", "/b/", "/b/", "/c/", "/d/"]


@each_row(
    "last",
    [
        json_answer(200, "x", Connection="close"),
        b'HTTP/1.0 200 OK\r\nContent-Length: 3\r\n\r\n"x"',
        json_answer(200, "x") + b"and more than was announced",
        json_answer(200, "x") + json_answer(200, "the answer to nothing"),
        b'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\n"x"\r\n0\r\n\r\n' + json_answer(200, ""),
        json_answer(200, "x") + json_answer(200, "y"),
    ],
)
def test_a_connection_that_can_not_be_used_again_is_not(run: Run, last: bytes) -> None:
    async def main(api: Api) -> None:
        for operation in (POST, POST):
            assert await api.call("x", operation) == "x"

    with Server(last) as server:
        run(main, server.url)
        assert server.accepted == 2


def test_a_body_in_chunks_and_one_that_the_end_of_the_connection_ends(run: Run) -> None:
    def endless(connection: socket.socket, request: Request) -> None:
        connection.sendall(b'HTTP/1.1 200 OK\r\n\r\n"y"')
        raise ConnectionAbortedError

    async def main(api: Api) -> None:
        assert await api.call() == "xx"
        assert await api.call() == "y"
        assert await api.call() == "z"

    chunks = b'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n"x\r\n2\r\nx"\r\n0\r\n\r\n'
    with Server(chunks, endless, json_answer(200, "z")) as server:
        run(main, server.url)
        assert server.accepted == 2


def test_an_interim_answer_is_passed_over(run: Run) -> None:
    async def main(api: Api) -> None:
        for _ in range(2):
            assert await api.call() == "x"

    early = b"HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n"
    with Server(early + json_answer(200, "x")) as server:
        run(main, server.url)
        assert server.accepted == 1


# Failures


def test_a_failed_call_gives_its_connection_up(run: Run) -> None:
    async def main(api: Api) -> None:
        with pytest.raises(ClientTimeoutError, match=r"no answer within 0\.2 s"):
            await api.call()
        assert api.connections == []

    with Server(hang) as server:
        run(main, server.url, timeout={"read": 0.2}, max_retries=0)
        server.wait_until_gone()


def test_a_body_that_stays_away_gives_its_connection_up(run: Run) -> None:
    def half(connection: socket.socket, request: Request) -> None:
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n1")
        hang(connection, request)

    async def main(api: Api) -> None:
        with pytest.raises(ClientTimeoutError):
            await api.call()
        assert api.connections == []

    with Server(half) as server:
        run(main, server.url, timeout={"read": 0.2}, max_retries=0)
        server.wait_until_gone()


def test_nobody_listens(run: Run) -> None:
    async def main(api: Api) -> None:
        with pytest.raises(ClientConnectionError) as caught:
            await api.call()
        assert isinstance(caught.value.__cause__, httpx.ConnectError)
        assert api.connections == []

    run(main, "http://127.0.0.1:9/")


# TLS


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture(scope="module")
def server_tls(authority: trustme.CA) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    return context


def test_over_tls(run: Run, authority: trustme.CA, server_tls: ssl.SSLContext) -> None:
    trusting = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    authority.configure_trust(trusting)

    async def main(api: Api) -> None:
        for name in "ab":
            assert await api.call(name) == f"/{name}/"
        assert len(api.connections) == 1

    for verify in (trusting, False):
        with Server(echo, tls=server_tls) as server:
            run(main, server.url, verify=verify)
            assert server.accepted == 1


def test_an_answer_that_was_not_asked_for_over_tls(run: Run, server_tls: ssl.SSLContext) -> None:
    """In a record of its own, which has been read from the socket, but not from the TLS object."""

    def twice(connection: socket.socket, request: Request) -> None:
        echo(connection, request)
        connection.sendall(json_answer(200, "the answer to nothing"))

    async def main(api: Api) -> None:
        for name in "abc":
            assert await api.call(name, POST) == f"/{name}/"
            await anyio.sleep(0.05)

    with Server(twice, tls=server_tls) as server:
        run(main, server.url, verify=False)
        assert server.accepted == 3


def test_a_certificate_that_is_not_trusted(run: Run, server_tls: ssl.SSLContext) -> None:
    async def main(api: Api) -> None:
        with pytest.raises(ClientConnectionError, match="certificate was refused"):
            await api.call()
        assert api.connections == []

    with Server(echo, tls=server_tls) as server:
        run(main, server.url, verify=ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT))
        server.wait_until_gone()
        assert server.accepted == 1


def test_a_tls_handshake_that_is_never_answered(run: Run) -> None:
    async def main(api: Api) -> None:
        with pytest.raises(ClientTimeoutError, match=r"no connection within 0\.2 s"):
            await api.call()

    with silent() as (url, gone):
        run(main, url, verify=False, timeout={"connect": 0.2}, max_retries=0)
        gone()


class silent:  # noqa: N801 - reads as what it is
    """A listener that accepts one connection, sets `greeted` when something comes, and waits for its end."""

    def __init__(self, greeted: threading.Event | None = None) -> None:
        self._greeted = greeted or threading.Event()

    def __enter__(self) -> tuple[str, Callable[[], None]]:
        self._socket = socket.create_server(("127.0.0.1", 0))
        self._thread = threading.Thread(target=self._wait, daemon=True)
        self._thread.start()
        return f"https://127.0.0.1:{self._socket.getsockname()[1]}/", self._gone

    def _wait(self) -> None:
        connection, _ = self._socket.accept()
        with connection:
            while connection.recv(4096):
                self._greeted.set()

    def _gone(self) -> None:
        self._thread.join(60)
        assert not self._thread.is_alive()

    def __exit__(self, *_: object) -> None:
        self._socket.close()


# Cancellation


def are_idle(api: Api) -> bool:
    return set(api.connections) == set(api.transport.http._transport._pool._idle)


def test_a_cancelled_call_never_leaves_its_answer_to_another(async_backend: str) -> None:
    """Cancelled at every step of the event loop in turn, on a new connection and on one that is kept."""

    async def main() -> None:
        for kept in (False, True):
            for steps in range(60):
                async with opened(async_backend, server.url) as api:
                    if kept:
                        assert await api.call("first") == "/first/"
                    done = False
                    with anyio.CancelScope() as scope:

                        async def cancel(scope: anyio.CancelScope = scope, steps: int = steps) -> None:
                            for _ in range(steps):
                                await anyio.lowlevel.checkpoint()
                            scope.cancel()

                        async with anyio.create_task_group() as group:
                            group.start_soon(cancel)
                            assert await api.call("cancelled") == "/cancelled/"
                            done = True
                            group.cancel_scope.cancel()
                    assert len(api.connections) <= 1
                    assert are_idle(api)
                    assert await api.call("next", POST) == "/next/"
                    outcomes.add(done)

    outcomes: set[bool] = set()
    with Server(echo) as server:
        anyio.run(main, backend=async_backend)
    assert outcomes == {True, False}


def test_a_task_of_asyncio_that_is_cancelled_gives_its_connection_up() -> None:
    """Its cancellation, other than anyio's, knows no shield."""

    async def main() -> None:
        for steps in range(60):
            async with opened("asyncio", server.url) as api:
                assert await api.call("first") == "/first/"
                task = asyncio.create_task(api.call("cancelled"))
                for _ in range(steps):
                    await asyncio.sleep(0)
                task.cancel()
                try:
                    assert await task == "/cancelled/"
                    outcomes.add(True)
                except asyncio.CancelledError:
                    outcomes.add(False)
                assert len(api.connections) <= 1
                assert are_idle(api)
                assert await api.call("next", POST) == "/next/"

    outcomes: set[bool] = set()
    with Server(echo) as server:
        asyncio.run(main())
    assert outcomes == {True, False}


@each_row("where", ["answer", "body", "handshake"])
def test_cancelled_while_it_waits(async_backend: str, where: str) -> None:
    waiting = threading.Event()

    def wait(connection: socket.socket, request: Request) -> None:
        if where == "body":
            connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n1")
        waiting.set()
        hang(connection, request)

    async def main(url: str) -> None:
        async with opened(async_backend, url, verify=where != "handshake") as api:
            async with anyio.create_task_group() as group:
                group.start_soon(api.call)
                await anyio.to_thread.run_sync(waiting.wait, 60)
                group.cancel_scope.cancel()
            assert api.connections == []

    if where == "handshake":
        with silent(waiting) as (url, gone):
            anyio.run(main, url, backend=async_backend)
            gone()
        return
    with Server(wait) as server:
        anyio.run(main, server.url, backend=async_backend)
        server.wait_until_gone()


# Closing


def test_closed_while_calls_wait(run: Run) -> None:
    waiting = threading.Barrier(4)

    def wait(connection: socket.socket, request: Request) -> None:
        waiting.wait(20)
        hang(connection, request)

    async def main(api: Api) -> None:
        failures: list[ClientError] = []

        async def one() -> None:
            with pytest.raises(ClientConnectionError) as caught:
                await api.call()
            failures.append(caught.value)

        async with anyio.create_task_group() as group:
            for _ in range(3):
                group.start_soon(one)
            await anyio.to_thread.run_sync(waiting.wait, 20)
            await api.close()
        assert [failure.status_code for failure in failures] == [503] * 3
        assert all("closed" in str(failure) for failure in failures)
        assert api.connections == []

    with Server(wait) as server:
        run(main, server.url, timeout={"read": 25})
        for number in range(3):
            server.wait_until_gone(number)


def test_closed_while_it_connects(backend: str, run: Run) -> None:
    async def main(api: Api) -> None:
        async def one() -> None:
            with pytest.raises(ClientError):
                await api.call()

        async with anyio.create_task_group() as group:
            group.start_soon(one)
            await anyio.to_thread.run_sync(greeted.wait, 60)
            await api.close()
        assert api.connections == []

    greeted = threading.Event()
    with silent(greeted) as (url, gone):
        run(main, url, verify=False, timeout={"connect": 2})
        gone()


def test_closing_gives_idle_connections_up(run: Run) -> None:
    async def main(api: Api) -> None:
        await api.call()
        await api.close()
        assert api.connections == []
        await anyio.to_thread.run_sync(server.wait_until_gone)
        with pytest.raises(ClientConnectionError, match="closed"):
            await api.call()

    with Server(echo) as server:
        run(main, server.url)


def test_threads_get_their_own_answers() -> None:
    with Server(echo) as server:
        transport = ApiClient.open(ClientConfig(server.url, "t"))
        wrong: list[object] = []

        def work(thread: int) -> None:
            for number in range(40):
                name = f"{thread}-{number}"
                got = transport.call(GET, Arguments(path={"name": name}))
                if got != f"/{name}/":
                    wrong.append((name, got))

        threads = [threading.Thread(target=work, args=(number,)) for number in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(transport.http._transport._pool._all) <= 8  # type: ignore[attr-defined]
        transport.close()
    assert wrong == []
    assert server.accepted <= 8


# What is sent


def test_cookies_are_kept_and_sent(run: Run) -> None:
    """A balancer in front of agents may go by them."""

    async def main(api: Api) -> None:
        for _ in range(3):
            await api.call()

    with Server(
        json_answer(200, "x", Set_Cookie="route=a1; Path=/"),
        json_answer(200, "x"),
        json_answer(200, "x"),
    ) as server:
        run(main, server.url)
    assert [request.all("cookie") for request in server.requests] == [[], ["route=a1"], ["route=a1"]]


# Proxies


@pytest.mark.parametrize("variable", ["HTTP_PROXY", "ALL_PROXY", "http_proxy"])
def test_the_proxy_of_the_environment(backend: str, variable: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with Server(json_answer(200, "via proxy")) as proxy, Server(json_answer(200, "direct")) as server:
        monkeypatch.setenv(variable, proxy.url)

        async def main(url: str) -> Any:
            kind: Any = ApiClient if backend == "sync" else AsyncApiClient
            api = Api(kind.open(ClientConfig(url, "t")))
            try:
                return await api.call()
            finally:
                await api.close()

        loop = "asyncio" if backend == "sync" else backend
        assert anyio.run(main, "http://agent.invalid/", backend=loop) == "via proxy"
        monkeypatch.setenv("NO_PROXY", "127.0.0.1")
        assert anyio.run(main, server.url, backend=loop) == "direct"
    assert json.dumps(proxy.requests[0].target) == '"http://agent.invalid/x/"'


def test_an_answer_with_an_error_status_leaves_its_connection(run: Run) -> None:
    async def main(api: Api) -> None:
        with pytest.raises(ClientError):
            await api.call()
        assert await api.call() == "x"

    with Server(answer(404, b"<p>no", "text/html"), json_answer(200, "x")) as server:
        run(main, server.url)
        assert server.accepted == 1
