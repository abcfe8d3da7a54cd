"""The rules without which the generated code would be wrong."""

from __future__ import annotations

import ast
import difflib
import keyword
import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

from openapi_python_client.strings import ClassName, PythonIdentifier

from ..document import pointer, shown
from ..walk import (
    METHODS,
    Raw,
    as_list,
    as_mapping,
    operations,
    schemas,
    types_of,
)
from .registry import Said, rule

ROOT = Path(__file__).resolve().parents[3]

_SNAKE = re.compile(r"[a-z][a-z0-9]*(_[a-z0-9]+)*")
_CAMEL = re.compile(r"[A-Z][A-Za-z0-9]*")
_SEGMENT = re.compile(r"[A-Za-z0-9_~@:-][A-Za-z0-9_.~@:-]*|{[A-Za-z][A-Za-z0-9_]*}")

# What generated modules import or define themselves.
_TAKEN_CLASSES = frozenset(
    {
        *(
            "Any",
            "Arguments",
            "AsyncTransport",
            "Callable",
            "ClassVar",
            "Enum",
            "FileContent",
            "Literal",
            "Mapping",
        ),
        *("Model", "OpenStrEnum", "Operation", "Sequence", "StrEnum", "Transport", "TypeAlias"),
    }
)
_TAKEN_TAGS = frozenset({"agent", "raw", "raw_agent"})
_TAKEN_METHODS = frozenset(
    {"bool", "bytes", "datetime", "dict", "float", "int", "list", "object", "overload", "str"}
)

# What the generator reads, or what only describes. `format` and the like don't change the code.
_SCHEMA_KEYWORDS = frozenset(
    {
        *("$comment", "$ref", "additionalProperties", "allOf", "anyOf", "const", "default", "deprecated"),
        "discriminator",
        *(
            "description",
            "enum",
            "example",
            "examples",
            "exclusiveMaximum",
            "exclusiveMinimum",
            "externalDocs",
        ),
        *("format", "items", "maxItems", "maxLength", "maxProperties", "maximum", "minItems", "minLength"),
        *("minProperties", "minimum", "multipleOf", "nullable", "oneOf", "pattern", "properties", "readOnly"),
        *("required", "title", "type", "uniqueItems", "writeOnly"),
    }
)
_IGNORED_KEYWORDS = frozenset(
    {
        *("contains", "contentEncoding", "contentMediaType", "contentSchema", "dependentRequired"),
        *("dependentSchemas", "else", "if", "maxContains", "minContains", "not"),
        *("patternProperties", "prefixItems", "propertyNames", "then", "unevaluatedItems"),
        *("unevaluatedProperties", "xml", "$defs", "definitions"),
    }
)
_TYPES: Mapping[str, type | tuple[type, ...]] = {
    "string": str,
    "integer": int,
    "number": (int, float),
    "boolean": bool,
    "array": list,
    "object": dict,
    "null": type(None),
}


# Helpers


def _twice(names: Iterable[tuple[str, str]]) -> Iterator[tuple[str, list[str]]]:
    """Yield what several names become, and these names."""
    found: dict[str, list[str]] = {}
    for name, becomes in names:
        # Python takes names that look alike for one.
        found.setdefault(unicodedata.normalize("NFKC", becomes), []).append(name)
    for becomes, several in found.items():
        if len(several) > 1:
            yield becomes, several


@cache
def _written_by_hand() -> frozenset[str]:
    """Return the names that the clients have besides the generated ones."""
    names: set[str] = set()
    for path in (ROOT / "src" / "synapse_sdk" / "clients" / "agent").glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ClassDef):
                names |= {
                    inner.name
                    for inner in node.body
                    if isinstance(inner, ast.FunctionDef | ast.AsyncFunctionDef)
                }
    return frozenset(names)


# The rules


