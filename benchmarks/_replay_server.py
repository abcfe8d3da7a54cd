"""An agent that only replays: every byte was made before it is asked for, and sockets are written to plainly.

    python benchmarks/_replay_server.py LOG…    makes these logs, prints its port, serves until stdin ends

A thread a connection: what they do is wait for the kernel, so that a client, not the server, sets the pace.
"""

from __future__ import annotations

import base64
import hashlib
import socket
import sys
import threading
import time
from collections.abc import Iterable
from functools import lru_cache
from pathlib import Path

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks._payloads import JOB, JOBS, TASKS, Log, log_named

__all__ = ["ReplayServer"]

_GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
_RAY_VERSION = b'{"version": "4", "ray_version": "2.60.0", "ray_commit": "0", "session_name": "replay"}'
_EVENTS = (
    b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream; charset=utf-8\r\n"
    b"Cache-Control: no-cache, no-transform\r\nTransfer-Encoding: chunked\r\n\r\n"
)


def _answer(body: bytes, status: bytes = b"200 OK") -> bytes:
    head = b"HTTP/1.1 %s\r\nContent-Type: application/json; charset=utf-8\r\nContent-Length: %d\r\n"
    head += b"Date: Wed, 25 Nov 2026 18:54:59 GMT\r\nServer: replay\r\n\r\n"
    return head % (status, len(body)) + body


_ANSWERS = {
    b"/jobs/": _answer(JOBS),
    b"/api/jobs/": _answer(JOBS),
    b"/api/version": _answer(_RAY_VERSION),
    b"/tasks/": _answer(TASKS),
}
_ONE_JOB = _answer(JOB)
_NOT_FOUND = _answer(b'{"detail": "not here"}', b"404 Not Found")


@lru_cache(maxsize=16)
def _pieces(log: Log, protocol: str) -> list[bytes]:
    """The pieces to send; one where all goes at once."""
    pieces = list(log.websocket() if protocol == "websocket" else log.http(ids=protocol == "ids"))
    return pieces if log.pause else [b"".join(pieces)]


class ReplayServer:
    """Listens on a free port of 127.0.0.1.

    Args:
        logs: Names of logs to make now; any other is made when it is first asked for.
    """

    def __init__(self, logs: Iterable[str] = ()) -> None:
        for name in logs:
            for protocol in ("websocket", "ids", "http"):
                if log_named(name).kind != "paced":
                    _pieces(log_named(name), protocol)
        self._socket = socket.create_server(("127.0.0.1", 0), backlog=512)
        self.port: int = self._socket.getsockname()[1]

    def serve(self) -> None:
        """Serve until `close` is called."""
        while True:
            try:
                connection, _ = self._socket.accept()
            except OSError:
                return
            threading.Thread(target=self._connection, args=(connection,), daemon=True).start()

    def close(self) -> None:
        """Take no further connections."""
        # Alone, close() leaves accept() waiting.
        self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()

    def _connection(self, connection: socket.socket) -> None:
        with connection:
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            received = b""
            try:
                while True:
                    while b"\r\n\r\n" not in received:
                        data = connection.recv(65_536)
                        if not data:
                            return
                        received += data
                    head, _, received = received.partition(b"\r\n\r\n")
                    path, headers = _parsed(head)
                    if path.startswith(b"/jobs/") and path.endswith(b"/logs/"):
                        _websocket(connection, log_named(_log_of(path)), headers)
                        return
                    if path.endswith(b"/logs/stream/"):
                        ids = b"text/event-stream" in headers.get(b"accept", b"")
                        connection.sendall(_EVENTS)
                        _replay(connection, log_named(_log_of(path)), "ids" if ids else "http")
                    elif path in _ANSWERS:
                        connection.sendall(_ANSWERS[path])
                    else:
                        connection.sendall(_ONE_JOB if path.startswith(b"/jobs/") else _NOT_FOUND)
            except ConnectionError:
                return


def _parsed(head: bytes) -> tuple[bytes, dict[bytes, bytes]]:
    first, *rest = head.split(b"\r\n")
    pairs = (line.partition(b":") for line in rest)
    return first.split(b" ")[1].partition(b"?")[0], {name.lower(): value.strip() for name, _, value in pairs}


def _log_of(path: bytes) -> str:
    return path.split(b"/")[2].decode()


def _websocket(connection: socket.socket, log: Log, headers: dict[bytes, bytes]) -> None:
    key = base64.b64encode(hashlib.sha1(headers[b"sec-websocket-key"] + _GUID).digest())
    connection.sendall(
        b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        b"Sec-WebSocket-Accept: " + key + b"\r\n\r\n"
    )
    _replay(connection, log, "websocket")
    # The client's close frame, then its end; not before, or a reset would take from it what it has not read.
    connection.settimeout(5)
    try:
        while data := connection.recv(65_536):
            # A masked close frame: some clients wait for the server to hang up first.
            if data[0] == 0x88:
                return
    except TimeoutError:
        pass


def _replay(connection: socket.socket, log: Log, protocol: str) -> None:
    if log.kind == "paced":
        pieces: Iterable[bytes] = (
            log.websocket() if protocol == "websocket" else log.http(ids=protocol == "ids")
        )
    else:
        pieces = _pieces(log, protocol)
    if not log.pause:
        for piece in pieces:
            connection.sendall(piece)
        return
    pieces = iter(pieces)
    connection.sendall(next(pieces))
    due = time.perf_counter() + log.pause
    while True:
        # A sleep of 0.1 ms takes 0.15 ms; and a late event is not made up for, or two would go in one packet.
        while (left := due - time.perf_counter()) > 0:
            if left > 0.0005:
                time.sleep(left - 0.0003)
        piece = next(pieces, b"")
        if not piece:
            return
        connection.sendall(piece)
        due = max(due + log.pause, time.perf_counter() + log.pause / 2)


def main() -> None:
    server = ReplayServer(sys.argv[1:])
    threading.Thread(target=server.serve, daemon=True).start()
    print(server.port, flush=True)
    sys.stdin.read()


if __name__ == "__main__":
    main()
