"""Write texts of the spec as Python literals and docstrings."""

from __future__ import annotations

import ast
import re
import textwrap
from collections.abc import Iterable

from openapi_python_client.schema.untrusted_string import UntrustedString
from openapi_python_client.strings import in_double_quote_literal, safe_for_docstring

from .errors import GenerationError

__all__ = [
    "LINE_LENGTH",
    "docstring",
    "literal",
    "paragraphs",
    "plain",
    "section",
    "sentence",
    "uncapitalised",
    "wrapped",
]

LINE_LENGTH = 110


def plain(text: object) -> str:
    """Unwrap a string of the spec."""
    if isinstance(text, UntrustedString):
        return text.get_untrusted_value()
    return text if isinstance(text, str) else ""


def literal(value: object) -> str:
    """Write a scalar of the spec as Python code."""
    if value is None or isinstance(value, bool | int | float):
        return repr(value)
    if not isinstance(value, str):
        raise GenerationError(f"no literal for {value!r}")
    quoted = f'"{in_double_quote_literal(value)}"'
    # The stock filter drops control characters.
    return quoted if ast.literal_eval(quoted) == value else ascii(value)


def wrapped(text: str, indent: int, *, first: str = "", hang: int = 0) -> str:
    """Wrap one paragraph of a docstring; `hang` is what later lines are indented by."""
    lines = textwrap.wrap(
        safe_for_docstring(first + text),
        width=LINE_LENGTH - indent,
        subsequent_indent=" " * hang,
        break_long_words=False,
        break_on_hyphens=False,
    )
    return "\n".join(lines)


def paragraphs(text: str, indent: int) -> str:
    """Wrap a text that may have paragraphs and lists."""
    done: list[str] = []
    for paragraph in re.split(r"\n\s*\n", text.strip()):
        items = re.split(r"\n(?=\s*[-*] )", paragraph)
        done.append(
            "\n".join(wrapped(i.strip(), indent, hang=2 if i.lstrip()[:2] == "- " else 0) for i in items)
        )
    return "\n\n".join(part for part in done if part)


def sentence(text: str) -> str:
    """End a phrase as a sentence."""
    text = text.strip()
    return text if not text or text[-1] in ".!?:" else text + "."


def docstring(parts: Iterable[str], indent: int) -> str:
    """Join a docstring's parts, indented for where it goes."""
    text = "\n\n".join(part for part in parts if part)
    # A quote in front would make four of the three that open the docstring.
    if text.startswith('"'):
        text = "\\" + text
    return textwrap.indent(text, " " * indent).strip()


def section(title: str, entries: Iterable[tuple[str, str]], indent: int) -> str:
    """Write one section of a Google style docstring; entries without text are left out."""
    lines = [
        textwrap.indent(
            wrapped(text, indent + 4, first=f"{name}: " if name else "", hang=4 if name else 0), "    "
        )
        for name, text in entries
        if text.strip()
    ]
    return "\n".join([f"{title}:", *lines]) if lines else ""


def uncapitalised(text: str) -> str:
    """Let a sentence go on from a comma; names and abbreviations keep their capital."""
    first = text.split(maxsplit=1)[0] if text.strip() else ""
    return text[:1].lower() + text[1:] if first[1:].islower() or len(first) == 1 else text
