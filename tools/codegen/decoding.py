"""Write the code that decodes fields of models, and whole answers."""

from __future__ import annotations

import re
from typing import Any

from openapi_python_client.parser.properties.any import AnyProperty
from openapi_python_client.parser.properties.boolean import BooleanProperty
from openapi_python_client.parser.properties.const import ConstProperty
from openapi_python_client.parser.properties.date import DateProperty
from openapi_python_client.parser.properties.datetime import DateTimeProperty
from openapi_python_client.parser.properties.enum_property import EnumProperty
from openapi_python_client.parser.properties.float import FloatProperty
from openapi_python_client.parser.properties.int import IntProperty
from openapi_python_client.parser.properties.list_property import ListProperty
from openapi_python_client.parser.properties.model_property import ModelProperty
from openapi_python_client.parser.properties.none import NoneProperty
from openapi_python_client.parser.properties.union import UnionProperty

from .errors import UnionError
from .text import literal
from .types import ParsedSpec

__all__ = ["Decoding", "words"]


def kinds_of(prop: Any) -> tuple[str, ...]:
    """Return the Python types that json.loads() makes of a value."""
    match prop:
        case AnyProperty():
            return ()
        case ModelProperty():
            return ("dict",)
        case ListProperty():
            return ("list",)
        case BooleanProperty():
            return ("bool",)
        case IntProperty():
            return ("int",)
        case FloatProperty():
            return ("float", "int")
        case NoneProperty():
            return ("type(None)",)
        case EnumProperty():
            return (prop.value_type.__name__,)
        case ConstProperty():
            return (type(prop.value.raw_value).__name__,)
    return ("str",)


class Decoding:
    """Writes decoders of a spec's types.

    A field's decoder keeps what it can't read. An answer's raises.
    """

    def __init__(self, spec: ParsedSpec) -> None:
        self.spec = spec

    # Fields

    def field_decoder(self, prop: Any) -> str | None:
        """Name or write what decodes a field of a model; None where the value stays as it came."""
        if isinstance(prop, UnionProperty):
            decoded = self.decoded(prop)
            if len(decoded) == 1 and isinstance(decoded[0], EnumProperty):
                prop = decoded[0]
        if isinstance(prop, EnumProperty):
            return str(prop.class_info.name)
        code = self.as_field(prop, "value")
        if code is None:
            return None
        return code.removesuffix("(value)") if code.endswith("(value)") else f"lambda value: {code}"

    def decoded(self, prop: UnionProperty) -> list[Any]:
        """Return the members of a union that need decoding.

        Raises:
            UnionError: They can't be told apart from each other, or from the rest.
        """
        decoded = [inner for inner in prop.inner_properties if self.as_field(inner, "value") is not None]
        tagged = self.spec.tagged(prop)
        for member in decoded:
            same = [inner for inner in prop.inner_properties if set(kinds_of(inner)) & set(kinds_of(member))]
            models = all(isinstance(one, ModelProperty) and self.spec.content(one) is False for one in same)
            if len(same) > 1 and not (tagged and models):
                raise UnionError([self.spec.annotation(one) for one in same])
        return decoded

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
                return self.union_as_field(prop, value)
            case ListProperty():
                if (
                    isinstance(prop.inner_property, ModelProperty)
                    and self.spec.content(prop.inner_property) is False
                ):
                    return f"as_models({value}, {prop.inner_property.class_info.name})"
                inner = self.as_field(prop.inner_property, "item")
                return None if inner is None else f"as_list({value}, lambda item: {inner})"
            case ModelProperty():
                content = self.spec.content(prop)
                if content is False:
                    return f"as_model({value}, {prop.class_info.name})"
                inner = None if content is None else self.as_field(content, "item")
                return None if inner is None else f"as_dict({value}, lambda item: {inner})"
        return None

    def union_as_field(self, prop: UnionProperty, value: str) -> str | None:
        """Write the code that decodes a union: by the type that came, and models by what tells them apart."""
        each = {
            kind: self.tagged(prop, "item") or self.as_field(member, "item")
            if kind == "dict"
            else self.as_field(member, "item")
            for member in self.decoded(prop)
            for kind in kinds_of(member)
        }
        if len(each) > 1:
            table = ", ".join(f"{kind}: lambda item: {code}" for kind, code in each.items())
            return f"as_kind({value}, {{{table}}})"
        # What one member makes of another type is that value itself.
        return next((re.sub(r"\bitem\b", value, str(code), count=1) for code in each.values()), None)

    def tagged(self, prop: UnionProperty, value: str) -> str | None:
        """Write the code that decodes an object by the property that says which model it is."""
        tags = self.spec.tagged(prop)
        if tags is None:
            return None
        table = ", ".join(f"{literal(tag)}: {name}" for tag, name in tags.classes.items())
        return f"as_tagged({value}, {literal(tags.name)}, {{{table}}})"

    # Answers

    def as_answer(self, prop: Any) -> str:
        """Name or write the function that decodes a whole answer."""
        match prop:
            case ModelProperty():
                content = self.spec.content(prop)
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
            case UnionProperty():
                return self.union_as_answer(prop)
            case EnumProperty():
                return f"lambda data: decode_enum(data, {prop.class_info.name})"
            case DateTimeProperty():
                return "decode_datetime"
            case DateProperty():
                return "decode_date"
            case NoneProperty():
                return "decode_nothing"
            case AnyProperty():
                return "decode_value"
        (kind, *more) = kinds_of(prop)
        if kind == "str":
            return "decode_text"
        return f'lambda data: decode_plain(data, "{kind}", {", ".join([kind, *more])})'

    def union_as_answer(self, prop: UnionProperty) -> str:
        """Write the function that decodes an answer that is one of several types."""
        if any(isinstance(inner, AnyProperty) for inner in prop.inner_properties):
            return "decode_value"
        self.decoded(prop)
        table: dict[str, str] = {}
        for member in prop.inner_properties:
            for kind in kinds_of(member):
                table.setdefault(kind, self.as_answer(member))
        tagged = self.tagged(prop, "item")
        if tagged is not None:
            table["dict"] = f"lambda item: {tagged}"
        expected = " or ".join(map(words, self.spec.annotation(prop).split(" | ")))
        entries = ", ".join(f"{kind}: {code}" for kind, code in table.items())
        return f"lambda data: decode_kind(data, {literal(expected)}, {{{entries}}})"


def words(annotation: str) -> str:
    """Write a type for an error: `list of Job`."""
    return re.sub(r"\W+", " ", annotation).strip().replace("list ", "list of ")
