"""The agent's OpenAPI document as an HTML page without scripts or external resources."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from html import escape
from typing import Any

__all__ = ["page"]

_STYLE = """
body { font: 16px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem; }
code, pre { font: 0.9em ui-monospace, monospace; background: #8882; border-radius: 3px; padding: 0 0.2em; }
pre { overflow: auto; padding: 0.5em; }
table { border-collapse: collapse; }
td { border-top: 1px solid #8884; padding: 0.2em 1em 0.2em 0; vertical-align: top; }
summary { cursor: pointer; }
:root { color-scheme: light dark; }
"""
_METHODS = ("get", "post", "put", "patch", "delete")

_Raw = Mapping[str, Any]


def page(document: _Raw) -> str:
    """Return the page for a document whose references are all internal."""
    info = document["info"]
    title = f"{info['title']} {info['version']}"
    parts = [
        f'<!doctype html>\n<html lang="en"><meta charset="utf-8"><title>{escape(title)}</title>',
        f"<style>{_STYLE}</style>",
        f"<h1>{escape(title)}</h1>",
        *_paragraphs(info.get("description", "")),
        '<p>For programs: <a href="../openapi.json">openapi.json</a>, which needs the agent\'s token.</p>',
    ]
    for tag in document["tags"]:
        parts += [f"<h2>{escape(tag['name'])}</h2>", *_paragraphs(tag.get("description", ""))]
        for path, item in document["paths"].items():
            for method in _METHODS:
                if tag["name"] in item.get(method, {}).get("tags", ()):
                    parts += _operation(document, f"{method.upper()} {path}", item, item[method])
    parts.append("<h2>Schemas</h2>")
    for name, schema in sorted(document["components"]["schemas"].items()):
        text = json.dumps(schema, indent=2, ensure_ascii=False)
        parts.append(
            f'<details id="{escape(name)}"><summary><code>{escape(name)}</code></summary>'
            f"<pre>{_REFERENCE.sub(_link, escape(text, quote=False))}</pre></details>"
        )
    return "\n".join(parts) + "\n"


def _operation(document: _Raw, heading: str, item: _Raw, operation: _Raw) -> Iterator[str]:
    name = escape(operation["operationId"])
    yield f'<details id="{name}"><summary><code>{escape(heading)}</code>'
    yield f"{escape(operation['summary'])}</summary>"
    yield from _paragraphs(operation.get("description", ""))
    parameters = [
        _resolve(document, one) for one in (*item.get("parameters", ()), *operation.get("parameters", ()))
    ]
    yield from _table(
        (
            f"<code>{escape(one['name'])}</code>, in the {escape(one['in'])}",
            _type(one["schema"]),
            one.get("description", ""),
        )
        for one in parameters
    )
    for media, content in operation.get("requestBody", {}).get("content", {}).items():
        yield f"<p>Body, <code>{escape(media)}</code>: {_type(content['schema'])}</p>"
    rows: list[tuple[str, str, str]] = []
    for status, answer in operation["responses"].items():
        answer = _resolve(document, answer)
        bodies = [_type(content.get("schema", {})) for content in answer.get("content", {}).values()]
        rows.append((escape(status), ", ".join(bodies), answer["description"]))
    yield from _table(rows)
    yield "</details>"


def _table(rows: Iterable[tuple[str, str, str]]) -> Iterator[str]:
    lines = [f"<tr><td>{first}<td>{kind}<td>{_inline(words)}" for first, kind, words in rows]
    if lines:
        yield "<table>" + "\n".join(lines) + "</table>"


def _resolve(document: _Raw, node: _Raw) -> _Raw:
    while "$ref" in node:
        found: Any = document
        for part in str(node["$ref"]).removeprefix("#/").split("/"):
            found = found[part]
        node = found
    return node


def _type(schema: _Raw) -> str:
    if "$ref" in schema:
        name = escape(str(schema["$ref"]).rpartition("/")[2])
        return f'<a href="#{name}">{name}</a>'
    for key in ("oneOf", "anyOf", "allOf"):
        if key in schema:
            return (" and " if key == "allOf" else " or ").join(map(_type, schema[key]))
    kind = schema.get("type", "any value")
    if kind == "array":
        return f"array of {_type(schema.get('items', {}))}"
    return escape(kind if isinstance(kind, str) else " or ".join(kind))


def _paragraphs(text: str) -> Iterator[str]:
    for part in text.strip().split("\n\n"):
        if part:
            yield f"<p>{_inline(part)}</p>"


def _inline(text: str) -> str:
    return re.sub("`([^`]+)`", r"<code>\1</code>", escape(text))


_REFERENCE = re.compile(r'"#/components/schemas/(\w+)"')


def _link(found: re.Match[str]) -> str:
    return f'"<a href="#{found[1]}">{found[1]}</a>"'
