"""Build and send requests and read responses, with a client of httpx or httpx2."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Mapping
from typing import Any

import httpx

from ._cookies import forget_unsendable_cookies

__all__ = ["MAX_ERROR_BODY", "close_async", "send_async", "read_async", "build_request", "read", "send"]

MAX_ERROR_BODY = 1 << 20
"""Bytes that are read of a response with an error status."""

_OWN: tuple[type[object], ...] = (httpx.Client, httpx.AsyncClient)
# They describe the body as it was sent.
_ENCODING = frozenset({"content-encoding", "content-length", "transfer-encoding"})


def build_request(
    http: httpx.Client | httpx.AsyncClient,
    method: str,
    url: httpx.URL,
    *,
    headers: list[tuple[bytes, bytes]],
    timeout: Mapping[str, float | None],
    extensions: Mapping[str, Any] | None = None,
    **options: Any,
) -> httpx.Request:
    """Build a request of the client's own library.

    Args:
        http: The client that will send it.
        method: HTTP method.
        url: Absolute URL.
        headers: Names and values, which are sent as they are.
        timeout: Seconds for "connect", "read", "write" and "pool".
        extensions: Further extensions.
        options: `content`, `data`, `files` and `params`, as httpx takes them.
    """
    return http.build_request(
        method,
        # A client takes the URLs of its own library only.
        url if isinstance(http, _OWN) else str(url),
        headers=headers,
        extensions={**(extensions or {}), "timeout": timeout},
        **options,
    )


def send(http: httpx.Client, request: httpx.Request) -> httpx.Response:
    """Send a request; return the response with the body yet to be read."""
    # auth=None, because the auth of an injected client would replace our Authorization.
    response = http.send(request, auth=None, stream=True, follow_redirects=False)
    forget_unsendable_cookies(http, response)
    return response


async def send_async(http: httpx.AsyncClient, request: httpx.Request) -> httpx.Response:
    """Send a request; return the response with the body yet to be read."""
    response = await http.send(request, auth=None, stream=True, follow_redirects=False)
    forget_unsendable_cookies(http, response)
    return response


def read(response: httpx.Response) -> httpx.Response:
    """Read the body of a response and close it; of an error, read only the beginning."""
    try:
        if response.is_success:
            response.read()
            return response
        body = bytearray()
        for chunk in response.iter_bytes():
            body += chunk
            if len(body) >= MAX_ERROR_BODY:
                break
    finally:
        response.close()
    return _with_body(response, bytes(body[:MAX_ERROR_BODY]))


async def read_async(response: httpx.Response) -> httpx.Response:
    """Read the body of a response and close it; of an error, read only the beginning."""
    try:
        if response.is_success:
            if "content-encoding" in response.headers and not response.is_stream_consumed:
                # Decompressed once it is whole: where that fails, httpx leaves generators behind for trio.
                raw = b"".join([chunk async for chunk in response.aiter_raw()])
                return httpx.Response(
                    response.status_code, headers=response.headers.raw, content=raw, request=response.request
                )
            await response.aread()
            return response
        body = bytearray()
        chunks = response.aiter_bytes()
        async for chunk in chunks:
            body += chunk
            if len(body) >= MAX_ERROR_BODY:
                await close_async(response, chunks)
                break
    finally:
        await response.aclose()
    return _with_body(response, bytes(body[:MAX_ERROR_BODY]))


async def close_async(response: httpx.Response, chunks: AsyncIterator[bytes]) -> None:
    """Close a response whose body was not read to its end.

    httpx nests generators in each other, which trio wants ended, not collected. Behind a closed connection
    each ends by its own error.
    """
    with contextlib.suppress(Exception):
        await response.aclose()
    with contextlib.suppress(Exception):
        async for _ in chunks:
            pass


def _with_body(response: httpx.Response, body: bytes) -> httpx.Response:
    headers = [pair for pair in response.headers.raw if pair[0].decode("latin-1").lower() not in _ENCODING]
    copy = httpx.Response(response.status_code, headers=headers, content=body)
    copy.request = response.request
    return copy
