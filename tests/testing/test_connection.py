"""A connection under asyncio: what its transport must not be asked for."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import Any, cast

from synapse_sdk.testing._connection import Connection
from synapse_sdk.testing._server import Server
from synapse_sdk.testing._state import State


class Transport:
    """Keeps what is written."""

    def __init__(self) -> None:
        self.written = b""

    def write(self, data: bytes) -> None:
        self.written += data

    def close(self) -> None:
        pass


def test_a_transport_that_takes_more_is_not_written_to_while_it_says_so() -> None:
    """asyncio says it amid a write of its own: a write that fails there would end the connection twice."""

    async def main() -> None:
        state = State("token")
        job = state.add_job("train", ["RUNNING"])
        loop = asyncio.get_running_loop()
        server: Any = SimpleNamespace(state=state, connections=set(), soon=loop.call_soon)
        connection, transport = Connection(cast("Server", server)), Transport()
        connection.connection_made(cast("asyncio.Transport", transport))
        connection.data_received(
            b"GET /jobs/train/logs/stream/ HTTP/1.1\r\nhost: a\r\nauthorization: token\r\n\r\n"
        )
        connection.pause_writing()
        job.write(b"epoch 1\n")
        await asyncio.sleep(0)
        before = transport.written
        assert b"connected" in before
        connection.resume_writing()
        assert transport.written == before
        await asyncio.sleep(0)
        assert b"epoch 1" in transport.written
        connection.connection_lost(None)

    asyncio.run(main())
