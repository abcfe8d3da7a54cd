"""The rules for writing the spec, each with a message that says how to mend what breaks it.

Those that are `sound` keep the generated code right: `make generate` refuses what breaks one, wherever the
document comes from. The others keep it good, and are for `make spec-lint` only.
"""

from __future__ import annotations

import ast
import difflib
import keyword
import re
import unicodedata
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

from openapi_python_client.strings import ClassName, PythonIdentifier
from spec_document import pointer, resolve, shown

__all__ = ["METHODS", "RULES", "Finding", "check", "operations"]

ROOT = Path(__file__).resolve().parent.parent
METHODS = ("get", "put", "post", "delete", "options", "head", "patch", "trace")

Raw = Mapping[str, Any]

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
        *("dependentSchemas", "discriminator", "else", "if", "maxContains", "minContains", "not"),
        *("patternProperties", "prefixItems", "propertyNames", "then", "unevaluatedItems"),
        *("unevaluatedProperties", "xml", "$defs", "definitions"),
    }
)
_EXTENSIONS = {
    "operation": frozenset({"x-aliases", "x-codeSamples", "x-wait"}),
    "response": frozenset({"x-error-class"}),
}
_TYPES: Mapping[str, type | tuple[type, ...]] = {
    "string": str,
    "integer": int,
    "number": (int, float),
    "boolean": bool,
    "array": list,
    "object": dict,
    "null": type(None),
}


class Finding(NamedTuple):
    """One place that breaks a rule."""

    rule: str
    where: str
    what: str
    mend: str

    def __str__(self) -> str:
        return f"{self.where}: {self.what}; {self.mend} [{self.rule}]"


class OperationPlace(NamedTuple):
    """An operation and where it is."""

    where: str
    path: str
    method: str
    raw: Raw
    item: Raw


class SchemaPlace(NamedTuple):
    """A schema, where it is, and what it is there; `named` tells those of components."""

    where: str
    raw: Any
    named: bool
    role: str


Said = Iterator[tuple[str, str, str]]
Rule = Callable[[Raw], Said]
RULES: dict[str, tuple[Rule, bool]] = {}


def rule(name: str, *, sound: bool) -> Callable[[Rule], Rule]:
    def register(function: Rule) -> Rule:
        RULES[name] = (function, sound)
        return function

    return register


def check(document: Raw, *, sound_only: bool = False) -> list[Finding]:
    """Find what breaks the rules.

    Args:
        document: What `spec_document.read` gave.
        sound_only: Leave out the rules that are for authors only.
    """
    found: list[Finding] = []
    for name, (function, sound) in RULES.items():
        if sound or not sound_only:
            try:
                found += [Finding(name, *said) for said in function(document)]
            except (AttributeError, KeyError, TypeError) as error:
                # Something is of another type than OpenAPI says; that rule comes first and has told which.
                if not found:
                    found.append(
                        Finding(name, "#/", f"can't be read ({error})", "make it what OpenAPI 3.1 says")
                    )
    return found


# Walking


def _mapping(value: Any) -> Raw:
    return value if isinstance(value, Mapping) else {}


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def operations(document: Raw) -> Iterator[OperationPlace]:
    """Every operation of `paths`."""
    for path, item in _mapping(document.get("paths")).items():
        for method in METHODS:
            if method in _mapping(item):
                yield OperationPlace(
                    pointer("paths", path, method), path, method, _mapping(item[method]), item
                )


def _followed(document: Raw, node: Any) -> Raw:
    while isinstance(node, Mapping) and isinstance(node.get("$ref"), str):
        node = resolve(document, node["$ref"])
    return _mapping(node)


def _content(where: str, holder: Any, role: str) -> Iterator[SchemaPlace]:
    for kind, media in _mapping(_mapping(holder).get("content")).items():
        if "schema" in _mapping(media):
            yield from _within(f"{where}/content/{pointer(kind)[2:]}/schema", media["schema"], role)


