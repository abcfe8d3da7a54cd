"""What both clients check alike."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from ..._exceptions import ValidationError

if TYPE_CHECKING:
    from ..._limits import StreamLimits

__all__ = ["Environment", "checked_limits"]

_URL = "SYNAPSE_AGENT_URL"
_TOKEN = "SYNAPSE_AGENT_TOKEN"  # noqa: S105 - the name of a variable
_USER_TOKEN = "SYNAPSE_PLUGIN_RUN_USER_TOKEN"  # noqa: S105
_TENANT = "SYNAPSE_PLUGIN_RUN_TENANT"


class Environment:
    """How to reach an agent, as the environment tells a plugin run.

    Raises:
        ValidationError: 400, naming the variable that is missing.
    """

    __slots__ = ("agent_token", "base_url", "tenant", "user_token")

    def __init__(self) -> None:
        self.base_url = _required(_URL)
        self.agent_token = _required(_TOKEN)
        self.user_token = _variable(_USER_TOKEN)
        self.tenant = _variable(_TENANT)


def checked_limits(limits: StreamLimits | None) -> StreamLimits:
    """Give back the limits, or the default ones.

    Raises:
        ValidationError: 400, if it is something else.
    """
    from ..._limits import StreamLimits

    if limits is None:
        return StreamLimits()
    if not isinstance(limits, StreamLimits):  # pyright: ignore[reportUnnecessaryIsInstance]
        raise ValidationError(400, f"stream_limits must be a StreamLimits, not a {type(limits).__name__}")
    return limits


def _variable(name: str) -> str | None:
    # A secret mounted from a file often ends in a line break.
    return os.environ.get(name, "").strip() or None


def _required(name: str) -> str:
    value = _variable(name)
    if value is None:
        raise ValidationError(400, f"the environment variable {name} is not set")
    return value
