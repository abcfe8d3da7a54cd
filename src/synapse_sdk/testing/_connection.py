"""One connection to the fake agent: HTTP/1.1 by h11, WebSockets by websockets."""

from __future__ import annotations

import asyncio
import socket
import struct
from functools import partial
from typing import TYPE_CHECKING, Any, cast

import h11
from websockets.frames import CloseCode
from websockets.protocol import Protocol, Side, State
from websockets.utils import accept_key

from ._dispatch import Attach, Request, answer, receive
from ._faults import Fault
from ._log_stream import LogStream, sse, websocket_frame
from ._reply import Deferred, Reply
from ._server import ServerConnection

if TYPE_CHECKING:
    from ._server import Server

__all__ = ["Connection"]

_MAX_BODY = 32 * 1024 * 1024


class Connection(ServerConnection):
    """A connection in the server's thread; `wake` and `drop` may be called from other threads."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self._state = server.state
        self._http = h11.Connection(h11.SERVER)
        self._transport: asyncio.Transport | None = None
        self._head: h11.Request | None = None
        self._body = bytearray()
        self._attached: Attach | None = None
        self._stream: LogStream | None = None
        self._websocket: Protocol | None = None
        self._paused = False
        self._spoke = False
        self._timers: set[asyncio.TimerHandle] = set()

    # --- asyncio.Protocol

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        self._server.connections.add(self)

    def connection_lost(self, exc: Exception | None) -> None:
        del exc
        self._transport = None
        self._server.connections.discard(self)
        for timer in self._timers:
            timer.cancel()
        if self._attached is not None:
            self._attached.job.detach(self)

    def pause_writing(self) -> None:
        self._paused = True

    def resume_writing(self) -> None:
        self._paused = False
        # Later, because asyncio calls this within a write and does not expect a failing write there.
        self._server.soon(self._pump)

    def data_received(self, data: bytes) -> None:
        if self._websocket is not None:
            self._receive_frames(data)
            return
        self._http.receive_data(data)
        self._advance()

    def eof_received(self) -> bool:
        return False

    def abort(self) -> None:
        """End the connection at once."""
        if self._transport is not None:
            self._transport.abort()

    # --- requests

    def _advance(self) -> None:
        """Read until a request is complete."""
        try:
            while True:
                event: Any = self._http.next_event()
                if isinstance(event, h11.Request):
                    self._head = event
                    self._body.clear()
                    if self._http.they_are_waiting_for_100_continue:
                        self._send(h11.InformationalResponse(status_code=100, headers=[]))
                elif isinstance(event, h11.Data):
                    self._body += event.data
                    if len(self._body) > _MAX_BODY:
                        self._reply(Reply.json(413, {"detail": "the body is larger than this agent takes"}))
                        self.close()
                        return
                elif isinstance(event, h11.EndOfMessage):
                    self._begin()
                    return
                else:
                    return
        except h11.RemoteProtocolError as error:
            if self._http.our_state in (h11.IDLE, h11.SEND_RESPONSE):
                self._reply(Reply.json(error.error_status_hint, {"detail": f"this is not HTTP: {error}"}))
            self.close()

    def _begin(self) -> None:
        head = self._head
        assert head is not None
        headers: dict[str, str] = {}
        for name, value in head.headers:
            headers[name.decode("ascii")] = value.decode("utf-8", "surrogateescape")
        request = Request(
            head.method.decode("ascii"), head.target.decode("ascii"), headers, bytes(self._body)
        )
        fault = receive(self._state, request)
        if fault is None:
            self._answer(request)
        else:
            self._suffer(fault, request)

    def _suffer(self, fault: Fault, request: Request) -> None:
        match fault.kind:
            case "answer":
                assert fault.reply is not None
                self._reply(fault.reply)
            case "drop":
                self.abort()
            case "delay":
                self._later(fault.seconds, partial(self._answer, request))
            case "hang":
                pass

    def _answer(self, request: Request) -> None:
        match answer(self._state, request):
            case Reply() as reply:
                self._reply(reply)
            case Attach() as attach:
                self._open(attach, request)
            case Deferred() as deferred:
                self._server.in_thread(partial(self._make, deferred))

    def _make(self, deferred: Deferred) -> None:
        """Run the test's code, in a new thread."""
        try:
            reply = Reply.json(deferred.status, deferred.make())
        except Exception as error:  # noqa: BLE001 - as a plugin that fails does
            reply = Reply.json(500, {"detail": f"the action failed: {type(error).__name__}: {error}"})
        self._server.soon(partial(self._reply, reply))

    def _reply(self, reply: Reply) -> None:
        if self._transport is None:
            return
        headers = [*reply.headers.items()]
        if reply.status != 204:
            headers.append(("content-length", str(len(reply.content))))
        self._send(h11.Response(status_code=reply.status, headers=headers))
        if reply.content and not (self._head is not None and self._head.method == b"HEAD"):
            self._send(h11.Data(data=reply.content))
        self._send(h11.EndOfMessage())
        self._finish()

    def _finish(self) -> None:
        if self._http.our_state is h11.DONE and self._http.their_state is h11.DONE:
            self._http.start_next_cycle()
            self._advance()
        else:
            self.close()

    def _send(self, event: Any) -> None:
        data = cast("bytes | None", self._http.send(event))  # pyright: ignore[reportUnknownMemberType]
        if data and self._transport is not None:
            self._transport.write(data)

    def close(self) -> None:
        """Close the connection after everything is sent."""
        if self._transport is not None:
            self._transport.close()

    # --- log streams

    def _open(self, attach: Attach, request: Request) -> None:
        self._attached = attach
        drop = attach.job.attach(self, self.wake, self.drop)
        if attach.protocol == "websocket":
            self._open_websocket(request)
            frame = websocket_frame
        else:
            headers = [("content-type", "text/event-stream; charset=utf-8"), ("cache-control", "no-cache")]
            self._send(h11.Response(status_code=200, headers=headers))
            frame = partial(sse, ids=request.wants_events)
        state = self._state
        live = attach.live if state.windows and state.offsets else None
        self._stream = LogStream(
            attach.job, attach.offset, frame, offsets=state.offsets, live=live, drop=drop
        )
        self._pump()
        self._later(self._state.heartbeat, self._beat)

    def _open_websocket(self, request: Request) -> None:
        accepted = accept_key(request.headers["sec-websocket-key"])
        headers = [("upgrade", "websocket"), ("connection", "Upgrade"), ("sec-websocket-accept", accepted)]
        self._send(h11.InformationalResponse(status_code=101, headers=headers))
        self._websocket = Protocol(Side.SERVER, max_size=65_536)
        data: bytes = self._http.trailing_data[0]
        if data:
            self._receive_frames(data)

    def wake(self) -> None:
        """Send new events."""
        self._server.soon(self._pump)

    def drop(self) -> None:
        """Break the stream."""
        self._server.soon(self.close)

    def _pump(self) -> None:
        stream = self._stream
        if stream is None or self._paused or self._transport is None:
            return
        with self._state.changes:
            data = stream.take()
        if data:
            self._spoke = True
            self._write(data)
        if stream.ended is not None:
            self._stream = None
            self._end(stream)
        elif data:
            # There may be more to send, and other connections are waiting.
            self._server.soon(self._pump)

    def _write(self, data: bytes) -> None:
        if self._websocket is None:
            self._send(h11.Data(data=data))
        elif self._transport is not None:
            self._transport.write(data)

    def _end(self, stream: LogStream) -> None:
        if stream.ended == "dropped":
            assert stream.drop is not None
            if stream.drop.how == "reset":
                self._reset()
                return
            if stream.drop.how == "close" and self._websocket is not None:
                self._websocket.send_close(CloseCode.GOING_AWAY)
                self._send_frames()
            # Do not wait for a response: within a message the client does not see the close.
            self.close()
        elif self._websocket is not None:
            if self._websocket.state is State.OPEN:
                self._websocket.send_close(CloseCode.NORMAL_CLOSURE)
                self._send_frames()
        else:
            assert self._attached is not None
            self._attached.job.detach(self)
            self._attached = None
            self._send(h11.EndOfMessage())
            self._finish()

    def _reset(self) -> None:
        assert self._transport is not None
        sock: socket.socket | None = self._transport.get_extra_info("socket")
        if sock is not None and sock.family in (socket.AF_INET, socket.AF_INET6):
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self._transport.abort()

    def _receive_frames(self, data: bytes) -> None:
        assert self._websocket is not None
        self._websocket.receive_data(data)
        self._websocket.events_received()
        self._send_frames()

    def _send_frames(self) -> None:
        assert self._websocket is not None
        for data in self._websocket.data_to_send():
            if data and self._transport is not None:
                self._transport.write(data)
            elif not data:
                self.close()

    def _beat(self) -> None:
        """Send a heartbeat if nothing was sent for a while."""
        if self._stream is None or self._transport is None:
            return
        if not self._spoke and not self._paused:
            if self._websocket is None:
                self._write(self._stream.heartbeat())
            elif self._websocket.state is State.OPEN:
                self._websocket.send_ping(b"")
                self._send_frames()
        self._spoke = False
        self._later(self._state.heartbeat, self._beat)

    def _later(self, seconds: float, function: Any) -> None:
        def run() -> None:
            self._timers.discard(timer)
            if self._transport is not None:
                function()

        timer = asyncio.get_running_loop().call_later(seconds, run)
        self._timers.add(timer)