def _within(where: str, schema: Any, role: str, *, named: bool = False) -> Iterator[SchemaPlace]:
    yield SchemaPlace(where, schema, named, role)
    if not isinstance(schema, Mapping):
        return
    for name, inner in _mapping(schema.get("properties")).items():
        yield from _within(f"{where}/properties/{pointer(name)[2:]}", inner, "property")
    for word in ("items", "additionalProperties"):
        if word in schema and not (word == "additionalProperties" and isinstance(schema[word], bool)):
            yield from _within(f"{where}/{word}", schema[word], word)
    for word in ("allOf", "anyOf", "oneOf"):
        for number, inner in enumerate(_list(schema.get(word))):
            # Of a named schema's own parts, each stays what the whole is.
            yield from _within(f"{where}/{word}/{number}", inner, word, named=named and word == "allOf")


def _parameters(document: Raw) -> Iterator[tuple[str, Raw]]:
    components = _mapping(document.get("components"))
    for name, parameter in _mapping(components.get("parameters")).items():
        yield pointer("components", "parameters", name), _mapping(parameter)
    for path, item in _mapping(document.get("paths")).items():
        holders = {pointer("paths", path): item}
        holders |= {
            pointer("paths", path, method): item[method] for method in METHODS if method in _mapping(item)
        }
        for where, holder in holders.items():
            for number, parameter in enumerate(_list(_mapping(holder).get("parameters"))):
                yield f"{where}/parameters/{number}", _mapping(parameter)


def _responses(document: Raw) -> Iterator[tuple[str, Raw]]:
    for name, response in _mapping(_mapping(document.get("components")).get("responses")).items():
        yield pointer("components", "responses", name), _mapping(response)
    for place in operations(document):
        for status, response in _mapping(place.raw.get("responses")).items():
            yield f"{place.where}/responses/{status}", _mapping(response)


def _schemas(document: Raw) -> Iterator[SchemaPlace]:
    components = _mapping(document.get("components"))
    for name, schema in _mapping(components.get("schemas")).items():
        yield from _within(pointer("components", "schemas", name), schema, "schema", named=True)
    for where, parameter in _parameters(document):
        if "schema" in parameter:
            yield from _within(f"{where}/schema", parameter["schema"], "parameter")
    for where, response in _responses(document):
        yield from _content(where, response, "answer")
    for name, body in _mapping(components.get("requestBodies")).items():
        yield from _content(pointer("components", "requestBodies", name), body, "body")
    for place in operations(document):
        yield from _content(f"{place.where}/requestBody", place.raw.get("requestBody"), "body")


def _kinds(schema: Raw) -> list[str]:
    kind = schema.get("type")
    return [kind] if isinstance(kind, str) else [item for item in _list(kind) if isinstance(item, str)]


def _twice(names: Iterable[tuple[str, str]]) -> Iterator[tuple[str, list[str]]]:
    """Of names and what becomes of them: what several become, and which."""
    found: dict[str, list[str]] = {}
    for name, becomes in names:
        # Python takes names that look alike for one.
        found.setdefault(unicodedata.normalize("NFKC", becomes), []).append(name)
    for becomes, several in found.items():
        if len(several) > 1:
            yield becomes, several


@cache
def _written_by_hand() -> frozenset[str]:
    """The names that the clients have besides the generated ones."""
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


# Sound


@rule("structure", sound=True)
def _(document: Raw) -> Said:
    mend = "make it what OpenAPI 3.1 says"
    objects: list[tuple[str, Any]] = [("#/paths", document.get("paths", {}))]
    components = document.get("components", {})
    objects.append(("#/components", components))
    for kind, named in _mapping(components).items():
        if not str(kind).startswith("x-"):
            objects.append((pointer("components", kind), named))
    for path, item in _mapping(document.get("paths")).items():
        objects.append((pointer("paths", path), item))
        objects += [(pointer("paths", path, m), item[m]) for m in METHODS if m in _mapping(item)]
        if "$ref" in _mapping(item):
            yield pointer("paths", path), "a path that is a $ref", "write its operations here"
    for place in operations(document):
        objects.append((f"{place.where}/responses", place.raw.get("responses", {})))
        if "requestBody" in place.raw:
            objects.append((f"{place.where}/requestBody", place.raw["requestBody"]))
        for key, of in (("tags", str), ("x-aliases", str), ("parameters", Mapping)):
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
    for where, schema, _, _ in _schemas(document):
        if not isinstance(schema, Mapping):
            what = "a boolean schema" if isinstance(schema, bool) else "a schema that is no object"
            yield where, what, "write {} for anything, or drop the property"
            continue
        for word, of in (
            *(("properties", Mapping), ("required", list), ("enum", list)),
            *(("allOf", list), ("anyOf", list), ("oneOf", list)),
        ):
            if word in schema and not isinstance(schema[word], of):
                yield f"{where}/{word}", f"{word} is no {'list' if of is list else 'object'}", mend


