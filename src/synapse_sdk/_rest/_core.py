"""What one REST call decides: what to send, whether to send it again, what the answer means. No I/O."""

from __future__ import annotations

import json
import logging
import os
import re
import secrets
from collections.abc import Iterator, Mapping
from datetime import date
from enum import Enum
from typing import TYPE_CHECKING, Any, BinaryIO, Generic, TypeVar, cast
from urllib.parse import urlencode

import httpx

from synapse_agent_api.client import NO_BODY, RawResponse

from .._connection import encode_path
from .._errors import error_from_exception, excerpt, media_type
from .._http._family import is_a
from .._http._requests import build_request
from .._log_window import LogWindow, WindowReader
from .._retry import delay_before_retry
from ..clients.exceptions import (
    ClientConnectionError,
    ClientError,
    ClientTimeoutError,
    HTTPError,
    ServerError,
    ValidationError,
)
from ._lacking import lacking_hint

if TYPE_CHECKING:
    from synapse_agent_api.client import Arguments, Operation

    from .._connection import Connection
    from ._download import FileSink

__all__ = [
    "Exchange",
    "RawBody",
    "closed_error",
    "origin",
    "raw_answer",
    "refuse_several",
    "refuse_streams",
    "refuse_waiting",
    "windowed",
]

T = TypeVar("T")

_logger = logging.getLogger("synapse_sdk")

_MAX_REDIRECTS = 5
_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_MARKUP = frozenset({"text/html", "application/xhtml+xml", "text/xml", "application/xml"})
_EMPTY = frozenset({204, 205})
_FORM = "application/x-www-form-urlencoded"
# Of what RFC 6265 lets a cookie's value have; a comma or a space as well, which servers read.
_COOKIE = re.compile(r"[!#-+,./0-:<-\[\]-~ -]*")
_BETWEEN = "this came from something between here and the agent"


class RawBody:
    """A body that is sent as it is."""

    __slots__ = ("content", "content_type")

    def __init__(self, content: bytes, content_type: str) -> None:
        self.content = content
        self.content_type = content_type