@rule("structure", sound=True)
def _(document: Raw) -> Said:
    mend = "make it what OpenAPI 3.1 says"
    objects: list[tuple[str, Any]] = [("#/paths", document.get("paths", {}))]
    components = document.get("components", {})
    objects.append(("#/components", components))
    for kind, named in as_mapping(components).items():
        if not str(kind).startswith("x-"):
            objects.append((pointer("components", kind), named))
    for path, item in as_mapping(document.get("paths")).items():
        objects.append((pointer("paths", path), item))
        objects += [(pointer("paths", path, m), item[m]) for m in METHODS if m in as_mapping(item)]
        if "$ref" in as_mapping(item):
            yield pointer("paths", path), "a path that is a $ref", "write its operations here"
    for place in operations(document):
        objects.append((f"{place.where}/responses", place.raw.get("responses", {})))
        if "requestBody" in place.raw:
            objects.append((f"{place.where}/requestBody", place.raw["requestBody"]))
        lists: tuple[tuple[str, type], ...] = (("tags", str), ("x-aliases", str), ("parameters", Mapping))
        for key, of in lists:
            value = place.raw.get(key, [])
            if not isinstance(value, list) or not all(isinstance(item, of) for item in value):
                yield (
                    f"{place.where}/{key}",
                    f"{key} is no list of {'texts' if of is str else 'objects'}",
                    mend,
                )
    for where, value in objects:
        if not isinstance(value, Mapping):
            yield where, f"an object is due here, and this is {shown(repr(value), 40)}", mend
    for where, schema, _, _ in schemas(document):
        if not isinstance(schema, Mapping):
            what = "a boolean schema" if isinstance(schema, bool) else "a schema that is no object"
            yield where, what, "write {} for anything, or drop the property"
            continue
        kinds: tuple[tuple[str, type], ...] = (
            *(("properties", Mapping), ("required", list), ("enum", list)),
            *(("allOf", list), ("anyOf", list), ("oneOf", list)),
        )
        for word, of in kinds:
            if word in schema and not isinstance(schema[word], of):
                yield f"{where}/{word}", f"{word} is no {'list' if of is list else 'object'}", mend


@rule("operation-id", sound=True)
def _(document: Raw) -> Said:
    seen: Counter[str] = Counter()
    for place in operations(document):
        operation_id = place.raw.get("operationId")
        if not operation_id:
            yield place.where, "no operationId", "add one: the Python method's name, such as get_job"
            continue
        for name in (operation_id, *as_list(place.raw.get("x-aliases"))):
            seen[str(name)] += 1
            if not isinstance(name, str) or not _SNAKE.fullmatch(name) or keyword.iskeyword(name):
                could = re.sub(
                    r"\W+", "_", str(PythonIdentifier(str(name), "call_")).strip("_"), flags=re.ASCII
                )
                yield (
                    place.where,
                    f"{shown(name)!r} can't be a method's name",
                    f"write lower_case words, such as {shown(could)}",
                )
            elif name in _TAKEN_METHODS or name in _written_by_hand():
                yield (
                    place.where,
                    f"the clients have a {name!r} of their own, which would hide this one",
                    "call it otherwise",
                )
            elif seen[name] == 2:
                yield place.where, f"there are two operations called {name}", "give each a name of its own"


@rule("tag", sound=True)
def _(document: Raw) -> Said:
    for place in operations(document):
        tags = as_list(place.raw.get("tags"))
        if len(tags) != 1:
            yield place.where, "exactly one tag is needed", "name the one group of methods that it belongs to"
        for tag in tags:
            if not isinstance(tag, str) or not _SNAKE.fullmatch(tag) or keyword.iskeyword(tag):
                yield (
                    place.where,
                    f"the tag {shown(tag)!r} can't be a module's name",
                    "write lower_case words",
                )
            elif tag in _TAKEN_TAGS or tag.startswith("async_"):
                yield (
                    place.where,
                    f"the tag {tag!r} would make a class that is there already",
                    "call it otherwise",
                )


@rule("path", sound=True)
def _(document: Raw) -> Said:
    for path in as_mapping(document.get("paths")):
        segments = path.removeprefix("/").removesuffix("/").split("/")
        if not path.startswith("/") or not all(map(_SEGMENT.fullmatch, segments)):
            yield (
                shown(pointer("paths", path)),
                "a path that would not lead where it says",
                "write /words/{parameter}/, of letters, digits and _ . ~ @ : -, no part empty or dots",
            )


@rule("server", sound=True)
def _(document: Raw) -> Said:
    for place in operations(document):
        for where, holder in ((pointer("paths", place.path), place.item), (place.where, place.raw)):
            if "servers" in holder:
                yield (
                    where,
                    "a server of its own, to which the client would not go",
                    "name servers at the top only",
                )


