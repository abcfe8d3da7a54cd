"""Encode query parameters, form fields, JSON bodies and files for a request."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from datetime import date
from enum import Enum
from typing import Any, BinaryIO, cast

from synapse_agent_api.client import NO_BODY

from .._exceptions import ValidationError

__all__ = ["RawBody", "encode_form", "encode_json", "encode_query", "open_file"]


class RawBody:
    """A body that is sent unchanged."""

    __slots__ = ("content", "content_type")

    def __init__(self, content: bytes, content_type: str) -> None:
        self.content = content
        self.content_type = content_type


def encode_query(query: Mapping[str, object]) -> list[tuple[str, Any]] | None:
    """Return query parameters as text: one pair for each item of a list, none for None."""
    params: list[tuple[str, Any]] = []
    for name, value in query.items():
        if isinstance(value, Mapping):
            # Metadata may be given as the mapping that a job has.
            value = [f"{key}={item}" for key, item in cast("Mapping[object, object]", value).items()]
        items = cast("list[object]", value) if isinstance(value, (list, tuple)) else [value]
        params.extend((name, _text(item, name)) for item in items if item is not None)
    return params or None


def encode_form(body: object) -> dict[str, Any]:
    """Return the form fields beside a file as text; lists and mappings become JSON."""
    if body is NO_BODY or body is None:
        return {}
    return {
        name: encode_json(value).decode() if _is_structured(value) else _text(value, name)
        for name, value in cast("Mapping[str, object]", body).items()
        if value is not None
    }


def encode_json(body: object) -> bytes:
    """Return a body as JSON."""
    try:
        text = json.dumps(body, ensure_ascii=False, allow_nan=False, separators=(",", ":"), default=_jsonable)
        return text.encode()
    except UnicodeEncodeError as exc:
        raise ValidationError(400, "the body has a character that can't be sent") from exc
    except RecursionError as exc:
        raise ValidationError(400, "the body is nested too deeply") from exc
    except (TypeError, ValueError) as exc:
        raise ValidationError(400, f"the body can't be sent as JSON: {exc}") from exc


def open_file(file: object, name: str, opened: list[BinaryIO]) -> object:
    """Return what httpx takes as a file; a path is opened and added to `opened`."""
    if isinstance(file, (bytes, tuple)) or hasattr(file, "read"):
        return file  # pyright: ignore[reportUnknownVariableType]
    if not isinstance(file, (str, os.PathLike)):
        raise ValidationError(400, f"{name} must be a path, bytes or a binary file")
    path = cast("str | os.PathLike[str]", file)
    try:
        opened.append(open(path, "rb"))  # noqa: SIM115, PTH123 - the caller closes it after the last try
    except (OSError, ValueError) as exc:
        raise ValidationError(400, f"{name} can't be read: {exc}") from exc
    return opened[-1]


def _is_structured(value: object) -> bool:
    return isinstance(value, (list, tuple, Mapping))


def _text(value: object, name: str) -> str:
    if isinstance(value, Enum):
        value = value.value
    if isinstance(value, bool):
        return "true" if value else "false"
    text = str(value.isoformat() if isinstance(value, date) else value)
    try:
        text.encode()
    except UnicodeEncodeError as exc:
        raise ValidationError(400, f"{name} has a character that can't be sent") from exc
    return text


def _jsonable(value: Any) -> object:
    if isinstance(value, Mapping):
        return dict(cast("Mapping[str, object]", value))
    if isinstance(value, date):
        return value.isoformat()
    raise TypeError(f"a {type(value).__name__} has no JSON")
