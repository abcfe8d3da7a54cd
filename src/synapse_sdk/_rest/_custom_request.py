"""Check a request for which the client has no method, and make an API call of it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

import httpx

from synapse_agent_api.client import NO_BODY, Arguments, Operation

from .._base_url import origin
from .._exceptions import ClientError, ValidationError
from ._call import ApiCall
from ._encoding import RawBody

if TYPE_CHECKING:
    from .._config import ClientConfig

__all__ = ["custom_call"]

_METHOD = re.compile(r"[A-Za-z]{1,20}")
_REFUSED = frozenset({"CONNECT", "TRACE"})


def custom_call(
    config: ClientConfig,
    method: str,
    path: str,
    *,
    params: Mapping[str, object] | None,
    json: Any,
    content: bytes | str | None,
    headers: Mapping[str, str] | None,
) -> ApiCall[Any]:
    """Return the API call for a request, as `AgentClient.request` takes it.

    Raises:
        ValidationError: 400, naming the parameter that is wrong.
    """
    summary = "request"
    try:
        if not isinstance(method, str) or not _METHOD.fullmatch(method) or method.upper() in _REFUSED:  # pyright: ignore[reportUnnecessaryIsInstance]
            raise ValidationError(400, "method must be an HTTP method", hint="such as 'GET'")
        url = _checked_url(config, path)
        summary = f"{method.upper()} {url.raw_path.partition(b'?')[0].decode('ascii')}"
        if params is not None and not isinstance(params, Mapping):  # pyright: ignore[reportUnnecessaryIsInstance]
            raise ValidationError(400, "params must be a mapping of names to values")
        if params and url.query:
            raise ValidationError(400, "path must not have a query beside params")
        own, content_type = _without_content_type(headers)
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
            id="request", method=method.upper(), path="", summary=summary, decoders={200: lambda data: data}
        )
        arguments = Arguments(query=params or {}, body=body)
        config = config.with_options(headers=own)
        return ApiCall(config, operation, arguments, url=url, any_response=True)
    except ClientError as error:
        error.operation, error.agent = summary, config.agent
        raise


def _checked_url(config: ClientConfig, path: object) -> httpx.URL:
    """Return the URL of a path; only URLs below the base URL get the credentials."""
    if not isinstance(path, str):
        raise ValidationError(400, "path must be a string", hint="such as 'jobs/'")
    if any(ord(c) <= 0x20 or ord(c) == 0x7F for c in path) or "\\" in path:
        raise ValidationError(400, "path must not have white space, control characters or backslashes")
    if "#" in path:
        raise ValidationError(400, "path must not have a fragment")
    base = config.base_url
    try:
        absolute = httpx.URL(path) if re.match(r"(?i)[a-z][a-z0-9+.-]*:|//", path) else None
        if absolute is not None:
            target = base.join(absolute)
            if not config.same_origin(target):
                raise ValidationError(400, f"path must stay at the agent; {origin(target)} is another origin")
            rest = path.partition("//")[2].partition("/")[2]
            text = f"/{rest}"
            mount = base.raw_path.decode("ascii")
            if not text.startswith(mount):
                raise ValidationError(400, f"path must stay below {mount}")
            text = text[len(mount) :]
        else:
            text = path.lstrip("/")
        # Servers and proxies resolve these segments, percent-encoded once or twice or not at all.
        plain = unquote(unquote(text.partition("?")[0]))
        if any(part in (".", "..") for part in re.split(r"[/\\]", plain)):
            raise ValidationError(400, "path must not have the segments '.' or '..'")
        url = config.url(text)
    except (httpx.InvalidURL, ValueError) as exc:
        raise ValidationError(400, "path can't be part of a URL") from exc
    if not (config.same_origin(url) and url.raw_path.startswith(base.raw_path)):
        raise ValidationError(400, "path must stay below the base URL")
    return url


def _without_content_type(headers: Mapping[str, str] | None) -> tuple[Mapping[str, str] | None, str | None]:
    """Return the other headers, which `ClientConfig` checks, and the content type."""
    if not isinstance(headers, Mapping):
        return headers, None
    own = {
        name: value
        for name, value in headers.items()
        if not (isinstance(name, str) and name.lower() == "content-type")  # pyright: ignore[reportUnnecessaryIsInstance]
    }
    types = [value for name, value in headers.items() if name not in own]
    if types and (not isinstance(types[0], str) or not re.fullmatch(r"[ -~]{1,200}", types[0])):  # pyright: ignore[reportUnnecessaryIsInstance]
        raise ValidationError(400, "the header Content-Type has a value that can't be sent")
    return own, types[0] if types else None
