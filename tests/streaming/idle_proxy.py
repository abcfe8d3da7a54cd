"""A TCP proxy that cuts connections on which nothing has been sent for a while, as load balancers do."""

from __future__ import annotations

import contextlib
import select
import socket
import threading
from typing import Self

__all__ = ["IdleProxy"]


class IdleProxy:
    """Passes bytes between clients and the server at `port`; cuts after `idle` seconds without any."""

    def __init__(self, port: int, *, idle: float) -> None:
        self.cuts = 0
        self._target = ("127.0.0.1", port)
        self._idle = idle
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._threads: list[threading.Thread] = []
        self._stop = threading.Event()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._listener.getsockname()[1]}"

    def __enter__(self) -> Self:
        self._start(self._accept)
        return self

    def __exit__(self, *exc_info: object) -> None:
        self._stop.set()
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for thread in self._threads:
            thread.join(10)

    def _start(self, target: object, *args: object) -> None:
        thread = threading.Thread(target=target, args=args, daemon=True)  # type: ignore[arg-type]
        self._threads.append(thread)
        thread.start()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            self._start(self._pass, client)

    def _pass(self, client: socket.socket) -> None:
        with contextlib.suppress(OSError), client, socket.create_connection(self._target) as server:
            waited = 0.0
            while not self._stop.is_set():
                ready, _, _ = select.select([client, server], [], [], 0.02)
                waited = 0.0 if ready else waited + 0.02
                if waited >= self._idle:
                    self.cuts += 1
                    return
                for source in ready:
                    data = source.recv(65_536)
                    if not data:
                        return
                    (server if source is client else client).sendall(data)
