"""Encode query parameters, form fields, JSON bodies and files for a request."""

from __future__ import annotations

import json
import os
import secrets
from collections.abc import Mapping
from datetime import date
from enum import Enum
from typing import Any, BinaryIO, cast
from urllib.parse import urlencode

from synapse_agent_api.client import NO_BODY

from .._exceptions import ValidationError
from .._http._errors import is_json_type

__all__ = [
    "RawBody",
    "empty_multipart",
    "encode_body",
    "encode_files",
    "encode_form",
    "encode_json",
    "encode_query",
    "encode_text",
    "open_file",
]


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
        params.extend((name, encode_text(item, name)) for item in items if item is not None)
    return params or None


def encode_form(body: object) -> list[tuple[str, str]]:
    """Return the fields of a form as text: one pair for each item of a list; mappings become JSON."""
    if body is NO_BODY or body is None:
        return []
    return [
        (name, encode_json(item).decode() if _is_structured(item) else encode_text(item, name))
        for name, value in cast("Mapping[str, object]", body).items()
        for item in (cast("list[object]", value) if isinstance(value, (list, tuple)) else [value])
        if item is not None
    ]


def encode_body(body: object, content_type: str, opened: list[BinaryIO]) -> bytes:
    """Return a body as its content type asks: JSON, a urlencoded form, or a text or a file as it is."""
    kind = content_type.partition(";")[0]
    if is_json_type(kind):
        return encode_json(body)
    if kind == "application/x-www-form-urlencoded":
        return urlencode(encode_form(body)).encode()
    if "charset" in content_type:
        if not isinstance(body, str):
            raise ValidationError(400, "body must be a string")
        return encode_text(body, "body").encode()
    # Read at once, because a second try sends it again.
    file = open_file(body, "body", opened)
    content = file if isinstance(file, bytes) else cast("Any", file).read()
    if not isinstance(content, bytes):
        raise ValidationError(400, "body must be a path, bytes or a binary file")
    return content


def encode_files(files: Mapping[str, object], opened: list[BinaryIO]) -> list[tuple[str, Any]]:
    """Return files for httpx: one pair for each item of a list."""
    return [
        (name, open_file(file, name, opened))
        for name, value in files.items()
        for file in (cast("list[object]", value) if isinstance(value, list) else [value])
    ]


def empty_multipart() -> tuple[bytes, str]:
    """Return the body and the content type of a multipart form without a field."""
    boundary = secrets.token_hex(16)
    return f"--{boundary}--\r\n".encode(), f"multipart/form-data; boundary={boundary}"


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


def encode_text(value: object, name: str) -> str:
    """Return a parameter or a field as text."""
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
