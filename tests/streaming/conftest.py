"""The kinds of tail every streaming test runs over."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

import anyio
import pytest

from synapse_sdk.clients.agent import AgentClient, AsyncAgentClient
from synapse_sdk.clients.exceptions import ClientError
from synapse_sdk.utils.network import StreamLimits

__all__ = ["Result", "Tailer"]


@dataclass
class Result:
    """What a tail gave: its lines, and the error that ended it, if one did."""

    lines: list[str] = field(default_factory=list)
    error: ClientError | None = None
    stream: Any = None

    def whole(self) -> list[str]:
        """The lines of a tail that ended well."""
        if self.error is not None:
            raise self.error
        return self.lines


@dataclass(frozen=True)
class Tailer:
    """Tails a job to its end, by one client over one protocol."""

    shell: Literal["sync", "asyncio", "trio"]
    protocol: Literal["websocket", "http", "auto"]

    def __call__(
        self, url: str, job_id: str = "job", *, limits: StreamLimits | None = None, **options: Any
    ) -> Result:
        timeout = options.pop("timeout", 5.0)
        token = options.pop("token", "a-token")
        options.setdefault("timeout", options.pop("rest_timeout", None))
        protocol = options.pop("protocol", self.protocol)
        options["stream_limits"] = limits or StreamLimits.unlimited()
        result = Result()
        if self.shell == "sync":
            with AgentClient(url, token, **options) as client:
                result.stream = client.tail_job_logs(job_id, timeout, protocol=protocol)
                with result.stream:
                    try:
                        result.lines.extend(result.stream)
                    except ClientError as exc:
                        result.error = exc
        else:

            async def tail() -> None:
                async with AsyncAgentClient(url, token, **options) as client:
                    result.stream = client.tail_job_logs(job_id, timeout, protocol=protocol)
                    async with result.stream:
                        try:
                            async for line in result.stream:
                                result.lines.append(line)
                        except ClientError as exc:
                            result.error = exc

            anyio.run(tail, backend=self.shell)
        return result


@pytest.fixture(autouse=True)
def short_backoff(monkeypatch: pytest.MonkeyPatch) -> None:
    """Reconnect at once: how long the waits are is no matter of these tests."""
    monkeypatch.setattr("synapse_sdk.streaming._tail._BACKOFF", 0.005)


_SHELLS = ("sync", "asyncio", "trio")


@pytest.fixture(
    params=[(shell, protocol) for shell in _SHELLS for protocol in ("websocket", "http")], ids="-".join
)
def tail(request: pytest.FixtureRequest) -> Tailer:
    """A tail over an explicit protocol."""
    return Tailer(*request.param)


@pytest.fixture(params=_SHELLS)
def auto_tail(request: pytest.FixtureRequest) -> Tailer:
    """A tail that chooses its protocol."""
    return Tailer(request.param, "auto")


@pytest.fixture(params=_SHELLS)
def websocket_tail(request: pytest.FixtureRequest) -> Tailer:
    return Tailer(request.param, "websocket")


@pytest.fixture(params=_SHELLS)
def http_tail(request: pytest.FixtureRequest) -> Tailer:
    return Tailer(request.param, "http")
