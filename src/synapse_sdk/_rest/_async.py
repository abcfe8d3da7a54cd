"""The async transport, for asyncio and trio."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self, TypeVar

import httpx

from .._connection import bounded
from .._http._clients import open_async_client, refuse_http_client, user_agent
from .._http._requests import read_async, send_async
from ..clients.exceptions import ClientError
from ._core import (
    Exchange,
    closed_error,
    raw_answer,
    refuse_several,
    refuse_streams,
    refuse_waiting,
    windowed,
)

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

    from synapse_agent_api.client import Arguments, Operation, Pagination, RawResponse
    from synapse_agent_api.types import FileTarget

    from .._connection import Connection
    from .._http._clients import Proxy, Verify
    from ..long_poll import AsyncLongPollHandler
    from ._pages import Pages
    from ._plan import Ask, Plan

__all__ = ["AsyncRawApiClient", "AsyncApiClient"]

T = TypeVar("T")


class AsyncApiClient:
    """Calls operations over an `httpx.AsyncClient`.

    Args:
        connection: Where to, and with which credentials.
        http: What sends.
        owns_http: Whether `aclose` closes it.
        parent: Whose connections these are, if they are another's: when that is closed, so is this.
    """

    __slots__ = ("_closed", "_http", "_owns_http", "_parent", "connection")

    def __init__(
        self,
        connection: Connection,
        http: httpx.AsyncClient,
        owns_http: bool,
        parent: AsyncApiClient | None = None,
    ) -> None:
        self.connection: Connection = connection
        self._http = http
        self._owns_http = owns_http
        self._parent = parent
        self._closed = False

    @classmethod
    def open(
        cls,
        connection: Connection,
        *,
        verify: Verify = True,
        proxy: Proxy | None = None,
        http_client: httpx.AsyncClient | None = None,
        long_poll_handler: AsyncLongPollHandler | None = None,
    ) -> AsyncApiClient:
        """Make a transport over the client that was given, or over one of our own.

        Raises:
            ValidationError: 400, if an option is wrong.
        """
        if long_poll_handler is not None:
            from ._long_poll import AsyncLongPollTransport, refuse_http_options

            refuse_http_options(verify, proxy, http_client)
            over = AsyncLongPollTransport(long_poll_handler)
            # The environment's proxies and netrc are for HTTP.
            http = httpx.AsyncClient(transport=over, headers=user_agent(), trust_env=False)
            return cls(connection, http, owns_http=True)
        if http_client is not None:
            refuse_http_client(http_client, "AsyncClient", verify, proxy)
            return cls(connection, http_client, owns_http=False)
        http = open_async_client(connection.base_url, connection.timeout, verify, proxy)
        return cls(connection, http, owns_http=True)

    def view(self, connection: Connection) -> AsyncApiClient:
        """Make a transport that shares the connections, and leaves them open when it is closed."""
        return AsyncApiClient(connection, self._http, owns_http=False, parent=self)

    @property
    def http(self) -> httpx.AsyncClient:
        """What log streams go through.

        Raises:
            ServerError: 500, where none can.
        """
        refuse_streams(self.connection)
        return self._http

    @property
    def closed(self) -> bool:
        """Whether this, what it shares connections with, or the client below, was closed."""
        return self._closed or self._http.is_closed or (self._parent is not None and self._parent.closed)

    def check_open(self, operation: str) -> None:
        """Raise if this is closed.

        Raises:
            ClientConnectionError: 503.
        """
        if self.closed:
            raise closed_error(self.connection, operation)

    async def call(self, operation: Operation[T], arguments: Arguments, /) -> T:
        """Call an operation and give back its decoded result.

        Raises:
            ClientError: Whatever goes wrong.
        """
        exchange = Exchange(self.connection, operation, arguments)
        return exchange.result(await self.perform(exchange))

    async def wait(
        self, operation: Operation[Any], arguments: Arguments, timeout: float | None, poll_interval: float, /
    ) -> Any:
        """Call an operation and give back what it began, once that is done.

        Raises:
            ClientError: Whatever goes wrong; 408 where it takes too long.
        """
        from ._plan import after

        return await self.carry_out(after(operation, arguments, timeout, poll_interval))

    async def download(self, operation: Operation[Any], arguments: Arguments, target: FileTarget, /) -> int:
        """Call an operation, write its answer to a file, and return how many bytes that were.

        Raises:
            ClientError: Whatever goes wrong.
        """
        from ._download import FileSink

        sink = FileSink(target)
        exchange = Exchange(self.connection, operation, arguments, sink=sink)
        try:
            exchange.result(await self.perform(exchange))
            return sink.finish()
        finally:
            sink.discard()

    def pages(
        self, operation: Operation[Any], arguments: Arguments, pagination: Pagination, /
    ) -> AsyncIterator[Any]:
        """Walk a list, one page after the other, each asked for when it is needed.

        Raises:
            ClientError: Whatever goes wrong.
        """
        from ._pages import Pages

        return _AsyncPages(self, Pages(self.connection, operation, arguments, pagination))

    async def perform(self, exchange: Exchange[Any]) -> httpx.Response:
        """Send the requests of an exchange until there is a final answer.

        Raises:
            ClientError: Whatever goes wrong.
        """
        try:
            while True:
                self.check_open(exchange.summary)
                try:
                    response = await self._send(exchange)
                except Exception as exc:  # noqa: BLE001 - nothing foreign gets out; failed() raises
                    delay = exchange.failed(exc)
                else:
                    again = exchange.received(response)
                    if again is None:
                        return response
                    delay = again
                if delay:
                    # Imported here because httpx loads it with the first connection only.
                    import anyio

                    await anyio.sleep(delay)
        finally:
            exchange.close()

    async def carry_out(self, plan: Plan[T]) -> T:
        """Take the steps of a plan, and give back what it comes to.

        Raises:
            ClientError: Whatever goes wrong.
        """
        from ._plan import Pause

        answer: Any = None
        trouble: ClientError | None = None
        while True:
            try:
                step = plan.send(answer) if trouble is None else plan.throw(trouble)
            except StopIteration as done:
                result: T = done.value
                return result
            except ClientError as error:
                error.agent = error.agent or self.connection.agent
                raise
            answer = trouble = None
            if isinstance(step, Pause):
                import anyio

                await anyio.sleep(step.seconds)
                continue
            self.check_open(step.operation.summary)
            try:
                answer = await self._ask(step)
            except ClientError as error:
                trouble = error

    async def aclose(self) -> None:
        """Close the connections, if they are ours; no call can be made any more. Twice is fine."""
        self._closed = True
        if self._owns_http:
            await self._http.aclose()

    async def _send(self, exchange: Exchange[Any]) -> httpx.Response:
        seconds = self.connection.deadline
        if seconds is None:
            return await self._exchange(exchange)
        import anyio

        with anyio.move_on_after(seconds):
            return await self._exchange(exchange)
        raise exchange.overdue(seconds)

    async def _exchange(self, exchange: Exchange[Any]) -> httpx.Response:
        response = await send_async(self._http, exchange.request(self._http))
        exchange.began(response.status_code)
        reader = exchange.body_reader(response)
        if reader is None:
            return await read_async(response)
        try:
            # To the end in any case: httpx would leave generators behind that trio warns of.
            async for data in response.aiter_bytes():
                reader.feed(data)
        finally:
            await response.aclose()
        return windowed(reader, response)

    async def _ask(self, step: Ask[T]) -> T:
        connection = (
            self.connection if step.within is None else bounded(self.connection, step.within, step.patient)
        )
        exchange = Exchange(connection, step.operation, step.arguments)
        return exchange.result(await self.perform(exchange))


class _AsyncPages:
    """Iterates over a list. No generator, which somebody who leaves it would have to close."""

    def __init__(self, client: AsyncApiClient, pages: Pages) -> None:
        self._client = client
        self._pages = pages
        self._items: Iterator[Any] = iter(())

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Any:
        while True:
            for item in self._items:
                return item
            exchange = self._pages.exchange()
            if exchange is None:
                raise StopAsyncIteration
            response = await self._client.perform(exchange)
            self._items = self._pages.results(exchange.result(response), response)


class AsyncRawApiClient:
    """Calls operations, and gives back their answers as they came."""

    __slots__ = ("_api_client",)

    def __init__(self, transport: AsyncApiClient) -> None:
        self._api_client = transport

    @property
    def connection(self) -> Connection:
        """Where to, and with which credentials."""
        return self._api_client.connection

    async def call(self, operation: Operation[T], arguments: Arguments, /) -> Any:
        """Call an operation and give back a `RawResponse`.

        Raises:
            ClientError: Whatever goes wrong.
        """
        return await self.answer(Exchange(self._api_client.connection, operation, arguments, raw=True))

    async def answer(self, exchange: Exchange[T]) -> RawResponse[T]:
        """Perform an exchange.

        Raises:
            ClientError: Whatever goes wrong.
        """
        return raw_answer(exchange, await self._api_client.perform(exchange))

    async def wait(self, operation: Operation[Any], *_: object) -> Any:
        """Refuse: there is more than one answer to what is waited for.

        Raises:
            ValidationError: 400.
        """
        raise refuse_waiting(self._api_client.connection, operation.summary)

    async def download(self, operation: Operation[Any], *_: object) -> Any:
        """Refuse: what is written to a file is no raw answer.

        Raises:
            ValidationError: 400.
        """
        raise refuse_several(self._api_client.connection, operation.summary)

    def pages(self, operation: Operation[Any], *_: object) -> Any:
        """Refuse: a list has several answers.

        Raises:
            ValidationError: 400.
        """
        raise refuse_several(self._api_client.connection, operation.summary)
