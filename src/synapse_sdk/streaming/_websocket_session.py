"""One WebSocket connection of a tail: its handshake, its messages, and how it ends. No I/O."""

from __future__ import annotations

import logging
from collections.abc import Mapping

from websockets.utils import accept_key, generate_key

from .._exceptions import (
    ClientError,
    ClientTimeoutError,
    ServerError,
    StreamLimitExceededError,
    WebSocketError,
)
from ._commands import Open, Opened, Read, Write
from ._session import PASSING, READ_TO_FLUSH, Dropped, Outcome, Session, Steps, TailState, Unusable
from ._websocket import WebSocket

__all__ = ["WebSocketSession"]

_logger = logging.getLogger("synapse_sdk")


class _Handshake:
    """One opening handshake: the headers to send, and the check of what comes back."""

    def __init__(self) -> None:
        self._key = generate_key()

    @property
    def headers(self) -> dict[str, str]:
        """Headers that ask for a WebSocket. Compression is not asked for."""
        return {
            "Connection": "Upgrade",
            "Upgrade": "websocket",
            "Sec-WebSocket-Version": "13",
            "Sec-WebSocket-Key": self._key,
        }

    def refusal(self, headers: Mapping[str, str]) -> str | None:
        """Return what is wrong with the headers of a 101 response, or None."""
        if headers.get("upgrade", "").lower() != "websocket":
            return "the answer does not upgrade to a WebSocket"
        if headers.get("sec-websocket-accept", "").strip() != accept_key(self._key):
            return "the answer's Sec-WebSocket-Accept does not belong to the key sent"
        if "sec-websocket-extensions" in headers or "sec-websocket-protocol" in headers:
            return "the answer names an extension or subprotocol that was not asked for"
        return None


class WebSocketSession(Session):
    """A connection over WebSocket.

    Args:
        state: The state of the tail.
        timeout: Seconds for connecting.
        max_size: Bytes of a message above which it is refused.
    """

    protocol = "websocket"

    def __init__(self, state: TailState, timeout: float, max_size: int) -> None:
        super().__init__(state)
        self._connect_timeout = timeout
        self._max_size = max_size
        self._websocket: WebSocket | None = None

    def close(self) -> bytes:
        if self._websocket is None:
            return b""
        self._websocket.close()
        return self._websocket.output()

    def run(self) -> Steps:
        handshake = _Handshake()
        path = f"jobs/{self.state.job_id}/logs/"
        opened = yield Open(path, self.log.window(), handshake.headers, self._connect_timeout, "websocket")
        if isinstance(opened, ClientError):
            return Dropped(opened, attached=False)
        refusal = self._check(opened, handshake)
        if refusal is not None:
            return refusal
        websocket = self._websocket = WebSocket(max_size=self._max_size)
        self.attach()
        log = self.log
        # Three pings are sent before an agent counts as dead.
        interval = self.state.timeout / 3
        read = Read(interval)
        silence = 0.0
        while True:
            data = yield READ_TO_FLUSH if log.has_ambiguous_text else read
            if data is None:
                if log.has_ambiguous_text:
                    log.flush()
                    continue
                silence += interval
                if silence > self.state.timeout - interval / 2:
                    why = "the agent fell silent, pings included"
                    return Dropped(self.failures.error(ClientTimeoutError, 408, why))
                websocket.ping()
                yield Write(websocket.output())
                continue
            if isinstance(data, ClientError):
                return Dropped(data)
            silence = 0.0
            end = self.feed([websocket.receive(data)])
            answer = websocket.output()
            if end is not None:
                self.goodbye = self.close()
                return end
            if websocket.ended:
                self.goodbye = answer
                return self._ended(websocket)
            if answer:
                yield Write(answer)
            if self.is_stalled() and not websocket.inside:
                return self.stalled()

    def _check(self, opened: Opened, handshake: _Handshake) -> Outcome | None:
        """Check the response to the handshake; return an outcome if it does not open a WebSocket.

        Raises:
            ClientError: 401, 403 or 429; HTTP would not do better.
        """
        if not opened.switchable:
            why = "no WebSocket can be had: the HTTP client's transport gives no access to its connections"
            hint = "protocol='http' does without one"
            return Unusable(self.failures.error(ServerError, 500, why, hint=hint))
        if opened.status == 101:
            wrong = handshake.refusal(opened.headers)
            if wrong is None:
                return None
            why = f"the WebSocket handshake failed: {wrong}"
            return Dropped(self.failures.error(WebSocketError, 503, why), attached=False)
        error = self.failures.refused(opened)
        if opened.status in (401, 403, 429):
            raise error
        if opened.status in PASSING:
            return Dropped(error, attached=False)
        if opened.status < 400 or opened.status == 426:
            error = self.failures.error(
                WebSocketError,
                503,
                f"the request for a WebSocket was answered with HTTP status {opened.status}",
                hint="a proxy before the agent may strip the upgrade; protocol='http' does without",
            )
        return Unusable(error)

    def _ended(self, websocket: WebSocket) -> Outcome:
        if websocket.broken is not None:
            error = self.failures.error(
                WebSocketError,
                503,
                f"{websocket.broken}, at byte {self.log.reached} of the log",
                hint="protocol='http' takes bytes that are not UTF-8 as U+FFFD",
            )
            return Dropped(error, broken=True)
        if websocket.too_big is not None:
            too_big = self.failures.error(
                StreamLimitExceededError,
                429,
                f"the agent sent a WebSocket message above the bound of {self._max_size} bytes: "
                f"{websocket.too_big}",
                hint="protocol='auto' goes on over HTTP; the bound is 4 x StreamLimits.max_message_size",
            )
            return Unusable(too_big)
        error = self.failures.error(WebSocketError, 503, websocket.end)
        _logger.debug("%s: %s", self.failures.operation, error.detail)
        return Dropped(error, clean=websocket.closed)
