"""Read an untrusted OpenAPI document.

What leaves here is plain JSON, not large, that refers to nothing but itself: it can be handed to tools that
follow references or expand what is shared.
"""

from __future__ import annotations

import datetime
import json
import math
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

__all__ = ["MAX_BYTES", "Document", "SpecError", "parse", "pointer", "problems", "read", "resolve", "shown"]

MAX_BYTES = 2 * 1024 * 1024
MAX_DEPTH = 64
# What an alias stands for counts each time.
MAX_NODES = 200_000
MAX_TEXT = 20_000

# Invisible characters, and those that change the order in which text is displayed.
_DECEPTIVE = frozenset(
    map(
        chr,
        (0x061C, 0x200E, 0x200F, *range(0x202A, 0x202F), *range(0x2066, 0x206A), *range(0xE0000, 0xE0080)),
    )
)
# They change what a reference means, or name something outside.
_ELSEWHERE = frozenset(
    {
        "$anchor",
        "$dynamicAnchor",
        "$dynamicRef",
        "$id",
        "$recursiveRef",
        "$schema",
        "externalValue",
        "operationRef",
    }
)

Document = dict[str, Any]


class SpecError(Exception):
    """The document can't be used; the text says where, why, and how to mend it."""


def shown(text: object, limit: int = 120) -> str:
    """Make a text of the document fit for a terminal: one line, no control characters, not long."""
    plain = str(text).encode("unicode_escape").decode("ascii")
    return plain if len(plain) <= limit else f"{plain[: limit - 1]}…"


def pointer(*parts: object) -> str:
    """Write a JSON Pointer from its parts."""
    return "#/" + "/".join(str(part).replace("~", "~0").replace("/", "~1") for part in parts)


def read(path: Path, *, strict: bool = True) -> Document:
    """Read and check a document, YAML or JSON by its suffix.

    Args:
        path: The file.
        strict: Whether it has to be as this project writes specs; else any valid OpenAPI document will do.

    Raises:
        SpecError: It can't be read, or is not what can be used.
    """
    try:
        with path.open("rb") as file:
            content = file.read(MAX_BYTES + 1)
    except OSError as error:
        raise SpecError(f"{path}: {error.strerror}") from None
    return parse(content, str(path), is_json=path.suffix == ".json", strict=strict)


def parse(content: bytes, name: str, *, is_json: bool = False, strict: bool = True) -> Document:
    """Parse and check a document.

    Args:
        content: The text, in UTF-8.
        name: What to call it in errors.
        is_json: Whether it is JSON; else it is YAML, of which JSON is a part that parses slowly.
        strict: As in `read`.

    Raises:
        SpecError: It is not what can be used.
    """
    if len(content) > MAX_BYTES:
        raise SpecError(f"{name}: larger than {MAX_BYTES} bytes; is that the OpenAPI document?")
    try:
        text = content.decode("utf-8")
        # Both refuse a key that is there twice.
        raw = json.loads(text, object_pairs_hook=_once) if is_json else YAML(typ="safe").load(text)
    except RecursionError:
        raise SpecError(
            f"{name}: nested more than {MAX_DEPTH} deep; name the inner parts in components"
        ) from None
    except (YAMLError, ValueError, TypeError, ArithmeticError, LookupError) as error:
        # A tag such as !!int makes the parser raise whatever int() does.
        raise SpecError(f"{name}: {' '.join(str(error).split())[:500]}") from None
    if not isinstance(raw, dict):
        raise SpecError(f"{name}: no OpenAPI document, which is an object with `openapi`, `info` and `paths`")
    if not strict and not str(raw.get("openapi", "")).startswith("3."):
        raise SpecError(f"{name}: not OpenAPI 3.0 or 3.1; convert it first")
    document: Document = raw if strict else _as_json(raw, name)
    for problem in problems(document, strict=strict):
        raise SpecError(f"{name}: {problem}")
    return document


def _as_json(node: Any, name: str, depth: int = 0) -> Any:
    """Return what a reader of YAML means: keys are texts, and so are dates."""
    if depth > MAX_DEPTH:
        raise SpecError(f"{name}: nested more than {MAX_DEPTH} deep, or an alias within what it names")
    if isinstance(node, dict):
        return {
            key if isinstance(key, str) else json.dumps(key, default=str): _as_json(value, name, depth + 1)
            for key, value in node.items()
        }
    if isinstance(node, list):
        return [_as_json(item, name, depth + 1) for item in node]
    return node.isoformat() if isinstance(node, datetime.date) else node


