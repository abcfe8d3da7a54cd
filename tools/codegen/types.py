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

from ..spec.document import resolve
from ..spec.walk import METHODS
from .errors import GenerationError
from .text import plain

__all__ = ["ParsedSpec", "Raw", "optional", "union", "unique"]

Raw = Mapping[str, Any]


@dataclass
class ParsedSpec:
    """The spec, raw and parsed."""

    raw: Raw
    data: GeneratorData
    models: dict[str, ModelProperty] = field(init=False)
    enums: dict[str, EnumProperty] = field(init=False)

    def __post_init__(self) -> None:
        self.models = {model.class_info.name: model for model in self.data.models}
        self.enums = {}
        for enum in self.data.enums:
            if not isinstance(enum, EnumProperty) or enum.value_type is not str:
                raise GenerationError(f"enum {enum.class_info.name}: only enums of strings are supported")
            self.enums[enum.class_info.name] = enum

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
        """Return the raw operations by operationId, with the parameters of their path."""
        return {
            operation["operationId"]: {
                **operation,
                "parameters": [*operation.get("parameters", []), *item.get("parameters", [])],
            }
            for item in self.raw.get("paths", {}).values()
            for method, operation in item.items()
            if method in METHODS
        }

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

    def annotation(self, prop: Any, *, argument: bool = False) -> str:
        """Write a property's type; what a caller passes may be wider than what an attribute holds."""
        match prop:
            case AnyProperty():
                return "Any"
            case StringProperty() | UuidProperty() | ConstProperty():
                return "str"
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
                return "FileContent"
            case EnumProperty():
                return f"{prop.class_info.name} | str" if argument else str(prop.class_info.name)
            case ListProperty():
                inner = self.annotation(prop.inner_property, argument=argument)
                return f"Sequence[{inner}]" if argument else f"list[{inner}]"
            case UnionProperty():
                parts = {self.annotation(inner, argument=argument): None for inner in prop.inner_properties}
                return union(parts)
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

    # Decoding

    def decoded_member(self, prop: UnionProperty) -> Any:
        """Pick the one member of a union that needs decoding; JSON types tell the others from it."""
        decoded = [inner for inner in prop.inner_properties if self.as_field(inner, "value") is not None]
        kinds = [
            dict if isinstance(i, ModelProperty) else list if isinstance(i, ListProperty) else str
            for i in decoded
        ]
        others = [inner for inner in prop.inner_properties if inner not in decoded]
        if len(decoded) > 1 or (str in kinds and any(isinstance(inner, StringProperty) for inner in others)):
            raise GenerationError(f"{plain(prop.name)}: a union whose members can't be told apart")
        return decoded[0] if decoded else None

    def field_decoder(self, prop: Any) -> str | None:
        """Name or write what decodes a field of a model; None where the value stays as it came."""
        inner = self.decoded_member(prop) if isinstance(prop, UnionProperty) else prop
        if isinstance(inner, EnumProperty):
            return str(inner.class_info.name)
        code = None if inner is None else self.as_field(inner, "value")
        if code is None:
            return None
        return code.removesuffix("(value)") if code.endswith("(value)") else f"lambda value: {code}"

    def as_field(self, prop: Any, value: str) -> str | None:
        """Write the code that decodes a value in a model, or None where the value stays as it came."""
        match prop:
            case EnumProperty():
                return f"as_enum({value}, {prop.class_info.name})"
            case DateTimeProperty():
                return f"as_datetime({value})"
            case DateProperty():
                return f"as_date({value})"
            case UnionProperty():
                inner = self.decoded_member(prop)
                return None if inner is None else self.as_field(inner, value)
            case ListProperty():
                if (
                    isinstance(prop.inner_property, ModelProperty)
                    and self.content(prop.inner_property) is False
                ):
                    return f"as_models({value}, {prop.inner_property.class_info.name})"
                inner = self.as_field(prop.inner_property, "item")
                return None if inner is None else f"as_list({value}, lambda item: {inner})"
            case ModelProperty():
                content = self.content(prop)
                if content is False:
                    return f"as_model({value}, {prop.class_info.name})"
                inner = None if content is None else self.as_field(content, "item")
                return None if inner is None else f"as_dict({value}, lambda item: {inner})"
        return None

    def as_answer(self, prop: Any) -> str:
        """Name or write the function that decodes a whole answer."""
        match prop:
            case ModelProperty():
                content = self.content(prop)
                if content is False:
                    return f"{prop.class_info.name}.from_dict"
                if content is None:
                    return "decode_object"
                return f'lambda data: decode_dict(data, "object", {self.as_answer(content)})'
            case ListProperty():
                inner = self.as_answer(prop.inner_property)
                if inner.endswith(".from_dict"):
                    return f'lambda data: decode_models(data, "list", {inner.removesuffix(".from_dict")})'
                return f'lambda data: decode_list(data, "list", {inner})'
            case StringProperty():
                return "decode_text"
            case NoneProperty():
                return "decode_nothing"
        return "decode_value"


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


def unique(classes: Iterable[Class]) -> list[Class]:
    """Sort classes, each once."""
    return sorted({str(item.name): item for item in classes}.values(), key=lambda item: str(item.name))
