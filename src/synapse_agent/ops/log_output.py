"""The agent's log on standard error, as text or as one JSON object a line."""

from __future__ import annotations

import json
import logging
from collections.abc import Generator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any, cast

from aiohttp import web
from aiohttp.http_exceptions import HttpProcessingError

from ..http.current import current_request
from ..process import write_error

__all__ = ["configure_logging"]


@contextmanager
def configure_logging(format_: str, level: str) -> Generator[None]:
    """Write the log to standard error while the context is open.

    Args:
        format_: `text` or `json`.
        level: The least level that is written: `debug`, `info`, `warning` or `error`.
    """
    handler = _StandardError()
    handler.setFormatter(_Json() if format_ == "json" else _Text())
    handler.addFilter(_without_bad_requests)
    root, ours = logging.getLogger(), logging.getLogger("synapse_agent")
    before = ours.level
    root.addHandler(handler)
    ours.setLevel(level.upper())  # libraries keep theirs, which is warning
    try:
        yield
    finally:
        root.removeHandler(handler)
        ours.setLevel(before)


class _StandardError(logging.Handler):
    def emit(self, record: logging.LogRecord) -> None:
        write_error(f"{self.format(record)}\n")


def _without_bad_requests(record: logging.LogRecord) -> bool:
    """Drop what aiohttp says about requests that are not HTTP: their senders must not fill the log."""
    error = record.exc_info[1] if record.exc_info else None
    theirs = isinstance(error, HttpProcessingError | web.RequestPayloadError | ConnectionError)
    return not (theirs and record.name.startswith("aiohttp."))


def _fields(record: logging.LogRecord) -> dict[str, object]:
    fields = cast("dict[str, object]", getattr(record, "fields", {}))
    present = {name: value for name, value in fields.items() if value is not None}
    info = current_request()
    return present if info is None else present | {"request_id": info.id}


def _common(record: logging.LogRecord) -> dict[str, Any]:
    return {
        "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
        "level": record.levelname.lower(),
        "logger": record.name.removeprefix("synapse_agent."),
        "message": record.getMessage(),
    }


class _Json(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        line = _common(record) | _fields(record)
        if record.exc_info:
            line["traceback"] = self.formatException(record.exc_info)
        return json.dumps(line, default=str)


class _Text(logging.Formatter):
    """`time level logger: message name=value …`; a traceback follows on lines of its own."""

    def format(self, record: logging.LogRecord) -> str:
        common = _common(record)
        words = [common["message"], *(f"{name}={_value(value)}" for name, value in _fields(record).items())]
        line = f"{common['time']} {common['level']} {common['logger']}: {_one_line(' '.join(words))}"
        return f"{line}\n{self.formatException(record.exc_info)}" if record.exc_info else line


def _value(value: object) -> str:
    text = str(value)
    return json.dumps(text) if not text or " " in text or '"' in text or "=" in text else text


def _one_line(text: str) -> str:
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)
