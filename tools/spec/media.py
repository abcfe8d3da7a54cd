"""Kinds of media types: how the client sends and reads them."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Literal

__all__ = ["Kind", "bodies_to_send", "kind_of"]

Kind = Literal["json", "text", "bytes", "multipart", "form", "stream"]

_STREAMS = frozenset({"text/event-stream"})
_XML = frozenset({"application/xml", "application/yaml"})


def kind_of(media_type: str) -> Kind:
    """Return how a media type is sent and read."""
    name = media_type.partition(";")[0].strip().lower()
    if name == "application/json" or name.endswith("+json"):
        return "json"
    if name == "multipart/form-data":
        return "multipart"
    if name == "application/x-www-form-urlencoded":
        return "form"
    if name in _STREAMS:
        return "stream"
    if name.startswith("text/") or name in _XML or re.search(r"\+(xml|yaml)$", name):
        return "text"
    return "bytes"


def bodies_to_send(media_types: Iterable[str]) -> dict[Kind, str]:
    """Choose what the client sends where an operation takes several kinds.

    JSON says all that a urlencoded form or a text can; multipart beside it is for files.
    """
    kinds: dict[Kind, str] = {}
    for media_type in media_types:
        kinds.setdefault(kind_of(media_type), media_type)
    if "json" in kinds or "multipart" in kinds:
        kinds.pop("form", None)
    if "json" in kinds:
        kinds.pop("text", None)
    return kinds