@rule("operation-id", sound=True)
def _(document: Raw) -> Said:
    seen: Counter[str] = Counter()
    for place in operations(document):
        told = place.raw.get("operationId")
        if not told:
            yield place.where, "no operationId", "add one: the Python method's name, such as get_job"
            continue
        for name in (told, *_list(place.raw.get("x-aliases"))):
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
        tags = _list(place.raw.get("tags"))
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
    for path in _mapping(document.get("paths")):
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


@rule("parameter", sound=True)
def _(document: Raw) -> Said:
    for where, parameter in _parameters(document):
        if "$ref" in parameter:
            continue
        kind = parameter.get("in")
        styles = {"path": "simple", "query": "form"}
        if kind in styles and parameter.get("style", styles[kind]) != styles[kind]:
            yield where, f"the style {shown(parameter['style'])!r}", "drop it: only the default one is sent"
        if "content" in parameter:
            yield where, "a parameter with `content`", "give it a `schema`: it is sent as text"
        if kind == "query" and parameter.get("explode", True) is not True:
            yield where, "explode: false", "drop it: each item of a list is sent by itself"
        if parameter.get("allowReserved") is True:
            yield where, "allowReserved", "drop it: everything is percent-encoded"
        schema = _followed(document, parameter.get("schema"))
        if kind in styles and "object" in _kinds(schema):
            yield (
                where,
                "an object as a parameter",
                "make one parameter of each field, or send it in the body",
            )
    for place in operations(document):
        both = [*_list(place.raw.get("parameters")), *_list(place.item.get("parameters"))]
        each = Counter((p.get("in"), p.get("name")) for p in (_followed(document, item) for item in both))
        for (_, name), times in each.items():
            if times > 1:
                yield (
                    place.where,
                    f"the parameter {shown(name)} twice",
                    "say it for the path or for the operation",
                )


