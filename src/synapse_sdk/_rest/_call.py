"""One API call without I/O: build its requests, decide about each response, decode the last one."""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, BinaryIO, Generic, TypeVar

import httpx

from synapse_agent_api.client import NO_BODY, RawResponse

from .._base_url import origin
from .._exceptions import (
    ClientError,
    ClientTimeoutError,
    HTTPError,
    ServerError,
    ValidationError,
)
from .._family import is_a
from .._http._errors import error_from_exception, error_from_response, excerpt, media_type
from .._http._requests import build_request
from .._retry import delay_before_retry
from .._validation import encode_path
from ._decoding import decode_any, decode_text
from ._encoding import RawBody, empty_multipart, encode_body, encode_files, encode_form, encode_query
from ._hints import unsupported_operation_hint
from ._log_window import LogWindow, WindowReader
from ._parameters import parameter_headers

if TYPE_CHECKING:
    from synapse_agent_api.client import Arguments, Operation

    from .._config import ClientConfig
    from ._download import FileSink

__all__ = ["ApiCall", "raw_response", "windowed"]

T = TypeVar("T")

_logger = logging.getLogger("synapse_sdk")

_MAX_REDIRECTS = 5
_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_MARKUP = frozenset({"text/html", "application/xhtml+xml", "text/xml", "application/xml"})
_EMPTY = frozenset({204, 205})