def _once(pairs: list[tuple[str, Any]]) -> Document:
    found: Document = {}
    for key, value in pairs:
        if key in found:
            raise ValueError(f"the key {shown(key)!r} is there twice in one object; rename or drop one")
        found[key] = value
    return found


def problems(raw: Mapping[str, Any], *, strict: bool = True) -> Iterator[str]:
    """Yield what is wrong, the most basic things first; stop where the rest can't be checked."""
    references: list[tuple[tuple[object, ...], str]] = []
    nodes = 0
    todo: list[tuple[tuple[object, ...], Any]] = [((), raw)]
    while todo:
        where, value = todo.pop()
        nodes += 1
        if len(where) > MAX_DEPTH:
            start = shown(pointer(*where[:8]))
            yield f"{start}…: nested more than {MAX_DEPTH} deep, or an alias within what it names"
            return
        if nodes > MAX_NODES:
            yield f"more than {MAX_NODES} values, what aliases repeat counted each time; use $ref instead"
            return
        here = shown(pointer(*where))
        match value:
            case dict():
                for key, inner in value.items():
                    if not isinstance(key, str):
                        yield f"{here}: the key {shown(repr(key))} is no text; write it in quotes"
                    elif strict and (problem := _text_problem(key)):
                        yield f"{here}: the key {shown(key)!r} {problem}"
                    elif key == "$ref" and isinstance(inner, str):
                        references.append((where, inner))
                    elif strict and key in _ELSEWHERE and isinstance(inner, str):
                        yield f"{here}: {key} is not followed; drop it, and name what is shared in components"
                    todo.append(((*where, key), inner))
            case list():
                todo += [((*where, number), inner) for number, inner in enumerate(value)]
            case str():
                if strict and (problem := _text_problem(value)):
                    yield f"{here}: the text {problem}"
            case float() if not math.isfinite(value):
                yield f"{here}: {value} is no JSON; write a number"
            case None | bool() | int() | float():
                pass
            case _:
                kind = type(value).__name__
                yield f"{here}: a value of the type {kind}, which JSON doesn't have; write it in quotes"
    for where, reference in references:
        if problem := _reference_problem(raw, reference, strict=strict):
            yield f"{shown(pointer(*where))}: {problem}"


def _text_problem(text: str) -> str | None:
    if len(text) > MAX_TEXT:
        return f"has more than {MAX_TEXT} characters; shorten it"
    found = _DECEPTIVE.intersection(text)
    if found:
        code = f"U+{ord(min(found)):04X}"
        return f"has {code}, which hides or reorders text where it is read; take it out"
    if any("\ud800" <= character <= "\udfff" for character in text):
        return "has half a character (a surrogate); write the whole one"
    return None


def _reference_problem(raw: Mapping[str, Any], reference: str, *, strict: bool) -> str | None:
    seen: set[str] = set()
    while True:
        if not reference.startswith("#/components/"):
            said = shown(reference)
            if strict:
                return f"$ref to {said}: nothing outside `#/components/` is followed; copy it there"
            if not reference.startswith("#/"):
                return f"$ref to {said}: nothing outside the document is followed; bundle it into one file"
        if reference in seen:
            return f"$ref to {shown(reference)}: a $ref that leads to itself; say what it is"
        seen.add(reference)
        target = resolve(raw, reference)
        if not isinstance(target, Mapping) and (strict or not isinstance(target, bool)):
            return f"$ref to {shown(reference)}: Could not find reference; define it, or mend the name"
        if not isinstance(target, Mapping) or not isinstance(target.get("$ref"), str):
            return None
        reference = target["$ref"]


def resolve(raw: Mapping[str, Any], reference: str) -> Any:
    """Look up one local reference; None where it leads nowhere."""
    target: Any = raw
    for part in reference.removeprefix("#/").split("/"):
        name = unquote(part).replace("~1", "/").replace("~0", "~")
        if isinstance(target, Mapping):
            target = target.get(name)
        elif isinstance(target, list) and name.isdecimal() and int(name) < len(target):
            target = target[int(name)]
        else:
            return None
    return target
