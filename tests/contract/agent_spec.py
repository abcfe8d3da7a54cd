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
from openapi_core.validation.request import V31RequestParametersValidator
from openapi_python_client.strings import PythonIdentifier
from ruamel.yaml import YAML
from tables import each_row

__all__ = [
    "AGAIN",
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
    "example",
    "fields",
    "flat",
    "is_bytes",
    "operation_at",
    "parameters_validator",
    "target_of",
    "validator",
]

Schema = Mapping[str, Any]

# Another one where the client of another release is tried.
SPEC = Path(os.environ.get("SYNAPSE_TEST_SPEC", ROOT / "spec" / "openapi.yaml"))
RAW: dict[str, Any] = YAML(typ="safe").load(SPEC.read_text(encoding="utf-8"))
SERVER: str = RAW.get("servers", [{"url": "http://127.0.0.1:8000"}])[0]["url"]
METHODS = ("get", "put", "post", "patch", "delete", "head")
AGAIN = "x-again"
JSON, FORM = "application/json", "multipart/form-data"
# They are the client's, or OpenAPI rules them out as parameters.
OWN_HEADERS = frozenset({"accept", "content-type", "authorization", "synapse-user", "synapse-tenant"})


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
    """One operation; schemas are without references, parameters by the names of the arguments."""

    id: str
    names: tuple[str, ...]
    several: tuple[str, ...]
    method: str
    path: str
    parameters: Mapping[str, Schema]
    bodies: Mapping[str, Schema]
    body_required: bool
    answers: tuple[Answer, ...]
    security: tuple[Mapping[str, Any], ...]

    def __repr__(self) -> str:
        return f"<{self.id}: {self.method} {self.path}>"

    def place(self, place: str) -> dict[str, Schema]:
        """The parameters that go to one place, by their arguments."""
        return {name: item for name, item in self.parameters.items() if item["in"] == place}

    def body_arguments(self, media_type: str) -> dict[str, Schema]:
        """The fields that a body is made of, or the body itself where it has none, by their arguments."""
        body = self.bodies[media_type]
        found = fields(body)
        if found is None:
            return {"body": body}
        asked = {name: item for name, item in found["properties"].items() if not item.get("readOnly")}
        names = {name: str(PythonIdentifier(name, "field_")) for name in asked}
        taken = {name for name, item in self.parameters.items() if item["in"] == "path"}
        return {
            f"{names[name]}_body" if names[name] in taken else names[name]: item
            for name, item in asked.items()
        }

    def required_in(self, media_type: str) -> set[str]:
        """Those of them that a body needs."""
        found = fields(self.bodies[media_type])
        if found is None:
            return {"body"} if self.body_required else set()
        each = dict(zip(self.body_arguments(media_type), asked_for(found), strict=True))
        return {argument for argument, name in each.items() if name in found.get("required", ())}

    @property
    def successes(self) -> list[Answer]:
        return [answer for answer in self.answers if answer.status < 300]

    @property
    def errors(self) -> list[Answer]:
        return [answer for answer in self.answers if answer.status >= 400]

    def arguments(self, media_type: str | None = None, *, optional: bool = True) -> dict[str, Any]:
        """The documented examples as a method's arguments, for the first or for another kind of body."""
        found = {
            name: copy.deepcopy(parameter.get("example", example(parameter["schema"])))
            for name, parameter in self.parameters.items()
            if optional or parameter.get("required")
        }
        if self.bodies:
            kind = media_type or next(iter(self.bodies))
            required = self.required_in(kind)
            for name, schema in self.body_arguments(kind).items():
                if optional or name in required:
                    found[name] = file_or_example(schema, kind)
        return found

    def concrete(self, **values: str) -> str:
        """The path with the parameters' examples, or these values, in it."""
        known = self.arguments()
        by_name = {item["name"]: str(known[name]) for name, item in self.place("path").items()}
        return re.sub(r"{(\w+)}", lambda m: str(values.get(m[1]) or by_name[m[1]]), self.path)


