"""The limits of a log stream."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Literal, get_args

from ._exceptions import ValidationError
from ._validation import shown

__all__ = ["OnOversize", "StreamLimits"]

OnOversize = Literal["truncate", "skip", "error"]


@dataclass(frozen=True, slots=True, kw_only=True)
class StreamLimits:
    """The limits of one log stream. Immutable; `dataclasses.replace` returns a changed copy.

    `None` removes a limit, except `max_message_size`, which bounds memory.

    Attributes:
        max_messages: Maximum number of WebSocket messages in one tail.
        max_lines: Maximum number of lines in one tail over HTTP.
        max_bytes: Maximum number of decoded log bytes in one tail, over either protocol.
        max_message_size: Maximum size of one log line in bytes.
        queue_size: Maximum number of lines that are buffered for a slow consumer where a tail reads ahead.
        on_oversize: Handling of a line over `max_message_size`: "truncate" keeps its first bytes and
            marks the cut, "skip" drops it and counts it, "error" raises.

    Raises:
        ValidationError: 400, for a value that is zero, negative or not an integer.

    Example:
        >>> StreamLimits(max_lines=1_000).max_lines
        1000
        >>> StreamLimits.unlimited().max_bytes is None
        True
    """

    max_messages: int | None = 10_000
    max_lines: int | None = 50_000
    max_bytes: int | None = 50 * 1024 * 1024
    max_message_size: int = 10_240
    queue_size: int | None = 1_000
    on_oversize: OnOversize = "truncate"

    def __post_init__(self) -> None:
        for field in fields(self):
            value: object = getattr(self, field.name)
            if field.name == "on_oversize":
                if not isinstance(value, str) or value not in get_args(OnOversize):
                    raise ValidationError(
                        400, f"on_oversize must be 'truncate', 'skip' or 'error', not {shown(value)}"
                    )
            elif value is None and field.name != "max_message_size":
                continue
            elif isinstance(value, bool) or not isinstance(value, int) or value < 1:
                none = "" if field.name == "max_message_size" else " or None"
                raise ValidationError(
                    400, f"{field.name} must be a positive integer{none}, not {shown(value)}"
                )

    @classmethod
    def unlimited(cls) -> StreamLimits:
        """Return limits without totals: no limit of messages, lines and bytes, only the limit of a line.

        Example:
            >>> StreamLimits.unlimited().max_message_size
            10240
        """
        return cls(max_messages=None, max_lines=None, max_bytes=None)


# Pickles name the public module.
StreamLimits.__module__ = "synapse_sdk.utils.network"
