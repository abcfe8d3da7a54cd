"""The fake agent."""

from __future__ import annotations

import contextlib
import socket
from collections.abc import Callable, Generator, Mapping
from functools import partial
from types import TracebackType
from typing import TYPE_CHECKING, Self

import httpx

from synapse_agent_api.models import ComposeConfig

from ..clients.agent import AgentClient, AsyncAgentClient
from ._clients import (
    AsyncUnixTransport,
    UnixTransport,
    async_http_client,
    http_client,
    own,
    own_async,
)
from ._connection import Connection
from ._faults import Fault
from ._recorded import RecordedRequest
from ._reply import Reply
from ._scripting import Scripting
from ._server import Server
from ._shape import shape
from ._state import State

if TYPE_CHECKING:
    from .._family import HttpTimeout
    from ..utils.network import StreamLimits
    from ._job_record import JobRecord
    from ._state import JobScript

__all__ = ["FakeAgent"]

# Only a name for messages; requests go through a Unix socket.
_URL = "http://fake-agent/"


class FakeAgent(Scripting):
    """An agent without Ray for tests of code that uses this SDK. Use it as a context manager.

    The test sets up its resources and controls its jobs. `client` and `async_client` return clients that are
    connected through a Unix socket, without a network; with `listen` the agent is also available at `url`,
    for other programs and for code that makes its own client. It serves HTTP and WebSockets in a separate
    thread, so tests may be synchronous, or run on asyncio or trio.

    Args:
        token: The agent's token; a request without it gets a 401. May be set later.
        listen: Whether to listen on a free port of 127.0.0.1 from the start, as `serve` does.
        websockets: Whether log streams are available over a WebSocket. False is like a proxy that removes
            upgrades. May be set later, for new streams.
        offsets: Whether log streams have offsets and can resume. False is like older agents, which send a log
            from its start on every connect. May be set later, for new streams.
        windows: Whether the agent supports parts of logs (`tail`, `offset`, `limit_bytes`), filters and pages
            of lists. False is like older agents, which ignore such parameters. May be set later.
        heartbeat: Seconds between heartbeats on a log stream without new lines.
        hold_builds: Whether builds of containers wait for the test to end them.
        hold_system: Whether updates and restarts last until the test ends them.

    Example:
        >>> with FakeAgent() as agent:
        ...     job = agent.add_job("train", logs=["epoch 1", "epoch 2"])
        ...     client = agent.client()
        ...     job.succeed()
        ...     print(client.get_job("train").status, list(client.tail_job_logs("train")))
        ...     print(agent.requests[0].method, agent.requests[0].path)
        SUCCEEDED ['epoch 1', 'epoch 2']
        GET /jobs/train/
    """

    def __init__(
        self,
        *,
        token: str = "fake-agent-token",  # noqa: S107 - it guards nothing
        listen: bool = False,
        websockets: bool = True,
        offsets: bool = True,
        windows: bool = True,
        heartbeat: float = 0.1,
        hold_builds: bool = False,
        hold_system: bool = False,
    ) -> None:
        self._state = State(
            token,
            websockets=websockets,
            offsets=offsets,
            windows=windows,
            heartbeat=heartbeat,
            hold_builds=hold_builds,
            hold_system=hold_system,
        )
        self._state.start_script = self._start_script
        self._state.compose = shape(
            ComposeConfig,
            {
                "working_dir": "/opt/synapse-agent",
                "config_files": ["docker-compose.yaml"],
                "is_gpu_mode": False,
            },
        )
        self._listen = listen
        self._closed = False
        self._server: Server | None = None
        self._clients: list[httpx.Client] = []
        self._async_clients: list[httpx.AsyncClient] = []
        self._scripted: list[JobRecord] = []
        self.set_health()
        self.add_node("head", is_head_node=True)

    def __repr__(self) -> str:
        return f"<FakeAgent {self.url if self._server is not None else 'not started'}>"

    # --- lifetime

    def start(self) -> None:
        """Start the agent, as `with` does. It can be started only once.

        Raises:
            RuntimeError: It has been started already.
        """
        if self._server is not None:
            raise RuntimeError("the fake agent was started already")
        self._server = Server(self._state, Connection)
        self._server.start()
        if self._listen:
            self._server.listen_tcp()

    def close(self) -> None:
        """Stop the agent, and close the clients from `client`. Closing twice is allowed.

        Raises:
            RuntimeError: The function of a run does not return although its job is stopped.
        """
        for client in self._clients:
            client.close()
        self._clients.clear()
        for record in self._scripted:
            record.stop()
        self._scripted.clear()
        if self._server is not None:
            self._closed = True
            self._server.stop()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, exc_type: type[BaseException] | None, exc: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    async def __aenter__(self) -> Self:
        self.start()
        return self

    async def __aexit__(
        self, exc_type: type[BaseException] | None, exc: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Stop the agent, and close the clients from `client` and `async_client`."""
        for client in self._async_clients:
            await client.aclose()
        self._async_clients.clear()
        self.close()

    def serve(self) -> str:
        """Listen on a free port of 127.0.0.1, unless the agent listens already, and return the URL.

        Raises:
            RuntimeError: The agent is not started.
        """
        port = self._running().listen_tcp()
        return f"http://127.0.0.1:{port}/"

    @property
    def url(self) -> str:
        """The URL of the agent; other programs can use it only if the agent listens."""
        port = None if self._server is None else self._server.port
        return _URL if port is None else f"http://127.0.0.1:{port}/"

    @property
    def env(self) -> dict[str, str]:
        """The environment variables for `AgentClient.from_env` and the `synapse` command to use this agent.

        Raises:
            RuntimeError: The agent does not listen.
        """
        if self._running().port is None:
            raise RuntimeError("the fake agent does not listen: use FakeAgent(listen=True), or call serve()")
        return {"SYNAPSE_AGENT_URL": self.url, "SYNAPSE_AGENT_TOKEN": self.token}

    @contextlib.contextmanager
    def unreachable(self) -> Generator[None]:
        """Refuse connections and break open ones within this context.

        Example:
            >>> with FakeAgent() as agent, agent.unreachable():
            ...     agent.client(max_retries=0).health_check()
            Traceback (most recent call last):
            synapse_sdk.clients.exceptions.ClientConnectionError: ...
        """
        server = self._running()
        server.unlisten()
        try:
            yield
        finally:
            server.listen_again()

    @property
    def token(self) -> str:
        """The agent's token; after setting another one, the old one is refused."""
        return self._state.token

    @token.setter
    def token(self, token: str) -> None:
        self._state.token = token

    @property
    def websockets(self) -> bool:
        """Whether new log streams are available over a WebSocket."""
        return self._state.websockets

    @websockets.setter
    def websockets(self, websockets: bool) -> None:
        self._state.websockets = websockets

    @property
    def offsets(self) -> bool:
        """Whether new log streams have offsets and can resume."""
        return self._state.offsets

    @offsets.setter
    def offsets(self, offsets: bool) -> None:
        self._state.offsets = offsets

    @property
    def windows(self) -> bool:
        """Whether the agent supports parts of logs, filters and pages of lists."""
        return self._state.windows

    @windows.setter
    def windows(self, windows: bool) -> None:
        self._state.windows = windows

    # --- clients

    def client(
        self,
        *,
        agent_token: str | Callable[[], str] | None = None,
        user_token: str | Callable[[], str] | None = None,
        tenant: str | None = None,
        timeout: Mapping[str, float] | float | HttpTimeout | None = None,
        max_retries: int = 2,
        stream_limits: StreamLimits | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> AgentClient:
        """Return a client of this agent, which is closed with it. The options are those of `AgentClient`.

        Args:
            agent_token: The token to send; the agent's token by default.
            user_token: Token of a user.
            tenant: Tenant.
            timeout: Seconds.
            max_retries: Maximum number of retries.
            stream_limits: Limits of log tails.
            headers: Further headers.

        Raises:
            RuntimeError: The agent is not started.
        """
        http = http_client(self.transport())
        self._clients.append(http)
        client = AgentClient(
            self.url,
            self.token if agent_token is None else agent_token,
            user_token=user_token,
            tenant=tenant,
            timeout=timeout,
            max_retries=max_retries,
            stream_limits=stream_limits,
            headers=headers,
            http_client=http,
        )
        return own(client, http)

    def async_client(
        self,
        *,
        agent_token: str | Callable[[], str] | None = None,
        user_token: str | Callable[[], str] | None = None,
        tenant: str | None = None,
        timeout: Mapping[str, float] | float | HttpTimeout | None = None,
        max_retries: int = 2,
        stream_limits: StreamLimits | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> AsyncAgentClient:
        """Return an asynchronous client of this agent, for asyncio or trio.

        Close it, for instance with `async with`, or use the agent itself in `async with`. The options are
        those of `client`.

        Raises:
            RuntimeError: The agent is not started.
        """
        http = async_http_client(self.async_transport())
        self._async_clients.append(http)
        client = AsyncAgentClient(
            self.url,
            self.token if agent_token is None else agent_token,
            user_token=user_token,
            tenant=tenant,
            timeout=timeout,
            max_retries=max_retries,
            stream_limits=stream_limits,
            headers=headers,
            http_client=http,
        )
        return own_async(client, http)

    def transport(self) -> httpx.BaseTransport:
        """Return a transport for your own `httpx.Client`, which sends every request to this agent.

        Raises:
            RuntimeError: The agent is not started.
        """
        return UnixTransport(self._socket(), self._running().listens)

    def async_transport(self) -> httpx.AsyncBaseTransport:
        """Return a transport for your own `httpx.AsyncClient`.

        Raises:
            RuntimeError: The agent is not started.
        """
        return AsyncUnixTransport(self._socket(), self._running().listens)

    # --- recorded requests

    @property
    def requests(self) -> list[RecordedRequest]:
        """The requests so far, the oldest first, including those of log streams."""
        with self._state.changes:
            return list(self._state.requests)

    def requests_of(self, operation: str) -> list[RecordedRequest]:
        """Return the requests of one method of a client, such as "get_job"."""
        return [request for request in self.requests if request.operation == operation]

    # --- faults

    def fail_next(
        self,
        operation: str | None = None,
        *,
        status: int = 503,
        times: int | None = 1,
        detail: object = "the test wants it so",
        error_type: str | None = None,
        retry_after: float | None = None,
        body: object = None,
        content_type: str = "application/json",
    ) -> None:
        """Respond to the next request of an operation with an error, or with any body.

        Args:
            operation: A client's method, such as "get_job", "websocket_tail_job_logs" or
                "stream_tail_job_logs"; None for any operation.
            status: The HTTP status. Clients retry after 502, 503 and 504, so `times=1` may have no visible
                effect; use `max_retries=0` to see each error.
            times: Number of requests; None for all until `clear_faults`.
            detail: Description of the error: a text, or a list of field errors.
            error_type: Kind of error, such as "gpu_unavailable".
            retry_after: Seconds of the header `Retry-After`.
            body: The body instead of `detail`: bytes or a text, or a value to send as JSON.
            content_type: Content type of a `body` in bytes or text.

        Raises:
            ValueError: `times` is below 1.

        Example:
            >>> with FakeAgent() as agent:
            ...     agent.fail_next("list_jobs", status=429, retry_after=0)
            ...     agent.client().list_jobs()
            []
        """
        headers: dict[str, str] = {} if retry_after is None else {"retry-after": f"{retry_after:g}"}
        if isinstance(body, str | bytes):
            content = body.encode() if isinstance(body, str) else body
            reply = Reply(status, content, {"content-type": content_type} | headers)
        elif body is not None:
            reply = Reply.json(status, body, headers)
        elif error_type is not None:
            reply = Reply.json(status, {"message": detail, "error_type": error_type}, headers)
        else:
            reply = Reply.json(status, {"detail": detail}, headers)
        self._add(Fault(operation, times, "answer", reply))

    def drop_next(self, operation: str | None = None, *, times: int | None = 1) -> None:
        """End the connection instead of responding to the next request.

        Args:
            operation: As for `fail_next`.
            times: Number of requests; None for all until `clear_faults`.

        Raises:
            ValueError: `times` is below 1.
        """
        self._add(Fault(operation, times, "drop"))

    def hang_next(self, operation: str | None = None, *, times: int | None = 1) -> None:
        """Never respond to the next request, so that the client times out.

        Args:
            operation: As for `fail_next`.
            times: Number of requests; None for all until `clear_faults`.

        Raises:
            ValueError: `times` is below 1.
        """
        self._add(Fault(operation, times, "hang"))

    def delay_next(self, operation: str | None = None, *, seconds: float, times: int | None = 1) -> None:
        """Delay the response to the next request.

        Args:
            operation: As for `fail_next`.
            seconds: Seconds of the delay.
            times: Number of requests; None for all until `clear_faults`.

        Raises:
            ValueError: `times` is below 1.
        """
        self._add(Fault(operation, times, "delay", seconds=seconds))

    def clear_faults(self) -> None:
        """Remove the faults that have not occurred yet."""
        with self._state.changes:
            self._state.faults.clear()

    # --- internals

    def _add(self, fault: Fault) -> None:
        with self._state.changes:
            self._state.faults.add(fault)

    def _running(self) -> Server:
        if self._server is None:
            raise RuntimeError("the fake agent is not started: use it in 'with', or call start()")
        if self._closed:
            raise RuntimeError("the fake agent is closed")
        return self._server

    def _socket(self) -> str | None:
        server = self._running()
        if hasattr(socket, "AF_UNIX"):
            return str(server.listen_unix())
        # Without Unix sockets, use the loopback interface.
        server.listen_tcp()
        return None

    def _start_script(self, job: JobRecord, script: JobScript) -> None:
        assert script.function is not None
        self._scripted.append(job)
        self._running().in_thread(partial(script.function, job), f"the script of the fake job {job.id}")
