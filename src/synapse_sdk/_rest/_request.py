"""A request that the spec doesn't know, checked and made into an exchange like any other."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

import httpx

from synapse_agent_api.client import NO_BODY, Arguments, Operation

from ..clients.exceptions import ClientError, ValidationError
from ._core import Exchange, RawBody, origin

if TYPE_CHECKING:
    from .._connection import Connection

__all__ = ["exchange_for"]

_METHOD = re.compile(r"[A-Za-z]{1,20}")
_REFUSED = frozenset({"CONNECT", "TRACE"})


def exchange_for(
    connection: Connection,
    method: str,
    path: str,
    *,
    params: Mapping[str, object] | None,
    json: Any,
    content: bytes | str | None,
    headers: Mapping[str, str] | None,
) -> Exchange[Any]:
    """Check everything, and make the exchange.

    Raises:
        ValidationError: 400, naming what is wrong.
    """
    summary = "request"
    try:
        if not isinstance(method, str) or not _METHOD.fullmatch(method) or method.upper() in _REFUSED:  # pyright: ignore[reportUnnecessaryIsInstance]
            raise ValidationError(400, "method must be an HTTP method", hint="such as 'GET'")
        url = _url(connection, path)
        summary = f"{method.upper()} {url.raw_path.partition(b'?')[0].decode('ascii')}"
        if params is not None and not isinstance(params, Mapping):  # pyright: ignore[reportUnnecessaryIsInstance]
            raise ValidationError(400, "params must be a mapping of names to values")
        if params and url.query:
            raise ValidationError(400, "path must not have a query beside params")
        own, content_type = _headers(headers)
        if content is not None and json is not NO_BODY:
            raise ValidationError(400, "json and content can't both be the body")
        body: object = json
        if content is not None:
            if not isinstance(content, (bytes, str)):  # pyright: ignore[reportUnnecessaryIsInstance]
                raise ValidationError(400, "content must be bytes or a string")
            raw = content.encode() if isinstance(content, str) else content
            default = "text/plain; charset=utf-8" if isinstance(content, str) else "application/octet-stream"
            body = RawBody(raw, content_type or default)
        elif content_type is not None:
            raise ValidationError(400, "headers must not set Content-Type without content")
        operation: Operation[Any] = Operation(
            id="request", method=method.upper(), path="", summary=summary, decoders={200: _as_it_is}
        )
        # Without query parameters the URL keeps those it has.
        arguments = Arguments(query=params or {}, body=body)
        return Exchange(connection.with_options(headers=own), operation, arguments, url=url, free=True)
    except ClientError as error:
        error.operation, error.agent = summary, connection.agent
        raise


def _as_it_is(data: object) -> object:
    return data


def _url(connection: Connection, path: object) -> httpx.URL:
    """Give back the URL of a path below the base URL; nothing else gets the credentials."""
    if not isinstance(path, str):
        raise ValidationError(400, "path must be a string", hint="such as 'jobs/'")
    if any(ord(c) <= 0x20 or ord(c) == 0x7F for c in path) or "\\" in path:
        raise ValidationError(400, "path must not have white space, control characters or backslashes")
    if "#" in path:
        raise ValidationError(400, "path must not have a fragment")
    base = connection.base_url
    try:
        absolute = httpx.URL(path) if re.match(r"(?i)[a-z][a-z0-9+.-]*:|//", path) else None
        if absolute is not None:
            if not connection.same_origin(base.join(absolute)):
                raise ValidationError(
                    400, f"path must stay at the agent; {origin(base.join(absolute))} is another origin"
                )
            rest = path.partition("//")[2].partition("/")[2]
            text = f"/{rest}"
            mount = base.raw_path.decode("ascii")
            if not text.startswith(mount):
                raise ValidationError(400, f"path must stay below {mount}")
            text = text[len(mount) :]
        else:
            text = path.lstrip("/")
        # Servers and proxies walk up the path for these, percent-encoded or not, once or twice.
        plain = unquote(unquote(text.partition("?")[0]))
        if any(part in (".", "..") for part in re.split(r"[/\\]", plain)):
            raise ValidationError(400, "path must not have the segments '.' or '..'")
        url = connection.url(text)
    except (httpx.InvalidURL, ValueError) as exc:
        raise ValidationError(400, "path can't be part of a URL") from exc
    if not (connection.same_origin(url) and url.raw_path.startswith(base.raw_path)):
        raise ValidationError(400, "path must stay below the base URL")
    return url


def _headers(headers: Mapping[str, str] | None) -> tuple[Mapping[str, str] | None, str | None]:
    """Take the content type out; the connection checks the others."""
    if not isinstance(headers, Mapping):
        return headers, None
    own = {
        name: value
        for name, value in headers.items()
        if not (isinstance(name, str) and name.lower() == "content-type")  # pyright: ignore[reportUnnecessaryIsInstance]
    }
    kinds = [value for name, value in headers.items() if name not in own]
    if kinds and (not isinstance(kinds[0], str) or not re.fullmatch(r"[ -~]{1,200}", kinds[0])):  # pyright: ignore[reportUnnecessaryIsInstance]
        raise ValidationError(400, "the header Content-Type has a value that can't be sent")
    return own, kinds[0] if kinds else None
