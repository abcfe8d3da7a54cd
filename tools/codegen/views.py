"""What the templates print: models, operations and their parts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from openapi_python_client.parser.properties.schemas import Class

from .types import union

__all__ = ["Alias", "Decoder", "Field", "ModelView", "OperationView", "Overload", "Parameter", "Waits"]


@dataclass(frozen=True)
class Field:
    """One attribute of a model."""

    name: str
    wire: str
    annotation: str
    required: bool
    decode: str | None


@dataclass(frozen=True)
class ModelView:
    """A model, for its template."""

    name: str
    doc: str
    fields: Sequence[Field]
    imports: Sequence[Class]
    late_imports: Sequence[Class]

    @property
    def decoders(self) -> Sequence[Field]:
        """Return the fields that need decoding."""
        return [field for field in self.fields if field.decode]


@dataclass(frozen=True)
class Parameter:
    """One parameter of a method."""

    name: str
    wire: str
    where: str
    annotation: str
    default: str | None
    keyword_only: bool
    doc: str
    opens_keywords: bool = False


@dataclass(frozen=True)
class Decoder:
    """What decodes the response of one success status."""

    status: int
    function: str
    annotation: str
    body: str
    classes: Sequence[Class]


@dataclass(frozen=True)
class Alias:
    """Another name for an operation."""

    name: str
    doc: str


@dataclass(frozen=True)
class Waits:
    """What a method can wait for, from the spec's x-wait."""

    what: str
    returns: str
    done: str


@dataclass(frozen=True)
class Overload:
    """One signature of a method that has several."""

    parameters: Sequence[Parameter]
    returns: str


@dataclass(frozen=True)
class OperationView:
    """An operation, for its templates."""

    name: str
    id: str
    method: str
    path: str
    words: str
    parameters: Sequence[Parameter]
    returns: str
    decoders: Sequence[Decoder]
    text: bool
    whole_body: str
    empty_body: str
    classes: Sequence[Class]
    doc: str
    aliases: Sequence[Alias]
    waits: Waits | None = None

    @property
    def sent(self) -> list[Parameter]:
        """Those parameters that the request is made of."""
        return [parameter for parameter in self.parameters if parameter.where != "wait"]

    @property
    def answers(self) -> str:
        """Return the type of the method's result, with `wait` or without."""
        return self.returns if self.waits is None else union([self.returns, self.waits.returns])

    @property
    def overloads(self) -> list[Overload]:
        """Return one signature with `wait` and one without."""
        if self.waits is None:
            return []

        def variant(annotation: str, default: str | None, returns: str) -> Overload:
            changed = [
                replace(item, annotation=annotation, default=default) if item.name == "wait" else item
                for item in self.parameters
            ]
            return Overload(changed, returns)

        return [
            variant("Literal[False]", "False", self.returns),
            variant("Literal[True]", None, self.waits.returns),
            variant("bool", None, self.answers),
        ]

    def of(self, where: str) -> list[Parameter]:
        """Pick the parameters that go to one place."""
        return [parameter for parameter in self.parameters if parameter.where == where]