class Exchange(Generic[T]):
    """One call of an operation, from its arguments to its result, over as many requests as it takes.

    The shell sends `request()`, tells `began()` when the headers of an answer are there, and then
    `failed()` or `received()`; both give back the seconds to wait before the next `request()`, or raise.
    `received()` gives back `None` when the answer is final: `result()` decodes it. In the end, `close()`.

    Args:
        connection: Where to, and with which credentials.
        operation: What to call.
        arguments: With what.
        url: Where to instead of the operation's path; it was checked.
        free: Whether any JSON, text or nothing at all may be answered.
        raw: Whether the answer is wanted as it came.
        sink: Where the body of a success is written as it comes.
    """

    __slots__ = (
        "_attempt",
        "_connection",
        "_content",
        "_content_type",
        "_data",
        "_files",
        "_free",
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
        connection: Connection,
        operation: Operation[T],
        arguments: Arguments,
        *,
        url: httpx.URL | None = None,
        free: bool = False,
        raw: bool = False,
        sink: FileSink | None = None,
    ) -> None:
        self._connection = connection
        self._sink = sink
        self._operation = operation
        self._free = free
        self._attempt = 0
        self._redirects = 0
        self._status: int | None = None
        self._opened: list[BinaryIO] = []
        try:
            self._url = connection.url(encode_path(operation.path, arguments.path)) if url is None else url
            # A URL that was given has its query already.
            query: Mapping[str, object] = arguments.query
            self._window = LogWindow.of(query) if operation.id == "get_job_logs" and not raw else None
            if self._window is not None and connection.long_poll and self._window.offset:
                # Such an answer has no header that tells whether the agent took the offset, so cut it here.
                query = {}
            self._params = _query(query) if url is None or free else None
            if arguments.headers or arguments.cookies:
                self._connection = connection.with_options(headers=_parameter_headers(arguments))
            self._content: bytes | None = None
            self._content_type = arguments.content_type
            self._data: dict[str, Any] | None = None
            self._files: list[tuple[str, object]] | None = None
            if arguments.files is not None:
                self._set_form(_form(arguments.body), arguments.files)
            elif isinstance(arguments.body, RawBody):
                self._content = arguments.body.content
                self._content_type = arguments.body.content_type
            elif arguments.content_type == _FORM:
                self._content = urlencode(list(_pairs(_form(arguments.body)))).encode()
            elif arguments.body is not NO_BODY:
                is_json = _is_json(arguments.content_type.partition(";")[0])
                self._content = _json(arguments.body) if is_json else self._whole(arguments.body)
        except ClientError as error:
            self.close()
            self._named(error)
            raise

    @property
    def summary(self) -> str:
        """What is being done, in words."""
        return self._operation.summary

    def close(self) -> None:
        """Close the files that were opened for the request."""
        for file in self._opened:
            file.close()

    def request(
        self, http: httpx.Client | httpx.AsyncClient, extensions: Mapping[str, Any] | None = None
    ) -> httpx.Request:
        """Build the request to send now, with fresh tokens."""
        own = self._operation.accept
        text = self._operation.text or self._free
        accept = (
            f"{own}, application/json"
            if own
            else "application/json, text/plain"
            if text
            else "application/json"
        )
        extra = {"Accept": accept}
        if self._content is not None:
            extra["Content-Type"] = self._content_type
        try:
            headers = self._connection.request_headers(extra)
        except ClientError as error:
            self._named(error)
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
                timeout=self._connection.timeout.as_dict(),
                extensions=extensions,
            )
        except Exception as exc:
            refusal = ValidationError(400, f"the request can't be built: {type(exc).__name__}: {exc}")
            raise self._named(refusal) from exc
        self._log("%s %s", request.method, _without_query(request.url))
        return request

    def began(self, status: int) -> None:
        """Take note that an answer has begun."""
        self._status = status

    def body_reader(self, response: httpx.Response) -> WindowReader | FileSink | None:
        """Return what reads a download, or a log whose window the agent did not cut out, or None."""
        if self._sink is not None and response.is_success and not self._is_page(response):
            self._sink.start()
            return self._sink
        if self._window is None or response.status_code != 200 or media_type(response.headers) in _MARKUP:
            return None
        if self._window.start(response.headers) is not None:
            return None
        return WindowReader(self._window, response.headers)

    def failed(self, exc: Exception) -> float:
        """Give back the seconds to wait before the next request; raise if there shall be none."""
        delay = delay_before_retry(
            self._operation.method, self._attempt, self._connection.max_retries, exception=exc
        )
        if delay is None:
            error = self._error(exc)
            if error is exc:
                raise error
            raise error from exc
        return self._again(type(exc).__name__, delay)

    def received(self, response: httpx.Response) -> float | None:
        """Give back the seconds to wait before the next request, or `None` if the answer is a success."""
        status = response.status_code
        if 200 <= status < 300:
            self._log("answered %d, %d bytes", status, len(response.content))
            return None
        if status in _REDIRECTS:
            self._follow(response)
            return 0.0
        delay = delay_before_retry(
            self._operation.method,
            self._attempt,
            self._connection.max_retries,
            status=status,
            headers=response.headers,
        )
        if delay is not None:
            return self._again(f"status {status}", delay)
        self._log("answered %d", status)
        error = self._connection.error_from_response(
            status, response.headers, response.content, operation=self._operation.summary
        )
        if not self._free:
            hint = lacking_hint(
                status,
                error.detail,
                error.body,
                method=self._operation.method,
                path=self._operation.path,
                url_path=response.url.path,
            )
            error.hint = hint or error.hint
        raise error

    def result(self, response: httpx.Response) -> T:
        """Decode the body of a success."""
        status = response.status_code
        decoders = self._operation.decoders
        documented = status if status in decoders else min(decoders)
        try:
            return decoders[documented](self._value(response, documented))
        except Exception as exc:
            raise self._unusable(response, exc) from exc

    def _value(self, response: httpx.Response, documented: int) -> object:
        from synapse_agent_api.types import decode_nothing

        body = response.content
        kind = media_type(response.headers)
        if body and self._is_page(response):
            raise ValueError(f"its content type is {kind}")
        if documented in _EMPTY or self._operation.decoders[documented] is decode_nothing:
            # Nothing is due, so that whatever else is there takes nothing from the caller.
            return None
        if self._free:
            return _any(response, kind)
        if self._operation.accept and not self._operation.text:
            return body
        if not body and (response.status_code in _EMPTY or not self._operation.text):
            raise ValueError("it is empty")
        return _text(response, kind) if self._operation.text else json.loads(body)

    def _is_page(self, response: httpx.Response) -> bool:
        """Return whether a page for people came where the agent sends none."""
        kind = media_type(response.headers)
        return kind in _MARKUP and kind != self._operation.accept.partition(";")[0]

    def _set_form(self, fields: dict[str, Any], files: Mapping[str, object]) -> None:
        """Send fields and files as multipart, also where there are no files."""
        each = [
            (name, file)
            for name, given in files.items()
            for file in (cast("list[object]", given) if isinstance(given, (list, tuple)) else [given])
        ]
        if each:
            self._data, self._files = fields, [(name, self._file(file, name)) for name, file in each]
        elif fields:
            # httpx would send fields alone as a urlencoded form.
            self._files = [(name, (None, value)) for name, value in _pairs(fields)]
        else:
            boundary = secrets.token_hex(16)
            self._content = f"--{boundary}--\r\n".encode()
            self._content_type = f"multipart/form-data; boundary={boundary}"

    def _whole(self, body: object) -> bytes:
        """Return a body that is a text or a file, whole: it may have to be sent again."""
        if "charset" in self._content_type:
            return _encoded(body)
        file = self._file(body, "body")
        content = file if isinstance(file, bytes) else cast("Any", file).read()
        if not isinstance(content, bytes):
            raise ValidationError(400, "body must be a path, bytes or a binary file")
        return content

    def _file(self, file: object, name: str) -> object:
        """Give back what httpx takes as a file; a path is opened here."""
        if isinstance(file, (bytes, tuple)) or hasattr(file, "read"):
            return file  # pyright: ignore[reportUnknownVariableType]
        if not isinstance(file, (str, os.PathLike)):
            raise ValidationError(400, f"{name} must be a path, bytes or a binary file")
        path = cast("str | os.PathLike[str]", file)
        try:
            opened = open(path, "rb")  # noqa: SIM115, PTH123 - closed by close(), after the last try
        except (OSError, ValueError) as exc:
            raise ValidationError(400, f"{name} can't be read: {exc}") from exc
        self._opened.append(opened)
        return opened

    def _unusable(self, response: httpx.Response, exc: Exception) -> ClientError:
        body = response.content
        if isinstance(exc, RecursionError):
            reason = "it is nested too deeply"
        elif isinstance(exc, (json.JSONDecodeError, UnicodeError)):
            reason = f"it is no JSON (content type {media_type(response.headers) or 'missing'})"
        else:
            reason = self._connection.redact(str(exc)) or type(exc).__name__
        detail = f"the answer can't be used: {reason}"
        if body:
            detail += f"; it begins: {excerpt(body, response.headers, self._connection.redact)}"
        hint = _BETWEEN if media_type(response.headers) in _MARKUP else None
        return self._named(ServerError(response.status_code, detail, hint=hint))

    def _follow(self, response: httpx.Response) -> None:
        try:
            target = httpx.URL(str(response.url)).join(response.headers["location"])
        except (KeyError, httpx.InvalidURL, ValueError):
            target = None
        where = "somewhere that can't be read" if target is None else origin(target)
        hint = None
        if target is None or not self._connection.same_origin(target):
            # Not followed at all, rather than without credentials: it would not be the agent's answer.
            problem = f"redirected to {where}, which is not followed"
            hint = "if that is the agent, make it the base_url"
        elif self._operation.method.upper() != "GET":
            problem = f"redirected to {_without_query(target)}, which only a GET follows"
            hint = "is base_url exact?"
        elif self._redirects >= _MAX_REDIRECTS:
            problem = f"redirected more than {_MAX_REDIRECTS} times"
        else:
            self._redirects += 1
            self._url = self._connection.with_zone(target)
            self._params = None
            self._log("redirected with %d", response.status_code)
            return
        raise self._named(HTTPError(response.status_code, problem, hint=hint))

    def _again(self, reason: str, delay: float) -> float:
        self._attempt += 1
        self._log("%s; retry %d in %.2f s", reason, self._attempt, delay)
        return delay

    def overdue(self, seconds: float) -> ClientError:
        """Make the error for an answer that took longer than `timeout`'s `deadline`."""
        error = ClientTimeoutError(
            408, f"no whole answer within {seconds:g} s", hint="timeout={'deadline': ...} gives it longer"
        )
        return self._named(error)

    def _error(self, exc: Exception) -> ClientError:
        if is_a(exc, "DecodingError") and self._status is not None:
            detail = f"the answer can't be decompressed: {exc}"
            return self._named(ServerError(self._status, detail))
        if isinstance(exc, ClientError) and exc.operation is None:
            return self._named(exc)
        return error_from_exception(exc, operation=self._operation.summary, agent=self._connection.agent)

    def _named(self, error: ClientError) -> ClientError:
        error.operation = self._operation.summary
        error.agent = self._connection.agent
        return error

    def _log(self, message: str, *values: object) -> None:
        if _logger.isEnabledFor(logging.DEBUG):
            _logger.debug(f"%s: {message}", self._operation.summary, *values)


