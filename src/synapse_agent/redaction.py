"""Secrets that a job was given stay out of what is told about it."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any, cast

__all__ = ["hide", "is_secret", "redact"]

_SECRET = re.compile(
    r"TOKEN|SECRET|PASSWORD|PASSWD|CREDENTIAL|API_?KEY|ACCESS_?KEY|PRIVATE_?KEY|TENANT", re.IGNORECASE
)
_MASK = "***"

# A shorter value is no secret, and masking it would garble the text.
_LEAST = 4


def is_secret(name: str) -> bool:
    """Whether a variable of that name holds a secret."""
    return _SECRET.search(name) is not None


def hide(text: str, secrets: Iterable[str]) -> str:
    """A text of a program that is not ours as one printable line, with every secret in it masked."""
    for secret in sorted(set(secrets), key=len, reverse=True):
        if len(secret) >= _LEAST:
            text = text.replace(secret, _MASK)
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())


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
            copy[key] = {name: _MASK if is_secret(name) else text for name, text in pairs}
        else:
            copy[key] = redact(item)
    return copy
