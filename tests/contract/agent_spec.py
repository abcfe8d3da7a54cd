"""`spec/openapi.yaml` as the contract tests walk it: each operation with what it takes and answers."""

from __future__ import annotations

import copy
import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import httpx
from checkout import ROOT
from openapi_core import Config, OpenAPI
from openapi_core.testing import MockRequest, MockResponse
from ruamel.yaml import YAML
from tables import each_row

__all__ = [
    "FORM",
    "JSON",
    "OPERATIONS",
    "SERVER",
    "SPEC",
    "TESTED",
    "Answer",
    "Operation",
    "Schema",
    "check_answer",
    "each_method",
    "each_operation",
    "fields",
    "flat",
    "operation_at",
    "target_of",
    "validator",
]

Schema = Mapping[str, Any]

# Another one where the client of another release is tried.
SPEC = Path(os.environ.get("SYNAPSE_TEST_SPEC", ROOT / "spec" / "openapi.yaml"))
RAW: dict[str, Any] = YAML(typ="safe").load(SPEC.read_text(encoding="utf-8"))
SERVER: str = RAW["servers"][0]["url"]
METHODS = ("get", "put", "post", "patch", "delete")
JSON, FORM = "application/json", "multipart/form-data"


@dataclass(frozen=True)
class Answer:
    """One documented answer of an operation."""

    status: int
    media_type: str | None
    schema: Schema | None
    example: Any
    error_class: str | None


@dataclass(frozen=True, repr=False)
class Operation:
    """One operation; schemas are without references."""

    id: str
    names: tuple[str, ...]
    method: str
    path: str
    parameters: Mapping[str, Schema]
    bodies: Mapping[str, Schema]
    answers: tuple[Answer, ...]
    security: tuple[Mapping[str, Any], ...]

    def __repr__(self) -> str:
        return f"<{self.id}: {self.method} {self.path}>"

    def place(self, place: str) -> dict[str, Schema]:
        """The parameters that go to one place, by name."""
        return {name: item for name, item in self.parameters.items() if item["in"] == place}

    @property
    def successes(self) -> list[Answer]:
        return [answer for answer in self.answers if answer.status < 300]

    @property
    def errors(self) -> list[Answer]:
        return [answer for answer in self.answers if answer.status >= 400]

    def arguments(self, media_type: str | None = None, *, optional: bool = True) -> dict[str, Any]:
        """The documented examples as a method's arguments, for the first or for another kind of body."""
        found = {
            name: copy.deepcopy(parameter["example"])
            for name, parameter in self.parameters.items()
            if optional or parameter.get("required")
        }
        if self.bodies:
            body = fields(self.bodies[media_type or next(iter(self.bodies))])
            for name, schema in body["properties"].items():
                if optional or name in body.get("required", ()):
                    found[name] = b"PK" if schema.get("format") == "binary" else example(schema)
        return found

    def concrete(self, **values: str) -> str:
        """The path with the parameters' examples, or these values, in it."""
        return re.sub(
            r"{(\w+)}", lambda m: str(values.get(m[1]) or self.parameters[m[1]]["example"]), self.path
        )


def target_of(reference: str, spec: Schema = RAW) -> Any:
    """What a `$ref` leads to."""
    target: Any = spec
    for part in reference.removeprefix("#/").split("/"):
        target = target[part]
    return target


def flat(node: Any, spec: Schema = RAW) -> Any:
    """A part of the spec, or of another one, without references and `allOf`, so that it stands for itself."""
    if isinstance(node, list):
        return [flat(item, spec) for item in node]
    if not isinstance(node, dict):
        return node
    if "$ref" in node:
        others = {key: value for key, value in node.items() if key != "$ref"}
        return flat({**target_of(node["$ref"], spec), **others}, spec)
    whole: dict[str, Any] = {key: flat(value, spec) for key, value in node.items() if key != "allOf"}
    for part in node.get("allOf", []):
        for key, value in flat(part, spec).items():
            match key:
                case "properties":
                    whole[key] = {**whole.get(key, {}), **value}
                case "required":
                    whole[key] = [*whole.get(key, []), *value]
                case _:
                    whole.setdefault(key, value)
    return whole