def target_of(reference: str, spec: Schema = RAW) -> Any:
    """What a `$ref` leads to."""
    target: Any = spec
    for part in reference.removeprefix("#/").split("/"):
        target = target[part]
    return target


def flat(node: Any, spec: Schema = RAW, inside: frozenset[str] = frozenset()) -> Any:
    """A part of the spec, or of another one, without references and `allOf`, so that it stands for itself.

    Where a schema comes back to itself, it is marked by AGAIN, and examples end.
    """
    if isinstance(node, list):
        return [flat(item, spec, inside) for item in node]
    if not isinstance(node, dict):
        return node
    if "$ref" in node:
        if node["$ref"] in inside:
            return {AGAIN: True}
        others = {key: value for key, value in node.items() if key != "$ref"}
        return flat({**target_of(node["$ref"], spec), **others}, spec, inside | {node["$ref"]})
    whole: dict[str, Any] = {key: flat(value, spec, inside) for key, value in node.items() if key != "allOf"}
    for part in node.get("allOf", []):
        for key, value in flat(part, spec, inside).items():
            match key:
                case "properties":
                    whole[key] = {**whole.get(key, {}), **value}
                case "required":
                    whole[key] = [*whole.get(key, []), *value]
                case _:
                    whole.setdefault(key, value)
    return whole


def fields(schema: Schema) -> Schema | None:
    """The object with fields that a body is, also where it may be null instead; None where it is another."""
    if "properties" in schema:
        return schema
    choices = schema.get("oneOf") or schema.get("anyOf") or []
    found = [choice for choice in choices if choice.get("type") != "null"]
    return fields(found[0]) if len(found) == 1 else None


def asked_for(schema: Schema) -> list[str]:
    """The fields of a body that a request may have."""
    return [name for name, item in schema["properties"].items() if not item.get("readOnly")]


def is_bytes(media_type: str) -> bool:
    """Whether it is none of JSON, text and forms."""
    return not re.search(r"json$|^text/|xml|^multipart/|urlencoded", media_type)


def file_or_example(schema: Schema, media_type: str) -> Any:
    """An argument for a field, or for the body itself."""
    choices = [schema, *schema.get("anyOf", ()), *schema.get("oneOf", ())]
    if is_bytes(media_type) or any(choice.get("format") == "binary" for choice in choices):
        return b"PK"
    if any(choice.get("items", {}).get("format") == "binary" for choice in choices):
        return [b"PK"]
    return example(schema)


def _example(media: Mapping[str, Any], media_type: str) -> Any:
    if is_bytes(media_type):
        return b"PK"
    return media["example"] if "example" in media else example(media.get("schema", {}))


# What a schema without an example may be, by its format or type.
_FORMATS = {
    "date": "2026-01-31",
    "date-time": "2026-01-31T10:00:00+00:00",
    "uuid": "0b8f6f0e-6f0d-4b7e-9f5c-3f3a3c1d2e4f",
}


def example(schema: Schema) -> Any:
    """The spec's own example of a schema without references, or one made of what it says."""
    if "example" in schema:
        return copy.deepcopy(schema["example"])
    for key in ("default", "const"):
        if key in schema:
            return schema[key]
    if "properties" in schema:
        return {name: example(item) for name, item in schema["properties"].items() if AGAIN not in item}
    if "items" in schema:
        return [] if AGAIN in schema["items"] else [example(schema["items"])]
    if "enum" in schema:
        return schema["enum"][0]
    choices = schema.get("oneOf") or schema.get("anyOf")
    if choices:
        return example(next((choice for choice in choices if AGAIN not in choice), {}))
    kinds = schema.get("type")
    match kinds[0] if isinstance(kinds, list) else kinds:
        case "string":
            text = _FORMATS.get(schema.get("format", ""), "text")
            return text.ljust(schema.get("minLength", 0), "x")[: schema.get("maxLength", 100)]
        case "integer" | "number":
            return schema.get("minimum", schema.get("maximum", 1))
        case "boolean":
            return True
        case "object":
            further = schema.get("additionalProperties")
            if not isinstance(further, Mapping) or not further or AGAIN in further:
                return {}
            return {"one": example(further)}
    return None


