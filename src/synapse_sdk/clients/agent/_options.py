"""The parts of both clients that need no I/O: the environment, stream limits and options."""

from __future__ import annotations

import os
from collections.abc import Mapping
from copy import copy
from typing import TYPE_CHECKING, Any, Self

from ..._exceptions import ValidationError

if TYPE_CHECKING:
    from ..._family import HttpTimeout
    from ..._limits import StreamLimits

__all__ = ["ClientOptions", "Environment", "checked_limits"]

_URL = "SYNAPSE_AGENT_URL"
_TOKEN = "SYNAPSE_AGENT_TOKEN"  # noqa: S105 - the name of a variable
_USER_TOKEN = "SYNAPSE_PLUGIN_RUN_USER_TOKEN"  # noqa: S105
_TENANT = "SYNAPSE_PLUGIN_RUN_TENANT"


class Environment:
    """The URL and the credentials from the environment of a plugin run.

    Raises:
        ValidationError: 400, naming the variable that is missing.
    """

    __slots__ = ("agent_token", "base_url", "tenant", "user_token")

    def __init__(self) -> None:
        self.base_url = _required(_URL)
        self.agent_token = _required(_TOKEN)
        self.user_token = _variable(_USER_TOKEN)
        self.tenant = _variable(_TENANT)


class ClientOptions:
    """The options that both clients can change after they are made."""

    _api_client: Any
    _stream_limits: StreamLimits

    @property
    def stream_limits(self) -> StreamLimits:
        """Limits of the log tails that are started from now on; can be set at any time."""
        return self._stream_limits

    @stream_limits.setter
    def stream_limits(self, limits: StreamLimits) -> None:
        self._stream_limits = checked_limits(limits)

    def with_options(
        self,
        *,
        timeout: Mapping[str, float] | float | HttpTimeout | None = None,
        max_retries: int | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Self:
        """Return a client with other options that shares the connections of this one.

        It starts with the current `stream_limits`. Closing it leaves this client open; closing this client
        closes both.

        Args:
            timeout: Seconds, as for the constructor; replaces the client's timeout.
            max_retries: Maximum number of retries; replaces the client's.
            headers: Further headers of every request; they are added to the client's, or replace them.

        Raises:
            ValidationError: 400, naming the parameter that is wrong.

        Example:
            >>> client.with_options(timeout=60).get_job_logs("train-42")  # doctest: +SKIP
            'epoch 1\\nepoch 2\\n'
        """
        config = self._api_client.config.with_options(
            timeout=timeout, max_retries=max_retries, headers=headers
        )
        other = copy(self)
        other._api_client = self._api_client.with_config(config)
        return other

    def __repr__(self) -> str:
        closed = ", closed" if self._api_client.closed else ""
        return f"<{type(self).__name__} {self._api_client.config.agent}{closed}>"


def checked_limits(limits: StreamLimits | None) -> StreamLimits:
    """Return the limits, or the default ones for None.

    Raises:
        ValidationError: 400, they are not a `StreamLimits`.
    """
    from ..._limits import StreamLimits

    if limits is None:
        return StreamLimits()
    if not isinstance(limits, StreamLimits):  # pyright: ignore[reportUnnecessaryIsInstance]
        raise ValidationError(400, f"stream_limits must be a StreamLimits, not a {type(limits).__name__}")
    return limits


def _variable(name: str) -> str | None:
    # A secret that is mounted from a file often ends with a line break.
    return os.environ.get(name, "").strip() or None


def _required(name: str) -> str:
    value = _variable(name)
    if value is None:
        raise ValidationError(400, f"the environment variable {name} is not set")
    return value
