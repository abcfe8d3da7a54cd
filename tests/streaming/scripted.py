"""A scripted agent on a real socket: each connection to a log stream plays the next script.

A script is what the agent does on one connection: calls of a `Peer`, chained on `plays`, or a function that
makes them. The same script plays over WebSocket and over HTTP, and reads like the fault it makes:

    with Agent(plays.lines("one", "two").rst(), plays.lines("one", "two", "three").complete()) as agent:
        AgentClient(agent.url, "token").tail_job_logs("job")
"""

from __future__ import annotations

import contextlib
import json
import socket
import ssl
import struct
import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs, urlsplit

from stopwatch import Stopwatch
from websockets.frames import Frame, Opcode
from websockets.utils import accept_key, apply_mask

__all__ = ["Agent", "Peer", "Request", "Script", "plays"]

_ESTABLISHED = 1  # tcpi_state of Linux


@dataclass
class Request:
    method: str
    path: str
    query: dict[str, list[str]]
    headers: dict[str, str]

    @property
    def offset(self) -> int | None:
        """The log byte the client asks to go on from."""
        value = self.query.get("offset", [self.headers.get("last-event-id", "")])[0]
        return int(value) if value else None


class Peer:
    """The agent's end of one stream connection."""

    def __init__(self, sock: socket.socket, request: Request, stop: threading.Event) -> None:
        self.sock = sock
        self.request = request
        self.websocket = "upgrade" in request.headers
        self.stopped = stop
        self.headers_sent = False
        self.chunked = True

    # --- HTTP level

    def raw(self, data: bytes) -> None:
        self.sock.sendall(data)

    def answer(
        self, status: int, body: bytes = b"", content_type: str = "application/json", **headers: str
    ) -> None:
        """Answer with an ordinary response instead of a stream."""
        self.headers_sent = True
        lines = [f"HTTP/1.1 {status} X", f"content-type: {content_type}", f"content-length: {len(body)}"]
        lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
        self.raw("\r\n".join([*lines, "connection: close", "", ""]).encode() + body)

    def accept(
        self, content_type: str = "text/event-stream", *, version: str = "1.1", **headers: str
    ) -> None:
        """Begin the stream; an HTTP/1.0 body ends with its connection."""
        if self.headers_sent:
            return
        self.headers_sent = True
        if self.websocket:
            key = accept_key(self.request.headers["sec-websocket-key"])
            self.raw(
                b"HTTP/1.1 101 Switching Protocols\r\nupgrade: websocket\r\nconnection: Upgrade\r\n"
                b"sec-websocket-accept: " + key.encode() + b"\r\n\r\n"
            )
            return
        self.chunked = version == "1.1"
        lines = [f"HTTP/{version} 200 OK", f"content-type: {content_type}"]
        lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
        if self.chunked:
            lines.append("transfer-encoding: chunked")
        self.raw("\r\n".join([*lines, "", ""]).encode())

    def http10(self) -> None:
        """Begin a body that ends with its connection."""
        self.accept(version="1.0")

    def chunk(self, data: bytes) -> None:
        """Send a piece of an HTTP body."""
        self.accept()
        self.raw(self._chunk(data))

    def _chunk(self, data: bytes) -> bytes:
        return b"%x\r\n%s\r\n" % (len(data), data) if self.chunked else data

    # --- messages

    def frame(self, opcode: Opcode, data: bytes, *, fin: bool = True) -> None:
        """Send a WebSocket frame."""
        self.accept()
        self.raw(Frame(opcode, data, fin=fin).serialize(mask=False))

    def announce(self, size: int) -> None:
        """Send the header of a WebSocket frame of `size` bytes."""
        self.accept()
        self.raw(b"\x81\x7f" + size.to_bytes(8, "big"))

    def text(self, text: str) -> None:
        """Send a message that is no JSON."""
        if self.websocket:
            self.frame(Opcode.TEXT, text.encode())
        else:
            self.chunk(text.encode() + b"\n")

    def encode(self, event: Any) -> bytes:
        """Return the bytes of an event, as the protocol frames it."""
        data = json.dumps(event).encode()
        if self.websocket:
            return Frame(Opcode.TEXT, data).serialize(mask=False)
        return self._chunk(b"data: " + data + b"\n\n")

    def event(self, event: Any) -> None:
        self.accept()
        self.raw(self.encode(event))

    def cut_event(self, event: Any, at: float = 0.5) -> None:
        """Send the beginning of an event: that part of its bytes."""
        self.accept()
        data = self.encode(event)
        self.raw(data[: int(len(data) * at)])

    def connected(self) -> None:
        self.event({"type": "connected"})

    def heartbeat(self) -> None:
        """Send a heartbeat: a ping, or an event without a line."""
        if self.websocket:
            self.frame(Opcode.PING, b"")
        else:
            self.event({"type": "heartbeat"})

    def log(self, message: str, offset: int | None = None) -> None:
        event: dict[str, Any] = {"type": "log", "message": message}
        if offset is not None:
            event["offset"] = offset
        self.event(event)

    def logs(self, *messages: str) -> None:
        """Send messages as agents do that know no offsets; every connection starts at the log's start."""
        self.accept()
        self.raw(b"".join(self.encode({"type": "log", "message": message}) for message in messages))

    def pieces(self, text: str, size: int) -> None:
        """Send text without offsets, cut into messages of `size` characters."""
        self.logs(*(text[start : start + size] for start in range(0, len(text), size)))

    def lines(self, *lines: str) -> None:
        """Send whole lines with their offsets, from where the client asked to go on."""
        position = 0
        start = self.request.offset or 0
        data = bytearray()
        for line in lines:
            position += len(line.encode()) + 1
            if position > start:
                data += self.encode({"type": "log", "message": line, "offset": position})
        self.accept()
        self.raw(bytes(data))

    def error(self, message: str, status_code: int | None = None) -> None:
        event: dict[str, Any] = {"type": "error", "message": message}
        if status_code is not None:
            event["status_code"] = status_code
        self.event(event)

    def byte_by_byte(self, data: bytes, every: float = 0.001) -> None:
        """Send bytes one at a time, apart enough for a waiting client to read each by itself."""
        self.accept()
        for position in range(len(data)):
            self.raw(data[position : position + 1])
            self.stopped.wait(every)

    def endlessly(self, block: bytes) -> None:
        """Send `block` again and again, until the client is gone."""
        while not self.stopped.is_set():
            self.raw(block)

    def flood(self) -> None:
        """Send a fast log that never ends."""
        self.accept()
        self.endlessly(b"".join(self.encode({"type": "log", "message": f"line {n}"}) for n in range(1000)))

    # --- silence

    def pause(self, seconds: float) -> None:
        self.stopped.wait(seconds)

    def silence(self) -> None:
        """Neither send, nor read, nor close: what a peer looks like that vanished."""
        self.stopped.wait(30)

    def quiet(self, seconds: float, every: float = 0.1) -> None:
        """Have no line for a while, but live: answer pings, or send heartbeats."""
        self.accept()
        end = time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0 and not self.stopped.is_set():
            if self.websocket:
                self.answer_pings(left)
            else:
                self.stopped.wait(min(every, left))
                self.event({"type": "heartbeat"})

    def answer_pings(self, timeout: float) -> bool:
        """Answer the pings of the next read; tell whether there were any in time."""
        self.sock.settimeout(timeout)
        try:
            data = self.sock.recv(65_536)
        except TimeoutError:
            return False
        finally:
            self.sock.settimeout(None)
        if not data:
            raise ConnectionError("the client closed")
        pings = [payload for opcode, payload in _control_frames(data) if opcode is Opcode.PING]
        for payload in pings:
            self.frame(Opcode.PONG, payload)
        return bool(pings)

    # --- ends

    def complete(self, status: str = "SUCCEEDED") -> None:
        self.event({"type": "complete", "status": status})
        self.end()

    def end(self) -> None:
        """End the stream by the book of its protocol, which says nothing about the job."""
        self.accept()
        if self.websocket:
            self.close(1000)
        elif self.chunked:
            self.raw(b"0\r\n\r\n")
        else:
            self.fin()

    def close(self, code: int | None) -> None:
        """Send a WebSocket close frame, without a code for None."""
        self.frame(Opcode.CLOSE, b"" if code is None else struct.pack("!H", code))
        self.wait_for_close()

    def fin(self) -> None:
        """End the connection without a word."""
        self.accept()
        _shutdown(self.sock, socket.SHUT_WR)
        self.wait_for_close()

    def rst(self) -> None:
        """End the connection with RST."""
        self.accept()
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.sock.close()

    def hang_up(self) -> None:
        """End the connection with RST, whatever the client asked for."""
        self.headers_sent = True
        self.rst()

    def wait_for_close(self, timeout: float = 10.0) -> bool:
        """Wait until the client has closed the connection; tell whether it did in time."""
        self.sock.settimeout(timeout)
        try:
            while self.sock.recv(65_536):
                pass
        except TimeoutError:
            return False
        except OSError:
            pass
        return True


