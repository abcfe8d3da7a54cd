"""Read what the operations of a document take and answer, wherever it says so."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from ..walk import METHODS, as_list, as_mapping
from .shapes import Shapes, canonical

__all__ = ["Api", "Body", "Key", "Operation", "Parameter", "Requirement", "Response"]

Raw = Mapping[str, Any]
Key = tuple[str, str]
"""The method, and the path with `{}` for each parameter."""
Requirement = Mapping[str, frozenset[str]]
"""The scopes by the definition of their security scheme: all are needed."""

_PLACEHOLDER = re.compile(r"{([^{}]*)}")
# Not said by parameters and headers of these names, says OpenAPI.
_IGNORED_PARAMETERS = frozenset({"accept", "authorization", "content-type"})
EXPLODED = "in the style form, exploded"
_STYLES = {"path": "simple", "query": "form", "header": "simple", "cookie": "form"}


class Parameter(NamedTuple):
    """A parameter; `sent` is how its value is written, `repeated` that a list is, item by item."""

    name: str
    place: str
    required: bool
    schema: Any
    sent: str
    repeated: bool = False


class Body(NamedTuple):
    """A request's body: schemas and encodings by media type."""

    required: bool
    content: Mapping[str, tuple[Any, str]]


class Response(NamedTuple):
    """A response: schemas by media type, and headers by lower case name."""

    content: Mapping[str, Any]
    headers: Mapping[str, tuple[bool, Any]]
    error_class: str | None


class Operation(NamedTuple):
    """One operation."""

    key: Key
    path: str
    id: str | None
    raw: Raw
    parameters: Mapping[tuple[str, str], Parameter]
    """By place and name; those of the path by their position."""
    body: Body | None
    responses: Mapping[str, Response]
    security: tuple[tuple[str, Requirement], ...]
    """The alternatives, each in words and as what it needs."""
    callbacks: Mapping[str, str]

    @property
    def name(self) -> str:
        """Return the operationId, or else the method and the path."""
        return self.id or self.line

    @property
    def line(self) -> str:
        """Return the method and the path."""
        return f"{self.key[0].upper()} {self.path}"


class Api:
    """The operations and schemas of a document."""

    def __init__(self, document: Raw) -> None:
        self.document = document
        self.shapes = Shapes(document)
        self.operations: dict[Key, Operation] = {}
        for operation in self._operations():
            # Paths that differ in the names of their parameters only are no two paths, says OpenAPI.
            key = (
                operation.key if operation.key not in self.operations else (operation.key[0], operation.path)
            )
            self.operations[key] = operation._replace(key=key)

    def _operations(self) -> Iterator[Operation]:
        for path, node in as_mapping(self.document.get("paths")).items():
            item = self._whole(node)
            for method in METHODS:
                raw = as_mapping(item.get(method))
                if method in item:
                    yield Operation(
                        (method, _PLACEHOLDER.sub("{}", path)),
                        path,
                        raw["operationId"] if isinstance(raw.get("operationId"), str) else None,
                        raw,
                        dict(self._parameters(path, item, raw)),
                        self._body(raw),
                        {
                            str(status).upper(): self._response(response)
                            for status, response in as_mapping(raw.get("responses")).items()
                        },
                        tuple(self._security(raw)),
                        self.canonical_parts(raw.get("callbacks")),
                    )

    def canonical_parts(self, node: Any) -> dict[str, str]:
        """Return each part of an object in canonical text."""
        return {name: canonical(self.document, part) for name, part in as_mapping(node).items()}

    def _whole(self, node: Any) -> Raw:
        """Return an object, with what stands beside a reference to it."""
        beside = {key: value for key, value in as_mapping(node).items() if key != "$ref"}
        return {**as_mapping(self.shapes.follow(node)), **beside}

    def _parameters(self, path: str, item: Raw, raw: Raw) -> Iterator[tuple[tuple[str, str], Parameter]]:
        positions = {name: f"{{{number}}}" for number, name in enumerate(_PLACEHOLDER.findall(path), 1)}
        for node in (*as_list(item.get("parameters")), *as_list(raw.get("parameters"))):
            parameter = self._whole(node)
            name, place = str(parameter.get("name", "")), str(parameter.get("in", ""))
            if place == "header":
                name = name.lower()
                if name in _IGNORED_PARAMETERS:
                    continue
            content = as_mapping(parameter.get("content"))
            schema = parameter.get("schema", {})
            style = parameter.get("style", _STYLES.get(place, ""))
            sent = "as text"
            if content:
                kind, media = next(iter(content.items()))
                schema, sent = as_mapping(media).get("schema", {}), f"as {kind}"
            elif any(branch.type in ("array", "object") for branch in self.shapes.branches(schema)):
                explode = parameter.get("explode", style == "form")
                sent = f"in the style {style}, {'' if explode is True else 'not '}exploded"
            if parameter.get("allowReserved") is True:
                sent += ", reserved characters as they are"
            key = (place, positions.get(name, name) if place == "path" else name)
            required = parameter.get("required") is True or place == "path"
            repeated = place == "query" and sent == EXPLODED
            yield key, Parameter(name, place, required, schema, sent, repeated)

    def _body(self, raw: Raw) -> Body | None:
        body = self._whole(raw.get("requestBody"))
        if not body:
            return None
        content = {
            _media_type(kind): (
                as_mapping(media).get("schema", {}),
                canonical(self.document, as_mapping(media).get("encoding", {})),
            )
            for kind, media in as_mapping(body.get("content")).items()
        }
        return Body(body.get("required") is True, content)

    def _response(self, node: Any) -> Response:
        response = self._whole(node)
        headers = {
            str(name).lower(): self._whole(header)
            for name, header in as_mapping(response.get("headers")).items()
            if str(name).lower() not in _IGNORED_PARAMETERS
        }
        named = response.get("x-error-class")
        return Response(
            {
                _media_type(kind): as_mapping(media).get("schema", {})
                for kind, media in as_mapping(response.get("content")).items()
            },
            {name: (raw.get("required") is True, raw.get("schema", {})) for name, raw in headers.items()},
            named if isinstance(named, str) else None,
        )

    def _security(self, raw: Raw) -> Iterator[tuple[str, Requirement]]:
        requirements = as_list(raw.get("security", self.document.get("security")))
        if not requirements:
            yield "nothing", {}
        for requirement in map(as_mapping, requirements):
            words = [
                f"{name} ({', '.join(sorted(map(str, scopes)))})" if scopes else name
                for name, scopes in sorted(requirement.items())
            ]
            yield (
                " + ".join(words) or "nothing",
                {self._scheme(name): frozenset(map(str, scopes)) for name, scopes in requirement.items()},
            )

    def _scheme(self, name: str) -> str:
        """Return what a client has to know of a security scheme, in canonical text, or else its name."""
        components = as_mapping(self.document.get("components"))
        raw = self._whole(as_mapping(components.get("securitySchemes")).get(name))
        kept = {key: raw[key] for key in ("type", "in", "openIdConnectUrl") if key in raw}
        for key in ("scheme", "name"):
            if key in raw:
                kept[key] = str(raw[key]).lower() if raw.get("in") != "query" else raw[key]
        for flow, raw_flow in as_mapping(raw.get("flows")).items():
            urls = {key: url for key, url in as_mapping(raw_flow).items() if key.endswith("Url")}
            kept[flow] = {key: url for key, url in urls.items() if key != "refreshUrl"}
        return canonical(self.document, kept) if kept else name


def _media_type(text: str) -> str:
    return text.partition(";")[0].strip().lower()
