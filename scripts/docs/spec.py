"""Functions for pages that are made from a spec."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).resolve().parents[2]


@cache
def load(name: str) -> dict[str, Any]:
    """Read a document of spec/."""
    document: dict[str, Any] = yaml.safe_load((ROOT / "spec" / name).read_text())
    return document


def resolve(document: dict[str, Any], node: Any) -> Any:
    """Follow a `$ref` within the document."""
    while isinstance(node, dict) and "$ref" in node:
        found: Any = document
        for part in node["$ref"].removeprefix("#/").split("/"):
            found = found[part]
        node = found
    return node


def type_of(schema: dict[str, Any]) -> str:
    """Return a schema's type as Markdown; a named schema links to its heading on the same page."""
    if "$ref" in schema:
        name = schema["$ref"].rpartition("/")[2]
        return f"[{name}](#{anchor(name)})"
    if "const" in schema:
        return code(schema["const"])
    for key in ("oneOf", "anyOf"):
        if key in schema:
            return " or ".join(type_of(one) for one in schema[key])
    if "allOf" in schema:
        return " and ".join(type_of(one) for one in schema["allOf"])
    kind = schema.get("type", "any value")
    if isinstance(kind, list):
        return " or ".join(kind)
    if kind == "array":
        return f"array of {type_of(schema.get('items', {}))}"
    if kind == "object":
        values = schema.get("additionalProperties")
        return f"object of {type_of(values)}" if isinstance(values, dict) and values else "object"
    return str(kind) if "format" not in schema else f"{kind} ({schema['format']})"


def constraints(schema: dict[str, Any]) -> str:
    """Return the limits of a schema's values as text."""
    words = [
        f"{text} {code(schema[key])}"
        for key, text in (
            ("default", "default"),
            ("minimum", "at least"),
            ("maximum", "at most"),
            ("pattern", "matches"),
        )
        if key in schema
    ]
    return ", ".join(words)


def properties(document: dict[str, Any], schema: dict[str, Any]) -> list[str]:
    """Return an object's properties as a table."""
    rows: list[tuple[str, str, str]] = []
    for part in [schema, *(resolve(document, one) for one in schema.get("allOf", ()))]:
        required = set(part.get("required", ()))
        for name, value in part.get("properties", {}).items():
            mark = "" if name in required else " *"
            text = value.get("description") or resolve(document, value).get("description", "")
            limits = constraints(value)
            rows.append((f"`{name}`{mark}", type_of(value), cell(text) + (f" ({limits})" if limits else "")))
    if not rows:
        return []
    lines = ["| property | type | |", "|---|---|---|", *(f"| {' | '.join(row)} |" for row in rows), ""]
    if any(row[0].endswith(" *") for row in rows):
        lines += ["\\* may be absent", ""]
    return lines


def anchor(name: str) -> str:
    """Return the id of a heading of one word."""
    return name.lower()


def cell(text: object) -> str:
    """Make a text fit into a cell of a table."""
    return " ".join(str(text).split()).replace("|", "\\|")


def code(value: object) -> str:
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return f"`{text}`".replace("|", "\\|")


def header(title: str, description: str, *, source: str) -> list[str]:
    """Begin a generated page."""
    return [
        "---",
        f"description: {json.dumps(description)}",
        "---",
        "",
        f"<!-- Written by scripts/docs from {source}: change that. -->",
        "",
        f"# {title}",
        "",
    ]
