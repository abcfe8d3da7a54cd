"""Connections: accepted up to a limit, and answered with 503 beyond it."""

from __future__ import annotations

import asyncio
import json
import logging
import socket
import ssl
import time

from aiohttp import web

__all__ = ["Listener"]

_log = logging.getLogger("synapse_agent")

# Connections that wait for their 503; further ones are closed without an answer.
_MAX_REFUSED = 16

# Seconds in which a refused client may send its request, and between two warnings.
_PATIENCE, _QUIET = 1.0, 60.0

# Seconds for the handshake of TLS.
_HANDSHAKE = 10.0

_BODY = json.dumps({"detail": "all connections that this agent accepts are in use; try again"}).encode()
_ANSWER = (
    b"HTTP/1.1 503 Service Unavailable\r\nRetry-After: 1\r\nConnection: close\r\n"
    b"Content-Type: application/json\r\nContent-Length: %d\r\n\r\n%b" % (len(_BODY), _BODY)
)


class Listener:
    """Accept connections for a server of aiohttp.

    Args:
        server: The server, which makes the protocol of each connection.
        limit: How many connections may be open at the same time.
    """

    def __init__(self, server: web.Server, limit: int) -> None:
        self._server = server
        self._limit = limit
        self._refused: set[_Refusal] = set()
        self._listening: list[asyncio.Server] = []
        self._warned = float("-inf")
        # Connections that were refused.
        self.refusals = 0

    async def listen(self, sock: socket.socket, tls: ssl.SSLContext | None = None) -> None:
        """Accept connections of a listening socket."""
        loop = asyncio.get_running_loop()
        if sock.family == socket.AF_UNIX:
            server = await loop.create_unix_server(self._accept, sock=sock)
        else:
            timeout = None if tls is None else _HANDSHAKE
            server = await loop.create_server(self._accept, sock=sock, ssl=tls, ssl_handshake_timeout=timeout)
        self._listening.append(server)

    def close(self) -> None:
        """Accept no more connections; those that are open stay so."""
        for server in self._listening:
            server.close()

    def _accept(self) -> asyncio.Protocol:
        if len(self._server.connections) < self._limit:
            return self._server()
        self.refusals += 1
        if time.monotonic() - self._warned >= _QUIET:
            self._warned = time.monotonic()
            _log.warning("refusing connections: %d are open, see --max-connections", self._limit)
        return _Refusal(self._refused)


class _Refusal(asyncio.Protocol):
    """Answer the first request with 503, and close the connection."""

    def __init__(self, others: set[_Refusal]) -> None:
        self._others = others
        self._transport: asyncio.Transport | None = None
        self._timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        if len(self._others) >= _MAX_REFUSED:
            transport.abort()
            return
        self._others.add(self)
        self._timer = asyncio.get_running_loop().call_later(_PATIENCE, transport.abort)

    def data_received(self, data: bytes) -> None:
        assert self._transport is not None
        if b"\r\n\r\n" in data and not self._transport.is_closing():
            self._transport.write(_ANSWER)
            self._transport.close()

    def connection_lost(self, exc: Exception | None) -> None:
        del exc
        self._others.discard(self)
        if self._timer is not None:
            self._timer.cancel()