def _answers(operation: Mapping[str, Any]) -> Iterator[Answer]:
    for status, response in operation["responses"].items():
        content = response.get("content", {})
        if operation["method"] == "head":
            content = {}
        for media_type, media in content.items():
            schema = {} if is_bytes(media_type) else media.get("schema", {})
            found = _example(media, media_type)
            yield Answer(int(status), media_type, schema, found, response.get("x-error-class"))
        if not content:
            yield Answer(int(status), None, None, None, response.get("x-error-class"))


def _arguments(parameters: list[Schema], raw: Schema) -> dict[str, Schema]:
    """Parameters by the names of the arguments; one that has the name of another says where it goes to."""
    order = ("path", "query", "header", "cookie")
    found: dict[str, Schema] = {}
    content = _sent(raw.get("requestBody", {}).get("content", {}))
    bodies = [fields(media.get("schema", {})) for media in content.values()]
    of_body = {
        str(PythonIdentifier(name, "field_")) for body in bodies if body for name in body["properties"]
    }
    for parameter in sorted(parameters, key=lambda item: order.index(item["in"])):
        if parameter["in"] == "header" and parameter["name"].lower() in OWN_HEADERS:
            continue
        name = str(PythonIdentifier(parameter["name"], "field_"))
        clashes = name in found or (name in of_body and parameter["in"] != "path")
        found[f"{name}_{parameter['in']}" if clashes else name] = parameter
    return found


def _several(raw: Schema) -> tuple[str, ...]:
    """The methods that are more than a request and its answer: they walk pages, or write to a file."""
    walks = [raw["x-pagination"]["method"]] if "x-pagination" in raw else []
    kinds = [
        kind
        for status, answer in raw["responses"].items()
        if status[0] == "2"
        for kind in answer.get("content", {})
    ]
    downloads = raw["method"] == "get" and any(map(is_bytes, kinds))
    return (*walks, *([f"{raw['operationId']}_to_file"] if downloads else []))


def _sent(content: Schema) -> dict[str, Any]:
    """The kinds of body that the client sends: where there is JSON, no other beside it but multipart."""
    kinds = {kind for kind in content if kind.endswith("json") or kind == FORM}
    return {kind: media for kind, media in content.items() if not kinds or kind in kinds}


def _operations() -> Iterator[Operation]:
    for path, item in RAW["paths"].items():
        for method in METHODS:
            if method not in item:
                continue
            raw = flat(item[method])
            raw["method"] = method
            yield Operation(
                id=raw["operationId"],
                names=(raw["operationId"], *raw.get("x-aliases", [])),
                several=_several(raw),
                method=method.upper(),
                path=path,
                parameters=_arguments([*flat(item.get("parameters", [])), *raw.get("parameters", [])], raw),
                bodies={
                    media_type: media.get("schema", {})
                    for media_type, media in _sent(raw.get("requestBody", {}).get("content", {})).items()
                },
                body_required=raw.get("requestBody", {}).get("required", False),
                answers=tuple(_answers(raw)),
                security=tuple(raw.get("security", ())),
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
def parameters_validator() -> OpenAPI:
    """The same, for requests whose body it doesn't know."""
    config = Config(spec_validator_cls=None, request_validator_cls=V31RequestParametersValidator)
    return OpenAPI.from_dict(_readable(), config=config)


def _readable() -> dict[str, Any]:
    """The spec, with parameters that are never null: openapi-core reads no list that may be null instead."""
    spec = copy.deepcopy(RAW)
    for item in spec["paths"].values():
        for holder in (item, *(item[method] for method in METHODS if method in item)):
            for parameter in holder.get("parameters", ()):
                choices = parameter.get("schema", {}).get("anyOf", [])
                others = [choice for choice in choices if choice != {"type": "null"}]
                if len(others) == 1:
                    parameter["schema"] = others[0]
    return spec


@cache
def validator() -> OpenAPI:
    """openapi-core over the spec, which `make spec-lint` validates."""
    return OpenAPI.from_dict(_readable(), config=Config(spec_validator_cls=None))
