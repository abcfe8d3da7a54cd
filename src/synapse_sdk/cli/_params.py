"""Values from the command line, as JSON where they are."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, cast

from ._exit import USAGE, CommandError

__all__ = ["assignments", "json_object", "read_text"]


def read_text(source: str, option: str) -> str:
    """Read a file, or stdin where it is "-".

    Raises:
        CommandError: It can't be read.
    """
    try:
        return sys.stdin.read() if source == "-" else Path(source).read_text(encoding="utf-8")
    except UnicodeDecodeError as exc:
        raise CommandError(f"{option}: {source} is no text in UTF-8", code=USAGE) from exc
    except OSError as exc:
        raise CommandError(f"{option}: {source} can't be read: {exc.strerror or exc}", code=USAGE) from exc


def json_object(text: str, option: str) -> dict[str, Any]:
    """Read a JSON object: the text itself, `@file`, or `-` for stdin.

    Raises:
        CommandError: It is none.
    """
    if text == "-" or text.startswith("@"):
        text = read_text(text.removeprefix("@"), option)
    try:
        value = json.loads(text)
    except ValueError as exc:
        raise CommandError(
            f"{option} is no JSON: {exc}", hint=f"{option} '{{\"epochs\": 3}}'", code=USAGE
        ) from exc
    if not isinstance(value, dict):
        raise CommandError(
            f"{option} must be a JSON object", hint=f"{option} '{{\"epochs\": 3}}'", code=USAGE
        )
    return cast("dict[str, Any]", value)


def assignments(words: Sequence[str], option: str) -> dict[str, Any]:
    """Read `name=value` words; a value that is JSON is taken as such, any other as text.

    Raises:
        CommandError: One has no `=`.
    """
    values: dict[str, Any] = {}
    for word in words:
        name, equals, text = word.partition("=")
        if not equals or not name:
            raise CommandError(f"{option} {word!r} is not name=value", hint="such as epochs=3", code=USAGE)
        try:
            values[name] = json.loads(text)
        except ValueError:
            values[name] = text
    return values
