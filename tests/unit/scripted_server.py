"""A server on a real socket with scripted answers, faults included."""

from __future__ import annotations

import contextlib
import json
import socket
import ssl
import struct
import threading
from collections.abc import Callable
from dataclasses import dataclass

__all__ = ["Request", "Server", "answer", "drop", "hang", "json_answer", "reset"]


@dataclass
class Request:
    method: str
    target: str
    headers: list[tuple[str, str]]
    body: bytes

    def all(self, name: str) -> list[str]:
        return [value for key, value in self.headers if key.lower() == name.lower()]

    def header(self, name: str) -> str | None:
        values = self.all(name)
        return values[0] if values else None


Step = bytes | Callable[[socket.socket, Request], None]


def answer(status: int, body: bytes = b"", content_type: str | None = None, **headers: str) -> bytes:
    lines = [f"HTTP/1.1 {status} X"]
    if content_type:
        lines.append(f"Content-Type: {content_type}")
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    if status != 204:
        lines.append(f"Content-Length: {len(body)}")
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


def json_answer(status: int, value: object, **headers: str) -> bytes:
    return answer(status, json.dumps(value).encode(), "application/json", **headers)


def drop(connection: socket.socket, request: Request) -> None:
    """Close without an answer."""
    raise ConnectionAbortedError


def reset(connection: socket.socket, request: Request) -> None:
    """RST without an answer."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    raise ConnectionAbortedError


def hang(connection: socket.socket, request: Request) -> None:
    """Stay silent until the peer goes away."""
    connection.recv(1)
    raise ConnectionAbortedError


class Server:
    """Plays one step for each request; the last one again and again."""

    def __init__(self, *steps: Step, greeting: bytes = b"", tls: ssl.SSLContext | None = None) -> None:
        self._greeting = greeting
        self._tls = tls
        self.steps: tuple[Step, ...] = steps
        self.requests: list[Request] = []
        self._lock = threading.Lock()
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.url = f"http{'s' if tls else ''}://127.0.0.1:{self._socket.getsockname()[1]}/"
        self._connections: list[socket.socket] = []
        self._threads = [threading.Thread(target=self._accept, daemon=True)]
        self._threads[0].start()

    def __enter__(self) -> Server:
        return self

    def __exit__(self, *_: object) -> None:
        with contextlib.suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()
        for connection in self._connections:
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join(5)

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._socket.accept()
            except OSError:
                return
            self._connections.append(connection)
            thread = threading.Thread(target=self._serve, args=(connection,), daemon=True)
            self._threads.append(thread)
            thread.start()

    @property
    def accepted(self) -> int:
        """How many connections there have been."""
        return len(self._connections)

    def wait_until_gone(self, number: int = 0) -> None:
        """Wait until the peer has closed connection `number`, or what was read of it has ended ours."""
        self._threads[1 + number].join(10)
        assert not self._threads[1 + number].is_alive()

    def _serve(self, connection: socket.socket) -> None:
        if self._tls is not None:
            try:
                connection = self._tls.wrap_socket(connection, server_side=True)
            except OSError:
                connection.close()
                return
        with connection, contextlib.suppress(OSError), connection.makefile("rb") as file:
            connection.sendall(self._greeting)
            while request := self._read(file):
                with self._lock:
                    step = self.steps[min(len(self.requests), len(self.steps) - 1)]
                    self.requests.append(request)
                if isinstance(step, bytes):
                    connection.sendall(step)
                else:
                    step(connection, request)

    @staticmethod
    def _read(file: object) -> Request | None:
        readline = file.readline  # type: ignore[attr-defined]
        start = readline()
        if start.count(b" ") < 2:
            return None
        method, target, _ = start.decode("latin-1").split(" ", 2)
        headers: list[tuple[str, str]] = []
        while (line := readline().decode("latin-1").strip("\r\n")) != "":
            name, _, value = line.partition(":")
            headers.append((name, value.strip()))
        lengths = [int(value) for name, value in headers if name.lower() == "content-length"]
        body = file.read(lengths[0]) if lengths else b""  # type: ignore[attr-defined]
        return Request(method, target, headers, body)
