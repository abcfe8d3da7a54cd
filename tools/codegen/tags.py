"""Distinguish the models of a union by constants of their own, or by the spec's discriminator."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from openapi_python_client.parser.properties.const import ConstProperty
from openapi_python_client.parser.properties.enum_property import EnumProperty
from openapi_python_client.parser.properties.model_property import ModelProperty

from ..spec.walk import schemas
from .text import plain

__all__ = ["Tags", "tags_of"]


class Tags(NamedTuple):
    """A property, and the class for each of its values."""

    name: str
    classes: Mapping[str | int, str]


def tags_of(document: Mapping[str, Any], models: Sequence[ModelProperty]) -> Tags | None:
    """Find what tells some models apart, if anything does."""
    return _by_discriminator(document, {str(model.class_info.name) for model in models}) or _by_constants(
        models
    )


def _by_discriminator(document: Mapping[str, Any], names: set[str]) -> Tags | None:
    for _, schema, _, _ in schemas(document):
        if not isinstance(schema, Mapping) or "discriminator" not in schema:
            continue
        members = [*schema.get("oneOf", ()), *schema.get("anyOf", ())]
        found = {member["$ref"].rpartition("/")[2] for member in members if "$ref" in member}
        if found != names:
            continue
        raw = schema["discriminator"]
        mapping = {str(tag): str(target).rpartition("/")[2] for tag, target in raw.get("mapping", {}).items()}
        # A schema that the mapping leaves out goes by its name.
        rest = {name: name for name in sorted(found - set(mapping.values()))}
        return Tags(raw["propertyName"], mapping | rest)
    return None


def _by_constants(models: Sequence[ModelProperty]) -> Tags | None:
    each = [_constants(model) for model in models]
    for name in each[0]:
        if all(name in constants for constants in each):
            classes = {
                constants[name]: str(model.class_info.name)
                for model, constants in zip(models, each, strict=True)
            }
            if len(classes) == len(models):
                return Tags(name, classes)
    return None


def _constants(model: ModelProperty) -> dict[str, str | int]:
    found: dict[str, str | int] = {}
    for prop in (*(model.required_properties or ()), *(model.optional_properties or ())):
        if isinstance(prop, ConstProperty) and isinstance(prop.value.raw_value, str | int):
            found[plain(prop.name)] = prop.value.raw_value
        elif isinstance(prop, EnumProperty) and len(prop.values) == 1:
            (value,) = prop.values.values()
            found[plain(prop.name)] = value
    return found
