"""Decode the messages of a log stream: JSON events, or plain text from agents that send no JSON."""

from __future__ import annotations

import json
import math
import os
from collections.abc import Sequence
from typing import Any, NamedTuple, cast

__all__ = [
    "Batch",
    "Complete",
    "Connected",
    "Event",
    "Failed",
    "Text",
    "arrival_time",
    "decode",
    "load_objects",
]


class Text(NamedTuple):
    """Log text.

    Attributes:
        text: The text.
        offset: Log bytes up to and including it, if the agent says so.
        whole: True for a line by itself, False for text with its own newlines, None if the agent's other
            messages have to show which of the two it is.
    """

    text: str
    offset: int | None = None
    whole: bool | None = None
    time: float | None = None


class Connected(NamedTuple):
    """The tail is attached; `offset` is where it begins, if the agent knows parts of logs."""

    offset: int | None


class Complete(NamedTuple):
    """The log is whole and the job is over, in `status` where the agent says so."""

    status: str | None


class Failed(NamedTuple):
    """The agent says that the tail failed."""

    message: str
    status_code: int | None


Event = Text | Connected | Complete | Failed

# json.loads without white space around the value.
_raw_decode = json.JSONDecoder().raw_decode
# Bytes of a message above which its own parse costs less than to copy it together with others.
_LONG = 1_000
# Put between messages that are parsed together. It is random, so no message contains it: where it comes out
# between the values again, each message is JSON by itself, not only together with its neighbours.
_MARK = os.urandom(4).hex()
_SEPARATOR = f',"{_MARK}",'.encode()


class Batch(NamedTuple):
    """Messages that came together.

    Attributes:
        objects: The messages, if all of them are JSON objects.
        texts: The messages otherwise.
        plain: Whether `texts` are pieces of a plain log, which has no events.
    """

    objects: list[dict[str, Any]] | None
    texts: Sequence[str] = ()
    plain: bool = False


def decode(batch: Batch) -> list[Event]:
    """Return the events of some messages, in order; events without meaning to a consumer are left out."""
    if batch.plain:
        return [Text(text, whole=False) for text in batch.texts]
    if batch.objects is not None:
        events = [_event("", value) for value in batch.objects]
    else:
        events = [_event(text, _load(text)) for text in batch.texts]
    return [event for event in events if event is not None]


def load_objects(payloads: list[bytes]) -> list[dict[str, Any]] | None:
    """Return the JSON objects that some messages are, or None unless each is one.

    One parse for all the messages of a read costs a fraction of one parse each, as long as they are short.
    """
    if len(payloads) == 1:
        value = _load_object(payloads[0])
        return None if value is None else [value]
    values: list[Any]
    if len(payloads[0]) > _LONG:  # the others are most likely, too
        values = list(map(_load_object, payloads))
    else:
        try:
            text = f"[{_SEPARATOR.join(payloads).decode()}]"
            values, end = _raw_decode(text)
        except (ValueError, RecursionError):
            return None
        count = len(payloads)
        if end != len(text) or len(values) != 2 * count - 1 or values[1::2].count(_MARK) != count - 1:
            return None
        values = values[::2]
    return values if set(map(type, values)) == {dict} else None


def _load_object(payload: bytes) -> dict[str, Any] | None:
    try:
        text = payload.decode()
        value, end = _raw_decode(text)
    except (ValueError, RecursionError):
        return None
    # The white space that JSON knows; str.isspace() knows more.
    if type(value) is dict and (end == len(text) or not text[end:].strip(" \t\n\r")):
        return cast("dict[str, Any]", value)
    return None


def _load(message: str) -> Any:
    try:
        return json.loads(message)
    except (ValueError, RecursionError):
        return None


def _event(message: str, value: Any) -> Event | None:
    if not isinstance(value, dict):
        return Text(message, whole=True)
    event = cast("dict[str, Any]", value)
    kind = event.get("type", "log")
    if kind == "log":
        return _log_text(event)
    if kind == "complete":
        status = event.get("status")
        return Complete(status if isinstance(status, str) else None)
    if kind == "error":
        code = event.get("status_code")
        valid = isinstance(code, int) and not isinstance(code, bool) and 400 <= code <= 599
        return Failed(_text(event.get("message")) or "the agent gave no reason", code if valid else None)
    if kind == "connected":
        return Connected(_offset(event))
    if kind == "heartbeat":
        return None
    return _log_text(event)


def _log_text(event: dict[str, Any]) -> Text | None:
    text = _text(event.get("message"))
    if text is None:
        return None
    return Text(text, _offset(event), time=arrival_time(event.get("time")))


def arrival_time(value: Any) -> float | None:
    """Return the time in an event, or None if it is not a time."""
    return value if type(value) in (int, float) and 0 <= value < math.inf else None


def _offset(event: dict[str, Any]) -> int | None:
    offset = event.get("offset")
    return offset if type(offset) is int and offset >= 0 else None


def _text(value: Any) -> str | None:
    if value is None:
        return None
    if not isinstance(value, str):
        return json.dumps(value)
    if not value.isascii():
        try:
            value.encode()
        except UnicodeEncodeError:
            # JSON can spell half a surrogate pair; no consumer could print or store it.
            return value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return value
