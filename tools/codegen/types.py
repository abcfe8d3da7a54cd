"""The parsed spec: the types of its properties, and the code that decodes them."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from openapi_python_client.parser import GeneratorData
from openapi_python_client.parser.properties.any import AnyProperty
from openapi_python_client.parser.properties.boolean import BooleanProperty
from openapi_python_client.parser.properties.const import ConstProperty
from openapi_python_client.parser.properties.date import DateProperty
from openapi_python_client.parser.properties.datetime import DateTimeProperty
from openapi_python_client.parser.properties.enum_property import EnumProperty
from openapi_python_client.parser.properties.file import FileProperty
from openapi_python_client.parser.properties.float import FloatProperty
from openapi_python_client.parser.properties.int import IntProperty
from openapi_python_client.parser.properties.list_property import ListProperty
from openapi_python_client.parser.properties.model_property import ModelProperty
from openapi_python_client.parser.properties.none import NoneProperty
from openapi_python_client.parser.properties.schemas import Class
from openapi_python_client.parser.properties.string import StringProperty
from openapi_python_client.parser.properties.union import UnionProperty
from openapi_python_client.parser.properties.uuid import UuidProperty
from openapi_python_client.strings import ClassName

from ..spec.document import pointer, resolve
from ..spec.walk import METHODS
from .errors import GenerationError
from .tags import Tags, tags_of
from .text import plain

__all__ = ["OWN_HEADERS", "ParsedSpec", "Raw", "is_file", "optional", "union", "unique"]

Raw = Mapping[str, Any]

# OpenAPI rules out the first three as parameters; the others are the client's to send.
OWN_HEADERS = frozenset({"accept", "content-type", "authorization", "synapse-user", "synapse-tenant"})


@dataclass
class ParsedSpec:
    """The spec, raw and parsed."""

    raw: Raw
    data: GeneratorData
    models: dict[str, ModelProperty] = field(init=False)
    enums: dict[str, EnumProperty] = field(init=False)

    def __post_init__(self) -> None:
        self.models = {model.class_info.name: model for model in self.data.models}
        self.enums = {
            enum.class_info.name: enum for enum in self.data.enums if isinstance(enum, EnumProperty)
        }

    def resolve(self, node: Any) -> Raw:
        """Follow a raw object's $refs."""
        # `tools.spec.document` has checked that every $ref leads somewhere.
        while isinstance(node, Mapping) and "$ref" in node:
            node = resolve(self.raw, node["$ref"])
        return node if isinstance(node, Mapping) else {}

    @cached_property
    def schemas(self) -> dict[str, Raw]:
        """Return the raw schemas of components by the name of their class."""
        schemas = self.raw.get("components", {}).get("schemas", {})
        return {ClassName(schema.get("title", name), "field_"): schema for name, schema in schemas.items()}

    @cached_property
    def operations(self) -> dict[str, Raw]:
        """Return the raw operations by operationId, with the parameters of their path, and where they are."""
        return {
            operation["operationId"]: {
                **operation,
                "parameters": [
                    parameter
                    for parameter in map(
                        self.resolve, [*operation.get("parameters", []), *item.get("parameters", [])]
                    )
                    if parameter.get("in") != "header" or parameter["name"].lower() not in OWN_HEADERS
                ],
                "requestBody": self.resolve(operation.get("requestBody", {})),
                "method": method,
                "path": path,
                "where": pointer("paths", path, method),
            }
            for path, item in self.raw.get("paths", {}).items()
            for method, operation in item.items()
            if method in METHODS
        }

    def flat(self, schema: Any) -> dict[str, Raw]:
        """Return the raw properties of an object with those of its allOf, and of what it is if not null."""
        raw = self.resolve(schema)
        found: dict[str, Raw] = {}
        for part in (*raw.get("allOf", ()), *raw.get("anyOf", ()), *raw.get("oneOf", ())):
            found |= self.flat(part)
        return found | {name: dict(item) for name, item in raw.get("properties", {}).items()}

    # Types

    def content(self, prop: ModelProperty) -> Any:
        """Return what an object without named fields holds: None for anything, False if it has fields."""
        model = self.models[prop.class_info.name]
        if model.required_properties or model.optional_properties:
            return False
        inner = model.additional_properties
        return None if inner is None or isinstance(inner, AnyProperty) else inner

    def classes(self, prop: Any) -> Iterator[Class]:
        """Name the classes in a property's type."""
        if isinstance(prop, EnumProperty):
            yield prop.class_info
        elif isinstance(prop, ListProperty):
            yield from self.classes(prop.inner_property)
        elif isinstance(prop, UnionProperty):
            for inner in prop.inner_properties:
                yield from self.classes(inner)
        elif isinstance(prop, ModelProperty):
            content = self.content(prop)
            if content is False:
                yield prop.class_info
            elif content is not None:
                yield from self.classes(content)

    def tagged(self, prop: UnionProperty) -> Tags | None:
        """Return what tells the models of a union apart, if it has several."""
        models = [
            self.models[inner.class_info.name]
            for inner in prop.inner_properties
            if isinstance(inner, ModelProperty) and self.content(inner) is False
        ]
        return tags_of(self.raw, models) if len(models) > 1 else None

    def annotation(self, prop: Any, *, argument: bool = False) -> str:
        """Write a property's type; what a caller passes may be wider than what an attribute holds."""
        match prop:
            case AnyProperty():
                return "Any"
            case StringProperty() | UuidProperty():
                return "str"
            case ConstProperty():
                return type(prop.value.raw_value).__name__
            case BooleanProperty():
                return "bool"
            case IntProperty():
                return "int"
            case FloatProperty():
                return "float"
            case NoneProperty():
                return "None"
            case DateTimeProperty():
                return "datetime.datetime"
            case DateProperty():
                return "datetime.date"
            case FileProperty():
                # Inside JSON it is a text, whatever the format says.
                return "FileContent" if argument else "str"
            case EnumProperty():
                name = str(prop.class_info.name)
                return f"{name} | {prop.value_type.__name__}" if argument else name
            case ListProperty():
                inner = self.annotation(prop.inner_property, argument=argument)
                return f"Sequence[{inner}]" if argument else f"list[{inner}]"
            case UnionProperty():
                parts = [self.annotation(inner, argument=argument) for inner in prop.inner_properties]
                # A kind of object that a newer agent adds is none of these.
                later = [] if argument or not self.tagged(prop) else ["Model"]
                return union([*parts, *later])
            case ModelProperty():
                content = self.content(prop)
                if content is False:
                    return (
                        f"{prop.class_info.name} | Mapping[str, Any]"
                        if argument
                        else str(prop.class_info.name)
                    )
                inner = "Any" if content is None else self.annotation(content, argument=argument)
                return f"Mapping[str, {inner}]" if argument else f"dict[str, {inner}]"
        raise GenerationError(f"{plain(prop.name)}: no type for {type(prop).__name__}")


def alternatives(node: ast.expr) -> Iterator[str]:
    """Yield the members of a union; one inside a list or a dict stays whole."""
    if isinstance(node, ast.BinOp):
        yield from alternatives(node.left)
        yield from alternatives(node.right)
    else:
        yield ast.unparse(node)


def union(parts: Iterable[str]) -> str:
    """Join types, those that say least last."""
    each = dict.fromkeys(name for part in parts for name in alternatives(ast.parse(part, mode="eval").body))
    return " | ".join(sorted(each, key=lambda name: (name == "None", name == "Any")))


def optional(annotation: str) -> str:
    """Let a type be None."""
    return annotation if annotation == "Any" else union([annotation, "None"])


def is_file(prop: Any) -> bool:
    """Return whether a field of a form is a file, or several, or may be."""
    match prop:
        case FileProperty():
            return True
        case ListProperty():
            return is_file(prop.inner_property)
        case UnionProperty():
            return any(map(is_file, prop.inner_properties))
    return False


def unique(classes: Iterable[Class]) -> list[Class]:
    """Sort classes, each once."""
    return sorted({str(item.name): item for item in classes}.values(), key=lambda item: str(item.name))
