"""Turn parsed models and enums into views."""

from __future__ import annotations

import keyword
from collections.abc import Iterable
from typing import Any

from openapi_python_client.parser.properties.enum_property import EnumProperty
from openapi_python_client.parser.properties.model_property import ModelProperty
from openapi_python_client.parser.properties.schemas import Class

from ..spec.document import pointer
from .decoding import Decoding
from .errors import GenerationError, UnionError
from .text import docstring, literal, paragraphs, plain, section, sentence
from .types import ParsedSpec, optional, unique
from .views import Field, ModelView

__all__ = ["Models"]

MODEL_NAMES = frozenset({"from_dict", "get", "items", "keys", "to_dict", "values"})
# Names that an attribute's annotation may use, so that no attribute can have them.
TYPE_NAMES = frozenset({"bool", "datetime", "dict", "float", "int", "list", "object", "self", "str"})


class Models:
    """The models and enums of a spec."""

    def __init__(self, spec: ParsedSpec) -> None:
        self.spec = spec
        self.decoding = Decoding(spec)

    def properties(self, model: ModelProperty) -> list[Any]:
        """List a model's properties as the spec orders them."""
        found = [*(model.required_properties or []), *(model.optional_properties or [])]
        order = list(model.data.properties or {})
        return sorted(found, key=lambda prop: order.index(prop.name) if prop.name in order else len(order))

    def description(self, model: ModelProperty, prop: Any) -> str:
        """Find what the spec says of a property; openapi-python-client forgets it beside a reference."""
        schema = self.spec.schemas.get(str(model.class_info.name), {})
        own = schema.get("properties", {}).get(plain(prop.name), {})
        return plain(own.get("description") or prop.description)

    def reach(self, classes: Iterable[Class]) -> set[str]:
        """Name all classes that some classes lead to, themselves included."""
        found: set[str] = set()
        todo = [str(item.name) for item in classes]
        while todo:
            name = todo.pop()
            if name in found:
                continue
            found.add(name)
            if name in self.spec.models:
                model = self.spec.models[name]
                todo.extend(str(i.name) for prop in self.properties(model) for i in self.spec.classes(prop))
        return found

    def view(self, model: ModelProperty) -> ModelView:
        """Return what the template of a model prints."""
        spec, name = self.spec, str(model.class_info.name)
        fields: list[Field] = []
        described: list[tuple[str, str]] = []
        for prop in self.properties(model):
            attribute = self.attribute(prop)
            annotation = spec.annotation(prop)
            fields.append(
                Field(
                    name=attribute,
                    wire=literal(plain(prop.name)),
                    annotation=annotation if prop.required else optional(annotation),
                    required=prop.required,
                    decode=self.decoder(name, prop),
                )
            )
            described.append((attribute, sentence(self.description(model, prop))))
        names = [item.name for item in fields]
        if len(set(names)) != len(names):
            raise GenerationError(f"{name}: two properties would have one name, of {', '.join(names)}")
        used = unique(i for prop in self.properties(model) for i in spec.classes(prop) if i.name != name)
        # A module that leads back here can only be imported when the class is there.
        late = [item for item in used if name in self.reach([item])]
        return ModelView(
            name=name,
            doc=docstring(
                [
                    paragraphs(sentence(plain(model.description)) or f"{name}.", 4),
                    section("Attributes", described, 4),
                ],
                4,
            ),
            fields=fields,
            imports=[item for item in used if item not in late],
            late_imports=late,
        )

    def decoder(self, model: str, prop: Any) -> str | None:
        """Name or write what decodes a field."""
        try:
            return self.decoding.field_decoder(prop)
        except UnionError as error:
            where = pointer("components", "schemas", model, "properties", plain(prop.name))
            raise error.at(where) from None

    @staticmethod
    def attribute(prop: Any) -> str:
        """Name a property as an attribute: as on the wire, also when a builtin has that name."""
        name, wire = str(prop.python_name), plain(prop.name)
        if name == f"{wire}_" and not keyword.iskeyword(wire) and wire not in TYPE_NAMES:
            name = wire
        return f"{name}_" if name in MODEL_NAMES else name

    def enum_doc(self, enum: EnumProperty) -> str:
        """Describe an enum."""
        text = sentence(plain(enum.description)) or f"{enum.class_info.name}."
        return docstring([paragraphs(text, 4)], 4)
