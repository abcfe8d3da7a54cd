"""A small spec that breaks no rule, for tests that break one."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

__all__ = ["Spec", "schema", "small", "write"]

Spec = dict[str, Any]


def small() -> Spec:
    """One operation with one answer, a model, an enum, an error."""
    return {
        "openapi": "3.1.0",
        "info": {"title": "Test", "version": "1"},
        "tags": [{"name": "things", "description": "Things."}],
        "paths": {
            "/things/{thing_id}/": {
                "get": {
                    "operationId": "get_thing",
                    "tags": ["things"],
                    "security": [{"token": []}],
                    "parameters": [
                        {"name": "thing_id", "in": "path", "required": True, "schema": {"type": "string"}},
                        {"name": "kind", "in": "query", "schema": {"$ref": "#/components/schemas/Kind"}},
                    ],
                    "responses": {
                        "200": {
                            "description": "It.",
                            "content": {
                                "application/json": {"schema": {"$ref": "#/components/schemas/Thing"}}
                            },
                        },
                        "404": {"$ref": "#/components/responses/NotFound"},
                    },
                },
                "put": {
                    "operationId": "put_thing",
                    "tags": ["things"],
                    "security": [{"token": []}],
                    "parameters": [
                        {"name": "thing_id", "in": "path", "required": True, "schema": {"type": "string"}},
                    ],
                    "requestBody": {
                        "required": True,
                        "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Thing"}}},
                    },
                    "responses": {"204": {"description": "Done."}},
                },
            }
        },
        "components": {
            "securitySchemes": {"token": {"type": "apiKey", "in": "header", "name": "Authorization"}},
            "responses": {"NotFound": {"description": "Not there."}},
            "schemas": {
                "Thing": {
                    "type": "object",
                    "description": "A thing.",
                    "required": ["name"],
                    "properties": {
                        "name": {
                            "type": "string",
                            "description": "Its name.",
                            "default": "x",
                            "example": "y",
                        },
                        "kind": {
                            "$ref": "#/components/schemas/Kind",
                            "description": "Its kind.",
                            "example": "big",
                        },
                    },
                },
                "Kind": {"type": "string", "description": "A kind.", "enum": ["big", "small"]},
            },
        },
    }


def schema(spec: Spec, name: str = "Thing") -> Spec:
    found: Spec = spec["components"]["schemas"][name]
    return found


def write(folder: Path, spec: Spec) -> Path:
    """As JSON, which can hold any text."""
    path = folder / "openapi.json"
    path.write_text(json.dumps(spec), encoding="utf-8")
    return path