Script = Callable[[Peer], object]


class _Plays:
    """A script written as a chain of a `Peer`'s calls."""

    def __init__(self, *steps: Script) -> None:
        self._steps = steps

    def __getattr__(self, name: str) -> Callable[..., _Plays]:
        verb = getattr(Peer, name)
        return lambda *args, **kwargs: _Plays(*self._steps, lambda peer: verb(peer, *args, **kwargs))

    def then(self, script: Script) -> _Plays:
        """Go on with another script, or a function of the peer."""
        return _Plays(*self._steps, script)

    def over(self, *, websocket: Script | None = None, http: Script | None = None) -> _Plays:
        """Go on differently by protocol."""
        return self.then(
            lambda peer: script(peer) if (script := websocket if peer.websocket else http) else None
        )

    def __call__(self, peer: Peer) -> None:
        for step in self._steps:
            step(peer)


plays = _Plays()


class Agent:
    """The scripted agent. Further stream connections than there are scripts play the last one again.

    Args:
        scripts: What to do on each connection to a log stream, in turn.
        status: The job's status, for those who ask.
        tls: Serves https, with this context.
    """

    def __init__(self, *scripts: Script, status: str = "RUNNING", tls: ssl.SSLContext | None = None) -> None:
        self.scripts = scripts
        self.status = status
        self.requests: list[Request] = []
        self.status_answers: list[Script] = []
        self.failures: list[BaseException] = []
        self.ended: list[float] = []
        """When (`time.monotonic`) each stream connection was done with."""
        self._tls = tls
        self._played = 0
        self._stop = threading.Event()
        self._lock = threading.Lock()
        self._threads: list[threading.Thread] = []
        self._sockets: list[socket.socket] = []
        self._streams: list[socket.socket] = []
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=128)

    @property
    def port(self) -> int:
        return int(self._listener.getsockname()[1])

    @property
    def url(self) -> str:
        return f"http{'s' if self._tls else ''}://127.0.0.1:{self.port}"

    @property
    def streams(self) -> list[Request]:
        """The requests for a log stream so far."""
        return [request for request in self.requests if "/logs/" in request.path]

    @property
    def offsets(self) -> list[int | None]:
        """From which log byte each stream was asked for."""
        return [request.offset for request in self.streams]

    @property
    def connections(self) -> int:
        """Connections that a client has made and not closed, as the operating system sees it."""
        return _open(self._sockets)

    def wait_until_gone(self, within: float = 0.5) -> None:
        """Wait until no client is connected to a log stream any more."""
        _wait_until(lambda: not _open(self._streams), within, "a stream's connection is still open")

    def wait_for_streams(self, count: int, within: float = 5.0) -> None:
        """Wait until so many log streams were asked for."""
        _wait_until(lambda: len(self.streams) >= count, within, f"{count} streams were not asked for")

    def __enter__(self) -> Agent:
        self._start(self._accept)
        return self

    def __exit__(self, *exc_info: object) -> None:
        self._stop.set()
        # A blocked accept() is not woken by close() on every system, by shutdown() it is.
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for sock in self._sockets:
            with contextlib.suppress(OSError):
                _shutdown(sock, socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join(10)
        for sock in self._sockets:
            sock.close()
        if self.failures and exc_info[0] is None:
            raise self.failures[0]

    def _start(self, target: Callable[..., None], *args: Any) -> None:
        thread = threading.Thread(target=target, args=args, daemon=True)
        self._threads.append(thread)
        thread.start()

    def _accept(self) -> None:
        while not self._stop.is_set():
            try:
                sock, _ = self._listener.accept()
            except OSError:
                return
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            if self._tls is not None:
                sock = self._tls.wrap_socket(sock, server_side=True, do_handshake_on_connect=False)
            self._sockets.append(sock)
            self._start(self._serve, sock)

    def _serve(self, sock: socket.socket) -> None:
        try:
            while (request := _read_request(sock)) is not None:
                with self._lock:
                    self.requests.append(request)
                peer = Peer(sock, request, self._stop)
                if "/logs/" in request.path:
                    self._play(peer)
                    return
                if self.status_answers:
                    self.status_answers.pop(0)(peer)
                    return
                body = json.dumps(
                    {"submission_id": "job", "type": "SUBMISSION", "status": self.status}
                ).encode()
                sock.sendall(
                    b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n%s"
                    % (len(body), body)
                )
        except OSError:
            pass  # the client went away
        except Exception as exc:  # noqa: BLE001 - told in the test's own thread
            self.failures.append(exc)
        finally:
            sock.close()

    def _play(self, peer: Peer) -> None:
        with self._lock:
            script = self.scripts[min(self._played, len(self.scripts) - 1)]
            self._played += 1
            self._streams.append(peer.sock)
        try:
            script(peer)
        finally:
            self.ended.append(time.monotonic())


def _read_request(sock: socket.socket) -> Request | None:
    data = b""
    while b"\r\n\r\n" not in data:
        received = sock.recv(65_536)
        if not received:
            return None
        data += received
    head, *lines = data.partition(b"\r\n\r\n")[0].decode().split("\r\n")
    method, target, _ = head.split(" ")
    parts = urlsplit(target)
    headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
    return Request(method, parts.path, parse_qs(parts.query), headers)


def _control_frames(data: bytes) -> Iterable[tuple[Opcode, bytes]]:
    """Yield the short frames in what a client sent: masked, each of less than 126 bytes."""
    while len(data) >= 6:
        size = data[1] & 0x7F
        yield Opcode(data[0] & 0x0F), apply_mask(data[6 : 6 + size], data[2:6])
        data = data[6 + size :]


def _shutdown(sock: socket.socket, how: int) -> None:
    # Not SSLSocket's own method, which would pull the TLS state from under a thread that reads.
    socket.socket.shutdown(sock, how)


def _open(sockets: list[socket.socket]) -> int:
    count = 0
    for sock in sockets:
        with contextlib.suppress(OSError):
            count += sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 1)[0] == _ESTABLISHED
    return count


def _wait_until(condition: Callable[[], bool], within: float, failure: str) -> None:
    watch = Stopwatch()
    while not condition():
        assert watch.seconds() < within, f"{failure} after {within:g} s"
        time.sleep(0.005)
