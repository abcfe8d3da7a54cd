"""Apply an overlay (OpenAPI Overlay 1.0) to a document."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from typing import Any

import jsonpath
from jsonpath.exceptions import JSONPathError

from .document import Document, SpecError, shown

__all__ = ["apply"]


def apply(document: Document, overlay: Mapping[str, Any]) -> tuple[Document, list[str]]:
    """Return the document with the overlay's actions done, and the targets that matched nothing.

    Actions come one after the other. An update is merged into objects and appended to lists; `remove` takes
    away what the target finds.

    Raises:
        SpecError: The overlay is none.
    """
    if not str(overlay.get("overlay", "")).startswith("1.0."):
        raise SpecError("overlay: `overlay: 1.0.0` is needed at the top")
    # In a list with one item, the document itself can be replaced like anything else.
    whole: list[Any] = [copy.deepcopy(document)]
    missing: list[str] = []
    for number, action in enumerate(overlay.get("actions") or ()):
        where = f"overlay: action {number + 1}"
        if not isinstance(action, Mapping) or not isinstance(action.get("target"), str):
            raise SpecError(f"{where}: no target, which is a JSONPath such as $.paths['/jobs/'].get")
        removes = action.get("remove") is True
        if not removes and "update" not in action:
            raise SpecError(f"{where}: neither `update` nor `remove: true`")
        try:
            found = [tuple(match.parts) for match in jsonpath.finditer(action["target"], whole[0])]
        except JSONPathError as error:
            raise SpecError(f"{where}: {shown(str(error).partition(chr(10))[0])}") from None
        if not found:
            missing.append(action["target"])
        # From the end, so that what is taken out of a list moves nothing that is still to go.
        for parts in reversed(found):
            parent: Any = whole
            for part in (0, *parts)[:-1]:
                parent = parent[part]
            last = (0, *parts)[-1]
            if not removes:
                parent[last] = _merged(parent[last], copy.deepcopy(action["update"]), where)
            elif parts:
                del parent[last]
            else:
                raise SpecError(f"{where}: the whole document can't be removed")
    result: Document = whole[0]
    return result, missing


def _merged(old: Any, update: Any, where: str) -> Any:
    match old, update:
        case dict(), Mapping():
            return {
                **old,
                **{key: _inner(old[key], value) if key in old else value for key, value in update.items()},
            }
        case list(), _:
            return [*old, update]
    raise SpecError(f"{where}: only objects and lists are updated; target what holds it")


def _inner(old: Any, update: Any) -> Any:
    if isinstance(old, dict) and isinstance(update, Mapping):
        return {
            **old,
            **{key: _inner(old[key], value) if key in old else value for key, value in update.items()},
        }
    return [*old, *update] if isinstance(old, list) and isinstance(update, list) else update
