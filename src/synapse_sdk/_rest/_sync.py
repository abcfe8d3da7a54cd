"""The synchronous API client."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any, TypeVar, cast

import httpx

from .._exceptions import ClientError
from .._http._clients import open_client, refuse_http_client, user_agent
from .._http._deadline import ConnectionWatch, Deadline
from .._http._requests import read, send
from ._call import ApiCall, raw_response, windowed
from ._client_errors import closed_error, raw_wait_error, stream_error

if TYPE_CHECKING:
    from collections.abc import Iterator

    from synapse_agent_api.client import Arguments, Operation, Pagination, RawResponse
    from synapse_agent_api.types import FileTarget

    from .._config import ClientConfig
    from .._family import HttpClient
    from .._http._clients import Proxy, Verify
    from ..long_poll import LongPollHandler
    from ._poller import Poller

__all__ = ["ApiClient", "RawApiClient"]

T = TypeVar("T")


class ApiClient:
    """Calls operations over an `httpx.Client`; safe to use from several threads.

    Args:
        config: The settings of the client.
        http: The HTTP client that sends the requests.
        owns_http: Whether `close` closes it.
        parent: The API client that shares its connections with this one; closing it closes this one too.
    """

    __slots__ = ("_closed", "_http", "_owns_http", "_parent", "config")

    def __init__(
        self, config: ClientConfig, http: httpx.Client, owns_http: bool, parent: ApiClient | None = None
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
        http_client: HttpClient | None = None,
        long_poll_handler: LongPollHandler | None = None,
    ) -> ApiClient:
        """Open an API client over the given HTTP client or handler, or over an HTTP client of its own.

        Raises:
            ValidationError: 400, if an option is wrong.
        """
        if long_poll_handler is not None:
            from ._long_poll import LongPollTransport, refuse_http_options

            refuse_http_options(verify, proxy, http_client)
            transport = LongPollTransport(long_poll_handler)
            # The proxies and the netrc of the environment are for HTTP.
            http = httpx.Client(transport=transport, headers=user_agent(), trust_env=False)
            return cls(config, http, owns_http=True)
        if http_client is not None:
            refuse_http_client(http_client, "Client", verify, proxy)
            return cls(config, cast("httpx.Client", http_client), owns_http=False)
        return cls(config, open_client(config.base_url, config.timeout, verify, proxy), owns_http=True)

    def with_config(self, config: ClientConfig) -> ApiClient:
        """Return an API client that shares the connections, and leaves them open when it is closed."""
        return ApiClient(config, self._http, owns_http=False, parent=self)

    @property
    def http(self) -> httpx.Client:
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

    def call(self, operation: Operation[T], arguments: Arguments, /) -> T:
        """Call an operation and return its decoded result.

        Raises:
            ClientError: The call failed.
        """
        call = ApiCall(self.config, operation, arguments)
        return call.result(self.send(call))

    def wait(
        self, operation: Operation[Any], arguments: Arguments, timeout: float | None, poll_interval: float, /
    ) -> Any:
        """Call an operation and return what it starts, once that is done.

        Raises:
            ClientError: A call failed; 408 after `timeout` seconds.
        """
        from ._poller import start_and_wait

        return self.run_poller(start_and_wait(operation, arguments, timeout, poll_interval))

    def download(self, operation: Operation[Any], arguments: Arguments, target: FileTarget, /) -> int:
        """Call an operation, write its result to a file, and return the number of bytes.

        Raises:
            ClientError: The call failed; 400, the file can't be written.
        """
        from ._download import FileSink

        sink = FileSink(target)
        call = ApiCall(self.config, operation, arguments, sink=sink)
        try:
            call.result(self.send(call))
            return sink.finish()
        finally:
            sink.discard()

    def pages(
        self, operation: Operation[Any], arguments: Arguments, pagination: Pagination, /
    ) -> Iterator[Any]:
        """Iterate over a list; each page is requested when it is needed.

        Raises:
            ClientError: A call failed.
        """
        from ._pagination import Pages

        pages = Pages(self.config, operation, arguments, pagination)
        while (call := pages.next_call()) is not None:
            response = self.send(call)
            yield from pages.items(call.result(response), response)

    def send(self, call: ApiCall[Any]) -> httpx.Response:
        """Send the requests of a call until one succeeds.

        Raises:
            ClientError: The call failed.
        """
        try:
            while True:
                self.check_open(call.summary)
                try:
                    response = self._send_once(call)
                except Exception as exc:  # noqa: BLE001 - on_error raises a ClientError for it
                    delay: float | None = call.on_error(exc)
                else:
                    delay = call.on_response(response)
                    if delay is None:
                        return response
                if delay:
                    time.sleep(delay)
        finally:
            call.close()

    def run_poller(self, poller: Poller[T]) -> T:
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
                time.sleep(step.seconds)
                continue
            self.check_open(step.operation.summary)
            config = self.config
            if step.timeout is not None:
                config = config.with_deadline(step.timeout, extend=step.extend)
            try:
                call = ApiCall(config, step.operation, step.arguments)
                result = call.result(self.send(call))
            except ClientError as error:
                failure = error

    def close(self) -> None:
        """Close this API client, and its HTTP client if it owns that. Closing twice is allowed."""
        self._closed = True
        if self._owns_http:
            self._http.close()

    def _send_once(self, call: ApiCall[Any]) -> httpx.Response:
        seconds = self.config.deadline
        if seconds is None:
            return self._receive(call.request(self._http), call)
        watch = ConnectionWatch()
        deadline = Deadline(seconds, watch.end)
        try:
            return self._receive(call.request(self._http, {"trace": watch.trace}), call)
        except Exception as exc:
            if deadline.passed:
                raise call.deadline_error(seconds) from exc
            raise
        finally:
            deadline.cancel()
            watch.close()

    def _receive(self, request: httpx.Request, call: ApiCall[Any]) -> httpx.Response:
        response = send(self._http, request)
        reader = call.on_headers(response)
        if reader is None:
            return read(response)
        try:
            for data in response.iter_bytes():
                reader.feed(data)
                if reader.full:
                    break
        finally:
            response.close()
        return windowed(reader, response)


class RawApiClient(ApiClient):
    """Calls operations and returns the responses as they are."""

    __slots__ = ()

    @classmethod
    def sharing(cls, api_client: ApiClient) -> RawApiClient:
        """Return a raw API client that shares the connections of another one."""
        return cls(api_client.config, api_client._http, owns_http=False, parent=api_client)

    def call(self, operation: Operation[T], arguments: Arguments, /) -> Any:
        """Call an operation and return a `RawResponse`.

        Raises:
            ClientError: The call failed.
        """
        return self.send_raw(ApiCall(self.config, operation, arguments, raw=True))

    def send_raw(self, call: ApiCall[T]) -> RawResponse[T]:
        """Send the requests of a call until one succeeds, and return its response.

        Raises:
            ClientError: The call failed.
        """
        return raw_response(call, self.send(call))

    def wait(self, operation: Operation[Any], *_: object) -> Any:
        """Refuse to wait, which takes more than one response.

        Raises:
            ValidationError: 400.
        """
        raise raw_wait_error(self.config, operation.summary)