@rule("names", sound=True)
def _(document: Raw) -> Said:
    components = _mapping(_mapping(document.get("components")).get("schemas"))
    tags = {
        str(ClassName(str(tag), "")) for place in operations(document) for tag in _list(place.raw.get("tags"))
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
        if "title" in _mapping(schema) and schema["title"] != name:
            yield (
                f"{where}/title",
                "a title, which would be the class's name",
                "drop it, or rename the schema",
            )
    for module, several in _twice((name, str(PythonIdentifier(name, ""))) for name in components):
        yield "#/components/schemas", f"{' and '.join(several)} would both be {module}.py", "rename one"
    for where, schema, _, _ in _schemas(document):
        properties = [str(name) for name in _mapping(_mapping(schema).get("properties"))]
        for attribute, several in _twice(
            (name, str(PythonIdentifier(name, "field_"))) for name in properties
        ):
            both = " and ".join(map(shown, several))
            yield where, f"{both} would both be the attribute {shown(attribute)}", "rename one on the wire"


@rule("schema-keyword", sound=True)
def _(document: Raw) -> Said:
    for where, schema, _, _ in _schemas(document):
        for word in _mapping(schema):
            if word in _IGNORED_KEYWORDS:
                yield (
                    where,
                    f"`{word}`, which the client would ignore",
                    "say it with properties, oneOf and enum",
                )
            elif word not in _SCHEMA_KEYWORDS and not word.startswith("x-"):
                close = difflib.get_close_matches(word, _SCHEMA_KEYWORDS, 1)
                mend = f"is it `{close[0]}`?" if close else "drop it"
                yield where, f"`{shown(word)}`, which no schema has", mend


@rule("required", sound=True)
def _(document: Raw) -> Said:
    for where, schema, _, _ in _schemas(document):
        if "properties" in _mapping(schema) and "allOf" not in schema:
            for name in _list(schema.get("required")):
                if name not in schema["properties"]:
                    close = difflib.get_close_matches(str(name), list(schema["properties"]), 1)
                    mend = f"is it {shown(close[0])}?" if close else "add it to properties, or drop it here"
                    yield where, f"requires {shown(name)}, which is no property", mend


@rule("default", sound=True)
def _(document: Raw) -> Said:
    for where, schema, _, _ in _schemas(document):
        if "default" not in _mapping(schema):
            continue
        default, kinds = schema["default"], _kinds(schema)
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


@rule("media-type", sound=True)
def _(document: Raw) -> Said:
    for where, response in _responses(document):
        if len(_mapping(response.get("content"))) > 1:
            yield where, "several content types, of which one would be lost", "keep the one that agents send"
    for place in operations(document):
        for kind, media in _mapping(_mapping(place.raw.get("requestBody")).get("content")).items():
            if "encoding" in _mapping(media):
                what = f"an encoding of {shown(kind)}, which would not be sent"
                yield f"{place.where}/requestBody", what, "drop it"


@rule("reach", sound=True)
def _(document: Raw) -> Said:
    """A union or an allOf must come to an end without a property in between."""
    components = _mapping(_mapping(document.get("components")).get("schemas"))

    def parts(schema: Any) -> Iterator[str]:
        if not isinstance(schema, Mapping):
            return
        if isinstance(schema.get("$ref"), str):
            yield schema["$ref"].removeprefix("#/components/schemas/")
        for word in ("allOf", "anyOf", "oneOf"):
            for inner in _list(schema.get(word)):
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


# For authors


@rule("version", sound=False)
def _(document: Raw) -> Said:
    if not str(document.get("openapi", "")).startswith("3.1."):
        yield (
            "#/openapi",
            f"OpenAPI {shown(document.get('openapi'))}",
            "write it in 3.1: null is a type there",
        )


@rule("security", sound=False)
def _(document: Raw) -> Said:
    for place in operations(document):
        if not place.raw.get("security"):
            mend = "name it here: generators ignore what stands at the top"
            yield place.where, "no security of its own", mend


@rule("tag-declared", sound=False)
def _(document: Raw) -> Said:
    declared = {
        _mapping(tag).get("name") for tag in _list(document.get("tags")) if _mapping(tag).get("description")
    }
    for place in operations(document):
        for tag in _list(place.raw.get("tags")):
            if tag not in declared:
                yield (
                    place.where,
                    f"the tag {shown(tag)} is not described",
                    "add it to the list of tags at the top",
                )


@rule("named", sound=False)
def _(document: Raw) -> Said:
    for where, schema, named, role in _schemas(document):
        if named or not isinstance(schema, Mapping) or "$ref" in schema:
            continue
        if "enum" in schema:
            yield where, "an enum without a name", "move it to components/schemas and refer to it"
        elif "properties" in schema:
            yield where, "an object without a name", "move it to components/schemas and refer to it"
        elif "object" in _kinds(schema) or "additionalProperties" in schema:
            yield (
                where,
                "a free-form object without a name",
                "refer to JsonObject, or to a map of components/schemas",
            )
        elif role == "allOf" and schema.get("properties"):
            yield where, "an object without a name", "move it to components/schemas and refer to it"


@rule("described", sound=False)
def _(document: Raw) -> Said:
    for where, schema, _, role in _schemas(document):
        if role != "property" or not isinstance(schema, Mapping):
            continue
        if not schema.get("description"):
            yield where, "a property without a description", "say what it is, and in which unit"
        elif "example" not in schema and schema.get("format") != "binary":
            yield where, "a property without an example", "give it one: docstrings and tests use it"


@rule("nullable", sound=False)
def _(document: Raw) -> Said:
    for where, schema, _, _ in _schemas(document):
        if not isinstance(schema, Mapping):
            continue
        if "nullable" in schema:
            yield where, "nullable, which 3.1 has no more", "write type: [string, 'null']"
        elif "null" in _kinds(schema) and ("enum" in schema or "properties" in schema):
            yield (
                where,
                "an enum or an object that may be null",
                "write oneOf: [{$ref: …}, {type: 'null'}] where it is used",
            )


@rule("error-response", sound=False)
def _(document: Raw) -> Said:
    for place in operations(document):
        for status, response in _mapping(place.raw.get("responses")).items():
            if str(status)[:1] in "45" and "$ref" not in _mapping(response):
                where = f"{place.where}/responses/{status}"
                yield (
                    where,
                    "an error that is written out",
                    "put it into components/responses and refer to it",
                )


@rule("example", sound=False)
def _(document: Raw) -> Said:
    for where, schema, _, _ in _schemas(document):
        if "examples" in _mapping(schema):
            yield where, "`examples`, which the generator leaves out of docstrings", "write one `example`"


@rule("not-generated", sound=False)
def _(document: Raw) -> Said:
    if "webhooks" in document:
        yield "#/webhooks", "webhooks, which the client has no words for", "drop them"
    for place in operations(document):
        if "callbacks" in place.raw:
            yield place.where, "callbacks, which the client has no words for", "drop them"
    for where, response in _responses(document):
        if "links" in response:
            yield where, "links, which the client has no words for", "drop them"
    for where, schema, _, _ in _schemas(document):
        if _mapping(schema).get("deprecated") is True:
            yield (
                where,
                "deprecated, which the client doesn't tell",
                "say it in the description as well, not here",
            )


@rule("text", sound=False)
def _(document: Raw) -> Said:
    todo: list[tuple[tuple[object, ...], Any]] = [((), document)]
    while todo:
        where, value = todo.pop()
        if isinstance(value, Mapping):
            todo += [((*where, key), inner) for key, inner in value.items()]
        elif isinstance(value, list):
            todo += [((*where, number), inner) for number, inner in enumerate(value)]
        elif isinstance(value, str):
            # Examples may well have some.
            odd = {c for c in value if c not in "\n\t" and unicodedata.category(c) in ("Cc", "Zl", "Zp")}
            if odd and "example" not in where:
                code = f"U+{ord(min(odd)):04X}"
                yield shown(pointer(*where)), f"has the control character {code}", "take it out"


@rule("extension", sound=False)
def _(document: Raw) -> Said:
    known = frozenset[str]().union(*_EXTENSIONS.values())
    places: list[tuple[str, str, Raw]] = [
        ("operation", place.where, place.raw) for place in operations(document)
    ]
    places += [("response", where, response) for where, response in _responses(document)]
    places += [("schema", where, _mapping(schema)) for where, schema, _, _ in _schemas(document)]
    for kind, where, raw in places:
        for word in raw:
            if word.startswith("x-") and word not in _EXTENSIONS.get(kind, ()):
                close = difflib.get_close_matches(word, known, 1)
                mend = f"is it {close[0]}, of an operation or a response?" if close else "drop it"
                yield where, f"{shown(word)}, which nothing here reads", mend
    for where, response in _responses(document):
        named = response.get("x-error-class")
        if named is not None and named not in _error_classes():
            yield (
                where,
                f"x-error-class {shown(named)}, which synapse_sdk.clients.exceptions lacks",
                "mend the name",
            )
    for place in operations(document):
        for number, sample in enumerate(_list(place.raw.get("x-codeSamples"))):
            if str(_mapping(sample).get("lang", "")).lower() == "python":
                try:
                    ast.parse(str(sample.get("source", "")))
                except (SyntaxError, ValueError) as error:
                    yield f"{place.where}/x-codeSamples/{number}", f"no Python: {error}", "mend the example"


@cache
def _error_classes() -> frozenset[str]:
    path = ROOT / "src" / "synapse_sdk" / "clients" / "exceptions.py"
    tree = ast.parse(path.read_text(encoding="utf-8"))
    return frozenset(node.name for node in tree.body if isinstance(node, ast.ClassDef))
