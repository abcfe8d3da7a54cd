"""Forward a long-poll request to the agent over HTTP: check it, send it, convert the response."""

from __future__ import annotations

import json
import logging
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, cast
from urllib.parse import unquote

import httpx

from .._exceptions import ValidationError
from . import LongPollResponse

__all__ = ["Forwarder", "operations", "refusal"]

_logger = logging.getLogger("synapse_sdk.long_poll")

_MAX_BODY = 32 * 1024 * 1024
_SEGMENT = r"[^/?#]+"
_HEADER_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
# Headers that describe a message on its connection; the worker has another connection.
_HOP = frozenset(
    {
        "accept-encoding",
        "connection",
        "content-length",
        "content-type",
        "expect",
        "host",
        "keep-alive",
        "proxy-authorization",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
    }
)
_BACK = ("content-type", "retry-after")


def operations() -> dict[str, tuple[str, str]]:
    """Return the method and path of every operation of the API, by its id."""
    return {operation.id: (operation.method, operation.path) for operation in _all_operations()}


def _all_operations() -> Iterator[Any]:
    import pkgutil
    from importlib import import_module

    import synapse_agent_api.api as api

    for module in pkgutil.walk_packages(api.__path__, f"{api.__name__}."):
        if not module.ispkg:
            yield import_module(module.name).OPERATION


class Forwarder:
    """Forwards requests to an agent.

    Args:
        agent_url: URL of the agent, http or https.
        allowed: Ids of the operations to forward; all of the API by default.
        timeout: Seconds for connecting, and seconds for the response.

    Raises:
        ValidationError: 400, naming the parameter that is wrong.
    """

    def __init__(
        self, agent_url: str, *, allowed: Iterable[str] | None = None, timeout: float = 30.0
    ) -> None:
        from .._config import ClientConfig

        # Checks the URL and the timeout; each request has its own token.
        config = ClientConfig(agent_url, "unused", timeout=timeout)
        self._base = str(config.base_url)
        known = operations()
        names = set(known if allowed is None else allowed)
        if unknown := names - set(known):
            raise ValidationError(400, f"there is no operation {sorted(unknown)[0]!r}")
        self._allowed = [(method, _pattern(path)) for name, (method, path) in known.items() if name in names]
        self._http = httpx.Client(timeout=config.timeout, follow_redirects=False)

    def answer(self, request: Mapping[str, Any]) -> LongPollResponse:
        """Return the response to a request, or one with an error status for any failure."""
        try:
            method, path = self._checked(request)
            options = _options(request)
        except (TypeError, ValueError, UnicodeError) as exc:
            return refusal(400, "Bad Request", f"the long-poll request can't be read: {exc}")
        if not any(method == known and pattern.fullmatch(path) for known, pattern in self._allowed):
            return refusal(403, "Forbidden", "the long-poll worker does not forward this")
        _logger.info("%s %s", method, path)
        try:
            with self._http.stream(method, self._base + path, **options) as response:
                return _response(response)
        except httpx.TimeoutException:
            return refusal(504, "Gateway Timeout", "the agent did not answer the long-poll worker in time")
        except (httpx.HTTPError, httpx.InvalidURL) as exc:
            _logger.warning("%s %s: %s", method, path, type(exc).__name__)
            return refusal(502, "Bad Gateway", "the long-poll worker can't reach the agent")

    def close(self) -> None:
        """Close the connections to the agent."""
        self._http.close()

    @staticmethod
    def _checked(request: Mapping[str, Any]) -> tuple[str, str]:
        method, path = request.get("method"), request.get("path")
        if not isinstance(method, str) or not isinstance(path, str):
            raise ValueError("method and path must be strings")
        path = path.removeprefix("/")
        if not path.isascii() or any(ord(c) <= 0x20 or ord(c) == 0x7F for c in path):
            raise ValueError("path must be percent-encoded")
        # Servers and proxies resolve these segments, percent-encoded or not.
        if any(part in (".", "..") for part in re.split(r"[/\\]", unquote(unquote(path)))):
            raise ValueError("path must not have the segments '.' or '..'")
        return method.upper(), path


def _pattern(path: str) -> re.Pattern[str]:
    return re.compile(_SEGMENT.join(re.escape(part) for part in re.split(r"\{\w+\}", path)))


def _options(request: Mapping[str, Any]) -> dict[str, Any]:
    headers = _mapping(request, "headers")
    # As bytes, because httpx encodes text as ASCII only.
    options: dict[str, Any] = {
        "headers": {
            name.encode("ascii"): value.encode("latin-1")
            for name, value in headers.items()
            if _HEADER_NAME.fullmatch(name)
            and isinstance(value, str)
            and not re.search(r"[\r\n\0]", value)
            and name.lower() not in _HOP
        }
    }
    params = _mapping(request, "params")
    if params:
        options["params"] = {
            name: [str(item) for item in cast("list[object]", value)]
            if isinstance(value, list)
            else str(value)
            for name, value in params.items()
        }
    if "json" in request:
        options["content"] = json.dumps(request["json"]).encode()
        options["headers"][b"Content-Type"] = b"application/json"
    elif "data" in request:
        if not isinstance(request["data"], str):
            raise ValueError("data must be text")
        options["content"] = request["data"].encode()
        kind = next((v for k, v in headers.items() if k.lower() == "content-type"), "text/plain")
        if not isinstance(kind, str) or not re.fullmatch(r"[ -~]{1,200}", kind):
            raise ValueError("impossible content type")
        options["headers"][b"Content-Type"] = kind.encode()
    return options


def _mapping(request: Mapping[str, Any], name: str) -> dict[str, Any]:
    value: object = request.get(name) or {}
    if not isinstance(value, dict):
        raise ValueError(f"{name} must be an object")
    return cast("dict[str, Any]", value)


def _response(response: httpx.Response) -> LongPollResponse:
    body = bytearray()
    for chunk in response.iter_bytes():
        body += chunk
        if len(body) > _MAX_BODY:
            return refusal(502, "Bad Gateway", f"the answer has more than {_MAX_BODY} bytes")
    kind = response.headers.get("content-type", "").partition(";")[0].strip().lower()
    data: Any = None
    if body:
        data = body.decode("utf-8", "replace")
        if "json" in kind or not kind:
            try:
                data = json.loads(body)
                kind = "application/json"
            except (ValueError, RecursionError):
                # The content type is wrong, so pass the body on as text.
                kind = "text/plain"
    headers = {name: response.headers[name] for name in _BACK if name in response.headers}
    if kind:
        headers["content-type"] = kind
    return {
        "status": response.status_code,
        "reason": response.reason_phrase,
        "data": data,
        "headers": headers,
    }


def refusal(status: int, reason: str, detail: str) -> LongPollResponse:
    """Return an error response of the worker itself."""
    return {"status": status, "reason": reason, "data": {"detail": detail}}