def windowed(reader: WindowReader | FileSink, response: httpx.Response) -> httpx.Response:
    """Return an answer that has the window only, or nothing where the body went to a file.

    Raises:
        ClientError: 416, the window begins behind the log's end; or the answer is no log.
    """
    headers = {"content-type": "application/json"}
    return httpx.Response(
        response.status_code, headers=headers, content=reader.body(), request=response.request
    )


def closed_error(connection: Connection, operation: str) -> ClientError:
    """Make the error for the use of a closed client."""
    return ClientConnectionError(
        503,
        "this client is closed",
        operation=operation,
        agent=connection.agent,
        hint="make a new one; one client serves many calls and threads",
    )


def refuse_streams(connection: Connection) -> None:
    """Raise where no log can be streamed.

    Raises:
        ServerError: 500.
    """
    if connection.long_poll:
        raise ServerError(
            500,
            "a long-poll handler can't carry a log tail, neither as a WebSocket nor over HTTP",
            operation="tail job logs",
            agent=connection.agent,
            hint="get_job_logs gives the log so far, wait_for_job waits for its end",
        )


def refuse_waiting(connection: Connection, operation: str) -> ClientError:
    """Make the error for `wait` where one raw answer is wanted."""
    return ValidationError(
        400,
        "with_raw_response gives the answer to one request, so that it can't wait",
        operation=operation,
        agent=connection.agent,
        hint="wait for it by a call of its own, such as wait_for_build",
    )


