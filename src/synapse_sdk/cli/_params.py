"""Values that are given on the command line, in files or on stdin."""

from __future__ import annotations

import math
import sys
from collections.abc import Sequence
from typing import Any, cast

import click

from ._exit import USAGE, CommandError

__all__ = ["Number", "assignments", "json_object", "read_text"]


class Number(click.FloatRange):
    """A finite number in a range; click also accepts nan, which is in every range."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """Return the number."""
        number = float(super().convert(value, param, ctx))
        if not math.isfinite(number):
            self.fail(f"{value!r} is not a finite number.", param, ctx)
        return number


def read_text(source: str, option: str, *, first_line: bool = False) -> str:
    """Return the text of a file, or of stdin where `source` is "-".

    Args:
        source: The file's path, or "-".
        option: The option to name in an error.
        first_line: Read only one line of stdin.

    Raises:
        CommandError: It can't be read, or stdin is empty.
    """
    name = "stdin" if source == "-" else source
    try:
        if source != "-":
            with open(source, encoding="utf-8") as file:  # noqa: PTH123
                return file.read()
        text = sys.stdin.readline() if first_line else sys.stdin.read()
    except UnicodeDecodeError as exc:
        raise CommandError(f"{option}: {name} is not UTF-8 text", code=USAGE) from exc
    except OSError as exc:
        raise CommandError(f"{option}: {name} can't be read: {exc.strerror or exc}", code=USAGE) from exc
    if not text:
        raise CommandError(f"{option}: stdin is empty or closed", code=USAGE)
    return text


def json_object(text: str, option: str) -> dict[str, Any]:
    """Return a JSON object, given as text, as `@file`, or as `-` for stdin.

    Raises:
        CommandError: It is not a JSON object, or can't be read.
    """
    import json

    if text == "-" or text.startswith("@"):
        text = read_text(text.removeprefix("@"), option)
    try:
        value = json.loads(text)
    except ValueError as exc:
        raise CommandError(
            f"{option} is not JSON: {exc}", hint=f"{option} '{{\"epochs\": 3}}'", code=USAGE
        ) from exc
    if not isinstance(value, dict):
        raise CommandError(
            f"{option} must be a JSON object", hint=f"{option} '{{\"epochs\": 3}}'", code=USAGE
        )
    return cast("dict[str, Any]", value)


def assignments(words: Sequence[str], option: str) -> dict[str, Any]:
    """Return the values of `name=value` words: JSON where they are JSON, else text.

    Raises:
        CommandError: One has no `=`.
    """
    import json

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
