"""Masking of secrets in answers and messages."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any, cast

__all__ = ["hide", "is_secret", "redact"]

_SECRET = re.compile(
    r"TOKEN|SECRET|PASSW|PASSPHRASE|PASSCODE|PWD|CREDENTIAL|TENANT|AUTH(?!OR(?!I))|BEARER|JWT|COOKIE|SIGNATURE"
    r"|DSN|CONN(ECTION)?_?STR|WEBHOOK|CERT(?!_FILE|_DIR)|(API|ACCESS|PRIVATE|SIGNING|ENCRYPTION)_?KEY"
    r"|(?<![A-Z0-9])(KEYS?|PASS|PAT|SAS|SALT|PEM|CREDS?)(?![A-Z])"
    # The parameters of an action may have any secret in them.
    r"|ACTION_PARAMS(?!_FILE)",
    re.IGNORECASE,
)
# The user and password in a URL, such as that of a package index.
_URL_SECRET = re.compile(r"(?<=://)[^/?#\s]+(?=@)")
_MASK = "***"

# Shorter values are not secrets, and masking them would garble the text.
_LEAST = 4


def is_secret(name: str) -> bool:
    """Return whether a variable of that name holds a secret."""
    return _SECRET.search(name) is not None


def hide(text: str, secrets: Iterable[str]) -> str:
    """Return the output of another program as one printable line, with every secret in it masked."""
    for secret in sorted(set(secrets), key=len, reverse=True):
        if len(secret) >= _LEAST:
            text = text.replace(secret, _MASK)
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())


def redact(value: Any) -> Any:
    """Return a copy without secrets: in `env_vars` by their names, and in URLs."""
    if isinstance(value, str):
        return _URL_SECRET.sub(_MASK, value)
    if isinstance(value, list):
        return [redact(item) for item in cast("Iterable[Any]", value)]
    if not isinstance(value, dict):
        return value
    copy: dict[str, Any] = {}
    for key, item in cast("dict[str, Any]", value).items():
        if key == "env_vars" and isinstance(item, dict):
            pairs = cast("dict[str, Any]", item).items()
            copy[key] = {name: _MASK if is_secret(name) else redact(text) for name, text in pairs}
        else:
            copy[key] = redact(item)
    return copy
