"""Whether a request is one of an operation, and valid."""

from __future__ import annotations

import io
import json
import re
from typing import Any
from urllib.parse import unquote

import httpx
import jsonschema
from openapi_core.testing import MockRequest
from werkzeug.formparser import parse_form_data
from werkzeug.test import EnvironBuilder

from .agent_spec import FORM, JSON, SERVER, Operation, Schema, fields, parameters_validator, validator

__all__ = ["check_request", "form_of", "kinds_of"]


def kinds_of(schema: Schema) -> set[str]:
    """The types that a schema allows."""
    if "oneOf" in schema:
        return set().union(*(kinds_of(choice) for choice in schema["oneOf"]))
    found = schema.get("type", "string")
    return {found} if isinstance(found, str) else set(found)


def _is_file(schema: Schema) -> bool:
    choices = [schema, *schema.get("anyOf", ()), *schema.get("oneOf", ())]
    return any("binary" in (item.get("format"), item.get("items", {}).get("format")) for item in choices)


def form_of(request: httpx.Request, schema: Schema) -> tuple[dict[str, Any], dict[str, Any]]:
    """The fields and files of a form; what is not text in the schema is JSON in the form."""
    environ = EnvironBuilder(
        method="POST", data=request.content, content_type=request.headers["content-type"]
    ).get_environ()
    _, texts, files = parse_form_data(environ, lambda *_, **__: io.BytesIO(), silent=False)

    def value(name: str, given: list[str]) -> Any:
        item = schema["properties"][name]
        choices = [item, *item.get("anyOf", ()), *item.get("oneOf", ())]
        lists = [choice["items"] for choice in choices if "items" in choice]
        each = [
            text if "string" in kinds_of(lists[0] if lists else item) else json.loads(text) for text in given
        ]
        return each if lists else each[0]

    def content(name: str) -> Any:
        each = [file.read() for file in files.getlist(name)]
        return each if _is_list(schema["properties"][name]) else each[0]

    return {name: value(name, texts.getlist(name)) for name in texts}, {name: content(name) for name in files}


def _is_list(schema: Schema) -> bool:
    return any("items" in item for item in [schema, *schema.get("anyOf", ()), *schema.get("oneOf", ())])


def _has_read_only(operation: Operation) -> bool:
    bodies = [fields(body) for body in operation.bodies.values()]
    return any(item.get("readOnly") for body in bodies if body for item in body["properties"].values())


def check_request(request: httpx.Request, operation: Operation) -> None:
    """The request is one of this operation, and valid."""
    assert request.method == operation.method
    path = request.url.raw_path.decode().partition("?")[0]
    # openapi-core would take another path with a parameter, or without the last slash.
    pattern = re.sub(r"{\w+}", "[^/]+", operation.path)
    assert re.fullmatch(pattern, path), path
    assert set(request.url.params) <= {item["name"] for item in operation.place("query").values()}
    media_type = request.headers.get("content-type", "").partition(";")[0] or None
    if operation.bodies:
        assert media_type in operation.bodies
    else:
        assert (media_type, request.content) == (None, b"")
    content = request.content
    if media_type == FORM:
        schema = fields(operation.bodies[FORM])
        form, files = form_of(request, schema)
        assert schema is not None
        binary = {name for name, item in schema["properties"].items() if _is_file(item)}
        assert binary & set(schema.get("required", ())) <= set(files) <= binary
        # openapi-core does not decode such forms.
        required = [name for name in schema.get("required", ()) if name not in binary]
        jsonschema.validate(form, {**schema, "required": required})
    # Of a body it can check JSON, but not without what the agent fills in.
    whole = media_type in (JSON, None) and not _has_read_only(operation)
    cookies = request.headers.get("cookie", "").split("; ")
    (validator() if whole else parameters_validator()).validate_request(
        MockRequest(
            SERVER,
            operation.method.lower(),
            "/".join(unquote(part).replace("/", "_") for part in path.split("/")),
            args={name: request.url.params.get_list(name) for name in request.url.params},
            headers=dict(request.headers),
            cookies=dict(pair.split("=", 1) for pair in cookies if pair),
            data=content,
            content_type=media_type or "",
        )
    )
