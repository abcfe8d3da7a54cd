"""What the templates print: models, operations and their parts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from openapi_python_client.parser.properties.schemas import Class

from .types import union

__all__ = [
    "Alias",
    "BodyView",
    "Decoder",
    "Download",
    "Field",
    "ModelView",
    "OperationView",
    "Overload",
    "Pages",
    "Parameter",
    "Waits",
]


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
class BodyView:
    """A request's body, for its template.

    Attributes:
        parameters: What the method takes for it.
        props: What these are in the spec.
        code: What makes the body of its one argument, `{body}`; empty where its fields are arguments.
        empty: What follows the object made of the parameters, for when it is empty.
        content_type: The media type as a literal, where it is not JSON.
        multipart: `always`, or `files` where the request is multipart only with a file.
    """

    parameters: Sequence[Parameter] = ()
    props: Sequence[Any] = field(default_factory=list[Any])
    code: str = ""
    empty: str = ""
    content_type: str = ""
    multipart: str = ""


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
class Download:
    """The method that writes an operation's bytes to a file."""

    name: str
    parameters: Sequence[Parameter]
    doc: str


@dataclass(frozen=True)
class Pages:
    """The method that walks a list page by page, from the spec's x-pagination."""

    name: str
    parameters: Sequence[Parameter]
    passed: Mapping[str, str]
    items: str
    settings: Mapping[str, str]
    doc: str


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
    accept: str
    body: BodyView
    classes: Sequence[Class]
    doc: str
    aliases: Sequence[Alias]
    waits: Waits | None = None
    download: Download | None = None
    pages: Pages | None = None

    @property
    def names(self) -> list[str]:
        """Return the names of all methods that are made of this."""
        others = [item.name for item in (self.download, self.pages) if item is not None]
        return [self.name, *(alias.name for alias in self.aliases), *others]

    @property
    def signatures(self) -> str:
        """Return every annotation, for what they need imported."""
        parameters = [*self.parameters, *(self.pages.parameters if self.pages else ())]
        parameters += self.download.parameters if self.download else ()
        return " ".join([*(item.annotation for item in parameters), self.answers])

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

    @property
    def path_is_plain(self) -> bool:
        """Return whether what goes into the path is text and integers as it is given."""
        return all(set(item.annotation.split(" | ")) <= {"str", "int"} for item in self.of("path"))

    @property
    def all_files(self) -> bool:
        """Return whether each of the form's files, if it has any, has to be given."""
        return bool(self.of("file")) and all(item.default is None for item in self.of("file"))

    def of(self, where: str) -> list[Parameter]:
        """Pick the parameters that go to one place."""
        return [parameter for parameter in self.parameters if parameter.where == where]
