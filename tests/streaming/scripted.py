"""A scripted agent on a real socket: each connection to a log stream plays the next script.

A script is a function of a `Peer`, and the same one plays over WebSocket and over HTTP:

    def breaks_in_the_middle(peer: Peer) -> None:
        peer.log("one")
        peer.reset()

    with Agent(breaks_in_the_middle, lambda peer: peer.complete()) as agent:
        AgentClient(agent.url, "token").tail_job_logs("job")
"""

from __future__ import annotations

import contextlib
import json
import socket
import struct
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, urlsplit

from websockets.frames import Frame, Opcode
from websockets.utils import accept_key

__all__ = ["Agent", "Peer", "Request", "Script"]


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

    def accept(self, content_type: str = "text/event-stream") -> None:
        """Begin the stream."""
        if self.headers_sent:
            return
        self.headers_sent = True
        if self.websocket:
            key = accept_key(self.request.headers["sec-websocket-key"])
            self.raw(
                b"HTTP/1.1 101 Switching Protocols\r\nupgrade: websocket\r\nconnection: Upgrade\r\n"
                b"sec-websocket-accept: " + key.encode() + b"\r\n\r\n"
            )
        else:
            self.raw(
                b"HTTP/1.1 200 OK\r\ncontent-type: " + content_type.encode() + b"\r\n"
                b"transfer-encoding: chunked\r\n\r\n"
            )

    def chunk(self, data: bytes) -> None:
        self.accept()
        self.raw(b"%x\r\n%s\r\n" % (len(data), data))

    # --- messages

    def frame(self, opcode: Opcode, data: bytes, *, fin: bool = True) -> None:
        self.accept()
        self.raw(Frame(opcode, data, fin=fin).serialize(mask=False))

    def text(self, text: str) -> None:
        """Send a message that is no JSON."""
        if self.websocket:
            self.frame(Opcode.TEXT, text.encode())
        else:
            self.chunk(text.encode() + b"\n")

    def encode(self, event: Any) -> bytes:
        """Give the bytes of an event, as the protocol frames it."""
        data = json.dumps(event).encode()
        if self.websocket:
            return Frame(Opcode.TEXT, data).serialize(mask=False)
        data = b"data: " + data + b"\n\n"
        return b"%x\r\n%s\r\n" % (len(data), data)

    def event(self, event: Any) -> None:
        self.accept()
        self.raw(self.encode(event))

    def log(self, message: str, offset: int | None = None) -> None:
        event: dict[str, Any] = {"type": "log", "message": message}
        if offset is not None:
            event["offset"] = offset
        self.event(event)

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

    def complete(self, status: str = "SUCCEEDED") -> None:
        self.event({"type": "complete", "status": status})
        self.end()

    # --- ends

    def end(self, code: int | None = 1000) -> None:
        """End the stream by the book of its protocol."""
        self.accept()
        if self.websocket:
            self.frame(Opcode.CLOSE, b"" if code is None else struct.pack("!H", code))
            self.wait_for_close()
        else:
            self.raw(b"0\r\n\r\n")

    def fin(self) -> None:
        """End the connection without a word."""
        self.accept()
        self.sock.shutdown(socket.SHUT_WR)
        self.wait_for_close()

    def reset(self) -> None:
        """End the connection with RST."""
        self.accept()
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.sock.close()

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


Script = Callable[[Peer], None]


@dataclass
class Agent:
    """The scripted agent. Further stream connections than there are scripts play the last one again."""

    scripts: tuple[Script, ...]
    status: str = "RUNNING"
    requests: list[Request] = field(default_factory=list)
    open_connections: int = 0

    def __init__(self, *scripts: Script, status: str = "RUNNING") -> None:
        self.scripts = scripts
        self.status = status
        self.requests = []
        self.status_answers: list[Callable[[Peer], None]] = []
        self.failures: list[BaseException] = []
        self._played = 0
        self._stop = threading.Event()
        self._lock = threading.Lock()
        self._threads: list[threading.Thread] = []
        self._sockets: list[socket.socket] = []
        self._listener = socket.create_server(("127.0.0.1", 0))

    @property
    def port(self) -> int:
        return int(self._listener.getsockname()[1])

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def streams(self) -> list[Request]:
        """The requests for a log stream so far."""
        return [request for request in self.requests if "/logs/" in request.path]

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
                sock.shutdown(socket.SHUT_RDWR)
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
            self._sockets.append(sock)
            self._start(self._serve, sock)

    def _serve(self, sock: socket.socket) -> None:
        try:
            while (request := _read_request(sock)) is not None:
                with self._lock:
                    self.requests.append(request)
                peer = Peer(sock, request, self._stop)
                if "/logs/" in request.path:
                    with self._lock:
                        script = self.scripts[min(self._played, len(self.scripts) - 1)]
                        self._played += 1
                    script(peer)
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
