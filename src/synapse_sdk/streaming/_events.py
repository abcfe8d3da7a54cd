"""What the messages of a log stream mean: JSON events, or bare text from agents that send no JSON."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any, NamedTuple, cast

__all__ = ["Complete", "Event", "Failed", "Text", "decode"]


class Text(NamedTuple):
    """Log text: `offset` counts log bytes through it; a `bare` message is a whole line by itself."""

    text: str
    offset: int | None = None
    bare: bool = False


class Complete(NamedTuple):
    """The log is whole and the job is over, in `status` where the agent says so."""

    status: str | None


class Failed(NamedTuple):
    """The agent says that the tail failed."""

    message: str
    status_code: int | None


Event = Text | Complete | Failed

_NO_TEXT = frozenset({"connected", "heartbeat"})


def decode(messages: Sequence[str]) -> list[Event]:
    """Give the events of `messages`, in order; those without meaning to a consumer are left out."""
    events: list[Event] = []
    for message, value in zip(messages, _load(messages), strict=True):
        event = _event(message, value)
        if event is not None:
            events.append(event)
    return events


def _load(messages: Sequence[str]) -> list[Any]:
    # One parse for all the messages of a read costs a fraction of one parse each. Text that is not an
    # object by itself could change the meaning of its neighbours, so all must at least look like one.
    if len(messages) > 1 and all(message[:1] == "{" and message[-1:] == "}" for message in messages):
        try:
            values = json.loads(f"[{','.join(messages)}]")
        except (ValueError, RecursionError):
            pass
        else:
            if len(values) == len(messages):
                return cast("list[Any]", values)
    return [_load_one(message) for message in messages]


def _load_one(message: str) -> Any:
    try:
        return json.loads(message)
    except (ValueError, RecursionError):
        return None


def _event(message: str, value: Any) -> Event | None:
    if not isinstance(value, dict):
        return Text(message, bare=True)
    event = cast("dict[str, Any]", value)
    kind = event.get("type", "log")
    if kind == "complete":
        status = event.get("status")
        return Complete(status if isinstance(status, str) else None)
    if kind == "error":
        code = event.get("status_code")
        valid = isinstance(code, int) and not isinstance(code, bool) and 400 <= code <= 599
        return Failed(_text(event.get("message")) or "the agent gave no reason", code if valid else None)
    if isinstance(kind, str) and kind in _NO_TEXT:
        return None
    text = _text(event.get("message"))
    if text is None:
        return None
    offset = event.get("offset")
    if type(offset) is not int or offset < 0:
        offset = None
    return Text(text, offset)


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
