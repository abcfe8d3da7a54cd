"""The asynchronous API client, for asyncio and trio."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self, TypeVar, cast

import httpx

from .._exceptions import ClientError
from .._http._clients import open_async_client, refuse_http_client, user_agent
from .._http._requests import read_async, send_async
from ._call import ApiCall, raw_response, windowed
from ._client_errors import closed_error, raw_wait_error, stream_error

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

    from synapse_agent_api.client import Arguments, Operation, Pagination, RawResponse
    from synapse_agent_api.types import FileTarget

    from .._config import ClientConfig
    from .._family import AsyncHttpClient
    from .._http._clients import Proxy, Verify
    from ..long_poll import AsyncLongPollHandler
    from ._pagination import Pages
    from ._poller import Poller

__all__ = ["AsyncApiClient", "AsyncRawApiClient"]

T = TypeVar("T")


class AsyncApiClient:
    """Calls operations over an `httpx.AsyncClient`.

    Args:
        config: The settings of the client.
        http: The HTTP client that sends the requests.
        owns_http: Whether `aclose` closes it.
        parent: The API client that shares its connections with this one; closing it closes this one too.
    """

    __slots__ = ("_closed", "_http", "_owns_http", "_parent", "config")

    def __init__(
        self,
        config: ClientConfig,
        http: httpx.AsyncClient,
        owns_http: bool,
        parent: AsyncApiClient | None = None,
    ) -> None:
        self.config: ClientConfig = config
        self._http = http
        self._owns_http = owns_http
        self._parent = parent
        self._closed = False

    @classmethod
    def open(
        cls,
        config: ClientConfig,
        *,
        verify: Verify = True,
        proxy: Proxy | None = None,
        http_client: AsyncHttpClient | None = None,
        long_poll_handler: AsyncLongPollHandler | None = None,
    ) -> AsyncApiClient:
        """Open an API client over the given HTTP client or handler, or over an HTTP client of its own.

        Raises:
            ValidationError: 400, if an option is wrong.
        """
        if long_poll_handler is not None:
            from ._long_poll import AsyncLongPollTransport, refuse_http_options

            refuse_http_options(verify, proxy, http_client)
            transport = AsyncLongPollTransport(long_poll_handler)
            # The proxies and the netrc of the environment are for HTTP.
            http = httpx.AsyncClient(transport=transport, headers=user_agent(), trust_env=False)
            return cls(config, http, owns_http=True)
        if http_client is not None:
            refuse_http_client(http_client, "AsyncClient", verify, proxy)
            return cls(config, cast("httpx.AsyncClient", http_client), owns_http=False)
        return cls(config, open_async_client(config.base_url, config.timeout, verify, proxy), owns_http=True)

    def with_config(self, config: ClientConfig) -> AsyncApiClient:
        """Return an API client that shares the connections, and leaves them open when it is closed."""
        return AsyncApiClient(config, self._http, owns_http=False, parent=self)

    @property
    def http(self) -> httpx.AsyncClient:
        """The HTTP client for log streams.

        Raises:
            ServerError: 500, a long-poll handler can't carry streams.
        """
        if self.config.long_poll:
            raise stream_error(self.config)
        return self._http

    @property
    def closed(self) -> bool:
        """Whether this API client, its parent or its HTTP client is closed."""
        return self._closed or self._http.is_closed or (self._parent is not None and self._parent.closed)

    def check_open(self, operation: str) -> None:
        """Check that this API client is open.

        Raises:
            ClientConnectionError: 503, it is closed.
        """
        if self.closed:
            raise closed_error(self.config, operation)

    async def call(self, operation: Operation[T], arguments: Arguments, /) -> T:
        """Call an operation and return its decoded result.

        Raises:
            ClientError: The call failed.
        """
        call = ApiCall(self.config, operation, arguments)
        return call.result(await self.send(call))

    async def wait(
        self, operation: Operation[Any], arguments: Arguments, timeout: float | None, poll_interval: float, /
    ) -> Any:
        """Call an operation and return what it starts, once that is done.

        Raises:
            ClientError: A call failed; 408 after `timeout` seconds.
        """
        from ._poller import start_and_wait

        return await self.run_poller(start_and_wait(operation, arguments, timeout, poll_interval))

    async def download(self, operation: Operation[Any], arguments: Arguments, target: FileTarget, /) -> int:
        """Call an operation, write its result to a file, and return the number of bytes.

        Raises:
            ClientError: The call failed; 400, the file can't be written.
        """
        from ._download import FileSink

        sink = FileSink(target)
        call = ApiCall(self.config, operation, arguments, sink=sink)
        try:
            call.result(await self.send(call))
            return sink.finish()
        finally:
            sink.discard()

    def pages(
        self, operation: Operation[Any], arguments: Arguments, pagination: Pagination, /
    ) -> AsyncIterator[Any]:
        """Iterate over a list; each page is requested when it is needed.

        Raises:
            ClientError: A call failed.
        """
        from ._pagination import Pages

        return _AsyncItems(self, Pages(self.config, operation, arguments, pagination))

    async def send(self, call: ApiCall[Any]) -> httpx.Response:
        """Send the requests of a call until one succeeds.

        Raises:
            ClientError: The call failed.
        """
        try:
            while True:
                self.check_open(call.summary)
                try:
                    response = await self._send_once(call)
                except Exception as exc:  # noqa: BLE001 - on_error raises a ClientError for it
                    delay: float | None = call.on_error(exc)
                else:
                    delay = call.on_response(response)
                    if delay is None:
                        return response
                if delay:
                    # Imported here because httpx imports it with the first connection only.
                    import anyio

                    await anyio.sleep(delay)
        finally:
            call.close()

    async def run_poller(self, poller: Poller[T]) -> T:
        """Carry out the steps of a poller, and return its result.

        Raises:
            ClientError: Polling failed; 408 after its deadline.
        """
        from ._poller import Sleep

        result: Any = None
        failure: ClientError | None = None
        while True:
            try:
                step = poller.send(result) if failure is None else poller.throw(failure)
            except StopIteration as done:
                final: T = done.value
                return final
            except ClientError as error:
                error.agent = error.agent or self.config.agent
                raise
            result = failure = None
            if isinstance(step, Sleep):
                import anyio

                await anyio.sleep(step.seconds)
                continue
            self.check_open(step.operation.summary)
            config = self.config
            if step.timeout is not None:
                config = config.with_deadline(step.timeout, extend=step.extend)
            try:
                call = ApiCall(config, step.operation, step.arguments)
                result = call.result(await self.send(call))
            except ClientError as error:
                failure = error

    async def aclose(self) -> None:
        """Close this API client, and its HTTP client if it owns that. Closing twice is allowed."""
        self._closed = True
        if self._owns_http:
            await self._http.aclose()

    async def _send_once(self, call: ApiCall[Any]) -> httpx.Response:
        seconds = self.config.deadline
        if seconds is None:
            return await self._receive(call)
        import anyio

        with anyio.move_on_after(seconds):
            return await self._receive(call)
        raise call.deadline_error(seconds)

    async def _receive(self, call: ApiCall[Any]) -> httpx.Response:
        response = await send_async(self._http, call.request(self._http))
        reader = call.on_headers(response)
        if reader is None:
            return await read_async(response)
        try:
            # Read to the end, because httpx leaves open generators behind otherwise, of which trio warns.
            async for data in response.aiter_bytes():
                reader.feed(data)
        finally:
            await response.aclose()
        return windowed(reader, response)


class _AsyncItems:
    """Iterates over the items of a list. A generator would have to be closed after an early stop."""

    def __init__(self, api_client: AsyncApiClient, pages: Pages) -> None:
        self._api_client = api_client
        self._pages = pages
        self._items: Iterator[Any] = iter(())

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Any:
        while True:
            for item in self._items:
                return item
            call = self._pages.next_call()
            if call is None:
                raise StopAsyncIteration
            response = await self._api_client.send(call)
            self._items = self._pages.items(call.result(response), response)


class AsyncRawApiClient(AsyncApiClient):
    """Calls operations and returns the responses as they are."""

    __slots__ = ()

    @classmethod
    def sharing(cls, api_client: AsyncApiClient) -> AsyncRawApiClient:
        """Return a raw API client that shares the connections of another one."""
        return cls(api_client.config, api_client._http, owns_http=False, parent=api_client)

    async def call(self, operation: Operation[T], arguments: Arguments, /) -> Any:
        """Call an operation and return a `RawResponse`.

        Raises:
            ClientError: The call failed.
        """
        return await self.send_raw(ApiCall(self.config, operation, arguments, raw=True))

    async def send_raw(self, call: ApiCall[T]) -> RawResponse[T]:
        """Send the requests of a call until one succeeds, and return its response.

        Raises:
            ClientError: The call failed.
        """
        return raw_response(call, await self.send(call))

    async def wait(self, operation: Operation[Any], *_: object) -> Any:
        """Refuse to wait, which takes more than one response.

        Raises:
            ValidationError: 400.
        """
        raise raw_wait_error(self.config, operation.summary)