def refuse_several(connection: Connection, operation: str) -> ClientError:
    """Make the error for a download or a walk over pages where one raw answer is wanted."""
    return ValidationError(
        400,
        "with_raw_response gives one answer whole",
        operation=operation,
        agent=connection.agent,
        hint="call the client's own method",
    )


def raw_answer(exchange: Exchange[T], response: httpx.Response) -> RawResponse[T]:
    """Give back an answer as it came, to be decoded when that is asked for."""
    return RawResponse(
        response.status_code, response.headers, response.content, lambda: exchange.result(response)
    )


def _query(query: Mapping[str, object]) -> list[tuple[str, str]] | None:
    params: list[tuple[str, str]] = []
    for name, value in query.items():
        if isinstance(value, Mapping):
            # Metadata is most easily written as it comes in a job.
            value = [f"{key}={item}" for key, item in cast("Mapping[object, object]", value).items()]
        items = cast("list[object]", value) if isinstance(value, (list, tuple)) else [value]
        params.extend((name, _plain(item, name)) for item in items if item is not None)
    return params or None


def _plain(value: object, name: str) -> str:
    """Give back a query or form value as text."""
    if isinstance(value, Enum):
        value = value.value
    if isinstance(value, bool):
        return "true" if value else "false"
    text = str(value.isoformat() if isinstance(value, date) else value)
    try:
        text.encode()
    except UnicodeEncodeError as exc:
        raise ValidationError(400, f"{name} has a character that can't be sent") from exc
    return text