class ApiCall(Generic[T]):
    """One call of an operation, which may take several requests.

    An API client sends `request()`, passes the response to `on_headers()` before it reads the body, and then
    calls `on_error()` or `on_response()`. Both return the seconds to wait before the next request, or raise;
    `on_response()` returns None for a success, which `result()` decodes. Finally it calls `close()`.

    Args:
        config: The settings of the client.
        operation: The operation to call.
        arguments: The arguments of the call.
        url: A URL to use instead of the operation's path; the caller has checked it.
        any_response: Whether the response may be any JSON value, a text or empty.
        raw: Whether the caller wants the response as it is, with all of a log.
        sink: Where the body of a success is written to.
    """

    __slots__ = (
        "_any_response",
        "_attempt",
        "_config",
        "_content",
        "_content_type",
        "_data",
        "_files",
        "_opened",
        "_operation",
        "_params",
        "_redirects",
        "_sink",
        "_status",
        "_url",
        "_window",
    )

    def __init__(
        self,
        config: ClientConfig,
        operation: Operation[T],
        arguments: Arguments,
        *,
        url: httpx.URL | None = None,
        any_response: bool = False,
        raw: bool = False,
        sink: FileSink | None = None,
    ) -> None:
        self._config = config
        self._sink = sink
        self._operation = operation
        self._any_response = any_response
        self._attempt = 0
        self._redirects = 0
        self._status: int | None = None
        self._opened: list[BinaryIO] = []
        self._content: bytes | None = None
        self._content_type = arguments.content_type
        self._data: dict[str, list[str]] | None = None
        self._files: list[tuple[str, Any]] | None = None
        self._window: LogWindow | None = None
        query: Mapping[str, object] = arguments.query
        body = arguments.body
        try:
            self._url = config.url(encode_path(operation.path, arguments.path)) if url is None else url
            if operation.id == "get_job_logs" and not raw:
                self._window = LogWindow.of(query)
                if self._window is not None and config.long_poll and self._window.offset:
                    # Without response headers nothing shows whether the agent applied the offset.
                    query = {}
            # The `next` URL of a page has its query already.
            self._params = encode_query(query) if query and (url is None or any_response) else None
            if arguments.headers or arguments.cookies:
                self._config = config.with_options(headers=parameter_headers(arguments))
            if arguments.files is not None:
                self._set_form(encode_form(body), encode_files(arguments.files, self._opened))
            elif isinstance(body, RawBody):
                self._content, self._content_type = body.content, body.content_type
            elif body is not NO_BODY:
                self._content = encode_body(body, self._content_type, self._opened)
        except ClientError as error:
            self.close()
            self._described(error)
            raise

    @property
    def summary(self) -> str:
        """The operation in words, such as "get job"."""
        return self._operation.summary

    def close(self) -> None:
        """Close the files that were opened for the requests."""
        for file in self._opened:
            file.close()

    def request(
        self, http: httpx.Client | httpx.AsyncClient, extensions: Mapping[str, Any] | None = None
    ) -> httpx.Request:
        """Build the next request, with the tokens of this moment."""
        accept = "application/json"
        if self._operation.accept:
            # The errors of such an operation are JSON as well.
            accept = f"{self._operation.accept}, application/json"
        elif self._operation.text or self._any_response:
            accept = "application/json, text/plain"
        extra = {"Accept": accept}
        if self._content is not None:
            extra["Content-Type"] = self._content_type
        try:
            headers = self._config.request_headers(extra)
        except ClientError as error:
            self._described(error)
            raise
        self._status = None
        try:
            request = build_request(
                http,
                self._operation.method,
                self._url,
                content=self._content,
                data=self._data,
                files=self._files,
                params=self._params,
                headers=headers,
                timeout=self._config.timeout.as_dict(),
                extensions={**self._config.extensions, **(extensions or {})},
            )
        except Exception as exc:
            refusal = ValidationError(400, f"the request can't be built: {type(exc).__name__}: {exc}")
            raise self._described(refusal) from exc
        if _logger.isEnabledFor(logging.DEBUG):
            self._log("%s %s", request.method, _without_query(request.url))
        return request

    def on_headers(self, response: httpx.Response) -> WindowReader | FileSink | None:
        """Return a reader for the body of a download, or of a whole log of which the caller wants a part."""
        self._status = response.status_code
        if self._sink is not None and response.is_success and not self._is_foreign_page(response):
            self._sink.start()
            return self._sink
        if self._window is None or self._status != 200 or media_type(response.headers) in _MARKUP:
            return None
        if self._window.start(response.headers) is not None:
            return None
        return WindowReader(self._window, response.headers)

    def on_error(self, exc: Exception) -> float:
        """Return the seconds to wait before the next request after an exception.

        Raises:
            ClientError: There are no more tries.
        """
        delay = delay_before_retry(
            self._operation.method, self._attempt, self._config.max_retries, exception=exc
        )
        if delay is None:
            error = self._error(exc)
            if error is exc:
                raise error
            raise error from exc
        return self._retry(type(exc).__name__, delay)

    def on_response(self, response: httpx.Response) -> float | None:
        """Return the seconds to wait before the next request, or None if the response is a success.

        Raises:
            ClientError: The response is an error, and there are no more tries.
        """
        status = response.status_code
        if 200 <= status < 300:
            self._log("answered %d, %d bytes", status, len(response.content))
            return None
        if status in _REDIRECTS:
            self._follow(response)
            return 0.0
        method = self._operation.method
        delay = delay_before_retry(
            method, self._attempt, self._config.max_retries, status=status, headers=response.headers
        )
        if delay is not None:
            return self._retry(f"status {status}", delay)
        self._log("answered %d", status)
        error = error_from_response(
            status,
            response.headers,
            response.content,
            operation=self._operation.summary,
            agent=self._config.agent,
            redact=self._config.redact,
        )
        if not self._any_response:
            hint = unsupported_operation_hint(
                error, method=method, path=self._operation.path, url_path=response.url.path
            )
            error.hint = hint or error.hint
        raise error

    def result(self, response: httpx.Response) -> T:
        """Decode the body of a success."""
        status = response.status_code
        decoders = self._operation.decoders
        documented = status if status in decoders else min(decoders)
        try:
            return decoders[documented](self._decoded(response, documented))
        except Exception as exc:
            raise self._decoding_error(response, exc) from exc

    def deadline_error(self, seconds: float) -> ClientError:
        """Return the error for a response that took longer than the `deadline` of `timeout`."""
        error = ClientTimeoutError(
            408, f"no whole answer within {seconds:g} s", hint="timeout={'deadline': ...} gives it longer"
        )
        return self._described(error)

    def _decoded(self, response: httpx.Response, documented: int) -> object:
        # Imported here, because a client without a response does not need it.
        from synapse_agent_api.types import decode_nothing

        body = response.content
        kind = media_type(response.headers)
        if body and self._is_foreign_page(response):
            raise ValueError(f"its content type is {kind}")
        if documented in _EMPTY or self._operation.decoders[documented] is decode_nothing:
            # No body is documented for this status; ignore one if it comes.
            return None
        if self._any_response:
            return decode_any(response, kind)
        if self._operation.accept and not self._operation.text:
            return body
        if not body and (response.status_code in _EMPTY or not self._operation.text):
            raise ValueError("it is empty")
        return decode_text(response, kind) if self._operation.text else json.loads(body)

    def _is_foreign_page(self, response: httpx.Response) -> bool:
        """Return whether a page came, from something between here and the agent, instead of the result."""
        kind = media_type(response.headers)
        return kind in _MARKUP and kind != self._operation.accept.partition(";")[0]

    def _set_form(self, fields: list[tuple[str, str]], files: list[tuple[str, Any]]) -> None:
        """Send fields and files as multipart, also where there are no files."""
        if files:
            self._files, self._data = files, {}
            for name, text in fields:
                self._data.setdefault(name, []).append(text)
        elif fields:
            # httpx sends fields alone as a urlencoded form.
            self._files = [(name, (None, text)) for name, text in fields]
        else:
            self._content, self._content_type = empty_multipart()

    def _decoding_error(self, response: httpx.Response, exc: Exception) -> ClientError:
        body, kind = response.content, media_type(response.headers)
        if isinstance(exc, RecursionError):
            reason = "it is nested too deeply"
        elif isinstance(exc, (json.JSONDecodeError, UnicodeError)):
            reason = f"it is not JSON (content type {kind or 'missing'})"
        else:
            reason = self._config.redact(str(exc)) or type(exc).__name__
        detail = f"the answer can't be used: {reason}"
        if body:
            detail += f"; it begins: {excerpt(body, response.headers, self._config.redact)}"
        hint = "this came from something between here and the agent" if kind in _MARKUP else None
        return self._described(ServerError(response.status_code, detail, hint=hint))

    def _follow(self, response: httpx.Response) -> None:
        """Set the URL of the next request to the target of a redirect.

        Raises:
            HTTPError: With the redirect's status, if it is not followed.
        """
        try:
            target = httpx.URL(str(response.url)).join(response.headers["location"])
        except (KeyError, httpx.InvalidURL, ValueError):
            target = None
        hint = None
        if target is None or not self._config.same_origin(target):
            # Without the credentials it would not be the agent's response.
            where = "somewhere that can't be read" if target is None else origin(target)
            problem = f"redirected to {where}, which is not followed"
            hint = "if that is the agent, make it the base_url"
        elif self._operation.method.upper() != "GET":
            problem = f"redirected to {_without_query(target)}, which only a GET follows"
            hint = "is base_url exact?"
        elif self._redirects >= _MAX_REDIRECTS:
            problem = f"redirected more than {_MAX_REDIRECTS} times"
        else:
            self._redirects += 1
            self._url = self._config.with_zone(target)
            self._params = None
            self._log("redirected with %d", response.status_code)
            return
        raise self._described(HTTPError(response.status_code, problem, hint=hint))

    def _retry(self, reason: str, delay: float) -> float:
        self._attempt += 1
        self._log("%s; retry %d in %.2f s", reason, self._attempt, delay)
        return delay

    def _error(self, exc: Exception) -> ClientError:
        if is_a(exc, "DecodingError") and self._status is not None:
            detail = f"the answer can't be decompressed: {exc}"
            return self._described(ServerError(self._status, detail))
        if isinstance(exc, ClientError) and exc.operation is None:
            return self._described(exc)
        return error_from_exception(exc, operation=self._operation.summary, agent=self._config.agent)

    def _described(self, error: ClientError) -> ClientError:
        error.operation = self._operation.summary
        error.agent = self._config.agent
        return error

    def _log(self, message: str, *values: object) -> None:
        if _logger.isEnabledFor(logging.DEBUG):
            _logger.debug(f"%s: {message}", self._operation.summary, *values)


def windowed(reader: WindowReader | FileSink, response: httpx.Response) -> httpx.Response:
    """Return a response with the part of the log that the reader has cut out, or empty after a download.

    Raises:
        ClientError: 416, the part begins after the log's end; or the response is not a log.
    """
    headers = {"content-type": "application/json"}
    return httpx.Response(
        response.status_code, headers=headers, content=reader.body(), request=response.request
    )


def raw_response(call: ApiCall[T], response: httpx.Response) -> RawResponse[T]:
    """Return a response as it is; its body is decoded on demand."""
    return RawResponse(
        response.status_code, response.headers, response.content, lambda: call.result(response)
    )


def _without_query(url: httpx.URL) -> str:
    return origin(url) + url.raw_path.partition(b"?")[0].decode("ascii", "replace")
