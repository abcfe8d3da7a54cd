"""An agent made from a spec, mutated or not: it knows the paths, takes the bodies, answers the examples."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from typing import Any

import httpx

from .agent_spec import AGAIN, example, flat, is_bytes

__all__ = ["NO_METHOD", "ROUTERS", "SpecAgent"]

Spec = Mapping[str, Any]
JSON = "application/json"

# What servers answer for a path that they don't know, by themselves.
ROUTERS: dict[str, Callable[[str], httpx.Response]] = {
    "FastAPI": lambda path: httpx.Response(404, json={"detail": "Not Found"}),
    "ours": lambda path: httpx.Response(404, json={"detail": f"there is no {path}"}),
    "aiohttp": lambda path: httpx.Response(404, text="404: Not Found"),
    "Starlette": lambda path: httpx.Response(404, text="Not Found"),
}
NO_METHOD: dict[str, Callable[[str, str], httpx.Response]] = {
    "FastAPI": lambda method, path: httpx.Response(405, json={"detail": "Method Not Allowed"}),
    "ours": lambda method, path: httpx.Response(405, json={"detail": f"{method} is not allowed on {path}"}),
    "aiohttp": lambda method, path: httpx.Response(405, text="405: Method Not Allowed"),
    "Starlette": lambda method, path: httpx.Response(405, text="Method Not Allowed"),
}


class SpecAgent:
    """Answers requests as the spec says, for a mock transport.

    Args:
        spec: The spec; with references.
        router: How it says that it knows no such path or method; one of ROUTERS.
        strict: Whether a field of a body that it doesn't know is refused, rather than ignored.
        status: With which status to answer instead of the documented one.
    """

    def __init__(
        self, spec: Spec, *, router: str = "FastAPI", strict: bool = False, status: int | None = None
    ) -> None:
        self._spec = spec
        self._router = router
        self._strict = strict
        self._status = status

    def __call__(self, request: httpx.Request) -> httpx.Response:
        path = request.url.path
        items = [
            (template, item)
            for template, item in self._spec["paths"].items()
            if re.fullmatch(re.sub(r"{\w+}", "[^/]+", template), path)
        ]
        if not items:
            return ROUTERS[self._router](path)
        _, item = min(items, key=lambda found: found[0].count("{"))
        if request.method.lower() not in item:
            return NO_METHOD[self._router](request.method, path)
        operation = flat(item[request.method.lower()], self._spec)
        return self._refusal(request, operation) or self._answer(operation)

    def _refusal(self, request: httpx.Request, operation: Spec) -> httpx.Response | None:
        content = operation.get("requestBody", {}).get("content", {})
        if JSON not in content or not request.headers.get("content-type", "").startswith(JSON):
            return None
        schema = content[JSON].get("schema", {})
        schema = next((part for part in schema.get("oneOf", ()) if "properties" in part), schema)
        body = json.loads(request.content)
        if not isinstance(body, dict) or "properties" not in schema:
            return None
        wrong = [
            {"loc": ["body", name], "msg": "Field required", "type": "missing", "input": body}
            for name in schema.get("required", ())
            if name not in body
        ]
        if self._strict:
            wrong += [
                {"loc": ["body", name], "msg": "Extra inputs are not permitted", "type": "extra_forbidden"}
                for name in body
                if name not in schema["properties"]
            ]
        return httpx.Response(422, json={"detail": wrong}) if wrong else None

    def _answer(self, operation: Spec) -> httpx.Response:
        status, answer = next(
            (int(status), answer)
            for status, answer in operation["responses"].items()
            if status.startswith("2")
        )
        status = self._status or status
        for kind, media in answer.get("content", {}).items():
            value = media["example"] if "example" in media else value_of(media.get("schema", {}))
            content = b"PK" if is_bytes(kind) else json.dumps(value).encode()
            return httpx.Response(status, content=content, headers={"Content-Type": kind})
        return httpx.Response(status)


def value_of(schema: Spec) -> Any:
    """A value with every field of a schema in it; a field's own example only where it has no fields."""
    choices = schema.get("oneOf") or schema.get("anyOf")
    if choices:
        return value_of(next((choice for choice in choices if AGAIN not in choice), {}))
    if "properties" in schema:
        return {name: value_of(item) for name, item in schema["properties"].items() if AGAIN not in item}
    if "items" in schema:
        return [] if AGAIN in schema["items"] else [value_of(schema["items"])]
    if "properties" in (inner := schema.get("additionalProperties") or {}) and isinstance(inner, Mapping):
        return {"one": value_of(inner)}
    # The last one is what a newer agent has added.
    if "enum" in schema:
        return schema["enum"][-1]
    return example(schema)