@rule("names", sound=True)
def _(document: Raw) -> Said:
    components = as_mapping(as_mapping(document.get("components")).get("schemas"))
    tags = {
        str(ClassName(str(tag), ""))
        for place in operations(document)
        for tag in as_list(place.raw.get("tags"))
    }
    apis = {f"{prefix}{tag}Api" for tag in tags for prefix in ("", "Async")}
    for name, schema in components.items():
        where = shown(pointer("components", "schemas", name))
        if not _CAMEL.fullmatch(name) or str(ClassName(name, "")) != name:
            yield (
                where,
                "can't be a class's name as it is",
                "write it in CamelCase, of ASCII letters and digits",
            )
        elif name in _TAKEN_CLASSES or name in apis:
            yield where, "the generated code has a class of this name already", "call it otherwise"
        if "title" in as_mapping(schema) and schema["title"] != name:
            yield (
                f"{where}/title",
                "a title, which would be the class's name",
                "drop it, or rename the schema",
            )
    for module, several in _twice((name, str(PythonIdentifier(name, ""))) for name in components):
        yield "#/components/schemas", f"{' and '.join(several)} would both be {module}.py", "rename one"
    for where, schema, _, _ in schemas(document):
        properties = [str(name) for name in as_mapping(as_mapping(schema).get("properties"))]
        for attribute, several in _twice(
            (name, str(PythonIdentifier(name, "field_"))) for name in properties
        ):
            both = " and ".join(map(shown, several))
            yield where, f"{both} would both be the attribute {shown(attribute)}", "rename one on the wire"


@rule("schema-keyword", sound=True)
def _(document: Raw) -> Said:
    for where, schema, _, _ in schemas(document):
        for word in as_mapping(schema):
            if word in _IGNORED_KEYWORDS:
                is_file = word in ("contentMediaType", "contentEncoding")
                mend = (
                    "write format: binary for a file" if is_file else "say it with properties, oneOf and enum"
                )
                yield where, f"`{word}`, which the client would ignore", mend
            elif word not in _SCHEMA_KEYWORDS and not word.startswith("x-"):
                close = difflib.get_close_matches(word, _SCHEMA_KEYWORDS, 1)
                mend = f"is it `{close[0]}`?" if close else "drop it"
                yield where, f"`{shown(word)}`, which no schema has", mend


@rule("required", sound=True)
def _(document: Raw) -> Said:
    for where, schema, _, _ in schemas(document):
        if "properties" in as_mapping(schema) and "allOf" not in schema:
            for name in as_list(schema.get("required")):
                if name not in schema["properties"]:
                    close = difflib.get_close_matches(str(name), list(schema["properties"]), 1)
                    mend = f"is it {shown(close[0])}?" if close else "add it to properties, or drop it here"
                    yield where, f"requires {shown(name)}, which is no property", mend


@rule("default", sound=True)
def _(document: Raw) -> Said:
    for where, schema, _, _ in schemas(document):
        if "default" not in as_mapping(schema):
            continue
        default, kinds = schema["default"], types_of(schema)
        if isinstance(default, list | dict):
            yield where, "a default that is a list or an object", "drop it, and tell it in the description"
        elif kinds and not any(_is(default, kind) for kind in kinds):
            yield (
                where,
                f"the default {shown(repr(default), 40)} is no {' or '.join(kinds)}",
                "write one that is",
            )
        elif "enum" in schema and default not in schema["enum"]:
            yield (
                where,
                f"the default {shown(repr(default), 40)} is not in the enum",
                "add it there, or take another",
            )


def _is(value: object, kind: str) -> bool:
    # Python counts booleans among the integers.
    if isinstance(value, bool):
        return kind == "boolean"
    return isinstance(value, _TYPES.get(kind, object))


@rule("reach", sound=True)
def _(document: Raw) -> Said:
    """A union or an allOf must not contain itself without a property in between."""
    components = as_mapping(as_mapping(document.get("components")).get("schemas"))

    def parts(schema: Any) -> Iterator[str]:
        if not isinstance(schema, Mapping):
            return
        if isinstance(schema.get("$ref"), str):
            yield schema["$ref"].removeprefix("#/components/schemas/")
        for word in ("allOf", "anyOf", "oneOf"):
            for inner in as_list(schema.get(word)):
                yield from parts(inner)

    direct = {name: set(parts(schema)) for name, schema in components.items()}
    for name in components:
        todo, seen = list(direct[name]), set[str]()
        while todo:
            other = todo.pop()
            if other not in seen:
                seen.add(other)
                todo += direct.get(other, ())
        if name in seen:
            yield (
                pointer("components", "schemas", name),
                "is made of itself",
                "put a property or a list in between",
            )