def _form(body: object) -> dict[str, Any]:
    """Give back the fields of a form, which know text only; a list is several fields, an object is JSON."""
    if body is NO_BODY or body is None:
        return {}
    fields: dict[str, Any] = {}
    for name, value in cast("Mapping[str, object]", body).items():
        if value is None:
            continue
        if isinstance(value, (list, tuple)):
            fields[name] = [_field(item, name) for item in cast("list[object]", value)]
        else:
            fields[name] = _field(value, name)
    return fields


def _field(value: object, name: str) -> str:
    return _json(value).decode() if _is_structured(value) else _plain(value, name)


def _pairs(fields: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for name, value in fields.items():
        for item in cast("list[str]", value) if isinstance(value, list) else [cast("str", value)]:
            yield name, item


def _parameter_headers(arguments: Arguments) -> dict[str, str]:
    """Return the headers that carry header and cookie parameters."""
    headers = {name: _plain(value, name) for name, value in arguments.headers.items()}
    cookies = {name: _plain(value, name) for name, value in arguments.cookies.items()}
    for name, value in cookies.items():
        if not _COOKIE.fullmatch(value):
            raise ValidationError(400, f"the cookie {name} has a value that can't be sent")
    if cookies:
        headers["Cookie"] = "; ".join(f"{name}={value}" for name, value in cookies.items())
    return headers


def _is_json(kind: str) -> bool:
    return kind == "application/json" or kind.endswith("+json")


def _encoded(text: object) -> bytes:
    if not isinstance(text, str):
        raise ValidationError(400, "body must be a string")
    try:
        return text.encode()
    except UnicodeEncodeError as exc:
        raise ValidationError(400, "the body has a character that can't be sent") from exc


def _is_structured(value: object) -> bool:
    return isinstance(value, (list, tuple, Mapping))


def _json(body: object) -> bytes:
    try:
        text = json.dumps(body, ensure_ascii=False, allow_nan=False, separators=(",", ":"), default=_jsonable)
        return text.encode()
    except UnicodeEncodeError as exc:
        raise ValidationError(400, "the body has a character that can't be sent") from exc
    except RecursionError as exc:
        raise ValidationError(400, "the body is nested too deeply") from exc
    except (TypeError, ValueError) as exc:
        raise ValidationError(400, f"the body can't be sent as JSON: {exc}") from exc


def _jsonable(value: Any) -> object:
    if isinstance(value, Mapping):
        return dict(cast("Mapping[str, object]", value))
    if isinstance(value, date):
        return value.isoformat()
    raise TypeError(f"a {type(value).__name__} has no JSON")


def _any(response: httpx.Response, kind: str) -> object:
    """Give back what any answer holds: None, a JSON value, or a text."""
    if not response.content:
        return None
    if _is_json(kind):
        return cast("object", json.loads(response.content))
    try:
        if not kind:
            return cast("object", json.loads(response.content))
    except (ValueError, RecursionError):
        pass
    return _decoded(response)


def _text(response: httpx.Response, kind: str) -> object:
    """Give back a text, which agents send as a JSON string, in an object, or as it is."""
    body = response.content
    is_json = _is_json(kind)
    if is_json or not kind:
        try:
            value: object = json.loads(body)
        except (ValueError, RecursionError):
            if is_json:
                raise
        else:
            if isinstance(value, dict):
                logs = cast("dict[str, object]", value).get("logs")
                value = logs if isinstance(logs, str) else cast("object", value)
            # Without a content type "42" is a text, not a number.
            if is_json or isinstance(value, str):
                return value
    return _decoded(response)


def _decoded(response: httpx.Response) -> str:
    charset = response.charset_encoding or "utf-8"
    try:
        return response.content.decode(charset, "replace")
    except (LookupError, ValueError):
        return response.content.decode("utf-8", "replace")


def origin(url: httpx.URL) -> str:
    """Name an origin for a message."""
    # Without userinfo, path and query: any of them may have a secret in it.
    port = f":{url.port}" if url.port is not None else ""
    # Not decoded, since not every host that begins with "xn--" can be.
    host = url.raw_host.decode("ascii")
    host = f"[{host}]" if ":" in host else host
    return f"{url.scheme}://{host}{port}"


def _without_query(url: httpx.URL) -> str:
    return origin(url) + url.raw_path.partition(b"?")[0].decode("ascii", "replace")
