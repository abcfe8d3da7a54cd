"""Secrets that a job was given stay out of what is told about it."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any, cast

__all__ = ["redact"]

_SECRET = re.compile(
    r"TOKEN|SECRET|PASSWORD|PASSWD|CREDENTIAL|API_?KEY|ACCESS_?KEY|PRIVATE_?KEY|TENANT", re.IGNORECASE
)
_MASK = "***"


def redact(value: Any) -> Any:
    """A copy in which every `env_vars` entry that is named like a secret is masked."""
    if isinstance(value, list):
        return [redact(item) for item in cast("Iterable[Any]", value)]
    if not isinstance(value, dict):
        return value
    copy: dict[str, Any] = {}
    for key, item in cast("dict[str, Any]", value).items():
        if key == "env_vars" and isinstance(item, dict):
            pairs = cast("dict[str, Any]", item).items()
            copy[key] = {name: _MASK if _SECRET.search(name) else text for name, text in pairs}
        else:
            copy[key] = redact(item)
    return copy
