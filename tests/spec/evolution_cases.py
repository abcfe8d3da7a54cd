"""tests/spec/evolutions: small changes of a spec, and what the client that is generated from it has to do."""

from __future__ import annotations

import copy
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

__all__ = ["GENERATED", "METHODS", "REFUSED", "Case", "name_of", "place_of", "spec_of"]

Case = dict[str, Any]

FOLDER = Path(__file__).parent / "evolutions"
METHODS = ("get", "put", "post", "patch", "delete", "head")


def _load(name: str) -> Any:
    return YAML(typ="safe").load((FOLDER / f"{name}.yaml").read_text(encoding="utf-8"))


SHARED = _load("shared")
GENERATED: list[Case] = [
    case for name in ("answers", "bodies", "parameters", "pagination") for case in _load(name)
]
REFUSED: list[Case] = _load("refused")


def place_of(case: Case) -> tuple[str, str]:
    """Return the method and the path of a case."""
    (method,) = [method for method in METHODS if method in case]
    return method, case[method]


def name_of(case: Case) -> str:
    """Return the operationId: the method, and the path's words."""
    method, path = place_of(case)
    words = [part for part in path.strip("/").split("/") if not part.startswith("{")]
    return "_".join([method, *words])


def spec_of(cases: Iterable[Case]) -> dict[str, Any]:
    """Return a spec that has each of these cases as an operation."""
    components = copy.deepcopy(SHARED)
    paths: dict[str, Any] = {}
    for case in cases:
        method, path = place_of(case)
        operation: dict[str, Any] = {"operationId": name_of(case), "tags": ["things"]}
        operation |= {key: case[key] for key in ("parameters", "requestBody", "x-pagination") if key in case}
        if "body" in case:
            content = {"application/json": {"schema": case["body"]}}
            operation["requestBody"] = {"required": True, "content": content}
        if "answer" in case:
            content = {"application/json": {"schema": case["answer"]}}
            operation["responses"] = {"200": {"description": "It.", "content": content}}
        else:
            operation["responses"] = case.get("responses", {"204": {"description": "Done."}})
        item = {method: operation}
        if "shared" in case:
            item["parameters"] = case["shared"]
        paths[path] = item
        components["schemas"] |= case.get("schemas", {})
    info = {"title": "Evolved", "version": "1"}
    return copy.deepcopy({"openapi": "3.1.0", "info": info, "paths": paths, "components": components})
