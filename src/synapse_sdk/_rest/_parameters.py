"""Encode header and cookie parameters for a request."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from .._exceptions import ValidationError
from ._encoding import encode_text

if TYPE_CHECKING:
    from synapse_agent_api.client import Arguments

__all__ = ["parameter_headers"]

# The characters that RFC 6265 allows in a value, and the comma and the space, which servers accept.
_COOKIE_VALUE = re.compile(r"[!#-+,./0-:<-\[\]-~ -]*")


def parameter_headers(arguments: Arguments) -> dict[str, str]:
    """Return the headers that carry header and cookie parameters.

    Raises:
        ValidationError: 400, a value can't be sent.
    """
    headers = {name: encode_text(value, name) for name, value in arguments.headers.items()}
    cookies = {name: encode_text(value, name) for name, value in arguments.cookies.items()}
    for name, value in cookies.items():
        if not _COOKIE_VALUE.fullmatch(value):
            raise ValidationError(400, f"the cookie {name} has a value that can't be sent")
    if cookies:
        headers["Cookie"] = "; ".join(f"{name}={value}" for name, value in cookies.items())
    return headers
