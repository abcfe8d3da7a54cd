"""The fake agent's thread, with its own event loop and listening sockets."""

from __future__ import annotations

import asyncio
import contextlib
import shutil
import socket
import tempfile
import threading
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ._state import State

__all__ = ["Server", "ServerConnection"]

# Seconds to wait for the test's functions, in jobs and calls, when the agent is closed.
_JOIN_TIMEOUT = 5.0
# Maximum length of a socket's path on all systems.
_MAX_PATH = 100


class ServerConnection(asyncio.Protocol):
    """A connection of the server, from its first byte to its last."""

    def abort(self) -> None:
        """End the connection at once."""
        raise NotImplementedError


class Server:
    """Serves a `State` over a Unix socket in a temporary directory, over TCP on 127.0.0.1, or both.

    Args:
        state: The agent's state.
        connect: Called with the server for each new connection.
    """

    def __init__(self, state: State, connect: Callable[[Server], ServerConnection]) -> None:
        self.state = state
        self.connections: set[ServerConnection] = set()
        self._connect = connect
        self.path: Path | None = None
        self.port: int | None = None
        self._servers: list[asyncio.Server] = []
        self._away = False
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stop = asyncio.Event()
        self._ready = threading.Event()
        self._thread = threading.Thread(target=self._run, name="fake-agent", daemon=True)
        self._threads: list[threading.Thread] = []

    def start(self) -> None:
        """Start the thread."""
        self._thread.start()
        self._ready.wait()

    def stop(self) -> None:
        """End all connections and the thread.

        Raises:
            RuntimeError: The script of a job is still running.
        """
        self._away = True
        self.soon(self._stop.set)
        self._thread.join()
        if self.path is not None:
            shutil.rmtree(self.path.parent, ignore_errors=True)
        for thread in self._threads:
            thread.join(_JOIN_TIMEOUT)
            if thread.is_alive():
                raise RuntimeError(f"{thread.name} still runs {_JOIN_TIMEOUT:g} s after its agent was closed")

    def listens(self) -> bool:
        """Return whether connections are accepted."""
        return not self._away

    def listen_unix(self) -> Path:
        """Listen on a Unix socket, and return its path."""
        if self.path is None:
            directory = tempfile.mkdtemp(prefix="fake-agent-")
            if len(directory) > _MAX_PATH - 2:
                shutil.rmtree(directory)
                directory = tempfile.mkdtemp(prefix="fake-agent-", dir="/tmp")
            self.path = Path(directory) / "s"
            if not self._away:
                self._await(self._listen_unix())
        return self.path

    def listen_tcp(self) -> int:
        """Listen on a free port of 127.0.0.1, and return the port."""
        if self.port is None:
            self._await(self._listen_tcp())
            assert self.port is not None
            if self._away:
                self._await(self._unlisten())
        return self.port

    def unlisten(self) -> None:
        """Refuse connections, and end the open ones."""
        self._away = True
        self._await(self._unlisten())

    def listen_again(self) -> None:
        """Listen at the same addresses again."""
        self._away = False
        self._await(self._listen_again())

    # --- called from other threads

    def soon(self, function: Callable[[], object]) -> None:
        """Call a function in the server's thread, unless that has ended."""
        if self._loop is not None:
            with contextlib.suppress(RuntimeError):
                self._loop.call_soon_threadsafe(function)

    def in_thread(self, function: Callable[[], object], name: str = "fake-agent call") -> None:
        """Run the test's code, which may block or call the agent, in a new thread."""
        thread = threading.Thread(target=function, name=name, daemon=True)
        self._threads = [other for other in self._threads if other.is_alive()]
        self._threads.append(thread)
        thread.start()

    def _await(self, work: Coroutine[Any, Any, None]) -> None:
        assert self._loop is not None
        asyncio.run_coroutine_threadsafe(work, self._loop).result()

    # --- in the server's thread

    def _run(self) -> None:
        # Not the loop of the policy, which the test may have set.
        with asyncio.Runner(loop_factory=asyncio.SelectorEventLoop) as runner:
            runner.run(self._serve())

    async def _serve(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._ready.set()
        await self._stop.wait()
        await self._unlisten()

    async def _listen_unix(self) -> None:
        loop = asyncio.get_running_loop()
        self._servers.append(await loop.create_unix_server(lambda: self._connect(self), self.path))

    async def _listen_tcp(self) -> None:
        loop = asyncio.get_running_loop()
        server = await loop.create_server(
            lambda: self._connect(self),
            "127.0.0.1",
            self.port or 0,
            family=socket.AF_INET,
            reuse_address=True,
        )
        self.port = int(server.sockets[0].getsockname()[1])
        self._servers.append(server)

    async def _unlisten(self) -> None:
        for server in self._servers:
            server.close()
        self._servers.clear()
        if self.path is not None:
            with contextlib.suppress(FileNotFoundError):
                self.path.unlink()
        while self.connections:
            for connection in list(self.connections):
                connection.abort()
            await asyncio.sleep(0)

    async def _listen_again(self) -> None:
        if self.path is not None:
            await self._listen_unix()
        if self.port is not None:
            await self._listen_tcp()
