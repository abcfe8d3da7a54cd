"""Whether a request is one of an operation, and valid."""

from __future__ import annotations

import io
import json
import re
from typing import Any
from urllib.parse import unquote

import httpx
from openapi_core.testing import MockRequest
from werkzeug.formparser import parse_form_data
from werkzeug.test import EnvironBuilder

from .agent_spec import FORM, JSON, SERVER, Operation, Schema, fields, validator

__all__ = ["check_request", "form_of"]


def _kinds(schema: Schema) -> set[str]:
    """The types that a schema allows."""
    if "oneOf" in schema:
        return set().union(*(_kinds(choice) for choice in schema["oneOf"]))
    found = schema.get("type", "string")
    return {found} if isinstance(found, str) else set(found)


def form_of(request: httpx.Request, schema: Schema) -> tuple[dict[str, Any], dict[str, bytes]]:
    """The fields and files of a form; what is not text in the schema is JSON in the form."""
    environ = EnvironBuilder(
        method="POST", data=request.content, content_type=request.headers["content-type"]
    ).get_environ()
    _, texts, files = parse_form_data(environ, lambda *_, **__: io.BytesIO(), silent=False)

    def value(name: str, text: str) -> Any:
        return text if "string" in _kinds(schema["properties"][name]) else json.loads(text)

    return {name: value(name, text) for name, text in texts.items()}, {
        name: file.read() for name, file in files.items()
    }


def check_request(request: httpx.Request, operation: Operation) -> None:
    """The request is one of this operation, and valid."""
    assert request.method == operation.method
    path = request.url.raw_path.decode().partition("?")[0]
    # openapi-core would take another path with a parameter, or without the last slash.
    pattern = re.sub(r"{\w+}", "[^/]+", operation.path)
    assert re.fullmatch(pattern, path), path
    assert set(request.url.params) <= set(operation.place("query"))
    media_type = request.headers.get("content-type", "").partition(";")[0] or None
    if operation.bodies:
        assert media_type in operation.bodies
    else:
        assert (media_type, request.content) == (None, b"")
    content = request.content
    if media_type == FORM:
        schema = fields(operation.bodies[FORM])
        form, files = form_of(request, schema)
        binary = {name for name, item in schema["properties"].items() if item.get("format") == "binary"}
        assert set(files) == binary & set(schema["required"])
        # openapi-core does not decode such forms; the fields beside the file are those of the JSON body.
        media_type, content = JSON, json.dumps(form).encode()
    validator().validate_request(
        MockRequest(
            SERVER,
            operation.method.lower(),
            "/".join(unquote(part).replace("/", "_") for part in path.split("/")),
            args={name: request.url.params.get_list(name) for name in request.url.params},
            headers=dict(request.headers),
            data=content,
            content_type=media_type or "",
        )
    )