def fields(schema: Schema) -> Schema:
    """The object with fields that a body is, also where it may be null instead."""
    if "properties" in schema:
        return schema
    (found,) = [choice for choice in schema["oneOf"] if choice.get("type") != "null"]
    return fields(found)


def _example(media: Mapping[str, Any]) -> Any:
    return media["example"] if "example" in media else example(media["schema"])


def example(schema: Schema) -> Any:
    """The spec's own example of a schema without references."""
    if "example" in schema:
        return copy.deepcopy(schema["example"])
    if "properties" in schema:
        return {name: example(item) for name, item in schema["properties"].items()}
    if "items" in schema:
        return [example(schema["items"])]
    if "enum" in schema:
        return schema["enum"][0]
    return example((schema.get("oneOf") or schema["anyOf"])[0])


def _answers(operation: Mapping[str, Any]) -> Iterator[Answer]:
    for status, response in operation["responses"].items():
        content = response.get("content", {})
        for media_type, media in content.items():
            yield Answer(
                int(status), media_type, media["schema"], _example(media), response.get("x-error-class")
            )
        if not content:
            yield Answer(int(status), None, None, None, response.get("x-error-class"))


def _operations() -> Iterator[Operation]:
    for path, item in RAW["paths"].items():
        for method in METHODS:
            if method not in item:
                continue
            raw = flat(item[method])
            parameters = [*flat(item.get("parameters", [])), *raw.get("parameters", [])]
            yield Operation(
                id=raw["operationId"],
                names=(raw["operationId"], *raw.get("x-aliases", [])),
                method=method.upper(),
                path=path,
                parameters={parameter["name"]: parameter for parameter in parameters},
                bodies={
                    media_type: media["schema"]
                    for media_type, media in raw.get("requestBody", {}).get("content", {}).items()
                },
                answers=tuple(_answers(raw)),
                security=tuple(raw["security"]),
            )


OPERATIONS = tuple(_operations())
# SYNAPSE_TEST_OPERATIONS may name those that are tested; by default all are.
_CHOSEN = os.environ.get("SYNAPSE_TEST_OPERATIONS")
TESTED = [item for item in OPERATIONS if _CHOSEN is None or item.id in _CHOSEN.split()]
_METHODS = [(operation, name) for operation in TESTED for name in operation.names]
each_operation = each_row("operation", TESTED, ids=[operation.id for operation in TESTED])
each_method = each_row(("operation", "name"), _METHODS, ids=[name for _, name in _METHODS])


def check_answer(response: httpx.Response) -> Operation:
    """An agent's answer is one that the spec has for the request; gives back the operation."""
    request = response.request
    path = request.url.raw_path.decode().partition("?")[0]
    operation = operation_at(request.method, path)
    query = {name: request.url.params.get_list(name) for name in request.url.params}
    checked = MockRequest(SERVER, operation.method.lower(), unquote(path), args=query)
    kind = response.headers.get("content-type", "").partition(";")[0]
    answer = MockResponse(response.content, response.status_code, dict(response.headers), kind)
    if response.content:
        validator().validate_response(checked, answer)
    else:
        assert response.status_code in {item.status for item in operation.answers if item.schema is None}
    return operation


def operation_at(method: str, path: str) -> Operation:
    """The operation that a request is for; a fixed path goes before one with a parameter."""
    found = [
        operation
        for operation in OPERATIONS
        if operation.method == method and re.fullmatch(re.sub(r"{\w+}", "[^/]+", operation.path), path)
    ]
    assert found, f"{method} {path} is not in the spec"
    return min(found, key=lambda operation: operation.path.count("{"))


@cache
def validator() -> OpenAPI:
    """openapi-core over the spec, which `make spec-lint` validates."""
    return OpenAPI.from_dict(RAW, config=Config(spec_validator_cls=None))
